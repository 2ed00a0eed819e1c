"""Attachments: files that go with replies, and drafts that remember them.

Revision ID: 0017
"""

import sqlalchemy as sa
from alembic import op

from storage.migrations.columns import JSON, MOMENT, NUMBER, TEXT, always, index, maybe, references

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("replies", "drafts"):
        op.add_column(table, sa.Column("attachments", JSON, nullable=False, server_default="[]"))
    op.create_table(
        "attachments",
        *always(TEXT, "id", "conversation_id", "agent_id", "name", "media_type"),
        *maybe(TEXT, "reply_id"),
        *always(NUMBER, "size_bytes"),
        *maybe(sa.LargeBinary(), "content"),
        *always(MOMENT, "created_at"),
        sa.PrimaryKeyConstraint("id", name="attachments_pkey"),
        *references("attachments", conversation_id="conversations", reply_id="replies"),
    )
    for column in ("conversation_id", "reply_id", "created_at"):
        index("attachments", f"ix_attachments_{column}", column)


def downgrade() -> None:
    op.drop_table("attachments")
    for table in ("drafts", "replies"):
        op.drop_column(table, "attachments")

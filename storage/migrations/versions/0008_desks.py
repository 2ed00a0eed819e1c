"""What agents have at their desks: drafts, canned replies, and who looks at what.

Revision ID: 0008
"""

import sqlalchemy as sa
from alembic import op

from storage.migrations.columns import (
    LONG_TEXT,
    MOMENT,
    NUMBER,
    TEXT,
    always,
    index,
    maybe,
    references,
)

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "drafts",
        *always(TEXT, "agent_id", "conversation_id"),
        *always(LONG_TEXT, "text"),
        *maybe(TEXT, "visibility", "in_reply_to"),
        *always(MOMENT, "updated_at", "version"),
        *maybe(MOMENT, "left_at"),
        sa.PrimaryKeyConstraint("agent_id", "conversation_id", name="drafts_pkey"),
        *references("drafts", agent_id="agents", conversation_id="conversations"),
    )
    index("drafts", "ix_drafts_conversation_id", "conversation_id")
    index("drafts", "drafts_left_behind", "left_at", where="left_at IS NOT NULL")
    _create_canned_replies()
    op.create_table(
        "onlookers",
        *always(TEXT, "conversation_id", "principal_id", "activity"),
        *always(MOMENT, "since", "until"),
        sa.PrimaryKeyConstraint("conversation_id", "principal_id", name="onlookers_pkey"),
    )


def _create_canned_replies() -> None:
    op.create_table(
        "canned_replies",
        *always(TEXT, "id", "shortcut", "place"),
        *maybe(TEXT, "language"),
        *always(LONG_TEXT, "text", "words"),
        *always(NUMBER, "version"),
        *always(MOMENT, "created_at"),
        sa.PrimaryKeyConstraint("id", name="canned_replies_pkey"),
        sa.UniqueConstraint("place", name="canned_replies_place_key"),
    )
    table = "canned_reply_workgroups"
    op.create_table(
        table,
        *always(TEXT, "canned_reply_id", "workgroup_id"),
        sa.PrimaryKeyConstraint("canned_reply_id", "workgroup_id", name=f"{table}_pkey"),
        *references(table, canned_reply_id="canned_replies", workgroup_id="workgroups"),
    )
    index(table, f"ix_{table}_workgroup_id", "workgroup_id")


def downgrade() -> None:
    for table in ("onlookers", "canned_reply_workgroups", "canned_replies", "drafts"):
        op.drop_table(table)

"""Replies of several posts, that can be withdrawn, edited and deleted.

Revision ID: 0005
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from storage.migrations.columns import (
    JSON,
    MOMENT,
    NUMBER,
    TEXT,
    TRUTH,
    always,
    index,
    maybe,
    references,
)

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table, columns in _added().items():
        for column in columns:
            op.add_column(table, column)
    op.create_table(
        "reply_posts",
        *always(TEXT, "account_id", "external_id", "reply_id"),
        sa.PrimaryKeyConstraint("account_id", "external_id", name="reply_posts_pkey"),
        *references("reply_posts", account_id="accounts", reply_id="replies"),
    )
    index("reply_posts", "ix_reply_posts_reply_id", "reply_id")


def downgrade() -> None:
    op.drop_table("reply_posts")
    for table, columns in _added().items():
        for column in columns:
            op.drop_column(table, column.name)


def _added() -> dict[str, tuple[sa.Column[Any], ...]]:
    """Return what existing tables get; rows that are there get the default."""
    return {
        "workgroups": (sa.Column("undo_window_s", NUMBER, nullable=False, server_default="0"),),
        "replies": (
            sa.Column("parts", JSON, nullable=False, server_default="[]"),
            sa.Column("has_pending_change", TRUTH, nullable=False, server_default=sa.false()),
            *maybe(JSON, "change"),
            *maybe(TEXT, "thread_root"),
            *maybe(MOMENT, "undo_until"),
        ),
    }

"""How channels are listened to: health, budgets, fences, and what became of posts later.

Revision ID: 0006
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from storage.migrations.columns import (
    JSON,
    LONG_TEXT,
    MOMENT,
    NUMBER,
    TEXT,
    always,
    index,
    maybe,
    references,
)

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

HEALTH_WORDS = {"unknown": "healthy", "ok": "healthy", "trouble": "degraded"}


def upgrade() -> None:
    for table, columns in _added().items():
        for column in columns:
            op.add_column(table, column)
    _rename_health(HEALTH_WORDS)
    op.create_table(
        "account_budgets",
        *always(TEXT, "account_id", "name"),
        *always(MOMENT, "used_until"),
        sa.PrimaryKeyConstraint("account_id", "name", name="account_budgets_pkey"),
        *references("account_budgets", account_id="accounts"),
    )
    op.create_table(
        "post_changes",
        *always(TEXT, "account_id", "external_id", "kind"),
        *maybe(LONG_TEXT, "text"),
        *always(MOMENT, "at", "received_at"),
        sa.PrimaryKeyConstraint("account_id", "external_id", name="post_changes_pkey"),
        *references("post_changes", account_id="accounts"),
    )
    index("post_changes", "post_changes_by_arrival", "received_at")


def downgrade() -> None:
    op.drop_table("post_changes")
    op.drop_table("account_budgets")
    _rename_health({new: old for old, new in HEALTH_WORDS.items()})
    for table, columns in _added().items():
        for column in columns:
            op.drop_column(table, column.name)


def _rename_health(words: dict[str, str]) -> None:
    channels = sa.table("channels", sa.column("health", TEXT))
    for old, new in words.items():
        op.execute(sa.update(channels).where(channels.c.health == old).values(health=new))


def _added() -> dict[str, tuple[sa.Column[Any], ...]]:
    """Return what existing tables get; rows that are there get the default."""
    return {
        "channels": (
            sa.Column("purpose", TEXT, nullable=False, server_default="brand"),
            sa.Column("include", JSON, nullable=False, server_default='["quotes"]'),
            sa.Column("backfill_s", NUMBER, nullable=False, server_default="3600"),
            sa.Column("left_out", NUMBER, nullable=False, server_default="0"),
            sa.Column("failures", NUMBER, nullable=False, server_default="0"),
            sa.Column("missed", NUMBER, nullable=False, server_default="0"),
            sa.Column("listener_epoch", NUMBER, nullable=False, server_default="0"),
            *maybe(MOMENT, "caught_up_at"),
        ),
        "posts": (
            sa.Column("kind", TEXT, nullable=False, server_default="post"),
            sa.Column("earlier_texts", JSON, nullable=False, server_default="[]"),
            *maybe(MOMENT, "edited_at", "deleted_at"),
        ),
    }

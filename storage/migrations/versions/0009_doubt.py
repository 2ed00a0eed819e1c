"""A reply remembers that an attempt of it may have been accepted.

Revision ID: 0009
"""

import sqlalchemy as sa
from alembic import op

from storage.migrations.columns import TEXT, TRUTH

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "replies", sa.Column("is_in_doubt", TRUTH, nullable=False, server_default=sa.false())
    )
    replies = sa.table("replies", sa.column("state", TEXT), sa.column("is_in_doubt", TRUTH))
    unclear = sa.update(replies).where(replies.c.state == "unknown")
    op.execute(unclear.values(is_in_doubt=sa.true()))


def downgrade() -> None:
    op.drop_column("replies", "is_in_doubt")

"""How many calls are under way under an account's lease.

Revision ID: 0011
"""

import sqlalchemy as sa
from alembic import op

from storage.migrations.columns import NUMBER

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "account_leases", sa.Column("calls", NUMBER, nullable=False, server_default=sa.text("0"))
    )


def downgrade() -> None:
    op.drop_column("account_leases", "calls")

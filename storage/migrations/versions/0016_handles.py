"""Customers are found by their whole handle, however many there are.

Revision ID: 0016
"""

from alembic import op

from storage.migrations.columns import index

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    index("identities", "identities_by_handle", "handle")


def downgrade() -> None:
    op.drop_index("identities_by_handle", table_name="identities")

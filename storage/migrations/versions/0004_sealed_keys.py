"""Keys that are kept sealed, because they outlive the secret key that seals them.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op

from storage.migrations.columns import LONG_TEXT, TEXT, always

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sealed_keys",
        *always(TEXT, "name"),
        *always(LONG_TEXT, "sealed"),
        sa.PrimaryKeyConstraint("name", name="sealed_keys_pkey"),
    )


def downgrade() -> None:
    op.drop_table("sealed_keys")

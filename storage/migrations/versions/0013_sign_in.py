"""Passwords, failed attempts to sign in, and sessions that their owners can tell apart.

Revision ID: 0013
"""

import sqlalchemy as sa
from alembic import op

from storage.migrations.columns import (
    LONG_TEXT,
    MOMENT,
    NUMBER,
    TEXT,
    TRUTH,
    always,
    index,
    references,
)

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "passwords",
        *always(TEXT, "principal_id"),
        *always(LONG_TEXT, "hash"),
        *always(TRUTH, "is_initial"),
        *always(MOMENT, "changed_at"),
        sa.PrimaryKeyConstraint("principal_id", name="passwords_pkey"),
        *references("passwords", principal_id="principals"),
    )
    op.create_table(
        "sign_in_attempts",
        *always(TEXT, "subject"),
        *always(NUMBER, "failures"),
        *always(MOMENT, "last_at", "blocked_until"),
        sa.PrimaryKeyConstraint("subject", name="sign_in_attempts_pkey"),
    )
    index("sign_in_attempts", "ix_sign_in_attempts_last_at", "last_at")
    _name_sessions()


def _name_sessions() -> None:
    """Give each session an id to be shown; a part of the hash tells nobody the token."""
    op.add_column("sessions", sa.Column("id", TEXT, nullable=False, server_default=""))
    op.add_column("sessions", sa.Column("opened_by", TEXT, nullable=False, server_default="key"))
    op.add_column("sessions", sa.Column("browser", TEXT, nullable=True))
    op.execute("UPDATE sessions SET id = 'se_' || substr(token_hash, 1, 24)")


def downgrade() -> None:
    for column in ("browser", "opened_by", "id"):
        op.drop_column("sessions", column)
    op.drop_table("sign_in_attempts")
    op.drop_table("passwords")

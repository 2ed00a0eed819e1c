"""Displays: screens that read figures with a token of their own.

Revision ID: 0015
"""

import sqlalchemy as sa
from alembic import op

from storage.migrations.columns import JSON, MOMENT, TEXT, TRUTH, always, index, maybe, references

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "displays",
        *always(TEXT, "id", "principal_id", "name", "created_by"),
        *always(JSON, "workgroup_ids"),
        *always(TRUTH, "shows_agents"),
        *always(MOMENT, "created_at", "expires_at"),
        *maybe(MOMENT, "last_used_at"),
        sa.PrimaryKeyConstraint("id", name="displays_pkey"),
        *references("displays", principal_id="principals"),
    )
    index("displays", "ix_displays_principal_id", "principal_id", unique=True)


def downgrade() -> None:
    displays = sa.table("displays", sa.column("principal_id", TEXT))
    keys = sa.table("api_keys", sa.column("id", TEXT), sa.column("principal_id", TEXT))
    sessions = sa.table("sessions", sa.column("principal_id", TEXT))
    principals = sa.table("principals", sa.column("id", TEXT))
    theirs = op.get_bind().execute(sa.select(displays.c.principal_id)).scalars().all()
    op.drop_table("displays")
    op.execute(sessions.delete().where(sessions.c.principal_id.in_(theirs)))
    op.execute(keys.delete().where(keys.c.principal_id.in_(theirs)))
    op.execute(principals.delete().where(principals.c.id.in_(theirs)))

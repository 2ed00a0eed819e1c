"""Dispositions: which wrap-up codes there are, and which conversations have one.

Revision ID: 0012
"""

import sqlalchemy as sa
from alembic import op

from storage.migrations.columns import MOMENT, NUMBER, TEXT, TRUTH, always, index, references

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

BY_CODE = "conversations_by_wrap_up_code"


def upgrade() -> None:
    op.create_table(
        "dispositions",
        *always(TEXT, "id", "code", "name"),
        *always(TRUTH, "active"),
        *always(NUMBER, "position", "version"),
        *always(MOMENT, "created_at"),
        sa.PrimaryKeyConstraint("id", name="dispositions_pkey"),
        sa.UniqueConstraint("code", name="dispositions_code_key"),
    )
    table = "disposition_workgroups"
    op.create_table(
        table,
        *always(TEXT, "disposition_id", "workgroup_id"),
        sa.PrimaryKeyConstraint("disposition_id", "workgroup_id", name=f"{table}_pkey"),
        *references(table, disposition_id="dispositions", workgroup_id="workgroups"),
    )
    index(table, f"ix_{table}_workgroup_id", "workgroup_id")
    coded = ("wrap_up_code", "workgroup_id", "ended_at")
    index("conversations", BY_CODE, *coded, where="wrap_up_code IS NOT NULL")


def downgrade() -> None:
    op.drop_index(BY_CODE, table_name="conversations")
    op.drop_table("disposition_workgroups")
    op.drop_table("dispositions")

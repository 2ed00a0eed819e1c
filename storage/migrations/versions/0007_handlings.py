"""How long agents handled conversations, and waits by their beginning.

Revision ID: 0007
"""

import sqlalchemy as sa
from alembic import op

from storage.migrations.columns import MOMENT, TEXT, always, index, maybe, references

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "handlings",
        *always(TEXT, "id", "conversation_id", "workgroup_id", "agent_id", "media_type", "kind"),
        *always(MOMENT, "began_at", "ended_at", "held_ms"),
        *maybe(TEXT, "outcome"),
        sa.PrimaryKeyConstraint("id", name="handlings_pkey"),
        *references("handlings", conversation_id="conversations"),
    )
    index("handlings", "handlings_of_a_workgroup", "workgroup_id", "ended_at")
    index("handlings", "handlings_by_their_end", "ended_at")
    index("queue_entries", "waits_by_their_beginning", "workgroup_id", "entered_at")


def downgrade() -> None:
    op.drop_index("waits_by_their_beginning", "queue_entries")
    op.drop_table("handlings")

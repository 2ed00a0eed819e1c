"""Mentions in notes, and customers in the order in which they are searched.

Revision ID: 0014
"""

import sqlalchemy as sa
from alembic import op

from storage.migrations.columns import MOMENT, TEXT, always, index, maybe, references

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mentions",
        *always(TEXT, "agent_id", "note_id", "conversation_id"),
        *always(MOMENT, "created_at"),
        *maybe(MOMENT, "read_at"),
        sa.PrimaryKeyConstraint("agent_id", "note_id", name="mentions_pkey"),
        *references(
            "mentions", agent_id="agents", note_id="notes", conversation_id="conversations"
        ),
    )
    index("mentions", "ix_mentions_note_id", "note_id")
    index("mentions", "mentions_of_an_agent", "agent_id", "created_at", "note_id")
    index("mentions", "mentions_in_a_conversation", "conversation_id", "agent_id")
    index("customers", "customers_by_creation", "created_at", "id")


def downgrade() -> None:
    op.drop_index("customers_by_creation", table_name="customers")
    op.drop_table("mentions")

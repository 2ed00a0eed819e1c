"""What became of offers, and how long customers waited for a first answer.

Revision ID: 0010
"""

import sqlalchemy as sa
from alembic import op

from storage.migrations.columns import MOMENT, TEXT, always, index, references

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ended_offers",
        *always(TEXT, "offer_id", "conversation_id", "workgroup_id", "agent_id", "media_type"),
        *always(MOMENT, "began_at", "ended_at"),
        *always(TEXT, "outcome"),
        sa.PrimaryKeyConstraint("offer_id", name="ended_offers_pkey"),
        *references("ended_offers", conversation_id="conversations"),
    )
    index("ended_offers", "ended_offers_of_a_workgroup", "workgroup_id", "ended_at")
    index("ended_offers", "ended_offers_by_their_end", "ended_at")
    op.create_table(
        "first_replies",
        *always(TEXT, "conversation_id", "reply_id", "workgroup_id", "agent_id", "media_type"),
        *always(MOMENT, "sent_at", "after_ms"),
        sa.PrimaryKeyConstraint("conversation_id", name="first_replies_pkey"),
        *references("first_replies", conversation_id="conversations"),
    )
    index("first_replies", "first_replies_of_a_workgroup", "workgroup_id", "sent_at")
    index("first_replies", "first_replies_by_time", "sent_at")


def downgrade() -> None:
    op.drop_table("first_replies")
    op.drop_table("ended_offers")

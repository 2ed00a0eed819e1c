"""Conversations, posts, replies and events.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

from storage.migrations.columns import (
    JSON,
    LONG_TEXT,
    MOMENT,
    NUMBER,
    NUMBERED,
    TEXT,
    TRUTH,
    always,
    index,
    maybe,
    references,
)

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = (
    "replies",
    "posts",
    "notes",
    "involvements",
    "decisions",
    "bells",
    "conversations",
    "events",
    "counters",
)
"""Those that refer to others first, so that they can be dropped in this order."""


def upgrade() -> None:
    _conversations()
    _indexes_of_conversations()
    _around_conversations()
    _posts()
    _replies()
    _events()


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)


def _conversations() -> None:
    op.create_table(
        "conversations",
        *always(
            TEXT,
            "id",
            "state",
            "media_type",
            "network",
            "account_id",
            "channel_id",
            "workgroup_id",
            "customer_id",
            "affinity_key",
        ),
        *always(NUMBER, "affinity_window_s", "priority"),
        *always(MOMENT, "queue_rank"),
        *always(TEXT, "requirements"),
        *always(JSON, "required_skills"),
        *always(NUMBER, "weight_percent"),
        *maybe(TEXT, "holder_agent_id", "agent_id", "preferred_agent_id"),
        *maybe(MOMENT, "preferred_until"),
        *always(JSON, "passed_over"),
        *maybe(TEXT, "offer_id", "offer_agent_id"),
        *maybe(MOMENT, "offer_expires_at"),
        *always(MOMENT, "created_at", "queued_at"),
        *maybe(
            MOMENT,
            "offered_at",
            "connected_at",
            "held_at",
            "parked_until",
            "wrap_up_until",
            "ended_at",
        ),
        *always(MOMENT, "last_post_at", "affinity_until"),
        *always(NUMBER, "post_count", "answered_count", "unsettled_replies"),
        *maybe(TEXT, "continues", "continued_by", "wrap_up_code", "ended_by"),
        *always(NUMBER, "version"),
        *_rules_of_conversations(),
        *references(
            "conversations",
            account_id="accounts",
            channel_id="channels",
            customer_id="customers",
            workgroup_id="workgroups",
        ),
    )


def _rules_of_conversations() -> list[sa.Constraint]:
    return [
        sa.PrimaryKeyConstraint("id", name="conversations_pkey"),
        sa.CheckConstraint(
            "(state = 'alerting') = (offer_id IS NOT NULL)", name="alerting_has_an_offer"
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'alerting', 'connected', 'held', 'parked') = (ended_at IS NULL)",
            name="ended_means_ended_at",
        ),
        sa.CheckConstraint(
            "state NOT IN ('connected', 'held', 'parked', 'wrapup') OR agent_id IS NOT NULL",
            name="owned_states_have_an_owner",
        ),
        sa.CheckConstraint("unsettled_replies >= 0", name="replies_settle_once"),
        sa.CheckConstraint(
            "state NOT IN ('queued', 'alerting') OR agent_id IS NULL", name="waiting_has_no_owner"
        ),
    ]


def _indexes_of_conversations() -> None:
    index("conversations", "conversations_by_creation", "created_at", "id")
    index(
        "conversations",
        "conversations_by_holder",
        "holder_agent_id",
        where="holder_agent_id IS NOT NULL",
    )
    index("conversations", "conversations_by_key", "affinity_key", "created_at")
    index("conversations", "conversations_by_state", "state", "created_at", "id")
    index("conversations", "conversations_of_a_channel", "channel_id", "created_at", "id")
    index("conversations", "conversations_of_a_customer", "customer_id", "created_at", "id")
    index("conversations", "conversations_of_a_workgroup", "workgroup_id", "created_at", "id")
    index("conversations", "conversations_of_an_agent", "agent_id", "created_at", "id")
    index("conversations", "ix_conversations_account_id", "account_id")
    index(
        "conversations",
        "one_open_conversation_per_key",
        "affinity_key",
        where="ended_at IS NULL",
        unique=True,
    )
    index(
        "conversations",
        "queue_of_a_workgroup",
        "workgroup_id",
        "requirements",
        "queue_rank",
        "id",
        where="state = 'queued'",
    )


def _around_conversations() -> None:
    op.create_table(
        "bells",
        *always(TEXT, "conversation_id", "network"),
        *always(NUMBER, "version"),
        *always(MOMENT, "changed_at"),
        *always(NUMBER, "rung_version"),
        *maybe(MOMENT, "rung_at"),
        *always(NUMBER, "seen_version"),
        *maybe(TEXT, "run_id"),
        sa.PrimaryKeyConstraint("conversation_id", name="bells_pkey"),
        *references("bells", conversation_id="conversations"),
    )
    index("bells", "bells_not_seen", "changed_at", where="version > seen_version")
    op.create_table(
        "involvements",
        *always(TEXT, "agent_id", "conversation_id"),
        sa.PrimaryKeyConstraint("agent_id", "conversation_id", name="involvements_pkey"),
        *references("involvements", agent_id="agents", conversation_id="conversations"),
    )
    index("involvements", "ix_involvements_conversation_id", "conversation_id")
    op.create_table(
        "decisions",
        *always(TEXT, "id", "conversation_id"),
        *maybe(TEXT, "offer_id", "agent_id"),
        *always(MOMENT, "at"),
        *always(JSON, "record"),
        sa.PrimaryKeyConstraint("id", name="decisions_pkey"),
        *references("decisions", conversation_id="conversations"),
    )
    index("decisions", "decisions_of_a_conversation", "conversation_id", "at", "id")
    op.create_table(
        "notes",
        *always(TEXT, "id", "conversation_id"),
        *maybe(TEXT, "agent_id"),
        *always(TEXT, "author_name"),
        *always(LONG_TEXT, "text"),
        *always(MOMENT, "created_at"),
        sa.PrimaryKeyConstraint("id", name="notes_pkey"),
        *references("notes", conversation_id="conversations"),
    )
    index("notes", "notes_of_a_conversation", "conversation_id", "created_at", "id")


def _posts() -> None:
    op.create_table(
        "posts",
        *always(
            TEXT, "id", "account_id", "channel_id", "external_id", "conversation_id", "customer_id"
        ),
        *always(JSON, "author"),
        *always(LONG_TEXT, "text"),
        *always(TEXT, "visibility"),
        *always(MOMENT, "created_at", "received_at"),
        *always(TRUTH, "is_late"),
        *maybe(TEXT, "in_reply_to", "thread_root", "url"),
        *always(JSON, "media"),
        *maybe(TEXT, "language"),
        *maybe(JSON, "location"),
        *maybe(TEXT, "source_application"),
        sa.PrimaryKeyConstraint("id", name="posts_pkey"),
        sa.UniqueConstraint("account_id", "external_id", name="a_post_is_taken_once"),
        *references(
            "posts",
            account_id="accounts",
            channel_id="channels",
            conversation_id="conversations",
            customer_id="customers",
        ),
    )
    index("posts", "posts_of_a_conversation", "conversation_id", "created_at", "external_id")


def _replies() -> None:
    op.create_table(
        "replies",
        *always(TEXT, "id", "conversation_id", "account_id", "channel_id", "network", "agent_id"),
        *always(LONG_TEXT, "text"),
        *always(TEXT, "visibility", "to_external_id"),
        *maybe(TEXT, "to_handle", "in_reply_to"),
        *always(TEXT, "state"),
        *always(NUMBER, "covers"),
        *always(MOMENT, "created_at", "tried_since"),
        *always(NUMBER, "attempts", "epoch"),
        *maybe(MOMENT, "attempt_until", "next_attempt_at"),
        *maybe(TEXT, "external_id", "url"),
        *maybe(LONG_TEXT, "reason"),
        *maybe(MOMENT, "sent_at"),
        sa.PrimaryKeyConstraint("id", name="replies_pkey"),
        sa.CheckConstraint(
            "state <> 'sending' OR attempt_until IS NOT NULL", name="an_attempt_has_a_deadline"
        ),
        *references(
            "replies",
            account_id="accounts",
            agent_id="agents",
            channel_id="channels",
            conversation_id="conversations",
        ),
    )
    index("replies", "replies_by_external_id", "account_id", "external_id")
    index("replies", "replies_of_a_conversation", "conversation_id", "created_at", "id")


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("id", NUMBERED, nullable=False, autoincrement=True),
        *maybe(MOMENT, "seq"),
        *always(TEXT, "type"),
        *always(MOMENT, "at"),
        *maybe(TEXT, "workgroup_id", "agent_id", "conversation_id"),
        *always(JSON, "detail"),
        *maybe(JSON, "snapshot"),
        sa.PrimaryKeyConstraint("id", name="events_pkey"),
    )
    index("events", "events_in_sequence", "seq", unique=True)
    index("events", "events_of_a_conversation", "conversation_id", "at", "id")
    index("events", "events_without_place", "id", where="seq IS NULL")
    op.create_table(
        "counters",
        *always(TEXT, "name"),
        *always(MOMENT, "value"),
        sa.PrimaryKeyConstraint("name", name="counters_pkey"),
    )

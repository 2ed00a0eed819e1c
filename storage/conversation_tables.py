"""The tables of what is said and who has it; their CHECKs and unique indexes are the invariants."""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from storage.columns import BIG, json, maybe_json, maybe_moment, moment


class CustomerRow(SQLModel, table=True):
    __tablename__ = "customers"
    __table_args__ = (Index("customers_by_creation", "created_at", "id"),)
    id: str = Field(primary_key=True)
    name: str | None = None
    own_agent_id: str | None = None
    tags: list[str] = json(list)
    created_at: int = moment()


class IdentityRow(SQLModel, table=True):
    """A customer's face on one network."""

    __tablename__ = "identities"
    __table_args__ = (Index("identities_by_handle", "handle"),)
    network: str = Field(primary_key=True)
    external_id: str = Field(primary_key=True)
    customer_id: str = Field(foreign_key="customers.id", index=True)
    handle: str | None = None
    name: str | None = None
    avatar_url: str | None = None
    followers: int | None = Field(default=None, sa_type=BigInteger)
    language: str | None = None
    location: str | None = None
    wrote_privately: bool = False


class ConversationRow(SQLModel, table=True):
    __tablename__ = "conversations"
    __table_args__ = (
        CheckConstraint(
            "(state = 'alerting') = (offer_id IS NOT NULL)", name="alerting_has_an_offer"
        ),
        CheckConstraint(
            "state NOT IN ('connected', 'held', 'parked', 'wrapup') OR agent_id IS NOT NULL",
            name="owned_states_have_an_owner",
        ),
        CheckConstraint(
            "state NOT IN ('queued', 'alerting') OR agent_id IS NULL", name="waiting_has_no_owner"
        ),
        CheckConstraint("unsettled_replies >= 0", name="replies_settle_once"),
        CheckConstraint(
            "state IN ('queued', 'alerting', 'connected', 'held', 'parked') = (ended_at IS NULL)",
            name="ended_means_ended_at",
        ),
        Index(
            "one_open_conversation_per_key",
            "affinity_key",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("conversations_by_key", "affinity_key", "created_at"),
        Index(
            "queue_of_a_workgroup",
            "workgroup_id",
            "requirements",
            "queue_rank",
            "id",
            sqlite_where=text("state = 'queued'"),
            postgresql_where=text("state = 'queued'"),
        ),
        Index(
            "conversations_by_holder",
            "holder_agent_id",
            sqlite_where=text("holder_agent_id IS NOT NULL"),
            postgresql_where=text("holder_agent_id IS NOT NULL"),
        ),
        Index(
            "conversations_by_target",
            "merged_into",
            sqlite_where=text("merged_into IS NOT NULL"),
            postgresql_where=text("merged_into IS NOT NULL"),
        ),
        Index(
            "conversations_by_wrap_up_code",
            "wrap_up_code",
            "workgroup_id",
            "ended_at",
            sqlite_where=text("wrap_up_code IS NOT NULL"),
            postgresql_where=text("wrap_up_code IS NOT NULL"),
        ),
        Index("conversations_by_creation", "created_at", "id"),
        Index("conversations_of_a_workgroup", "workgroup_id", "created_at", "id"),
        Index("conversations_of_an_agent", "agent_id", "created_at", "id"),
        Index("conversations_of_a_channel", "channel_id", "created_at", "id"),
        Index("conversations_of_a_customer", "customer_id", "created_at", "id"),
        Index("conversations_by_state", "state", "created_at", "id"),
    )
    id: str = Field(primary_key=True)
    state: str
    media_type: str
    network: str
    account_id: str = Field(foreign_key="accounts.id", index=True)
    channel_id: str = Field(foreign_key="channels.id")
    workgroup_id: str = Field(foreign_key="workgroups.id")
    customer_id: str = Field(foreign_key="customers.id")
    affinity_key: str
    affinity_window_s: int
    priority: int
    queue_rank: int = Field(sa_type=BigInteger)
    requirements: str = ""
    required_skills: list[dict[str, Any]] = json(list)
    preferred_skills: list[dict[str, Any]] = json(list)
    tags: list[str] = json(list)
    location: dict[str, Any] | None = maybe_json()
    weight_percent: int = 0
    is_override: bool = False
    holder_agent_id: str | None = None
    agent_id: str | None = None
    preferred_agent_id: str | None = None
    preferred_until: int | None = maybe_moment()
    passed_over: list[dict[str, Any]] = json(list)
    offer_id: str | None = None
    offer_agent_id: str | None = None
    offer_expires_at: int | None = maybe_moment()
    offers: list[dict[str, Any]] = json(list)
    ring: int = 0
    ring_since: int | None = maybe_moment()
    ring_until: int | None = maybe_moment()
    consulted_agent_id: str | None = None
    merged_into: str | None = None
    reopened_at: int | None = maybe_moment()
    created_at: int = moment()
    queued_at: int = moment()
    offered_at: int | None = maybe_moment()
    connected_at: int | None = maybe_moment()
    held_at: int | None = maybe_moment()
    parked_until: int | None = maybe_moment()
    wrap_up_until: int | None = maybe_moment()
    ended_at: int | None = maybe_moment()
    last_post_at: int = moment()
    affinity_until: int = moment()
    post_count: int = 0
    answered_count: int = 0
    unsettled_replies: int = 0
    continues: str | None = None
    continued_by: str | None = None
    wrap_up_code: str | None = None
    ended_by: str | None = None
    version: int = 1


class FurtherOfferRow(SQLModel, table=True):
    """Whom a conversation alerts beside the first: the holders that its row has no column for."""

    __tablename__ = "further_offers"
    agent_id: str = Field(primary_key=True, foreign_key="agents.id")
    conversation_id: str = Field(primary_key=True, foreign_key="conversations.id", index=True)
    media_type: str


class QueueEntryRow(SQLModel, table=True):
    """One wait in one workgroup's queue, how it ended, and how long by the workgroup's clock.

    It outlives the workgroup: what happened is not undone by a deletion.
    """

    __tablename__ = "queue_entries"
    __table_args__ = (
        Index(
            "one_open_wait_per_conversation",
            "conversation_id",
            unique=True,
            sqlite_where=text("left_at IS NULL"),
            postgresql_where=text("left_at IS NULL"),
        ),
        Index("waits_in_a_queue", "workgroup_id", "left_at"),
        Index("waits_by_their_end", "left_at"),
        Index("waits_by_their_beginning", "workgroup_id", "entered_at"),
    )
    id: str = Field(primary_key=True)
    conversation_id: str = Field(foreign_key="conversations.id")
    workgroup_id: str
    media_type: str
    entered_at: int = moment()
    left_at: int | None = maybe_moment()
    outcome: str | None = None
    agent_id: str | None = None
    waited_ms: int | None = maybe_moment()


class PostMoveRow(SQLModel, table=True):
    """A post that is in another conversation than its affinity key says, and why; audited."""

    __tablename__ = "post_moves"
    __table_args__ = (
        Index("moves_of_a_post", "post_id", "id"),
        Index("moves_between_conversations", "from_conversation_id", "to_conversation_id"),
    )
    id: int | None = Field(
        default=None, sa_column=Column(BIG, primary_key=True, autoincrement=True)
    )
    post_id: str = Field(foreign_key="posts.id")
    from_conversation_id: str = Field(foreign_key="conversations.id")
    to_conversation_id: str = Field(foreign_key="conversations.id")
    cause: str
    by: str | None = None
    at: int = moment()


class BellRow(SQLModel, table=True):
    """What a conversation's workflow was told and has seen; apart, so that it holds up no match."""

    __tablename__ = "bells"
    __table_args__ = (
        Index(
            "bells_not_seen",
            "changed_at",
            sqlite_where=text("version > seen_version"),
            postgresql_where=text("version > seen_version"),
        ),
    )
    conversation_id: str = Field(primary_key=True, foreign_key="conversations.id")
    network: str
    version: int
    changed_at: int = moment()
    rung_version: int = 0
    rung_at: int | None = maybe_moment()
    seen_version: int = 0
    run_id: str | None = None


class InvolvementRow(SQLModel, table=True):
    """An agent sees every conversation in which it was ever involved."""

    __tablename__ = "involvements"
    agent_id: str = Field(primary_key=True, foreign_key="agents.id")
    conversation_id: str = Field(primary_key=True, foreign_key="conversations.id", index=True)


class PostRow(SQLModel, table=True):
    __tablename__ = "posts"
    __table_args__ = (
        UniqueConstraint("account_id", "external_id", name="a_post_is_taken_once"),
        Index("posts_of_a_conversation", "conversation_id", "created_at", "external_id"),
    )
    id: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="accounts.id")
    channel_id: str = Field(foreign_key="channels.id")
    external_id: str
    conversation_id: str = Field(foreign_key="conversations.id")
    customer_id: str = Field(foreign_key="customers.id")
    author: dict[str, Any] = json(dict)
    text: str = Field(sa_type=Text)
    visibility: str
    created_at: int = moment()
    received_at: int = moment()
    is_late: bool = False
    in_reply_to: str | None = None
    thread_root: str | None = None
    url: str | None = None
    media: list[dict[str, Any]] = json(list)
    language: str | None = None
    location: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON, nullable=True))
    source_application: str | None = None
    kind: str = "post"
    earlier_texts: list[dict[str, Any]] = json(list)
    edited_at: int | None = maybe_moment()
    deleted_at: int | None = maybe_moment()


class PostChangeRow(SQLModel, table=True):
    """An edit or a deletion that came before its post did."""

    __tablename__ = "post_changes"
    __table_args__ = (Index("post_changes_by_arrival", "received_at"),)
    account_id: str = Field(primary_key=True, foreign_key="accounts.id")
    external_id: str = Field(primary_key=True)
    kind: str
    text: str | None = Field(default=None, sa_type=Text)
    at: int = moment()
    received_at: int = moment()


class HandlingRow(SQLModel, table=True):
    """How long one agent handled a conversation, or wrapped it up; written when that ended."""

    __tablename__ = "handlings"
    __table_args__ = (
        Index("handlings_of_a_workgroup", "workgroup_id", "ended_at"),
        Index("handlings_by_their_end", "ended_at"),
    )
    id: str = Field(primary_key=True)
    conversation_id: str = Field(foreign_key="conversations.id")
    workgroup_id: str
    agent_id: str
    media_type: str
    kind: str
    began_at: int = moment()
    ended_at: int = moment()
    held_ms: int = moment()
    outcome: str | None = None


class QuarantineRow(SQLModel, table=True):
    """What could not be accepted, with its reason; nothing that a network sent is thrown away."""

    __tablename__ = "quarantine"
    __table_args__ = (Index("quarantine_by_arrival", "received_at", "id"),)
    id: str = Field(primary_key=True)
    channel_id: str = Field(foreign_key="channels.id", index=True)
    external_id: str | None = None
    code: str
    detail: str = Field(sa_type=Text)
    raw: str = Field(sa_type=Text)
    received_at: int = moment()


class ReplyRow(SQLModel, table=True):
    __tablename__ = "replies"
    __table_args__ = (
        CheckConstraint(
            "state <> 'sending' OR attempt_until IS NOT NULL", name="an_attempt_has_a_deadline"
        ),
        Index("replies_of_a_conversation", "conversation_id", "created_at", "id"),
        Index("replies_by_external_id", "account_id", "external_id"),
    )
    id: str = Field(primary_key=True)
    conversation_id: str = Field(foreign_key="conversations.id")
    account_id: str = Field(foreign_key="accounts.id")
    channel_id: str = Field(foreign_key="channels.id")
    network: str
    agent_id: str | None = Field(default=None, foreign_key="agents.id")
    text: str = Field(sa_type=Text)
    visibility: str
    to_external_id: str
    to_handle: str | None = None
    in_reply_to: str | None = None
    state: str
    covers: int
    created_at: int = moment()
    tried_since: int = moment()
    attempts: int = 0
    epoch: int = 0
    attempt_until: int | None = maybe_moment()
    is_in_doubt: bool = False
    next_attempt_at: int | None = maybe_moment()
    external_id: str | None = None
    url: str | None = None
    reason: str | None = Field(default=None, sa_type=Text)
    sent_at: int | None = maybe_moment()
    thread_root: str | None = None
    undo_until: int | None = maybe_moment()
    parts: list[dict[str, Any]] = json(list)
    change: dict[str, Any] | None = maybe_json()
    has_pending_change: bool = False
    attachments: list[dict[str, Any]] = json(list)


class ReplyPostRow(SQLModel, table=True):
    """A later post of a reply that is several: whose it is when the network shows it."""

    __tablename__ = "reply_posts"
    account_id: str = Field(primary_key=True, foreign_key="accounts.id")
    external_id: str = Field(primary_key=True)
    reply_id: str = Field(foreign_key="replies.id", index=True)


class NoteRow(SQLModel, table=True):
    __tablename__ = "notes"
    __table_args__ = (Index("notes_of_a_conversation", "conversation_id", "created_at", "id"),)
    id: str = Field(primary_key=True)
    conversation_id: str = Field(foreign_key="conversations.id")
    agent_id: str | None = None
    author_name: str
    text: str = Field(sa_type=Text)
    created_at: int = moment()

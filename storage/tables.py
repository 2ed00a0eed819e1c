"""The tables; their CHECKs and unique indexes make the invariants impossible to break."""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

BIG = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite numbers only INTEGER primary keys by itself."""


def _moment(*, index: bool = False) -> Any:  # noqa: ANN401 - SQLModel's Field returns Any
    return Field(sa_type=BigInteger, index=index)


def _maybe_moment() -> Any:  # noqa: ANN401
    return Field(default=None, sa_type=BigInteger, nullable=True)


def _json(default: Any) -> Any:  # noqa: ANN401
    return Field(default_factory=default, sa_column=Column(JSON, nullable=False))


class PrincipalRow(SQLModel, table=True):
    __tablename__ = "principals"
    id: str = Field(primary_key=True)
    name: str
    roles: list[str] = _json(list)
    agent_id: str | None = Field(default=None, foreign_key="agents.id", index=True)
    created_at: int = _moment()


class ApiKeyRow(SQLModel, table=True):
    __tablename__ = "api_keys"
    id: str = Field(primary_key=True)
    principal_id: str = Field(foreign_key="principals.id", index=True)
    key_hash: str = Field(unique=True)
    created_at: int = _moment()


class SessionRow(SQLModel, table=True):
    __tablename__ = "sessions"
    token_hash: str = Field(primary_key=True)
    principal_id: str = Field(foreign_key="principals.id", index=True)
    key_id: str | None = Field(default=None, index=True)
    created_at: int = _moment()
    last_used_at: int = _moment()
    expires_at: int = _moment()


class WorkgroupRow(SQLModel, table=True):
    __tablename__ = "workgroups"
    id: str = Field(primary_key=True)
    name: str = Field(unique=True)
    service_level: dict[str, int] = _json(dict)
    offer_timeout_s: int = 20
    decline_backoff_s: int = 10
    preferred_agent_wait_s: int = 10
    utilization: dict[str, Any] = _json(dict)
    wrap_up: dict[str, Any] = _json(dict)
    required_skills: list[dict[str, Any]] = _json(list)
    agent_order: list[str] = _json(list)
    version: int = 1
    created_at: int = _moment()


class AgentRow(SQLModel, table=True):
    __tablename__ = "agents"
    __table_args__ = (
        CheckConstraint(
            "utilization >= 0 AND utilization <= 100", name="capacity_is_never_exceeded"
        ),
        CheckConstraint(
            "routing_status IN ('on_queue', 'off_queue', 'not_responding', 'draining')",
            name="routing_status_is_known",
        ),
    )
    id: str = Field(primary_key=True)
    username: str = Field(unique=True)
    name: str
    licensed: bool = True
    enabled: bool = True
    presence_lease: bool = True
    roles: list[str] = _json(list)
    skills: dict[str, int] = _json(dict)
    own_utilization: dict[str, Any] = _json(dict)
    location: str | None = None
    routing_status: str = "off_queue"
    reason: str | None = None
    since: int = _moment()
    idle_since: int = _moment()
    utilization: int = 0
    version: int = 1
    created_at: int = _moment()


class MembershipRow(SQLModel, table=True):
    __tablename__ = "memberships"
    workgroup_id: str = Field(primary_key=True, foreign_key="workgroups.id")
    agent_id: str = Field(primary_key=True, foreign_key="agents.id", index=True)


class PresenceRow(SQLModel, table=True):
    """Heartbeats, apart from the agents' rows so that they hold up no match."""

    __tablename__ = "presences"
    agent_id: str = Field(primary_key=True, foreign_key="agents.id")
    seen_at: int = _moment()


class SkillRow(SQLModel, table=True):
    __tablename__ = "skills"
    name: str = Field(primary_key=True)
    created_at: int = _moment()


class AccountRow(SQLModel, table=True):
    __tablename__ = "accounts"
    id: str = Field(primary_key=True)
    network: str
    name: str
    settings: dict[str, Any] = _json(dict)
    secrets: str = Field(default="", sa_type=Text)
    version: int = 1
    created_at: int = _moment()


class AccountLeaseRow(SQLModel, table=True):
    """Which process sends for an account; the epoch fences those that held it before."""

    __tablename__ = "account_leases"
    account_id: str = Field(primary_key=True, foreign_key="accounts.id")
    holder: str
    epoch: int = 1
    expires_at: int = _moment()
    paused_until: int | None = _maybe_moment()


class ChannelRow(SQLModel, table=True):
    __tablename__ = "channels"
    id: str = Field(primary_key=True)
    name: str
    account_id: str = Field(foreign_key="accounts.id", index=True)
    workgroup_id: str = Field(foreign_key="workgroups.id", index=True)
    handles: list[str] = _json(list)
    keywords: list[str] = _json(list)
    poll_interval_ms: int = 5000
    post_limit: int = 100
    threading: str = "customer"
    affinity_window_s: int = 3600
    priority: int = 50
    required_skills: list[dict[str, Any]] = _json(list)
    enabled: bool = True
    cursor: str | None = None
    health: str = "unknown"
    health_detail: str | None = None
    health_since: int | None = _maybe_moment()
    version: int = 1
    created_at: int = _moment()


class CustomerRow(SQLModel, table=True):
    __tablename__ = "customers"
    id: str = Field(primary_key=True)
    name: str | None = None
    created_at: int = _moment()


class IdentityRow(SQLModel, table=True):
    """A customer's face on one network."""

    __tablename__ = "identities"
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
    required_skills: list[dict[str, Any]] = _json(list)
    weight_percent: int = 0
    holder_agent_id: str | None = None
    agent_id: str | None = None
    preferred_agent_id: str | None = None
    preferred_until: int | None = _maybe_moment()
    passed_over: list[dict[str, Any]] = _json(list)
    offer_id: str | None = None
    offer_agent_id: str | None = None
    offer_expires_at: int | None = _maybe_moment()
    created_at: int = _moment()
    queued_at: int = _moment()
    offered_at: int | None = _maybe_moment()
    connected_at: int | None = _maybe_moment()
    held_at: int | None = _maybe_moment()
    parked_until: int | None = _maybe_moment()
    wrap_up_until: int | None = _maybe_moment()
    ended_at: int | None = _maybe_moment()
    last_post_at: int = _moment()
    affinity_until: int = _moment()
    post_count: int = 0
    answered_count: int = 0
    unsettled_replies: int = 0
    continues: str | None = None
    continued_by: str | None = None
    wrap_up_code: str | None = None
    ended_by: str | None = None
    version: int = 1


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
    changed_at: int = _moment()
    rung_version: int = 0
    rung_at: int | None = _maybe_moment()
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
    author: dict[str, Any] = _json(dict)
    text: str = Field(sa_type=Text)
    visibility: str
    created_at: int = _moment()
    received_at: int = _moment()
    is_late: bool = False
    in_reply_to: str | None = None
    thread_root: str | None = None
    url: str | None = None
    media: list[dict[str, Any]] = _json(list)
    language: str | None = None
    location: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON, nullable=True))
    source_application: str | None = None


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
    received_at: int = _moment()


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
    agent_id: str = Field(foreign_key="agents.id")
    text: str = Field(sa_type=Text)
    visibility: str
    to_external_id: str
    to_handle: str | None = None
    in_reply_to: str | None = None
    state: str
    covers: int
    created_at: int = _moment()
    tried_since: int = _moment()
    attempts: int = 0
    epoch: int = 0
    attempt_until: int | None = _maybe_moment()
    next_attempt_at: int | None = _maybe_moment()
    external_id: str | None = None
    url: str | None = None
    reason: str | None = Field(default=None, sa_type=Text)
    sent_at: int | None = _maybe_moment()


class NoteRow(SQLModel, table=True):
    __tablename__ = "notes"
    __table_args__ = (Index("notes_of_a_conversation", "conversation_id", "created_at", "id"),)
    id: str = Field(primary_key=True)
    conversation_id: str = Field(foreign_key="conversations.id")
    agent_id: str | None = None
    author_name: str
    text: str = Field(sa_type=Text)
    created_at: int = _moment()


class DecisionRow(SQLModel, table=True):
    """Why a conversation was offered to whom, or to nobody."""

    __tablename__ = "decisions"
    __table_args__ = (Index("decisions_of_a_conversation", "conversation_id", "at", "id"),)
    id: str = Field(primary_key=True)
    conversation_id: str = Field(foreign_key="conversations.id")
    offer_id: str | None = None
    agent_id: str | None = None
    at: int = _moment()
    record: dict[str, Any] = _json(dict)


class EventRow(SQLModel, table=True):
    """What happened, written with the change itself; the relay gives each row its `seq`."""

    __tablename__ = "events"
    __table_args__ = (
        Index("events_in_sequence", "seq", unique=True),
        Index(
            "events_without_place",
            "id",
            sqlite_where=text("seq IS NULL"),
            postgresql_where=text("seq IS NULL"),
        ),
        Index("events_of_a_conversation", "conversation_id", "at", "id"),
    )
    id: int | None = Field(
        default=None, sa_column=Column(BIG, primary_key=True, autoincrement=True)
    )
    seq: int | None = Field(default=None, sa_type=BigInteger, nullable=True)
    type: str
    at: int = _moment()
    workgroup_id: str | None = None
    agent_id: str | None = None
    conversation_id: str | None = None
    detail: dict[str, Any] = _json(dict)
    snapshot: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON, nullable=True))


class CounterRow(SQLModel, table=True):
    __tablename__ = "counters"
    name: str = Field(primary_key=True)
    value: int = Field(sa_type=BigInteger)


class CommandRow(SQLModel, table=True):
    """The log of idempotency keys: what a key meant and what it was answered."""

    __tablename__ = "commands"
    __table_args__ = (Index("commands_by_age", "created_at"),)
    principal_id: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    fingerprint: str
    status: int | None = None
    body: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON, nullable=True))
    created_at: int = _moment()

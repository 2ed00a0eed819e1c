"""The tables of what is set up: people, workgroups, accounts and channels."""

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Text
from sqlmodel import Field, SQLModel

from conversations.model import MediaType
from storage.columns import json, maybe_json, maybe_moment, moment


class PrincipalRow(SQLModel, table=True):
    __tablename__ = "principals"
    id: str = Field(primary_key=True)
    name: str
    roles: list[str] = json(list)
    agent_id: str | None = Field(default=None, foreign_key="agents.id", index=True)
    created_at: int = moment()


class ApiKeyRow(SQLModel, table=True):
    __tablename__ = "api_keys"
    id: str = Field(primary_key=True)
    principal_id: str = Field(foreign_key="principals.id", index=True)
    key_hash: str = Field(unique=True)
    created_at: int = moment()


class SessionRow(SQLModel, table=True):
    __tablename__ = "sessions"
    token_hash: str = Field(primary_key=True)
    id: str
    principal_id: str = Field(foreign_key="principals.id", index=True)
    key_id: str | None = Field(default=None, index=True)
    created_at: int = moment()
    last_used_at: int = moment()
    expires_at: int = moment()
    opened_by: str = "key"
    browser: str | None = None


class WorkgroupRow(SQLModel, table=True):
    __tablename__ = "workgroups"
    id: str = Field(primary_key=True)
    name: str = Field(unique=True)
    service_level: dict[str, int] = json(dict)
    offer_timeout_s: int = 20
    decline_backoff_s: int = 10
    preferred_agent_wait_s: int = 10
    utilization: dict[str, Any] = json(dict)
    wrap_up: dict[str, Any] = json(dict)
    required_skills: list[dict[str, Any]] = json(list)
    preferred_skills: list[dict[str, Any]] = json(list)
    agent_order: list[str] = json(list)
    rings: list[dict[str, Any]] = json(list)
    score_weights: dict[str, int] = json(dict)
    strict_priority: bool = False
    auto_accept: bool = False
    offers_at_once: int = 1
    offer_timeout_action: str = "not_responding"
    age_on_transfer: str = "keep"
    undo_window_s: int = 0
    business_hours: dict[str, Any] | None = maybe_json()
    overflow: dict[str, Any] | None = maybe_json()
    location: dict[str, Any] | None = maybe_json()
    version: int = 1
    created_at: int = moment()


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
    roles: list[str] = json(list)
    skills: dict[str, int] = json(dict)
    own_utilization: dict[str, Any] = json(dict)
    media_types: list[str] = json(lambda: [media_type.value for media_type in MediaType])
    location: str | None = None
    place: dict[str, Any] | None = maybe_json()
    station_id: str | None = Field(default=None, index=True, unique=True)
    held_licence: str | None = None
    sign_off_at: int | None = maybe_moment()
    routing_status: str = "off_queue"
    reason: str | None = None
    since: int = moment()
    idle_since: int = moment()
    offered_at: int = Field(default=0, sa_type=BigInteger)
    utilization: int = 0
    override_percent: int = 0
    version: int = 1
    created_at: int = moment()


class MembershipRow(SQLModel, table=True):
    __tablename__ = "memberships"
    workgroup_id: str = Field(primary_key=True, foreign_key="workgroups.id")
    agent_id: str = Field(primary_key=True, foreign_key="agents.id", index=True)


class RingMemberRow(SQLModel, table=True):
    """Which workgroups' members a workgroup's rings may add; derived from its rings."""

    __tablename__ = "ring_members"
    workgroup_id: str = Field(primary_key=True, foreign_key="workgroups.id")
    added_workgroup_id: str = Field(primary_key=True, foreign_key="workgroups.id", index=True)


class PresenceRow(SQLModel, table=True):
    """Heartbeats, apart from the agents' rows so that they hold up no match."""

    __tablename__ = "presences"
    agent_id: str = Field(primary_key=True, foreign_key="agents.id")
    seen_at: int = moment()


class SkillRow(SQLModel, table=True):
    __tablename__ = "skills"
    name: str = Field(primary_key=True)
    created_at: int = moment()


class AccountRow(SQLModel, table=True):
    __tablename__ = "accounts"
    id: str = Field(primary_key=True)
    network: str
    name: str
    settings: dict[str, Any] = json(dict)
    secrets: str = Field(default="", sa_type=Text)
    version: int = 1
    created_at: int = moment()


class SealedKeyRow(SQLModel, table=True):
    """A key of Parley's own that outlives the secret key which seals it."""

    __tablename__ = "sealed_keys"
    name: str = Field(primary_key=True)
    sealed: str = Field(sa_type=Text)


class AccountLeaseRow(SQLModel, table=True):
    """Which process sends for an account; the epoch fences those that held it before."""

    __tablename__ = "account_leases"
    account_id: str = Field(primary_key=True, foreign_key="accounts.id")
    holder: str
    epoch: int = 1
    expires_at: int = moment()
    calls: int = 0
    """So many of the holder's calls are under way."""
    paused_until: int | None = maybe_moment()


class AccountBudgetRow(SQLModel, table=True):
    """How much of an allowance is used: calls are paid for until this moment."""

    __tablename__ = "account_budgets"
    account_id: str = Field(primary_key=True, foreign_key="accounts.id")
    name: str = Field(primary_key=True)
    used_until: int = moment()


class StationRow(SQLModel, table=True):
    """A place of work that an agent logs in at; its licence serves whoever sits there."""

    __tablename__ = "stations"
    id: str = Field(primary_key=True)
    name: str = Field(unique=True)
    licensed: bool = False
    version: int = 1
    created_at: int = moment()


class LicenceRow(SQLModel, table=True):
    """How licences of a kind are allocated, and how many there are (none: no limit)."""

    __tablename__ = "licences"
    kind: str = Field(primary_key=True)
    allocation: str
    count: int | None = None
    version: int = 1


class RuleSetRow(SQLModel, table=True):
    __tablename__ = "rule_sets"
    id: str = Field(primary_key=True)
    trigger: str
    name: str | None = None
    position: int = 0
    rules: list[dict[str, Any]] = json(list)
    enabled: bool = True
    version: int = 1
    created_at: int = moment()


class RuleSetVersionRow(SQLModel, table=True):
    """Every version there was; records name them, so they outlive the set."""

    __tablename__ = "rule_set_versions"
    rule_set_id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    trigger: str
    rules: list[dict[str, Any]] = json(list)
    enabled: bool = True
    at: int = moment()


class RuleWorkgroupRow(SQLModel, table=True):
    """Which workgroups a set of rules names; derived from its rules."""

    __tablename__ = "rule_workgroups"
    rule_set_id: str = Field(primary_key=True, foreign_key="rule_sets.id")
    workgroup_id: str = Field(primary_key=True, foreign_key="workgroups.id", index=True)


class RuleAgentRow(SQLModel, table=True):
    """Which agents a set of rules names; derived from its rules."""

    __tablename__ = "rule_agents"
    rule_set_id: str = Field(primary_key=True, foreign_key="rule_sets.id")
    agent_id: str = Field(primary_key=True, foreign_key="agents.id", index=True)


class ChannelRow(SQLModel, table=True):
    __tablename__ = "channels"
    id: str = Field(primary_key=True)
    name: str
    account_id: str = Field(foreign_key="accounts.id", index=True)
    workgroup_id: str = Field(foreign_key="workgroups.id", index=True)
    handles: list[str] = json(list)
    keywords: list[str] = json(list)
    poll_interval_ms: int = 5000
    post_limit: int = 100
    threading: str = "customer"
    affinity_window_s: int = 3600
    priority: int = 50
    required_skills: list[dict[str, Any]] = json(list)
    preferred_skills: list[dict[str, Any]] = json(list)
    enabled: bool = True
    purpose: str = "brand"
    include: list[str] = json(lambda: ["quotes"])
    backfill_s: int = 3600
    cursor: str | None = None
    caught_up_at: int | None = maybe_moment()
    left_out: int = 0
    listener_epoch: int = 0
    health: str = "healthy"
    health_detail: str | None = None
    health_since: int | None = maybe_moment()
    failures: int = 0
    missed: int = 0
    version: int = 1
    created_at: int = moment()

"""The tables of what is written and never changed: decisions, events, commands."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, text
from sqlmodel import Field, SQLModel

from storage.columns import BIG, json, moment


class DecisionRow(SQLModel, table=True):
    """Why a conversation was offered to whom, or to nobody."""

    __tablename__ = "decisions"
    __table_args__ = (
        Index("decisions_of_a_conversation", "conversation_id", "at", "id"),
        Index("decisions_by_moment", "at"),
    )
    id: str = Field(primary_key=True)
    conversation_id: str = Field(foreign_key="conversations.id")
    offer_id: str | None = None
    agent_id: str | None = None
    at: int = moment()
    record: dict[str, Any] = json(dict)


class AgentHistoryRow(SQLModel, table=True):
    """How an agent was after each change of him, so that decisions can be evaluated again."""

    __tablename__ = "agent_history"
    __table_args__ = (
        Index("history_of_an_agent", "agent_id", "at", "id"),
        Index("history_by_moment", "at", "id"),
    )
    id: int | None = Field(
        default=None, sa_column=Column(BIG, primary_key=True, autoincrement=True)
    )
    agent_id: str
    at: int = moment()
    written_by: int | None = Field(default=None, sa_type=BigInteger, nullable=True)
    state: dict[str, Any] = json(dict)


class PolicyHistoryRow(SQLModel, table=True):
    """A workgroup's settings under each version, so that decisions can be evaluated again."""

    __tablename__ = "policy_history"
    workgroup_id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    at: int = moment()
    settings: dict[str, Any] = json(dict)


class MatchRow(SQLModel, table=True):
    """What one pass over a workgroup gave away, in its order."""

    __tablename__ = "matches"
    __table_args__ = (Index("matches_by_moment", "at", "id"),)
    id: str = Field(primary_key=True)
    workgroup_id: str
    at: int = moment()
    taken: list[list[Any]] = json(list)


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
    at: int = moment()
    workgroup_id: str | None = None
    agent_id: str | None = None
    conversation_id: str | None = None
    detail: dict[str, Any] = json(dict)
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
    created_at: int = moment()

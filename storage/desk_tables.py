"""The tables of agents' desks: drafts, files, canned replies, dispositions, mentions, onlookers."""

from typing import Any

from sqlalchemy import BigInteger, Index, Text, text
from sqlmodel import Field, SQLModel

from storage.columns import json, maybe_moment, moment


class DraftRow(SQLModel, table=True):
    """What an agent has typed and not sent; `left_at`: found to be somebody else's, or ended."""

    __tablename__ = "drafts"
    __table_args__ = (
        Index(
            "drafts_left_behind",
            "left_at",
            sqlite_where=text("left_at IS NOT NULL"),
            postgresql_where=text("left_at IS NOT NULL"),
        ),
    )
    agent_id: str = Field(primary_key=True, foreign_key="agents.id")
    conversation_id: str = Field(primary_key=True, foreign_key="conversations.id", index=True)
    text: str = Field(sa_type=Text)
    visibility: str | None = None
    in_reply_to: str | None = None
    updated_at: int = moment()
    left_at: int | None = maybe_moment()
    version: int = Field(sa_type=BigInteger)
    attachments: list[dict[str, Any]] = json(list)


class AttachmentRow(SQLModel, table=True):
    """A file that goes with a reply, or may; the last reply that took it is its own.

    `content` is gone when it was kept long enough.
    """

    __tablename__ = "attachments"
    id: str = Field(primary_key=True)
    conversation_id: str = Field(foreign_key="conversations.id", index=True)
    agent_id: str
    reply_id: str | None = Field(default=None, foreign_key="replies.id", index=True)
    name: str
    media_type: str
    size_bytes: int
    content: bytes | None = None
    created_at: int = moment(index=True)


class CannedReplyRow(SQLModel, table=True):
    """A text to be said again; `place` is its shortcut and language as they are compared."""

    __tablename__ = "canned_replies"
    id: str = Field(primary_key=True)
    shortcut: str
    language: str | None = None
    text: str = Field(sa_type=Text)
    place: str = Field(unique=True)
    words: str = Field(sa_type=Text)
    version: int = 1
    created_at: int = moment()


class CannedReplyWorkgroupRow(SQLModel, table=True):
    """Whose a canned reply is; one without any is everybody's."""

    __tablename__ = "canned_reply_workgroups"
    canned_reply_id: str = Field(primary_key=True, foreign_key="canned_replies.id")
    workgroup_id: str = Field(primary_key=True, foreign_key="workgroups.id", index=True)


class DispositionRow(SQLModel, table=True):
    """How a conversation may have ended: a wrap-up code with its name."""

    __tablename__ = "dispositions"
    id: str = Field(primary_key=True)
    code: str = Field(unique=True)
    name: str
    active: bool = True
    position: int = 0
    version: int = 1
    created_at: int = moment()


class DispositionWorkgroupRow(SQLModel, table=True):
    """Whose a disposition is; one without any is everybody's."""

    __tablename__ = "disposition_workgroups"
    disposition_id: str = Field(primary_key=True, foreign_key="dispositions.id")
    workgroup_id: str = Field(primary_key=True, foreign_key="workgroups.id", index=True)


class MentionRow(SQLModel, table=True):
    """An agent whom a note names; `read_at`: he has opened the conversation since."""

    __tablename__ = "mentions"
    __table_args__ = (
        Index("mentions_of_an_agent", "agent_id", "created_at", "note_id"),
        Index("mentions_in_a_conversation", "conversation_id", "agent_id"),
    )
    agent_id: str = Field(primary_key=True, foreign_key="agents.id")
    note_id: str = Field(primary_key=True, foreign_key="notes.id", index=True)
    conversation_id: str = Field(foreign_key="conversations.id")
    created_at: int = moment()
    read_at: int | None = maybe_moment()


class OnlookerRow(SQLModel, table=True):
    """Who looks at a conversation or types; refers to nothing, so that it locks nothing."""

    __tablename__ = "onlookers"
    conversation_id: str = Field(primary_key=True)
    principal_id: str = Field(primary_key=True)
    activity: str
    since: int = moment()
    until: int = moment()

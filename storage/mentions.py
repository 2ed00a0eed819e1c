"""Colleagues who are named in notes: told of it, and from then on they see the conversation."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from conversations.model import Instant
from storage import clock, setup
from storage.conversation_tables import InvolvementRow, NoteRow
from storage.desk_tables import MentionRow
from storage.pages import Page, Window, page
from storage.setup_tables import AgentRow

AGENTS = AgentRow.__table__  # type: ignore[attr-defined]
INVOLVEMENTS = InvolvementRow.__table__  # type: ignore[attr-defined]
MENTIONS = MentionRow.__table__  # type: ignore[attr-defined]
NOTES = NoteRow.__table__  # type: ignore[attr-defined]


def require_known(connection: Connection, agent_ids: Collection[str]) -> None:
    """Refuse to name somebody whom nobody knows.

    Raises:
        UnknownReference: there is no such agent.
    """
    setup.require_known(connection, AGENTS, "mentions", agent_ids)


def note(
    connection: Connection,
    note_id: str,
    conversation_id: str,
    agent_ids: Collection[str],
    now: Instant,
) -> None:
    """Name agents in a note that has been written; it counts as involvement."""
    if not agent_ids:
        return
    wanted = sorted(set(agent_ids))
    here = {"note_id": note_id, "conversation_id": conversation_id, "created_at": now}
    connection.execute(insert(MENTIONS), [{**here, "agent_id": one} for one in wanted])
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    connection.execute(
        dialect.insert(INVOLVEMENTS).on_conflict_do_nothing(),
        [{"agent_id": one, "conversation_id": conversation_id} for one in wanted],
    )


def of_notes(connection: Connection, note_ids: Collection[str]) -> Mapping[str, list[str]]:
    """Return whom each of the notes names, by agents' ids."""
    if not note_ids:
        return {}
    query = select(MENTIONS.c.note_id, MENTIONS.c.agent_id).where(
        MENTIONS.c.note_id.in_(sorted(note_ids))
    )
    found: dict[str, list[str]] = {}
    for row in connection.execute(query.order_by(MENTIONS.c.agent_id)):
        found.setdefault(row.note_id, []).append(row.agent_id)
    return found


def of_agent(
    connection: Connection, agent_id: str, window: Window, *, is_unread_only: bool
) -> Page:
    """Return the notes that name the agent, the newest first, with when he read them."""
    query = (
        select(
            MENTIONS.c.note_id,
            MENTIONS.c.conversation_id,
            MENTIONS.c.created_at,
            MENTIONS.c.read_at,
            NOTES.c.agent_id.label("by_agent_id"),
            NOTES.c.author_name,
            NOTES.c.text,
        )
        .join(NOTES, NOTES.c.id == MENTIONS.c.note_id)
        .where(MENTIONS.c.agent_id == agent_id)
    )
    if is_unread_only:
        query = query.where(MENTIONS.c.read_at.is_(None))
    order = (MENTIONS.c.created_at, MENTIONS.c.note_id)
    return page(connection, query, order, window, newest_first=True)


def mark(connection: Connection, agent_id: str, conversation_id: str, *, is_read: bool) -> None:
    """Take what names the agent in the conversation as read, or as new again."""
    theirs = update(MENTIONS).where(
        MENTIONS.c.agent_id == agent_id,
        MENTIONS.c.conversation_id == conversation_id,
    )
    if not is_read:
        connection.execute(theirs.values(read_at=None))
        return
    unread = theirs.where(MENTIONS.c.read_at.is_(None))
    connection.execute(unread.values(read_at=clock.now(connection)))


def told(mentioned: Collection[str]) -> dict[str, Any]:
    """Return what an event says of whom a note names; nothing where it names nobody."""
    return {"mentions": sorted(set(mentioned))} if mentioned else {}

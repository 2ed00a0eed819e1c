"""What people look at: lists of conversations, timelines, notes, decision records."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Text,
    and_,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    union_all,
)

from conversations.model import Conversation, ConversationState, Instant, ReplyState
from conversations.replies import Reply
from storage import clock, events, mentions
from storage.conversation_tables import (
    ConversationRow,
    CustomerRow,
    FurtherOfferRow,
    IdentityRow,
    InvolvementRow,
    NoteRow,
    PostRow,
    ReplyRow,
)
from storage.events import Happening
from storage.ids import new_id
from storage.latest import sources_of
from storage.log_tables import DecisionRow, EventRow
from storage.pages import Page, Place, Window, page
from storage.rows import conversation_from, reply_from
from storage.setup_tables import PrincipalRow

CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]
CUSTOMERS = CustomerRow.__table__  # type: ignore[attr-defined]
DECISIONS = DecisionRow.__table__  # type: ignore[attr-defined]
EVENTS = EventRow.__table__  # type: ignore[attr-defined]
IDENTITIES = IdentityRow.__table__  # type: ignore[attr-defined]
INVOLVEMENTS = InvolvementRow.__table__  # type: ignore[attr-defined]
NOTES = NoteRow.__table__  # type: ignore[attr-defined]
POSTS = PostRow.__table__  # type: ignore[attr-defined]
PRINCIPALS = PrincipalRow.__table__  # type: ignore[attr-defined]
FURTHER_OFFERS = FurtherOfferRow.__table__  # type: ignore[attr-defined]
REPLIES = ReplyRow.__table__  # type: ignore[attr-defined]

NOTE_WRITTEN = "conversation.note_written"
_CONSULTING = (ConversationState.CONNECTED.value, ConversationState.HELD.value)
"""Nobody is consulted in other states: there are few of these, and an index finds them."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks: None of both sees everything, an agent its workgroups and its own past."""

    agent_id: str | None = None
    workgroup_ids: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class ConversationFilters:
    state: str | None = None
    workgroup_id: str | None = None
    agent_id: str | None = None
    consulted_agent_id: str | None = None
    channel_id: str | None = None
    customer_id: str | None = None
    media_type: str | None = None
    since: Instant | None = None
    until: Instant | None = None
    network: str | None = None
    q: str = ""
    newest_first: bool = False


@dataclass(frozen=True, slots=True)
class ConversationPage:
    """`searched_to` is the creation of the last conversation that was looked at, if one was."""

    conversations: list[Conversation]
    next: Place | None
    searched_to: Instant | None = None


@dataclass(frozen=True, slots=True)
class CustomerSeen:
    """A customer as a conversation shows it."""

    id: str
    handle: str | None
    name: str | None


def visible_to(viewer: Viewer) -> ColumnElement[bool] | None:
    """Return which conversations the viewer may know of; None: all."""
    if viewer.workgroup_ids is None:
        return None
    involved = exists().where(
        INVOLVEMENTS.c.agent_id == viewer.agent_id,
        INVOLVEMENTS.c.conversation_id == CONVERSATIONS.c.id,
    )
    return or_(CONVERSATIONS.c.workgroup_id.in_(sorted(viewer.workgroup_ids)), involved)


def listed(
    connection: Connection, filters: ConversationFilters, viewer: Viewer, window: Window
) -> ConversationPage:
    """Return conversations by creation, then id; `agent_id` finds the owner and who is asked."""
    query = narrowed(filters, viewer)
    order = (CONVERSATIONS.c.created_at, CONVERSATIONS.c.id)
    found = page(connection, query, order, window, newest_first=filters.newest_first)
    return ConversationPage([conversation_from(row) for row in found.rows], found.next)


def narrowed(filters: ConversationFilters, viewer: Viewer) -> Select[Any]:
    """Return the query of the conversations that indexed filters and the viewer's rights leave."""
    query = select(CONVERSATIONS)
    for name in ("state", "workgroup_id", "channel_id", "customer_id", "media_type"):
        wanted = getattr(filters, name)
        if wanted is not None:
            query = query.where(CONVERSATIONS.c[name] == wanted)
    if filters.agent_id is not None:
        asked_beside = select(FURTHER_OFFERS.c.conversation_id).where(
            FURTHER_OFFERS.c.agent_id == filters.agent_id
        )
        theirs = (
            CONVERSATIONS.c.agent_id == filters.agent_id,
            CONVERSATIONS.c.offer_agent_id == filters.agent_id,
            CONVERSATIONS.c.id.in_(asked_beside),
        )
        query = query.where(or_(*theirs))
    if filters.consulted_agent_id is not None:
        query = query.where(
            CONVERSATIONS.c.consulted_agent_id == filters.consulted_agent_id,
            CONVERSATIONS.c.state.in_(_CONSULTING),
        )
    if filters.since is not None:
        query = query.where(CONVERSATIONS.c.created_at >= filters.since)
    if filters.until is not None:
        query = query.where(CONVERSATIONS.c.created_at < filters.until)
    visible = visible_to(viewer)
    return query if visible is None else query.where(visible)


def is_visible(connection: Connection, conversation_id: str, viewer: Viewer) -> bool:
    """Whether there is such a conversation and the viewer may know of it."""
    query = select(CONVERSATIONS.c.id).where(CONVERSATIONS.c.id == conversation_id)
    visible = visible_to(viewer)
    if visible is not None:
        query = query.where(visible)
    return connection.execute(query).first() is not None


def conversations_of(
    connection: Connection, conversation_ids: Collection[str]
) -> dict[str, Conversation]:
    """Return conversations by their ids, unlocked."""
    query = select(CONVERSATIONS).where(CONVERSATIONS.c.id.in_(sorted(conversation_ids)))
    return {row["id"]: conversation_from(row) for row in connection.execute(query).mappings()}


def waiting(connection: Connection) -> tuple[int, int]:
    """Return how many conversations wait in queues, and how long the first has, in ms."""
    query = select(func.count(), func.min(CONVERSATIONS.c.queued_at)).where(
        CONVERSATIONS.c.state == ConversationState.QUEUED.value
    )
    count, first_at = connection.execute(query).one()
    return count, 0 if first_at is None else max(0, clock.now(connection) - first_at)


def customers_seen(
    connection: Connection, conversations: Collection[Conversation]
) -> dict[str, CustomerSeen]:
    """Return, by conversation id, the customer with the face it has on that network."""
    wanted = {(conv.network, conv.customer_id) for conv in conversations}
    query = (
        select(CUSTOMERS.c.id, CUSTOMERS.c.name, IDENTITIES.c.network, IDENTITIES.c.handle)
        .join(IDENTITIES, IDENTITIES.c.customer_id == CUSTOMERS.c.id)
        .where(CUSTOMERS.c.id.in_(sorted({customer_id for _, customer_id in wanted})))
    )
    faces = {
        (row.network, row.id): CustomerSeen(row.id, row.handle, row.name)
        for row in connection.execute(query)
    }
    nobody = {key: CustomerSeen(key[1], None, None) for key in wanted}
    return {conv.id: (nobody | faces)[conv.network, conv.customer_id] for conv in conversations}


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in a timeline: `kind` is post, reply, note or event; `value` its row."""

    kind: str
    at: Instant
    value: dict[str, Any]
    reply: Reply | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    entries: list[Entry]
    next: Place | None


PLACES = 20
"""Digits of an event's number, filled up with noughts so that it sorts as text."""

_KINDS = {"p": "post", "r": "reply", "n": "note", "e": "event"}
_TABLES = {"p": POSTS, "r": REPLIES, "n": NOTES, "e": EVENTS}


def _entries(conversation_id: str, with_merged: set[str]) -> Select[Any]:
    """Return moment and place of everything in one order; equal moments by kind, then age.

    Posts of one moment follow their external ids: platform time, then platform id. The posts of
    merged conversations are the conversation's own; what was said and noted there is read along.
    """
    padded = literal("0" * PLACES).concat(EVENTS.c.id.cast(Text))
    number = func.substr(padded, func.length(padded) - PLACES + 1)
    parts = [
        (POSTS, "p", POSTS.c.created_at, literal("1p").concat(POSTS.c.external_id), POSTS.c.id),
        (REPLIES, "r", REPLIES.c.created_at, literal("2r").concat(REPLIES.c.id), REPLIES.c.id),
        (NOTES, "n", NOTES.c.created_at, literal("2n").concat(NOTES.c.id), NOTES.c.id),
        (EVENTS, "e", EVENTS.c.at, literal("3e").concat(number), EVENTS.c.id.cast(Text)),
    ]
    queries = []
    for table, kind, at, place, row_id in parts:
        query = select(
            at.label("at"),
            place.label("id"),
            literal(kind).label("kind"),
            row_id.label("row_id"),
        )
        if table in {REPLIES, NOTES}:
            query = query.where(table.c.conversation_id.in_(sorted(with_merged)))
        else:
            query = query.where(table.c.conversation_id == conversation_id)
        if table is EVENTS:
            query = query.where(EVENTS.c.type.like("conversation.%"))
        queries.append(query)
    together = union_all(*queries).subquery()
    return select(together)


def timeline(connection: Connection, conversation_id: str, window: Window) -> Timeline:
    """Return posts, replies, notes and events of a conversation in one order."""
    query = _entries(conversation_id, sources_of(connection, conversation_id))
    columns = query.selected_columns
    found = page(connection, query, (columns["at"], columns["id"]), window)
    rows = {kind: _rows(connection, found, kind) for kind in _KINDS}
    entries = [
        _entry(row["kind"], row["at"], rows[row["kind"]][row["row_id"]]) for row in found.rows
    ]
    return Timeline(entries, found.next)


def names_of(connection: Connection, entries: Collection[Entry]) -> dict[str, str]:
    """Return the names of the principals who did what others owned, by their ids."""
    ids = {entry.value["detail"].get("by") for entry in entries if entry.kind == "event"} - {None}
    if not ids:
        return {}
    query = select(PRINCIPALS.c.id, PRINCIPALS.c.name).where(PRINCIPALS.c.id.in_(sorted(ids)))
    return {row.id: row.name for row in connection.execute(query)}


def _rows(connection: Connection, found: Page, kind: str) -> dict[str, dict[str, Any]]:
    ids = [row["row_id"] for row in found.rows if row["kind"] == kind]
    if not ids:
        return {}
    table = _TABLES[kind]
    keys = [int(i) for i in ids] if kind == "e" else ids
    query = select(table).where(table.c.id.in_(keys))
    rows = {str(row["id"]): dict(row) for row in connection.execute(query).mappings()}
    named = mentions.of_notes(connection, ids) if kind == "n" else {}
    for note_id, agent_ids in named.items():
        rows[note_id]["mentions"] = agent_ids
    return rows


def _entry(kind: str, at: Instant, row: dict[str, Any]) -> Entry:
    reply = reply_from(row) if kind == "r" else None  # type: ignore[arg-type]
    return Entry(_KINDS[kind], at, row, reply)


def decisions(connection: Connection, conversation_id: str, window: Window) -> Page:
    """Return the decision records of a conversation, oldest first."""
    query = select(DECISIONS).where(DECISIONS.c.conversation_id == conversation_id)
    return page(connection, query, (DECISIONS.c.at, DECISIONS.c.id), window)


def posts_named(
    connection: Connection, conversation_id: str, external_ids: Collection[str]
) -> set[str]:
    """Return those of the external ids that are posts of the conversation."""
    query = select(POSTS.c.external_id).where(
        and_(
            POSTS.c.conversation_id == conversation_id,
            POSTS.c.external_id.in_(sorted(external_ids)),
        )
    )
    return set(connection.execute(query).scalars())


def add_note(  # noqa: PLR0917 - what a note consists of
    connection: Connection,
    conversation_id: str,
    agent_id: str | None,
    name: str,
    text: str,
    mentioned: Collection[str] = (),
) -> dict[str, Any]:
    """Write a note and tell of it; it changes nothing of the conversation itself.

    Raises:
        UnknownReference: one of the mentioned is no agent.
    """
    mentions.require_known(connection, mentioned)
    now = clock.now(connection)
    note_id = new_id("no")
    note = {
        "id": note_id,
        "conversation_id": conversation_id,
        "agent_id": agent_id,
        "author_name": name,
        "text": text,
        "created_at": now,
    }
    connection.execute(insert(NOTES).values(note))
    theirs = select(CONVERSATIONS.c.workgroup_id).where(CONVERSATIONS.c.id == conversation_id)
    workgroup_id = connection.execute(theirs).scalar_one()
    mentions.note(connection, note_id, conversation_id, mentioned, now)
    detail = {"note_id": note["id"], **mentions.told(mentioned)}
    told = Happening(NOTE_WRITTEN, workgroup_id, agent_id, conversation_id, detail)
    events.append(connection, [told], now)
    return note | mentions.told(mentioned)


def needs_human(connection: Connection) -> int:
    """Count the replies that wait for a human's answer."""
    query = select(REPLIES.c.id).where(REPLIES.c.state == ReplyState.NEEDS_HUMAN.value)
    return len(connection.execute(query).all())

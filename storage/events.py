"""One sequence of everything that happened, without gap or repeat."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, null, select, update
from sqlalchemy.dialects import postgresql, sqlite

from conversations.model import Instant
from storage import clock
from storage.log_tables import CounterRow, EventRow

EVENTS = EventRow.__table__  # type: ignore[attr-defined]
COUNTERS = CounterRow.__table__  # type: ignore[attr-defined]
SEQUENCE = "event_sequence"
KEPT_FROM = "events_kept_from"
RELAY_BATCH = 500


@dataclass(frozen=True, slots=True)
class Happening:
    """An event as it is written: what happened, to which conversation, and its state after it."""

    type: str
    workgroup_id: str | None
    agent_id: str | None
    conversation_id: str | None
    detail: dict[str, Any]
    snapshot: dict[str, Any] | None = None


def append(connection: Connection, happenings: Sequence[Happening], at: Instant) -> None:
    """Write events in the transaction of the change that they tell.

    SQLite commits one transaction at a time, so the place in the sequence is known at once. On
    PostgreSQL commits become visible out of order: there the relay numbers them afterwards.
    """
    if not happenings:
        return
    first = None
    if connection.dialect.name == "sqlite":
        first = _take_places(connection, len(happenings))
    connection.execute(
        insert(EVENTS),
        [
            {
                "seq": None if first is None else first + offset,
                "type": happening.type,
                "at": at,
                "workgroup_id": happening.workgroup_id,
                "agent_id": happening.agent_id,
                "conversation_id": happening.conversation_id,
                "detail": happening.detail,
                "snapshot": happening.snapshot,
            }
            for offset, happening in enumerate(happenings)
        ],
    )


def _take_places(connection: Connection, count: int) -> int:
    """Advance the sequence and return its first new place; the row is the fence between writers."""
    taken = (
        update(COUNTERS)
        .where(COUNTERS.c.name == SEQUENCE)
        .values(value=COUNTERS.c.value + count)
        .returning(COUNTERS.c.value)
    )
    last = connection.execute(taken).scalar_one_or_none()
    if last is None:
        _begin_sequence(connection)
        last = connection.execute(taken).scalar_one()
    return int(last) - count + 1


def _begin_sequence(connection: Connection) -> None:
    """Write the counter's row; another relay may do so at the same moment."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    first = dialect.insert(COUNTERS).values(name=SEQUENCE, value=0)
    connection.execute(first.on_conflict_do_nothing())


def number_events(connection: Connection, limit: int = RELAY_BATCH) -> int:
    """Give committed events their places; return how many. The relay's transaction.

    The counter's row is locked first, so two relays take turns.
    """
    counter = select(COUNTERS.c.value).where(COUNTERS.c.name == SEQUENCE).with_for_update()
    if connection.execute(counter).first() is None:
        _begin_sequence(connection)
        connection.execute(counter)
    waiting = select(EVENTS.c.id).where(EVENTS.c.seq.is_(None)).order_by(EVENTS.c.id).limit(limit)
    ids = list(connection.execute(waiting).scalars())
    if not ids:
        return 0
    first = _take_places(connection, len(ids))
    place = (
        update(EVENTS).where(EVENTS.c.id == bindparam("event_id")).values(seq=bindparam("place"))
    )
    connection.execute(
        place,
        [{"event_id": event_id, "place": first + n} for n, event_id in enumerate(ids)],
    )
    return len(ids)


def has_unnumbered(connection: Connection) -> bool:
    """Whether an event waits for its place; a cheap look before the relay takes its lock."""
    waiting = select(EVENTS.c.id).where(EVENTS.c.seq.is_(None))
    return connection.execute(waiting.limit(1)).first() is not None


def relay_lag_ms(connection: Connection) -> int:
    """Return the age of the oldest event that waits for its place, 0 when none does."""
    oldest_waiting = select(func.min(EVENTS.c.at)).where(EVENTS.c.seq.is_(None))
    at = connection.execute(oldest_waiting).scalar_one()
    return 0 if at is None else max(0, clock.now(connection) - int(at))


def head(connection: Connection) -> int:
    """Return the sequence number of the newest event, 0 when there is none."""
    return int(connection.execute(select(func.coalesce(func.max(EVENTS.c.seq), 0))).scalar_one())


def oldest(connection: Connection) -> int:
    """Return the place from which on the sequence is kept whole, 0 when there is no event."""
    first = connection.execute(select(func.coalesce(func.min(EVENTS.c.seq), 0))).scalar_one()
    return max(int(first), _counter(connection, KEPT_FROM) or 0)


def _counter(connection: Connection, name: str) -> int | None:
    query = select(COUNTERS.c.value).where(COUNTERS.c.name == name)
    return connection.execute(query).scalar_one_or_none()


def events_after(connection: Connection, seq: int, limit: int) -> list[dict[str, Any]]:
    """Return the events after a place in the sequence, in order."""
    query = select(EVENTS).where(EVENTS.c.seq > seq).order_by(EVENTS.c.seq).limit(limit)
    return [dict(row) for row in connection.execute(query).mappings()]


def forget_before(connection: Connection, before: Instant, limit: int) -> int:
    """End the keeping of up to `limit` events that are older than `before`; return how many.

    What happened to a conversation stays for its timeline, without its state at the time. The
    newest event always stays whole, so that the head is known.
    """
    kept_from = _counter(connection, KEPT_FROM) or 1
    newest = select(func.max(EVENTS.c.seq)).scalar_subquery()
    old = (
        select(EVENTS.c.seq)
        .where(EVENTS.c.seq >= kept_from, EVENTS.c.seq < newest, EVENTS.c.at < before)
        .order_by(EVENTS.c.seq)
        .limit(limit)
        .subquery()
    )
    last = connection.execute(select(func.max(old.c.seq))).scalar_one()
    if last is None:
        return 0
    forgotten = EVENTS.c.seq.between(kept_from, last)
    connection.execute(delete(EVENTS).where(forgotten, EVENTS.c.conversation_id.is_(None)))
    connection.execute(update(EVENTS).where(forgotten).values(snapshot=null()))
    _keep_from(connection, int(last) + 1)
    return int(last) + 1 - kept_from


def _keep_from(connection: Connection, seq: int) -> None:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    kept = dialect.insert(COUNTERS).values(name=KEPT_FROM, value=seq)
    connection.execute(kept.on_conflict_do_update(index_elements=["name"], set_={"value": seq}))

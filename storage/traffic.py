"""A period's recorded traffic, read page by page for a simulation to repeat."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from sqlalchemy import Connection, RowMapping, and_, func, or_, select

from acd.recorded_day import RecordedEvent
from acd.simulated_admission import RecordedAnswer
from acd.simulated_figures import Pickup, pickup_of
from conversations.model import Conversation, ConversationState, Instant
from storage.conversation_tables import ConversationRow, QueueEntryRow
from storage.log_tables import EventRow
from storage.rows import conversation_from

CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]
ENTRIES = QueueEntryRow.__table__  # type: ignore[attr-defined]
EVENTS = EventRow.__table__  # type: ignore[attr-defined]

MOST_CONVERSATIONS = 10_000
PAGE = 500
"""So many rows are read in one transaction, so that nothing else waits long for a reader."""

LIFE_MS = 7 * 24 * 3_600_000
"""Conversations that began longer before the period are left out: their past is not kept."""

SLACK_MS = 60_000
"""Events have their places in the order of their commits, which may differ so much in time."""

_CREATED = "conversation.created"
_REROUTED = "conversation.rerouted"
_STATED = ("conversation.split", _CREATED, _REROUTED)
_WAITING = frozenset({ConversationState.QUEUED, ConversationState.ALERTING})


@dataclass(frozen=True, slots=True)
class Period:
    start: Instant
    until: Instant


class TooMuchTraffic(Exception):
    """More conversations than are simulated at once."""

    def __init__(self, count: int) -> None:
        super().__init__(
            f"{count} or more conversations were open in the period, and"
            f" {MOST_CONVERSATIONS} are the most: choose a shorter one"
        )


class PeriodNotKept(Exception):
    """The record of the period is incomplete by now."""

    def __init__(self) -> None:
        super().__init__("what happened in the period is no longer kept in full")


def require_bounded(connection: Connection, period: Period) -> None:
    """Refuse a period with too many conversations, by an index and at most so many rows.

    Raises:
        TooMuchTraffic: there are more.
    """
    began = select(CONVERSATIONS.c.id).where(
        CONVERSATIONS.c.created_at >= period.start, CONVERSATIONS.c.created_at < period.until
    )
    bounded = began.limit(MOST_CONVERSATIONS + 1).subquery()
    count = connection.execute(select(func.count()).select_from(bounded)).scalar_one()
    if count > MOST_CONVERSATIONS:
        raise TooMuchTraffic(count)


def places_of(connection: Connection, period: Period) -> tuple[int, int]:
    """Return between which places in the sequence of events the period lies."""
    first = _place_at(connection, period.start - SLACK_MS)
    return first, _place_at(connection, period.until + SLACK_MS)


def _place_at(connection: Connection, at: Instant) -> int:
    """Return the first place whose event is not before the moment, by halving the sequence."""
    ends = connection.execute(select(func.min(EVENTS.c.seq), func.max(EVENTS.c.seq))).one()
    low, high = int(ends[0] or 0), int(ends[1] or 0) + 1
    while low < high:
        middle = (low + high) // 2
        query = select(EVENTS.c.seq, EVENTS.c.at).where(EVENTS.c.seq >= middle)
        row = connection.execute(query.order_by(EVENTS.c.seq).limit(1)).first()
        if row is None or row.at >= at:
            high = middle
        else:
            low = int(row.seq) + 1
    return low


def page_of_events(
    connection: Connection, period: Period, places: tuple[int, int]
) -> tuple[list[dict[str, Any]], int | None]:
    """Return events from a place on, and from where the next page goes on; None at the end."""
    snapshot = EVENTS.c.snapshot
    query = (
        select(
            EVENTS.c.seq,
            EVENTS.c.at,
            EVENTS.c.type,
            EVENTS.c.agent_id,
            EVENTS.c.workgroup_id,
            EVENTS.c.conversation_id,
            EVENTS.c.detail,
            snapshot["state"].as_string().label("state"),
            snapshot["wrap_up_code"].as_string().label("wrap_up_code"),
            snapshot["answered_count"].as_integer().label("answered_count"),
            snapshot["parked_until"].as_string().label("parked_until"),
            snapshot["wrap_up_until"].as_string().label("wrap_up_until"),
        )
        .where(EVENTS.c.seq >= places[0], EVENTS.c.seq < places[1])
        .order_by(EVENTS.c.seq)
        .limit(PAGE)
    )
    rows = [dict(row) for row in connection.execute(query).mappings()]
    following = rows[-1]["seq"] + 1 if len(rows) == PAGE else None
    inside = [
        row
        for row in rows
        if row["conversation_id"] is not None and period.start < row["at"] <= period.until
    ]
    if any(row["state"] is None for row in inside):
        raise PeriodNotKept
    return inside, following


def snapshots(connection: Connection, places: Sequence[int]) -> dict[int, Conversation]:
    """Return what conversations were after the events at these places."""
    query = select(EVENTS.c.seq, EVENTS.c.snapshot).where(EVENTS.c.seq.in_(places))
    rows = connection.execute(query)
    return {row.seq: _conversation(row.snapshot) for row in rows if row.snapshot is not None}


def _conversation(snapshot: Mapping[str, Any]) -> Conversation:
    return conversation_from(cast("RowMapping", snapshot))


def open_before(connection: Connection, period: Period) -> list[str]:
    """Return the conversations that had begun before the period and were not over by then.

    Raises:
        TooMuchTraffic: there are too many.
    """
    query = select(CONVERSATIONS.c.id).where(
        CONVERSATIONS.c.created_at.between(period.start - LIFE_MS, period.start),
        or_(CONVERSATIONS.c.ended_at.is_(None), CONVERSATIONS.c.ended_at > period.start),
    )
    ids = list(connection.execute(query.limit(MOST_CONVERSATIONS + 1)).scalars())
    if len(ids) > MOST_CONVERSATIONS:
        raise TooMuchTraffic(len(ids))
    return ids


def states_at(
    connection: Connection, conversation_ids: Sequence[str], at: Instant
) -> list[Conversation]:
    """Return what these conversations were at a moment, those that were not over by then."""
    last = (
        select(func.max(EVENTS.c.seq))
        .where(EVENTS.c.conversation_id.in_(conversation_ids), EVENTS.c.at <= at)
        .group_by(EVENTS.c.conversation_id)
    )
    query = select(EVENTS.c.snapshot).where(EVENTS.c.seq.in_(last))
    known = (_conversation(one) for one in connection.execute(query).scalars() if one is not None)
    return [conversation for conversation in known if not conversation.is_final]


def answers_before(connection: Connection, since: Instant, at: Instant) -> list[RecordedAnswer]:
    """Return the answers on which the first estimates of the period stand."""
    query = select(ENTRIES.c.workgroup_id, ENTRIES.c.left_at, ENTRIES.c.waited_ms).where(
        and_(ENTRIES.c.left_at >= since, ENTRIES.c.left_at <= at, ENTRIES.c.outcome == "answered")
    )
    rows = connection.execute(query.limit(MOST_CONVERSATIONS))
    return [RecordedAnswer(row.workgroup_id, row.left_at, row.waited_ms or 0) for row in rows]


def recorded(row: Mapping[str, Any], routed: Conversation | None) -> RecordedEvent:
    return RecordedEvent(
        at=row["at"],
        type=row["type"],
        agent_id=row["agent_id"],
        detail=row["detail"] or {},
        state=ConversationState(row["state"]),
        wrap_up_code=row["wrap_up_code"],
        answered_count=row["answered_count"] or 0,
        parked_until=_moment(row["parked_until"]),
        wrap_up_until=_moment(row["wrap_up_until"]),
        routed=routed,
    )


def _moment(text: str | None) -> Instant | None:
    return int(text) if text is not None else None


@dataclass(slots=True)
class Reading:
    """The events of a period, collected by conversation."""

    events: defaultdict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    stated: dict[int, Conversation] = field(default_factory=dict)

    def take(self, rows: Iterable[dict[str, Any]]) -> None:
        for row in rows:
            self.events[row["conversation_id"]].append(row)

    @property
    def places_to_read(self) -> list[int]:
        """Return the places of the events whose conversation has to be known in full."""
        rows = (row for events in self.events.values() for row in events)
        return [row["seq"] for row in rows if row["type"] in _STATED]

    def began(self) -> dict[str, tuple[Instant, Conversation]]:
        """Return the conversations that began in the period, and as what."""
        found = {}
        for conversation_id, rows in self.events.items():
            first = rows[0]
            opened = self.stated.get(first["seq"])
            if opened is not None and first["type"] != _REROUTED:
                found[conversation_id] = (first["at"], opened)
        return found

    def first_posts(self, conversation_id: str) -> tuple[str, ...]:
        detail = self.events[conversation_id][0]["detail"] or {}
        return tuple(detail.get("post_ids", ()))

    def of(self, conversation_id: str, *, is_new: bool) -> list[RecordedEvent]:
        """Return what happened to a conversation, without its beginning."""
        rows = self.events.get(conversation_id, [])
        return [recorded(r, self.stated.get(r["seq"])) for r in (rows[1:] if is_new else rows)]

    def pickups(self, known: Mapping[str, Conversation]) -> list[Pickup]:
        """Return who had each conversation first."""
        found = []
        for conversation_id, conversation in known.items():
            if conversation.connected_at is not None:
                continue
            for row in self.events.get(conversation_id, ()):
                if row["state"] == ConversationState.CONNECTED and row["agent_id"] is not None:
                    found.append(self._pickup(conversation, row))
                    break
        return found

    def _pickup(self, conversation: Conversation, row: Mapping[str, Any]) -> Pickup:
        pickup = pickup_of(conversation, row["agent_id"], row["at"])
        return replace(pickup, workgroup_id=row["workgroup_id"])

    def waiting_at_the_end(self, known: Mapping[str, Conversation]) -> int:
        """Count those who were never picked up and still waited."""
        count = 0
        for conversation_id, conversation in known.items():
            rows = self.events.get(conversation_id, [])
            states = [ConversationState(row["state"]) for row in rows] or [conversation.state]
            was_taken = (
                conversation.connected_at is not None or ConversationState.CONNECTED in states
            )
            count += not was_taken and states[-1] in _WAITING
        return count

    def count(self, kind: str, name: str) -> int:
        """Count the events of a kind with such a reason or cause."""
        rows = (row for events in self.events.values() for row in events)
        found = (row["detail"] or {} for row in rows if row["type"] == kind)
        return sum(name in {detail.get("reason"), detail.get("cause")} for detail in found)

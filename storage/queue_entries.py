"""Every wait in a workgroup's queue: from when, until when, and how it ended."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from acd.service_level import WayOut, waited_ms
from conversations.model import Conversation, ConversationState, Instant
from storage.calendars import stopping_hours
from storage.conversation_tables import QueueEntryRow
from storage.ids import new_id

ENTRIES = QueueEntryRow.__table__  # type: ignore[attr-defined]

_WAITING = frozenset({ConversationState.QUEUED, ConversationState.ALERTING})
_OWNED = frozenset({ConversationState.CONNECTED, ConversationState.HELD})


@dataclass(slots=True)
class QueueMoves:
    """Who came into a queue in one transaction, and who left one, in the order in which they did.

    An offer to a named agent is no entry; if it is not taken, the conversation enters then.
    Whether it had entered before shows only in the database, where one wait at most is open.
    """

    now: Instant
    _entered: dict[str, dict[str, Any]] = field(default_factory=dict)
    _returned: dict[str, dict[str, Any]] = field(default_factory=dict)
    _came_and_went: list[dict[str, Any]] = field(default_factory=list)
    _returned_and_went: dict[str, dict[str, Any]] = field(default_factory=dict)
    _left: dict[str, tuple[WayOut, str | None]] = field(default_factory=dict)

    def note(self, before: Conversation | None, after: Conversation) -> None:
        """Take one change of a conversation."""
        was, waits = _queue_of(before), _queue_of(after)
        if was is not None and was != waits:
            self._leave(after)
        if after.state is not ConversationState.QUEUED:
            return
        if was != waits:
            self._entered[after.id] = self._entry_of(after)
        elif before is not None and before.state is ConversationState.ALERTING:
            self._returned[after.id] = self._entry_of(after)

    def _entry_of(self, conversation: Conversation) -> dict[str, Any]:
        return {
            "id": new_id("qe"),
            "conversation_id": conversation.id,
            "workgroup_id": conversation.workgroup_id,
            "media_type": conversation.media_type.value,
            "entered_at": self.now,
            "left_at": None,
            "outcome": None,
            "agent_id": None,
            "waited_ms": None,
        }

    def _leave(self, after: Conversation) -> None:
        outcome = _way_out(after)
        agent_id = after.agent_id if outcome is WayOut.ANSWERED else None
        gone = {"left_at": self.now, "outcome": outcome.value, "agent_id": agent_id, "waited_ms": 0}
        entered = self._entered.pop(after.id, None)
        if entered is not None:
            self._came_and_went.append(entered | gone)
            return
        self._left.setdefault(after.id, (outcome, agent_id))
        returned = self._returned.pop(after.id, None)
        if returned is not None:
            self._returned_and_went[after.id] = returned | gone

    def write(self, connection: Connection, workgroup: Callable[[str], RowMapping]) -> None:
        """Write it all; whoever left has his wait measured by his workgroup's clock."""
        if self._left:
            for conversation_id in self._write_left(connection, workgroup):
                self._returned_and_went.pop(conversation_id, None)
        rows = [
            *self._came_and_went,
            *self._returned_and_went.values(),
            *self._entered.values(),
            *self._returned.values(),
        ]
        if rows:
            dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
            connection.execute(dialect.insert(ENTRIES).on_conflict_do_nothing(), rows)

    def _write_left(
        self, connection: Connection, workgroup: Callable[[str], RowMapping]
    ) -> list[str]:
        """End the waits that began earlier; return whose they were."""
        query = select(
            ENTRIES.c.id, ENTRIES.c.conversation_id, ENTRIES.c.workgroup_id, ENTRIES.c.entered_at
        ).where(ENTRIES.c.conversation_id.in_(sorted(self._left)), ENTRIES.c.left_at.is_(None))
        entries = connection.execute(query).all()
        rows = [
            {
                "row_id": entry.id,
                "new_outcome": self._left[entry.conversation_id][0].value,
                "new_agent_id": self._left[entry.conversation_id][1],
                "new_waited_ms": waited_ms(
                    entry.entered_at, self.now, stopping_hours(workgroup(entry.workgroup_id))
                ),
            }
            for entry in entries
        ]
        if not rows:
            return []
        closed = update(ENTRIES).where(ENTRIES.c.id == bindparam("row_id"))
        values = {
            "left_at": self.now,
            "outcome": bindparam("new_outcome"),
            "agent_id": bindparam("new_agent_id"),
            "waited_ms": bindparam("new_waited_ms"),
        }
        connection.execute(closed.values(values), rows)
        return [entry.conversation_id for entry in entries]


def _queue_of(conversation: Conversation | None) -> str | None:
    """Return in which workgroup's queue the conversation is, alerting included."""
    if conversation is None or conversation.state not in _WAITING:
        return None
    return conversation.workgroup_id


def _way_out(after: Conversation) -> WayOut:
    if after.state in _OWNED:
        return WayOut.ANSWERED
    match after.state:
        case ConversationState.ABANDONED:
            return WayOut.ABANDONED
        case ConversationState.DISCARDED:
            return WayOut.DISCARDED
        case _:
            return WayOut.FLOWED_OUT


def forget_before(connection: Connection, moment: Instant, most: int) -> int:
    """Delete waits that ended before the moment, so many at most; return how many."""
    oldest = select(ENTRIES.c.id).where(ENTRIES.c.left_at < moment).limit(most)
    return connection.execute(delete(ENTRIES).where(ENTRIES.c.id.in_(oldest))).rowcount

"""How long agents handled conversations: one row when a handling, or a wrap-up, ends."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from conversations.model import Conversation, ConversationState, Instant
from storage.conversation_tables import HandlingRow
from storage.ids import new_id
from storage.log_tables import EventRow

EVENTS = EventRow.__table__  # type: ignore[attr-defined]
HANDLINGS = HandlingRow.__table__  # type: ignore[attr-defined]

OWNED = frozenset({ConversationState.CONNECTED, ConversationState.HELD})
HANDLED, WRAPPED_UP = "handled", "wrapped_up"
_HELD, _RESUMED = "conversation.held", "conversation.resumed"

_OUTCOMES = {
    ConversationState.WRAPUP: "disconnected",
    ConversationState.COMPLETED: "disconnected",
    ConversationState.PARKED: "parked",
    ConversationState.DISCARDED: "discarded",
    ConversationState.MERGED: "merged",
    ConversationState.ABANDONED: "abandoned",
}
PASSED_ON = "passed_on"
"""By transfer, release, or because the agent was lost."""


@dataclass(slots=True)
class Handlings:
    """What ended in one transaction."""

    now: Instant
    _handled: list[tuple[Conversation, str]] = field(default_factory=list)
    _wrapped_up: list[Conversation] = field(default_factory=list)

    def note(self, before: Conversation | None, after: Conversation) -> None:
        """Take one change of a conversation."""
        if before is None:
            return
        if before.state in OWNED and not _is_still_handled(before, after):
            self._handled.append((before, _OUTCOMES.get(after.state, PASSED_ON)))
        if before.state is ConversationState.WRAPUP and after.state is not before.state:
            self._wrapped_up.append(before)

    def write(self, connection: Connection) -> None:
        """Write what ended; how long it was on hold is told by the conversation's events."""
        rows = [self._wrap_up_row(one) for one in self._wrapped_up]
        if self._handled:
            held_ms = self._held_ms(connection, [before for before, _ in self._handled])
            rows += [
                self._row(before, HANDLED, before.connected_at or self.now, outcome)
                | {"held_ms": held_ms[before.id]}
                for before, outcome in self._handled
            ]
        if rows:
            connection.execute(insert(HANDLINGS), rows)

    def _wrap_up_row(self, before: Conversation) -> dict[str, Any]:
        return self._row(before, WRAPPED_UP, before.ended_at or self.now, before.wrap_up_code)

    def _row(
        self, before: Conversation, kind: str, began_at: Instant, outcome: str | None
    ) -> dict[str, Any]:
        return {
            "id": new_id("ha"),
            "conversation_id": before.id,
            "workgroup_id": before.workgroup_id,
            "agent_id": before.agent_id,
            "media_type": before.media_type.value,
            "kind": kind,
            "began_at": began_at,
            "ended_at": self.now,
            "held_ms": 0,
            "outcome": outcome,
        }

    def _held_ms(self, connection: Connection, handled: Iterable[Conversation]) -> dict[str, int]:
        """Add up the holds since each conversation's last pick-up; one may be open still."""
        by_id = {each.id: each for each in handled}
        query = (
            select(EVENTS.c.conversation_id, EVENTS.c.type, EVENTS.c.at)
            .where(EVENTS.c.conversation_id.in_(by_id), EVENTS.c.type.in_([_HELD, _RESUMED]))
            .order_by(EVENTS.c.at, EVENTS.c.id)
        )
        found: dict[str, int] = defaultdict(int)
        since: dict[str, Instant] = {}
        for row in connection.execute(query):
            if row.at < (by_id[row.conversation_id].connected_at or 0):
                continue
            if row.type == _HELD:
                since[row.conversation_id] = row.at
            elif row.conversation_id in since:
                found[row.conversation_id] += row.at - since.pop(row.conversation_id)
        for each in by_id.values():
            if each.state is ConversationState.HELD:
                found[each.id] += self.now - (each.held_at or self.now)
        return found


def _is_still_handled(before: Conversation, after: Conversation) -> bool:
    return after.state in OWNED and after.agent_id == before.agent_id


def forget_before(connection: Connection, moment: Instant, most: int) -> int:
    """Delete handlings that ended before the moment, so many at most; return how many."""
    oldest = select(HANDLINGS.c.id).where(HANDLINGS.c.ended_at < moment).limit(most)
    return connection.execute(delete(HANDLINGS).where(HANDLINGS.c.id.in_(oldest))).rowcount

"""The waits in queues, told once more from the events alone."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from conversations.model import Instant
from tests.history import History, Row

WAITING = frozenset({"queued", "alerting"})
WAYS_OUT = {
    "connected": "answered",
    "held": "answered",
    "abandoned": "abandoned",
    "discarded": "discarded",
}


@dataclass(frozen=True)
class Wait:
    """One stay in one workgroup's queue."""

    workgroup_id: str
    entered_at: Instant
    left_at: Instant | None = None
    outcome: str | None = None
    agent_id: str | None = None


def told(events: list[Row]) -> list[Wait]:
    """Tell a conversation's waits from its events."""
    ended: list[Wait] = []
    wait: Wait | None = None
    for event in events:
        now = event["snapshot"]
        is_waiting = now["state"] in WAITING
        if wait is not None and not (is_waiting and now["workgroup_id"] == wait.workgroup_id):
            outcome = WAYS_OUT.get(now["state"], "flowed_out")
            agent_id = now["agent_id"] if outcome == "answered" else None
            ended.append(replace(wait, left_at=event["at"], outcome=outcome, agent_id=agent_id))
            wait = None
        if wait is None and now["state"] == "queued":
            wait = Wait(now["workgroup_id"], event["at"])
    return ended if wait is None else [*ended, wait]


def written(rows: list[Row]) -> list[Wait]:
    names = ("workgroup_id", "entered_at", "left_at", "outcome", "agent_id")
    return [Wait(**{name: row[name] for name in names}) for row in rows]


def _order(wait: Wait) -> tuple[bool, tuple[Instant, Instant], str, str]:
    moments = (wait.entered_at, wait.left_at or 0)
    return wait.left_at is None, moments, wait.workgroup_id, wait.outcome or ""


def that_differ(history: History) -> Iterator[tuple[str, str, str]]:
    """Yield the conversations whose waits are not written down as they were."""
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    for row in history.queue_entries:
        rows[row["conversation_id"]].append(row)
    for conversation_id, events in history.events_by_conversation.items():
        expected = sorted(told(events), key=_order)
        found = sorted(written(rows.pop(conversation_id, [])), key=_order)
        if expected != found:
            yield "I11", conversation_id, f"waited {expected}, written down are {found}"
    for conversation_id in rows:
        yield "I11", conversation_id, "never waited, by the events"

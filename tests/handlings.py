"""How long agents handled conversations, told once more from the events alone."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from conversations.model import Instant
from tests.history import History, Row

OWNED = frozenset({"connected", "held"})
OUTCOMES = {
    "wrapup": "disconnected",
    "completed": "disconnected",
    "parked": "parked",
    "discarded": "discarded",
    "merged": "merged",
    "abandoned": "abandoned",
}


@dataclass(frozen=True, order=True)
class Handling:
    """One stay with one agent, or one wrap-up."""

    began_at: Instant
    ended_at: Instant
    kind: str
    agent_id: str
    held_ms: int
    outcome: str


def told(events: list[Row]) -> list[Handling]:
    """Tell a conversation's handlings from its events, in the order in which they ended."""
    found: list[Handling] = []
    owner, began_at, held_since, held_ms = "", 0, None, 0
    wrapping_since: Instant | None = None
    for event in events:
        now, at = event["snapshot"], event["at"]
        state, agent_id = now["state"], now["agent_id"] or ""
        if held_since is not None and state != "held":
            held_ms, held_since = held_ms + at - held_since, None
        is_owned = state in OWNED
        if owner and not (is_owned and agent_id == owner):
            outcome = OUTCOMES.get(state, "passed_on")
            found.append(Handling(began_at, at, "handled", owner, held_ms, outcome))
            owner = ""
        if wrapping_since is not None and state != "wrapup":
            code = now["wrap_up_code"] or ""
            found.append(Handling(wrapping_since, at, "wrapped_up", agent_id, 0, code))
            wrapping_since = None
        if is_owned and not owner:
            owner, began_at, held_ms = agent_id, at, 0
        if state == "held" and held_since is None:
            held_since = at
        if state == "wrapup" and wrapping_since is None:
            wrapping_since = at
    return found


def that_differ(history: History) -> Iterator[tuple[str, str, str]]:
    """Yield the conversations whose handlings are not written down as they were."""
    rows: defaultdict[str, list[Handling]] = defaultdict(list)
    for row in history.handlings:
        is_wrap_up = row["kind"] == "wrapped_up"
        rows[row["conversation_id"]].append(
            Handling(
                row["began_at"],
                row["ended_at"],
                row["kind"],
                row["agent_id"],
                row["held_ms"],
                "" if is_wrap_up else row["outcome"],
            )
        )
    for conversation_id, events in history.events_by_conversation.items():
        expected = sorted(_without_codes(told(events)))
        found = sorted(rows.pop(conversation_id, []))
        if expected != found:
            yield "I11", conversation_id, f"handled {expected}, written down are {found}"
    for conversation_id in rows:
        yield "I11", conversation_id, "never handled, by the events"


def _without_codes(handlings: list[Handling]) -> Iterator[Handling]:
    """Compare only the times of wrap-ups: a code may be given when it ends or before."""
    for each in handlings:
        outcome = "" if each.kind == "wrapped_up" else each.outcome
        yield Handling(
            each.began_at, each.ended_at, each.kind, each.agent_id, each.held_ms, outcome
        )

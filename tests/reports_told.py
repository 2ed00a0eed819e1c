"""What became of offers, and when a human first answered, told once more from the events alone."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from conversations.model import Instant
from tests.history import History, Row


@dataclass(frozen=True, order=True)
class EndedOffer:
    """One offer to one agent that is over."""

    offer_id: str
    agent_id: str
    ended_at: Instant
    outcome: str


@dataclass
class Offers:
    """The offers of one conversation: those that are open, by their agent, and those that ended."""

    open: dict[str, str] = field(default_factory=dict)
    ended: list[EndedOffer] = field(default_factory=list)

    def end(self, offer_id: str, at: Instant, outcome: str) -> None:
        self.ended.append(EndedOffer(offer_id, self.open.pop(offer_id), at, outcome))

    def hear(self, event: Row) -> None:
        """Take what an event says of offers by its own words."""
        at, detail = event["at"], event["detail"]
        match event["type"]:
            case "conversation.offered":
                self.open[detail["offer_id"]] = event["agent_id"]
            case "conversation.declined":
                self.end(detail["offer_id"], at, "declined")
            case "conversation.offer_expired":
                is_missed = detail["reason"] == "not_taken"
                self.end(detail["offer_id"], at, "timed_out" if is_missed else "rescinded")
            case "conversation.transferred":
                for offer_id in list(self.open):
                    self.end(offer_id, at, "rescinded")

    def see(self, at: Instant, after: Row) -> None:
        """Take what the conversation after a change says of those that are open still."""
        if after["state"] == "alerting":
            return
        for offer_id, agent_id in list(self.open.items()):
            is_accepted = after["state"] == "connected" and agent_id == after["agent_id"]
            self.end(offer_id, at, "accepted" if is_accepted else "rescinded")


def offers_told(events: list[Row]) -> list[EndedOffer]:
    """Tell how each offer ended: by a word, by a pick-up, or by another change."""
    offers = Offers()
    for event, following in zip(events, [*events[1:], None], strict=True):
        offers.hear(event)
        now = event["snapshot"]
        if following is None or following["snapshot"]["version"] != now["version"]:
            offers.see(event["at"], now)
    return offers.ended


def offers_that_differ(history: History) -> Iterator[tuple[str, str, str]]:
    """Yield the conversations whose offers did not end as is written down."""
    rows: defaultdict[str, list[EndedOffer]] = defaultdict(list)
    for row in history.ended_offers:
        ended = EndedOffer(row["offer_id"], row["agent_id"], row["ended_at"], row["outcome"])
        rows[row["conversation_id"]].append(ended)
    for conversation_id, events in history.events_by_conversation.items():
        expected, found = sorted(offers_told(events)), sorted(rows.pop(conversation_id, []))
        if expected != found:
            yield "I11", conversation_id, f"offers ended {expected}, written down are {found}"


def first_replies_that_differ(history: History) -> Iterator[tuple[str, str, str]]:
    """Yield the conversations whose first answer of a human is not the one that is written down."""
    by_id = {reply["id"]: reply for reply in history.replies}
    began = {row["id"]: row["created_at"] for row in history.conversations}
    written = {row["conversation_id"]: row for row in history.first_replies}
    for conversation_id, events in history.events_by_conversation.items():
        expected = _first_answer(events, by_id)
        row = written.pop(conversation_id, None)
        found = row and (row["reply_id"], row["sent_at"], row["after_ms"])
        if expected is None and row is None:
            continue
        told = expected and (*expected, expected[1] - began[conversation_id])
        if told != found:
            yield "I11", conversation_id, f"first answered by {told}, written down is {found}"


def _first_answer(events: list[Row], by_id: dict[str, Any]) -> tuple[str, Instant] | None:
    for event in events:
        if event["type"] != "reply.sent":
            continue
        reply_id = event["detail"]["reply_id"]
        if by_id[reply_id]["agent_id"] is not None:
            return reply_id, event["at"]
    return None

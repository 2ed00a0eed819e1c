"""What became of offers: one row when an offer ends."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from conversations.model import Conversation, ConversationState, Event, Instant
from storage.report_tables import EndedOfferRow

ENDED_OFFERS = EndedOfferRow.__table__  # type: ignore[attr-defined]


class OfferEnd(StrEnum):
    ACCEPTED = "accepted"
    DECLINED = "declined"
    TIMED_OUT = "timed_out"
    RESCINDED = "rescinded"
    """Taken back: another was faster, or the conversation went elsewhere or ended."""


@dataclass(slots=True)
class EndedOffers:
    """The offers that ended in one transaction."""

    now: Instant
    _rows: list[dict[str, Any]] = field(default_factory=list)

    def note(self, before: Conversation | None, after: Conversation, told: Iterable[Event]) -> None:
        """Take one change of a conversation, and what it told of it."""
        holders = {offer.id: offer.agent_id for offer in before.offers} if before else {}
        said: dict[object, Event] = {}
        for event in told:
            if event.type == "conversation.offered":
                # Accepted by itself in the same change, it is in neither conversation.
                holders[str(event.detail["offer_id"])] = str(event.agent_id)
            elif "offer_id" in event.detail:
                said[event.detail["offer_id"]] = event
        left = {offer.id for offer in after.offers}
        began_at = before.offered_at if before and before.offers else after.offered_at
        self._rows += [
            {
                "offer_id": offer_id,
                "conversation_id": after.id,
                "workgroup_id": (before or after).workgroup_id,
                "agent_id": agent_id,
                "media_type": after.media_type.value,
                "began_at": began_at,
                "ended_at": self.now,
                "outcome": _end_of(agent_id, after, said.get(offer_id)).value,
            }
            for offer_id, agent_id in holders.items()
            if offer_id not in left
        ]

    def write(self, connection: Connection) -> None:
        if self._rows:
            connection.execute(insert(ENDED_OFFERS), self._rows)


def _end_of(agent_id: str, after: Conversation, told: Event | None) -> OfferEnd:
    if told is not None and told.type == "conversation.declined":
        return OfferEnd.DECLINED
    if told is not None and told.detail.get("reason") == "not_taken":
        return OfferEnd.TIMED_OUT
    if after.state is ConversationState.CONNECTED and after.agent_id == agent_id:
        return OfferEnd.ACCEPTED
    return OfferEnd.RESCINDED


def forget_before(connection: Connection, moment: Instant, most: int) -> int:
    """Delete offers that ended before the moment, so many at most; return how many."""
    oldest = select(ENDED_OFFERS.c.offer_id).where(ENDED_OFFERS.c.ended_at < moment).limit(most)
    gone = delete(ENDED_OFFERS).where(ENDED_OFFERS.c.offer_id.in_(oldest))
    return connection.execute(gone).rowcount

"""A conversation to which everything has happened, and what becomes of its facts."""

from dataclasses import replace
from typing import Any

from conversations import commands as c
from conversations.model import Conversation, ConversationState, Event, Offer, PassedOver, Ring
from tests.conversations.samples import (
    NOW,
    OTHER,
    OWNER,
    POLICY,
    QUEUED,
    WINDOW_S,
    done,
    eligible,
    in_state,
)

THIRD = "agent-3"
LATER = NOW + 77_000
EXPIRES = NOW + 20_000
SLID = NOW + WINDOW_S * 1000
WAITED = SLID - 60_000
"""Until when the window runs before anything slides it."""

RINGS = replace(POLICY, rings=(Ring(30), Ring(60)))
BACK_OFF = PassedOver(OWNER, NOW + 10_000)
FORMER, OVER = PassedOver(OTHER, NOW + 5_000), PassedOver(THIRD, NOW)
EVERYTHING: dict[str, Any] = {
    "weight_percent": 30,
    "is_override": True,
    "preferred_agent_id": OTHER,
    "preferred_until": NOW + 1,
    "passed_over": (FORMER, OVER),
    "ring": 1,
    "ring_since": NOW - 31_000,
    "ring_until": NOW + 29_000,
    "consulted_agent_id": THIRD,
    "held_at": NOW - 5,
    "parked_until": LATER,
    "wrap_up_until": NOW - 1,
}
OFFERS = (Offer("offer-1", OWNER, EXPIRES, 25), Offer("offer-2", OTHER, EXPIRES, 40))

HELD_AGAIN = {"held_at": None, "parked_until": None, "affinity_until": SLID}
CONNECTED: dict[str, Any] = {
    "state": ConversationState.CONNECTED,
    "preferred_agent_id": None,
    "preferred_until": None,
    "passed_over": (),
    "ring_until": None,
    "connected_at": NOW,
    **HELD_AGAIN,
}
QUEUED_AGAIN: dict[str, Any] = {
    "state": ConversationState.QUEUED,
    "weight_percent": 0,
    "is_override": False,
    "preferred_until": None,
    "consulted_agent_id": None,
    "held_at": None,
    "parked_until": None,
}
TAKEN_BACK = {**QUEUED_AGAIN, "agent_id": None}
ENTERED = {"ring": 0, "ring_since": None, "ring_until": None}
PASSED = {"passed_over": (FORMER, BACK_OFF)}
GIVEN_AWAY = {**TAKEN_BACK, **PASSED, "preferred_agent_id": None}
FOR_OWNER = {
    **TAKEN_BACK,
    **ENTERED,
    "preferred_agent_id": OWNER,
    "preferred_until": NOW + 10_000,
}
ENDED: dict[str, Any] = {
    "held_at": None,
    "parked_until": None,
    "preferred_until": None,
    "passed_over": (),
    "ring_until": None,
    "consulted_agent_id": None,
    "ended_at": NOW,
}
COMPLETED = {"state": ConversationState.COMPLETED, "weight_percent": 0, "wrap_up_until": None}


def everything(state: ConversationState, **fields: Any) -> Conversation:
    """Return a conversation in the state to which everything has happened."""
    return in_state(state, **{**EVERYTHING, **fields})


ALERTING = everything(ConversationState.ALERTING, offers=OFFERS)
TALKING = everything(ConversationState.CONNECTED)
HELD = everything(ConversationState.HELD)
PARKED = everything(ConversationState.PARKED)
WRAPPING_UP = everything(ConversationState.WRAPUP)
WAITING = replace(QUEUED, **EVERYTHING)


Case = tuple[Conversation, c.Command, c.Facts, dict[str, Any], list[Event]]
"""Before, what is commanded and known, which facts change, and what is told."""


def facts(standing: c.Facts | None = None, **policy: Any) -> c.Facts:
    return replace(standing or eligible(), policy=replace(POLICY, **policy))


def changed(before: Conversation, **fields: Any) -> Conversation:
    """Return what becomes of it when only these facts change."""
    return replace(before, version=before.version + 1, **fields)


def told(kind: str, agent_id: str | None = OWNER, **detail: object) -> Event:
    return Event(f"conversation.{kind}", agent_id, detail)


def check(case: Case) -> None:
    """See that exactly these facts change, and exactly this is told."""
    before, command, known, fields, events = case

    decision = done(before, command, known)

    assert decision.conversation == changed(before, **fields)
    assert list(decision.events) == events
    assert decision.not_responding_agent_ids == ()

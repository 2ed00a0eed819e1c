"""What agents' commands change of a conversation to which everything has happened."""

from dataclasses import replace

import pytest

from conversations import commands as c
from conversations.model import ConversationState, Event, Visibility, WrapUpMode
from tests.conversations.everything import (
    ALERTING,
    COMPLETED,
    CONNECTED,
    ENDED,
    ENTERED,
    EXPIRES,
    FOR_OWNER,
    GIVEN_AWAY,
    HELD,
    LATER,
    OFFERS,
    PARKED,
    PASSED,
    QUEUED_AGAIN,
    SLID,
    TALKING,
    THIRD,
    WAITING,
    WRAPPING_UP,
    Case,
    check,
    facts,
    told,
)
from tests.conversations.samples import (
    NOW,
    OTHER,
    OWNER,
    SUPERVISOR,
    agent,
    done,
    eligible,
    ineligible,
    reply_by,
)

CASES: dict[str, Case] = {
    "the first of two picks up": (
        ALERTING,
        c.PickUp(agent(), "offer-1", EXPIRES),
        eligible(),
        {**CONNECTED, "agent_id": OWNER, "offers": (), "weight_percent": 25},
        [
            told("connected"),
            told("offer_expired", OTHER, offer_id="offer-2", reason="rescinded"),
        ],
    ),
    "the second of two picks up": (
        ALERTING,
        c.PickUp(agent(OTHER), None, NOW),
        eligible(OTHER),
        {**CONNECTED, "agent_id": OTHER, "offers": (), "weight_percent": 40},
        [
            told("connected", OTHER),
            told("offer_expired", OWNER, offer_id="offer-1", reason="rescinded"),
        ],
    ),
    "somebody picks it up from the queue": (
        WAITING,
        c.PickUp(agent(THIRD), None, NOW),
        eligible(THIRD, weight_percent=35),
        {**CONNECTED, "agent_id": THIRD, "weight_percent": 35},
        [told("connected", THIRD)],
    ),
    "one of two declines": (
        ALERTING,
        c.Decline(agent(), "offer-1", "busy"),
        eligible(),
        {**PASSED, "offers": OFFERS[1:], "weight_percent": 40},
        [told("declined", offer_id="offer-1", reason="busy")],
    ),
    "the only one declines": (
        replace(ALERTING, offers=OFFERS[:1], preferred_agent_id=OWNER),
        c.Decline(agent(), None, None),
        eligible(),
        {**QUEUED_AGAIN, **PASSED, "offers": (), "preferred_agent_id": None},
        [told("declined", offer_id="offer-1", reason=None)],
    ),
    "hold": (
        TALKING,
        c.Hold(agent()),
        eligible(),
        {"state": ConversationState.HELD, "held_at": NOW, "affinity_until": SLID},
        [told("held")],
    ),
    "resume": (
        HELD,
        c.Resume(agent()),
        eligible(),
        {"state": ConversationState.CONNECTED, "held_at": None, "affinity_until": SLID},
        [told("resumed")],
    ),
    "park": (
        HELD,
        c.Park(agent(), LATER + 1, "calls back"),
        eligible(),
        {
            "state": ConversationState.PARKED,
            "held_at": None,
            "parked_until": LATER + 1,
            "weight_percent": 0,
            "is_override": False,
            "consulted_agent_id": None,
            "affinity_until": SLID,
        },
        [told("parked", until=LATER + 1, reason="calls back")],
    ),
    "unpark, with room": (
        PARKED,
        c.Unpark(agent()),
        eligible(weight_percent=35),
        {**CONNECTED, "weight_percent": 35},
        [told("unparked")],
    ),
    "unpark, without": (
        PARKED,
        c.Unpark(agent()),
        ineligible("capacity"),
        FOR_OWNER,
        [told("unparked")],
    ),
    "unpark by a supervisor whose own room is no answer": (
        PARKED,
        c.Unpark(SUPERVISOR),
        eligible(OTHER),
        FOR_OWNER,
        [told("unparked")],
    ),
    "consult": (
        replace(TALKING, consulted_agent_id=None),
        c.Consult(agent(), OTHER, "do you know?"),
        eligible(OTHER),
        {"consulted_agent_id": OTHER, "affinity_until": SLID},
        [told("consulted", consulted_agent_id=OTHER, comment="do you know?")],
    ),
    "the consulted agent leaves": (
        TALKING,
        c.EndConsult(agent(THIRD)),
        eligible(THIRD),
        {"consulted_agent_id": None},
        [told("consult_ended", consulted_agent_id=THIRD, ended_by=THIRD)],
    ),
    "a supervisor ends a consultation": (
        TALKING,
        c.EndConsult(SUPERVISOR),
        eligible(),
        {"consulted_agent_id": None},
        [told("consult_ended", consulted_agent_id=THIRD, ended_by="supervisor")],
    ),
    "reply": (
        TALKING,
        reply_by(agent()),
        eligible(),
        {"unsettled_replies": 1, "affinity_until": SLID},
        [Event("reply.accepted", OWNER, {"reply_id": "reply-1"})],
    ),
    "disconnect": (
        TALKING,
        c.Disconnect(agent(), None),
        eligible(),
        {**ENDED, **COMPLETED, "ended_by": OWNER},
        [told("disconnected", ended_by=OWNER), told("completed")],
    ),
    "disconnect by a supervisor, with a code": (
        HELD,
        c.Disconnect(SUPERVISOR, "solved"),
        facts(wrap_up_mode=WrapUpMode.MANDATORY, wrap_up_codes=("spam", "solved")),
        {**ENDED, **COMPLETED, "ended_by": "supervisor", "wrap_up_code": "solved"},
        [told("disconnected", ended_by="supervisor"), told("completed")],
    ),
    "disconnect into a wrap-up": (
        TALKING,
        c.Disconnect(agent(), None),
        facts(wrap_up_mode=WrapUpMode.OPTIONAL),
        {**ENDED, "state": ConversationState.WRAPUP, "ended_by": OWNER},
        [told("disconnected", ended_by=OWNER)],
    ),
    "disconnect into a wrap-up with an end": (
        TALKING,
        c.Disconnect(agent(), None),
        facts(wrap_up_mode=WrapUpMode.TIMEBOXED, wrap_up_timeout_s=45),
        {
            **ENDED,
            "state": ConversationState.WRAPUP,
            "ended_by": OWNER,
            "wrap_up_until": NOW + 45_000,
        },
        [told("disconnected", ended_by=OWNER)],
    ),
    "a code during the wrap-up": (
        WRAPPING_UP,
        c.FinishWrapUp(agent(), "solved", done=False),
        eligible(),
        {"wrap_up_code": "solved"},
        [],
    ),
    "done with the code that was noted": (
        replace(WRAPPING_UP, wrap_up_code="solved"),
        c.FinishWrapUp(agent(), None, done=True),
        facts(wrap_up_mode=WrapUpMode.MANDATORY),
        COMPLETED,
        [told("completed")],
    ),
    "another code takes the place of the first": (
        replace(WRAPPING_UP, wrap_up_code="solved"),
        c.FinishWrapUp(SUPERVISOR, "spam", done=True),
        eligible(),
        {**COMPLETED, "wrap_up_code": "spam"},
        [told("completed")],
    ),
    "discard": (
        TALKING,
        c.Discard(agent(), "spam"),
        eligible(),
        {
            **ENDED,
            "state": ConversationState.DISCARDED,
            "weight_percent": 0,
            "ended_by": OWNER,
        },
        [told("discarded", reason="spam", ended_by=OWNER)],
    ),
    "discard by a rule": (
        WAITING,
        c.Discard(SUPERVISOR, "spam", cause="routing_rule"),
        eligible(),
        {
            **ENDED,
            "state": ConversationState.DISCARDED,
            "weight_percent": 0,
            "ended_by": "routing_rule",
        },
        [told("discarded", None, reason="spam", ended_by="routing_rule")],
    ),
    "discard by a supervisor who is nobody": (
        WAITING,
        c.Discard(SUPERVISOR, "spam"),
        eligible(),
        {
            **ENDED,
            "state": ConversationState.DISCARDED,
            "weight_percent": 0,
            "ended_by": "supervisor",
        },
        [told("discarded", None, reason="spam", ended_by="supervisor")],
    ),
    "release": (
        PARKED,
        c.Release(SUPERVISOR, "went home"),
        facts(),
        {**GIVEN_AWAY, **ENTERED},
        [told("released", reason="went home")],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_exactly_this_changes_and_is_told(case: str) -> None:
    check(CASES[case])


def test_a_window_never_becomes_shorter() -> None:
    far = replace(TALKING, affinity_until=SLID + 1)

    assert done(far, c.Hold(agent())).conversation.affinity_until == SLID + 1


def test_public_words_in_a_private_conversation_need_a_second_look() -> None:
    private = replace(TALKING, media_type=Visibility.PRIVATE.media_type)

    confirmed = replace(reply_by(agent()), confirm_public=True)

    assert done(private, confirmed).conversation.unsettled_replies == 1

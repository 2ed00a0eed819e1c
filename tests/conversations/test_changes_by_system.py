"""What networks, matches and time change of a conversation to which everything has happened."""

from dataclasses import replace

import pytest

from conversations import commands as c
from conversations.change_commands import ChangeReply, SettleChange
from conversations.model import ConversationState, Event, Offer, OfferTimeoutAction, PassedOver
from tests.conversations.everything import (
    ALERTING,
    BACK_OFF,
    COMPLETED,
    CONNECTED,
    ENDED,
    EXPIRES,
    FOR_OWNER,
    FORMER,
    OFFERS,
    OVER,
    PARKED,
    QUEUED_AGAIN,
    SLID,
    TALKING,
    WAITING,
    WRAPPING_UP,
    Case,
    changed,
    check,
    facts,
    told,
)
from tests.conversations.samples import (
    NOW,
    OTHER,
    OWNER,
    done,
    eligible,
    in_state,
)

CASES: dict[str, Case] = {
    "posts": (
        TALKING,
        c.ReceivePosts(("post-2", "post-3"), NOW - 9),
        eligible(),
        {"post_count": 3, "last_post_at": NOW - 9, "affinity_until": SLID},
        [told("post_received", post_ids=["post-2", "post-3"])],
    ),
    "an old post": (
        TALKING,
        c.ReceivePosts(("post-0",), NOW - 90_000),
        eligible(),
        {"post_count": 2, "affinity_until": SLID},
        [told("post_received", post_ids=["post-0"])],
    ),
    "a post for a parked one": (
        PARKED,
        c.ReceivePosts(("post-2",), NOW),
        facts(preferred_agent_wait_s=10),
        {**FOR_OWNER, "post_count": 2, "last_post_at": NOW, "affinity_until": SLID},
        [told("post_received", post_ids=["post-2"]), told("unparked")],
    ),
    "offers to two": (
        WAITING,
        c.MakeOffer(("offer-8", "offer-9"), "decision-1"),
        replace(eligible(weight_percent=35), others=(c.Standing(OTHER, (), 45, 0),)),
        {
            "state": ConversationState.ALERTING,
            "offers": (Offer("offer-8", OWNER, EXPIRES, 35), Offer("offer-9", OTHER, EXPIRES, 45)),
            "weight_percent": 35,
            "offered_at": NOW,
        },
        [
            told("offered", offer_id="offer-8", expires_at=EXPIRES, decision_id="decision-1"),
            told(
                "offered", OTHER, offer_id="offer-9", expires_at=EXPIRES, decision_id="decision-1"
            ),
        ],
    ),
    "an offer that is taken at once": (
        WAITING,
        c.MakeOffer(("offer-8", "offer-9"), "decision-1"),
        replace(
            facts(eligible(weight_percent=35), auto_accept=True),
            others=(c.Standing(OTHER, (), 45, 0),),
        ),
        {**CONNECTED, "agent_id": OWNER, "weight_percent": 35, "offered_at": NOW},
        [
            told("offered", offer_id="offer-8", expires_at=EXPIRES, decision_id="decision-1"),
            told("connected", auto_accepted=True),
        ],
    ),
    "one of two offers is rescinded": (
        ALERTING,
        c.RescindOffer(OWNER),
        eligible(),
        {"offers": OFFERS[1:], "weight_percent": 40},
        [told("offer_expired", offer_id="offer-1", reason="rescinded")],
    ),
    "an agent is lost": (
        TALKING,
        c.LoseAgent(OWNER),
        facts(),
        FOR_OWNER,
        [told("released", cause="agent_lost")],
    ),
    "an agent is lost while wrapping up": (
        WRAPPING_UP,
        c.LoseAgent(OWNER),
        facts(),
        COMPLETED,
        [told("completed", cause="agent_lost")],
    ),
    "a wait for somebody is over, one back-off too": (
        replace(WAITING, preferred_until=NOW),
        c.Reconsider(),
        eligible(),
        {"preferred_until": None, "passed_over": (FORMER,)},
        [],
    ),
    "only a back-off is over": (
        WAITING,
        c.Reconsider(),
        eligible(),
        {"passed_over": (FORMER,)},
        [],
    ),
    "a reply was sent": (
        replace(TALKING, unsettled_replies=2, post_count=3),
        c.SettleReply("reply-1", sent=True, covers=2),
        eligible(),
        {"answered_count": 2, "unsettled_replies": 1, "affinity_until": SLID},
        [Event("reply.sent", OWNER, {"reply_id": "reply-1"})],
    ),
    "a reply was sent after one that covers more": (
        replace(TALKING, unsettled_replies=1, post_count=3, answered_count=3),
        c.SettleReply("reply-1", sent=True, covers=2),
        eligible(),
        {"unsettled_replies": 0, "affinity_until": SLID},
        [Event("reply.sent", OWNER, {"reply_id": "reply-1"})],
    ),
    "a reply was sent after the end": (
        replace(WRAPPING_UP, unsettled_replies=1),
        c.SettleReply("reply-1", sent=True, covers=1),
        eligible(),
        {"answered_count": 1, "unsettled_replies": 0},
        [Event("reply.sent", OWNER, {"reply_id": "reply-1"})],
    ),
    "a reply was rejected": (
        replace(TALKING, unsettled_replies=1),
        c.SettleReply("reply-1", sent=False, covers=1),
        eligible(),
        {"unsettled_replies": 0},
        [Event("reply.rejected", OWNER, {"reply_id": "reply-1"})],
    ),
    "a reply needs a human": (
        TALKING,
        c.NoteReplyState("reply-1", "needs_human"),
        eligible(),
        {},
        [Event("reply.needs_human", OWNER, {"reply_id": "reply-1"})],
    ),
    "a reply is to be edited": (
        TALKING,
        ChangeReply("reply-1", "edit"),
        eligible(),
        {"unsettled_replies": 1, "affinity_until": SLID},
        [],
    ),
    "a reply is to be deleted after the end": (
        WRAPPING_UP,
        ChangeReply("reply-1", "delete"),
        eligible(),
        {"unsettled_replies": 1, "reopened_at": NOW},
        [],
    ),
    "a reply was edited": (
        replace(TALKING, unsettled_replies=1),
        SettleChange("reply-1", "edit", done=True),
        eligible(),
        {"unsettled_replies": 0},
        [Event("reply.edited", OWNER, {"reply_id": "reply-1", "kind": "edit"})],
    ),
    "a reply was deleted": (
        replace(TALKING, unsettled_replies=1),
        SettleChange("reply-1", "delete", done=True),
        eligible(),
        {"unsettled_replies": 0},
        [Event("reply.deleted", OWNER, {"reply_id": "reply-1", "kind": "delete"})],
    ),
    "a change was refused": (
        replace(TALKING, unsettled_replies=1),
        SettleChange("reply-1", "edit", done=False),
        eligible(),
        {"unsettled_replies": 0},
        [Event("reply.change_refused", OWNER, {"reply_id": "reply-1", "kind": "edit"})],
    ),
    "posts were answered elsewhere": (
        replace(TALKING, post_count=5, answered_count=2),
        c.CountAnswered(4),
        eligible(),
        {"answered_count": 4},
        [],
    ),
    "fewer were answered elsewhere": (
        replace(TALKING, post_count=5, answered_count=2),
        c.CountAnswered(1),
        eligible(),
        {},
        [],
    ),
    "more were answered elsewhere than there are": (
        replace(TALKING, post_count=5, answered_count=2),
        c.CountAnswered(9),
        eligible(),
        {"answered_count": 5},
        [],
    ),
    "the window closed": (
        replace(TALKING, answered_count=1, affinity_until=NOW - 1),
        c.Lapse(),
        eligible(),
        {**ENDED, **COMPLETED, "ended_by": "affinity_window"},
        [told("disconnected", ended_by="affinity_window"), told("completed")],
    ),
    "the wrap-up is over": (
        replace(WRAPPING_UP, wrap_up_until=NOW),
        c.EndWrapUp(),
        eligible(),
        COMPLETED,
        [told("completed")],
    ),
    "an operator ends it": (
        TALKING,
        c.EndByOperator("workflow_cancelled"),
        eligible(),
        {**ENDED, **COMPLETED, "ended_by": "workflow_cancelled"},
        [told("disconnected", ended_by="workflow_cancelled"), told("completed")],
    ),
    "an operator ends a wrap-up": (
        WRAPPING_UP,
        c.EndByOperator("workflow_cancelled"),
        eligible(),
        COMPLETED,
        [told("completed", cause="workflow_cancelled")],
    ),
    "another one continues it": (
        in_state(ConversationState.COMPLETED),
        c.LinkContinuation("cv-2"),
        eligible(),
        {"continued_by": "cv-2"},
        [],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_exactly_this_changes_and_is_told(case: str) -> None:
    check(CASES[case])


@pytest.mark.parametrize(
    ("late_ms", "action", "passed_over", "blamed"),
    [
        (0, OfferTimeoutAction.NOT_RESPONDING, (FORMER, OVER), (OWNER, OTHER)),
        (5_000, OfferTimeoutAction.NOT_RESPONDING, (FORMER, OVER), (OWNER, OTHER)),
        (5_001, OfferTimeoutAction.NOT_RESPONDING, (FORMER, OVER), ()),
        (5_001, OfferTimeoutAction.RETURN_TO_QUEUE, (FORMER, OVER), ()),
        (
            0,
            OfferTimeoutAction.RETURN_TO_QUEUE,
            (BACK_OFF, PassedOver(OTHER, NOW + 10_000)),
            (),
        ),
    ],
)
def test_an_offer_that_nobody_took_is_the_agents_fault_unless_it_expired_late(
    late_ms: int,
    action: OfferTimeoutAction,
    passed_over: tuple[PassedOver, ...],
    blamed: tuple[str, ...],
) -> None:
    expired = tuple(replace(offer, expires_at=NOW - late_ms) for offer in OFFERS)
    before = replace(ALERTING, offers=expired)

    decision = done(before, c.ExpireOffer(), facts(offer_timeout_action=action))

    queued = {**QUEUED_AGAIN, "offers": (), "preferred_agent_id": None, "passed_over": passed_over}
    assert decision.conversation == changed(before, **queued)
    assert decision.not_responding_agent_ids == blamed
    assert list(decision.events) == [
        told("offer_expired", offer.agent_id, offer_id=offer.id, reason="not_taken")
        for offer in OFFERS
    ]

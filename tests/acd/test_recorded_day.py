from dataclasses import replace
from typing import Any

import pytest

from acd.recorded_day import (
    NOBODY,
    Answer,
    AnsweredOffer,
    Deed,
    Interruption,
    RecordedEvent,
    Script,
    Stint,
    script_of,
)
from conversations import commands as c
from conversations.model import ConversationState, Offer, Visibility
from tests.conversations.samples import NOW, QUEUED, in_state

S = ConversationState


def event(after_ms: int, kind: str, state: S, agent_id: str | None = "agent-1", **more: Any) -> Any:
    kind = kind if kind.startswith("reply.") else f"conversation.{kind}"
    known = {name: more.pop(name) for name in list(more) if name in RecordedEvent.__slots__}
    return RecordedEvent(NOW + after_ms, kind, agent_id, more, state, **known)


def taken(offered_ms: int = 0, after_ms: int = 4_000) -> list[RecordedEvent]:
    """Return an offer and its pick-up."""
    return [
        event(offered_ms, "offered", S.ALERTING, offer_id="of-1"),
        event(offered_ms + after_ms, "connected", S.CONNECTED),
    ]


def read(*events: RecordedEvent, start: Any = QUEUED) -> Script:
    return script_of(start, NOW, events)


def test_answers_to_offers_are_kept_with_their_delay() -> None:
    script = read(
        event(0, "offered", S.ALERTING, offer_id="of-1"),
        event(3_000, "declined", S.QUEUED, offer_id="of-1"),
        event(4_000, "offered", S.ALERTING, "agent-2", offer_id="of-2"),
        event(24_300, "offer_expired", S.QUEUED, "agent-2", offer_id="of-2", reason="not_taken"),
        event(25_000, "offered", S.ALERTING, "agent-3", offer_id="of-3"),
        event(26_000, "offer_expired", S.QUEUED, "agent-3", offer_id="of-3", reason="rescinded"),
        *taken(30_000, 1_500),
    )

    assert script.offers == (
        AnsweredOffer("agent-1", 3_000, Answer.DECLINED),
        AnsweredOffer("agent-2", 20_300, Answer.MISSED),
        AnsweredOffer("agent-3", 1_000, Answer.UNKNOWN),
        AnsweredOffer("agent-1", 1_500, Answer.PICKED_UP),
    )
    assert script.interruptions == ()


def test_deeds_are_counted_from_the_pick_up() -> None:
    script = read(
        *taken(),
        event(10_000, "held", S.HELD),
        event(15_000, "resumed", S.CONNECTED),
        event(16_000, "reply.accepted", S.CONNECTED, reply_id="re-1"),
        event(17_000, "reply.sent", S.CONNECTED, reply_id="re-1", answered_count=2),
        event(20_000, "disconnected", S.WRAPUP, ended_by="agent-1"),
        event(29_000, "completed", S.COMPLETED, wrap_up_code="solved"),
    )

    said = c.SendReply(NOBODY, "re-1", Visibility.PUBLIC, confirm_public=True)
    assert script.stints == (
        Stint(
            (
                Deed(6_000, c.Hold(NOBODY)),
                Deed(11_000, c.Resume(NOBODY)),
                Deed(12_000, said),
                Deed(13_000, c.SettleReply("re-1", sent=True, covers=2)),
                Deed(16_000, c.Disconnect(NOBODY, None)),
                Deed(25_000, c.FinishWrapUp(NOBODY, "solved", done=True)),
            )
        ),
    )


def test_a_rejected_reply_settles_too() -> None:
    script = read(*taken(), event(9_000, "reply.rejected", S.CONNECTED, reply_id="re-1"))

    assert script.stints[0].deeds == (Deed(5_000, c.SettleReply("re-1", sent=False, covers=0)),)


@pytest.mark.parametrize(
    ("kind", "detail", "command"),
    [
        ("released", {}, c.Release(NOBODY, "")),
        ("discarded", {}, c.Discard(NOBODY, "")),
        (
            "transferred",
            {"to_workgroup_id": "wg-2"},
            c.TransferToWorkgroup(NOBODY, "wg-2", None),
        ),
        ("transferred", {"to_agent_id": "agent-2"}, c.TransferToAgent(NOBODY, "agent-2", "", None)),
        (
            "transferred",
            {"to_agent_id": "agent-2", "override_capacity": True},
            c.TransferToAgent(NOBODY, "agent-2", "", None, override_capacity=True),
        ),
    ],
)
def test_what_ends_a_stint_is_a_deed(kind: str, detail: Any, command: c.Command) -> None:
    script = read(*taken(), event(10_000, kind, S.QUEUED, **detail))

    assert script.stints == (Stint((Deed(6_000, command),)),)


def test_each_pick_up_begins_a_stint_and_the_last_may_be_cut_off() -> None:
    script = read(
        *taken(),
        event(10_000, "released", S.QUEUED),
        *taken(20_000, 1_000),
        event(22_000, "held", S.HELD),
    )

    assert [stint.is_cut_off for stint in script.stints] == [False, True]
    assert script.stints[1].deeds == (Deed(1_000, c.Hold(NOBODY)),)


def test_a_park_keeps_its_length_and_only_people_unpark() -> None:
    parked = event(10_000, "parked", S.PARKED, until=NOW + 60_000, parked_until=NOW + 60_000)

    by_hand = read(*taken(), parked, event(30_000, "unparked", S.CONNECTED))
    by_time = read(*taken(), parked, event(60_000, "unparked", S.QUEUED))
    posts = event(40_000, "post_received", S.QUEUED, post_ids=["po-2"], parked_until=None)
    by_customer = read(*taken(), parked, posts, event(40_000, "unparked", S.QUEUED))

    stay = Deed(6_000, c.Park(NOBODY, 56_000, None))
    assert by_hand.stints[0].deeds == (stay, Deed(26_000, c.Unpark(NOBODY)))
    assert by_time.stints[0].deeds == (stay,)
    assert by_customer.stints[0].deeds == (stay,)
    received = c.ReceivePosts(("po-2",), NOW + 40_000)
    assert by_customer.interruptions == (Interruption(NOW + 40_000, "cv-1", received),)


def test_what_the_rules_do_is_nobodys_deed() -> None:
    lapsed = read(*taken(), event(10_000, "disconnected", S.COMPLETED, ended_by="affinity_window"))
    boxed = read(
        *taken(),
        event(10_000, "disconnected", S.WRAPUP, ended_by="agent-1", wrap_up_until=NOW + 30_000),
        event(30_000, "completed", S.COMPLETED),
    )
    crowded = read(event(0, "transferred", S.QUEUED, to_workgroup_id="wg-2", cause="overflow"))

    assert lapsed.stints == (Stint(()),)
    assert boxed.stints == (Stint((Deed(6_000, c.Disconnect(NOBODY, None)),)),)
    assert crowded == Script()


def test_what_is_done_to_one_that_waits_interrupts_it_at_its_time() -> None:
    routed = replace(QUEUED, workgroup_id="wg-9", priority=80)
    script = read(
        event(1_000, "transferred", S.QUEUED, to_workgroup_id="wg-2"),
        event(2_000, "rerouted", S.QUEUED, routed=routed),
        event(3_000, "connected", S.CONNECTED, "agent-5"),
    )
    spam = read(event(4_000, "discarded", S.DISCARDED, None, ended_by="routing_rules"))
    ended = read(event(5_000, "disconnected", S.COMPLETED, None, ended_by="workflow_cancelled"))

    anew = c.Reroute("wg-9", 80, (), (), None, (), ())
    pulled = c.PickUp(c.Actor("agent-5"), None, NOW + 3_000)
    assert [one.command for one in script.interruptions] == [
        c.TransferToWorkgroup(NOBODY, "wg-2", None),
        anew,
        pulled,
    ]
    assert [one.at - NOW for one in script.interruptions] == [1_000, 2_000, 3_000]
    assert script.stints == (Stint((), is_cut_off=True),)
    assert spam.interruptions[0].command == c.Discard(NOBODY, "", cause="routing_rules")
    assert ended.interruptions[0].command == c.EndByOperator("disconnected")


def test_one_that_was_there_before_begins_in_the_middle() -> None:
    owned = in_state(S.CONNECTED)
    script = read(event(7_000, "disconnected", S.COMPLETED, wrap_up_code="x"), start=owned)
    assert script.stints == (Stint((Deed(7_000, c.Disconnect(NOBODY, "x")),)),)

    alerting = replace(in_state(S.ALERTING), offers=(Offer("of-1", "agent-1", NOW + 9_000, 25),))
    script = read(event(2_000, "connected", S.CONNECTED), start=alerting)
    assert script.offers == (AnsweredOffer("agent-1", 2_000, Answer.PICKED_UP),)

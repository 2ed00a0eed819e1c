"""Offers at their boundaries, waits for the preferred agent, agents who are passed over."""

from dataclasses import replace

import pytest

from conversations import commands as c
from conversations.lifecycle import alarm_at, due, open_conversation
from conversations.model import ConversationState, PassedOver, Visibility, holders
from tests.conversations.samples import (
    NOW,
    OTHER,
    OWNER,
    POLICY,
    QUEUED,
    SUPERVISOR,
    agent,
    done,
    eligible,
    in_state,
    ineligible,
    refused,
)

ALERTING = in_state(ConversationState.ALERTING)
DEADLINE = NOW + 20_000


def test_an_offer_runs_for_the_workgroups_time_and_reserves_at_once() -> None:
    facts = replace(eligible(weight_percent=40), policy=c.Policy(offer_timeout_s=7))
    offered = done(QUEUED, c.MakeOffer(("offer-1",), "decision-1"), facts).conversation
    assert offered.offer is not None
    assert offered.offer.expires_at == NOW + 7_000
    (carrier,) = holders(offered)
    assert carrier is not None
    assert (carrier.agent_id, carrier.weight_percent) == (OWNER, 40)


def test_the_alarm_leaves_a_pick_up_in_flight_300_ms() -> None:
    falls_due = due(ALERTING)
    assert falls_due is not None
    assert falls_due.at == DEADLINE + 1
    assert alarm_at(ALERTING) == DEADLINE + 300


@pytest.mark.parametrize("received_at", [DEADLINE - 1, DEADLINE])
def test_a_pick_up_received_in_time_wins_however_late_it_is_decided(received_at: int) -> None:
    pick_up = c.PickUp(agent(), "offer-1", received_at)
    connected = done(ALERTING, pick_up, now=DEADLINE + 9_000).conversation
    assert connected.agent_id == OWNER


def test_a_pick_up_received_after_the_deadline_is_refused() -> None:
    assert refused(ALERTING, c.PickUp(agent(), "offer-1", DEADLINE + 1)) == "offer_expired"


def test_an_offer_does_not_expire_before_its_deadline() -> None:
    assert refused(ALERTING, c.ExpireOffer(), now=DEADLINE - 1) == "illegal_transition"


@pytest.mark.parametrize(
    ("late_ms", "blamed"), [(0, OWNER), (300, OWNER), (5_000, OWNER), (5_001, None)]
)
def test_an_expiry_that_comes_too_late_is_not_the_agents_fault(
    late_ms: int, blamed: str | None
) -> None:
    expired = done(ALERTING, c.ExpireOffer(), now=DEADLINE + late_ms)
    assert expired.not_responding_agent_ids == ((blamed,) if blamed else ())
    assert expired.conversation.queued_at == ALERTING.queued_at


def test_whoever_did_not_take_an_offer_is_preferred_no_longer() -> None:
    preferred = replace(ALERTING, preferred_agent_id=OWNER)
    assert done(preferred, c.ExpireOffer(), now=DEADLINE).conversation.preferred_agent_id is None


def test_an_offer_that_is_not_open_any_more_is_named() -> None:
    for conversation in (QUEUED, ALERTING, in_state(ConversationState.CONNECTED)):
        assert refused(conversation, c.PickUp(agent(), "offer-0", NOW)) == "offer_expired"
        assert refused(conversation, c.Decline(agent(), "offer-0", None)) == "offer_expired"


def test_nobody_takes_what_is_offered_to_somebody_else() -> None:
    assert refused(ALERTING, c.PickUp(agent(OTHER), None, NOW)) == "not_your_conversation"


@pytest.mark.parametrize("reason", ["capacity", "maximum_count", "passed_over", "not_present"])
def test_room_that_is_reserved_needs_no_second_check(reason: str) -> None:
    picked = done(ALERTING, c.PickUp(agent(), None, NOW), ineligible(reason))
    assert picked.conversation.state is ConversationState.CONNECTED


@pytest.mark.parametrize("reason", ["disabled", "not_licensed", "not_a_member", "missing_skill"])
def test_rights_and_skills_are_checked_at_the_pick_up_too(reason: str) -> None:
    code = refused(ALERTING, c.PickUp(agent(), None, NOW), ineligible(reason))
    assert code == "agent_not_eligible"


@pytest.mark.parametrize(
    ("reasons", "code"),
    [
        (("capacity",), "agent_at_capacity"),
        (("maximum_count",), "agent_at_capacity"),
        (("maximum_count", "capacity"), "agent_at_capacity"),
        (("not_licensed", "capacity"), "agent_not_eligible"),
        (("not_on_queue",), "agent_not_eligible"),
    ],
)
def test_a_waiting_conversation_goes_to_an_eligible_agent_only(
    reasons: tuple[str, ...], code: str
) -> None:
    facts = ineligible(*reasons)
    assert refused(QUEUED, c.PickUp(agent(), None, NOW), facts) == code
    assert refused(QUEUED, c.MakeOffer(("offer-1",), "decision-1"), facts) == code
    owned = in_state(ConversationState.CONNECTED)
    transfer = c.TransferToAgent(agent(), OTHER, "offer-2", None)
    assert refused(owned, transfer, ineligible(*reasons, agent_id=OTHER)) == code


def test_who_declines_is_passed_over_for_the_back_off_and_the_age_is_kept() -> None:
    declined = done(ALERTING, c.Decline(agent(), "offer-1", "busy")).conversation
    assert declined.passed_over == (PassedOver(OWNER, NOW + POLICY.decline_backoff_s * 1000),)
    assert declined.queued_at == ALERTING.queued_at
    assert holders(declined) == ()


def test_declining_twice_moves_the_back_off_and_adds_no_second_one() -> None:
    once = done(ALERTING, c.Decline(agent(), None, None)).conversation
    again = done(once, c.MakeOffer(("offer-2",), "decision-2"), now=NOW + 500).conversation
    twice = done(again, c.Decline(agent(), None, None), now=NOW + 1_000).conversation
    assert twice.passed_over == (PassedOver(OWNER, NOW + 11_000),)


def test_a_back_off_and_a_wait_end_exactly_when_they_are_due() -> None:
    waiting = replace(
        QUEUED,
        preferred_agent_id=OTHER,
        preferred_until=NOW + 2_000,
        passed_over=(PassedOver(OWNER, NOW + 1_000),),
    )
    first = due(waiting)
    assert first is not None
    assert first.at == NOW + 1_000
    assert done(waiting, first.command, now=NOW + 999).conversation.passed_over != ()
    later = done(waiting, first.command, now=NOW + 1_000).conversation
    assert later.passed_over == ()
    assert later.preferred_until == NOW + 2_000
    second = due(later)
    assert second is not None
    assert second.at == NOW + 2_000
    last = done(later, second.command, now=NOW + 2_000).conversation
    assert due(last) is None
    assert last.preferred_agent_id == OTHER


def test_a_transfer_passes_the_giver_over_and_keeps_the_age() -> None:
    owned = in_state(ConversationState.HELD, preferred_agent_id=OWNER)
    for command in (
        c.TransferToWorkgroup(agent(), "workgroup-2", "please"),
        c.TransferToAgent(agent(), OTHER, "offer-2", None),
        c.Release(SUPERVISOR, "away"),
    ):
        given = done(owned, command, eligible(OTHER)).conversation
        assert given.queued_at == owned.queued_at
        assert [p.agent_id for p in given.passed_over] == [OWNER]
        assert given.preferred_agent_id is None
        assert given.agent_id is None


def test_an_offer_by_transfer_that_is_not_taken_goes_to_the_queue_of_the_workgroup() -> None:
    owned = in_state(ConversationState.CONNECTED)
    transfer = c.TransferToAgent(agent(), OTHER, "offer-2", None)
    offered = done(owned, transfer, eligible(OTHER)).conversation
    back = done(offered, c.ExpireOffer(), now=NOW + 20_000)
    assert back.conversation.state is ConversationState.QUEUED
    assert back.conversation.workgroup_id == owned.workgroup_id
    assert back.not_responding_agent_ids == (OTHER,)


def test_rescinding_names_the_agent_who_left() -> None:
    assert refused(ALERTING, c.RescindOffer(OTHER)) == "illegal_transition"
    rescinded = done(ALERTING, c.RescindOffer(OWNER))
    assert rescinded.not_responding_agent_ids == ()
    assert rescinded.conversation.queued_at == ALERTING.queued_at


@pytest.mark.parametrize("state", [ConversationState.PARKED])
def test_a_post_brings_a_parked_conversation_to_its_owner_for_a_bounded_time(
    state: ConversationState,
) -> None:
    back = done(in_state(state), c.ReceivePosts(("post-2",), NOW)).conversation
    assert back.preferred_agent_id == OWNER
    assert back.preferred_until == NOW + POLICY.preferred_agent_wait_s * 1000
    assert back.agent_id is None


def test_unparking_an_owner_without_room_waits_for_him_a_bounded_time() -> None:
    parked = in_state(ConversationState.PARKED, parked_until=NOW)
    falls_due = due(parked)
    assert falls_due is not None
    assert falls_due.at == NOW
    back = done(parked, falls_due.command, ineligible("capacity")).conversation
    assert back.state is ConversationState.QUEUED
    assert (back.preferred_agent_id, back.agent_id) == (OWNER, None)
    taken = done(parked, falls_due.command, eligible(weight_percent=30)).conversation
    assert (taken.state, taken.weight_percent) == (ConversationState.CONNECTED, 30)


@pytest.mark.parametrize(("preferred", "until"), [(None, None), (OWNER, NOW + 10_000)])
def test_a_continued_conversation_waits_for_the_agent_who_knows_the_customer(
    preferred: str | None, until: int | None
) -> None:
    opening = c.Opening(
        conversation_id="cv-2",
        network="simulated",
        account_id="account-1",
        channel_id="channel-1",
        workgroup_id="workgroup-1",
        customer_id="customer-1",
        affinity_key="key-1",
        affinity_window_s=60,
        priority=50,
        visibility=Visibility.PRIVATE,
        required_skills=(),
        post_ids=("post-1", "post-2"),
        last_post_at=NOW - 5,
        preferred_agent_id=preferred,
    )
    opened = open_conversation(opening, POLICY, NOW).conversation
    assert opened.preferred_until == until
    assert (opened.version, opened.post_count, opened.affinity_until) == (1, 2, NOW + 60_000)

from dataclasses import replace

import pytest

from conversations import commands as c
from conversations.lifecycle import Decision, decide
from conversations.model import (
    Conversation,
    ConversationState,
    RequiredSkill,
    Ring,
)
from tests.conversations.samples import NOW, OTHER, OWNER, POLICY, QUEUED, in_state

REFUNDS = RequiredSkill("refunds", 30)
ELSEWHERE = c.Reroute("workgroup-2", 80, (REFUNDS,), (), OTHER, ("vip",), ("refunds",))


def rerouted(conversation: Conversation, command: c.Reroute) -> Decision:
    rings = (Ring(30), Ring(60))
    facts = c.Facts(POLICY, entered_policy=replace(POLICY, rings=rings))
    decision = decide(conversation, command, facts, NOW)
    assert isinstance(decision, Decision)
    return decision


def test_a_waiting_conversation_goes_where_the_rules_say_with_its_age() -> None:
    after = rerouted(replace(QUEUED, ring=2, ring_until=NOW + 5), ELSEWHERE).conversation

    assert (after.workgroup_id, after.priority, after.tags) == ("workgroup-2", 80, ("vip",))
    assert after.required_skills == (REFUNDS,)
    assert after.queued_at == QUEUED.queued_at
    assert (after.ring, after.ring_until) == (0, NOW + 30_000)


def test_a_preferred_agent_is_waited_for_a_bounded_time() -> None:
    after = rerouted(QUEUED, ELSEWHERE).conversation

    assert after.preferred_agent_id == OTHER
    assert after.preferred_until == NOW + POLICY.preferred_agent_wait_s * 1000


def test_a_wait_for_a_preferred_agent_is_not_begun_anew() -> None:
    waiting = replace(QUEUED, preferred_agent_id=OTHER, preferred_until=NOW + 1)

    assert rerouted(waiting, ELSEWHERE).conversation.preferred_until == NOW + 1


def test_without_a_preferred_agent_of_the_rules_the_one_there_is_stays() -> None:
    waiting = replace(QUEUED, preferred_agent_id=OWNER, preferred_until=NOW + 1)

    after = rerouted(waiting, replace(ELSEWHERE, preferred_agent_id=None)).conversation

    assert (after.preferred_agent_id, after.preferred_until) == (OWNER, NOW + 1)


def test_in_the_same_workgroup_the_rings_go_on() -> None:
    waiting = replace(QUEUED, ring=1, ring_until=NOW + 5)

    after = rerouted(waiting, replace(ELSEWHERE, workgroup_id=QUEUED.workgroup_id)).conversation

    assert (after.ring, after.ring_until) == (1, NOW + 5)


def test_whom_it_is_offered_to_stays_and_only_priority_and_tags_change() -> None:
    alerting = in_state(ConversationState.ALERTING)

    after = rerouted(alerting, ELSEWHERE).conversation

    marked = replace(alerting, priority=80, tags=("vip",), version=alerting.version + 1)
    assert after == marked


def test_the_event_names_the_rules_and_the_way() -> None:
    (event,) = rerouted(QUEUED, ELSEWHERE).events

    assert event.type == "conversation.rerouted"
    assert event.detail == {
        "rules": ["refunds"],
        "priority": 80,
        "from_workgroup_id": QUEUED.workgroup_id,
        "to_workgroup_id": "workgroup-2",
    }


def test_what_a_rule_discards_is_ended_by_the_rules() -> None:
    discard = c.Discard(c.SYSTEM, "an advert", cause="routing_rules")
    decision = decide(QUEUED, discard, c.Facts(POLICY), NOW)

    assert isinstance(decision, Decision)
    assert decision.conversation.state is ConversationState.DISCARDED
    assert decision.conversation.ended_by == "routing_rules"


def test_what_is_asked_and_preferred_is_what_the_rules_say() -> None:
    required, preferred = (RequiredSkill("billing", 10),), (RequiredSkill("german", 20),)
    command = c.Reroute("workgroup-1", 50, required, preferred, None, (), ())

    after = rerouted(QUEUED, command).conversation

    assert (after.required_skills, after.preferred_skills) == (required, preferred)


@pytest.mark.parametrize(("entered_wait_s", "waits_ms"), [(None, 10_000), (30, 30_000)])
def test_who_is_preferred_is_waited_for_as_the_entered_workgroup_says(
    entered_wait_s: int | None, waits_ms: int
) -> None:
    entered = replace(POLICY, preferred_agent_wait_s=entered_wait_s) if entered_wait_s else None
    command = c.Reroute("workgroup-2", 50, (), (), OTHER, (), ())

    decision = decide(QUEUED, command, c.Facts(POLICY, entered_policy=entered), NOW)

    assert isinstance(decision, Decision)
    after = decision.conversation
    assert (after.preferred_agent_id, after.preferred_until) == (OTHER, NOW + waits_ms)

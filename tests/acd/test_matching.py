"""Which agent for this conversation, which conversation for this agent, and why."""

from dataclasses import replace
from itertools import permutations

import pytest

from acd.matching import Shortlist, choose_agent, everyone, match
from acd.model import QueueOrder, Utilization
from acd.priority import queue_rank, score
from conversations.model import PassedOver, RequiredSkill, RoutingStatus
from tests.acd.samples import POLICY, PUBLIC, agent, waiting, weighing
from tests.conversations.samples import NOW

ORDER = QueueOrder()
BILLING = (RequiredSkill("billing"),)


def test_agents_are_ordered_by_preference_then_skill_then_load_then_idleness() -> None:
    conversation = waiting(required_skills=BILLING, preferred_agent_id="agent-5")
    agents = [
        agent(1, skills={"billing": 50}, load_percent=25, idle_since=NOW - 9),
        agent(2, skills={"billing": 50}, load_percent=0, idle_since=NOW - 1),
        agent(3, skills={"billing": 50}, load_percent=0, idle_since=NOW - 5),
        agent(4, skills={"billing": 90}, load_percent=50, idle_since=NOW - 1),
        agent(5, skills={"billing": 1}, load_percent=75, idle_since=NOW),
    ]
    for order in permutations(agents):
        explanation = choose_agent(conversation, Shortlist(order), POLICY, NOW)
        assert explanation.chosen is not None
        ranked = [explanation.chosen, *explanation.runners_up]
        assert [r.agent_id for r in ranked] == [f"agent-{n}" for n in (5, 4, 3, 2, 1)]


def test_the_counts_of_an_explanation_add_up() -> None:
    agents = [
        agent(1),
        agent(2, routing_status=RoutingStatus.OFF_QUEUE, is_licensed=False),
        agent(3, load_percent=80),
        agent(4, is_licensed=False, load_percent=80),
        *(agent(n, load_percent=n) for n in range(5, 12)),
    ]
    stopped = {"capacity": 10}
    explanation = choose_agent(waiting(), Shortlist(agents, stopped), POLICY, NOW)
    assert explanation.filtered == {"capacity": 11, "not_licensed": 1, "not_on_queue": 1}
    assert explanation.candidates == len(agents) + 10
    eligible = explanation.candidates - sum(explanation.filtered.values())
    assert eligible == 8
    assert len(explanation.runners_up) == 5
    assert explanation.policy_version == POLICY.version


def test_the_same_input_gives_the_same_explanation() -> None:
    agents = [agent(n, load_percent=n % 3) for n in range(1, 9)]
    first = choose_agent(waiting(), Shortlist(agents), POLICY, NOW)
    assert first == choose_agent(waiting(), Shortlist(list(reversed(agents))), POLICY, NOW)


@pytest.mark.parametrize(
    ("until", "chosen", "waits_for"),
    [(NOW + 1, None, "agent-1"), (NOW, "agent-2", None), (None, "agent-2", None)],
)
def test_a_full_preferred_agent_is_waited_for_until_exactly_then(
    until: int | None, chosen: str | None, waits_for: str | None
) -> None:
    conversation = waiting(preferred_agent_id="agent-1", preferred_until=until)
    explanation = choose_agent(
        conversation, Shortlist([agent(1, load_percent=76), agent(2)]), POLICY, NOW
    )
    assert (explanation.chosen.agent_id if explanation.chosen else None) == chosen
    assert explanation.waits_for_agent_id == waits_for


@pytest.mark.parametrize(
    "away",
    [
        {"routing_status": RoutingStatus.OFF_QUEUE},
        {"is_present": False},
        {"is_licensed": False, "load_percent": 100},
        {"workgroup_ids": frozenset()},
    ],
)
def test_nobody_waits_for_a_preferred_agent_who_lacks_more_than_room(
    away: dict[str, object],
) -> None:
    conversation = waiting(preferred_agent_id="agent-1", preferred_until=NOW + 9_000)
    explanation = choose_agent(conversation, Shortlist([agent(1, **away), agent(2)]), POLICY, NOW)
    assert explanation.chosen is not None
    assert explanation.chosen.agent_id == "agent-2"


def test_nobody_waits_for_a_preferred_agent_at_his_maximum_for_ever() -> None:
    conversation = waiting(preferred_agent_id="agent-1", preferred_until=NOW + 1)
    policy = weighing(10, 1)
    full = agent(1, load_percent=10, load_count={PUBLIC: 1})
    assert choose_agent(conversation, Shortlist([full, agent(2)]), policy, NOW).chosen is None
    later = choose_agent(conversation, Shortlist([full, agent(2)]), policy, NOW + 1)
    assert later.chosen is not None


def test_an_unmet_skill_at_the_head_of_the_queue_blocks_nobody() -> None:
    queue = [waiting(n, required_skills=(RequiredSkill("klingon"),)) for n in range(20)]
    matches, failures = match([*queue, waiting(99)], everyone([agent(1)]), POLICY, NOW)
    assert [pair.conversation.id for pair in matches] == ["cv-99"]
    assert len(failures) == 20


def test_a_heavy_conversation_at_the_head_leaves_room_for_light_ones_behind_it() -> None:
    heavy = waiting(1, required_skills=BILLING)
    full = agent(1, load_percent=80, utilization={PUBLIC: Utilization(20)})
    matches, failures = match([heavy, waiting(2)], everyone([full]), POLICY, NOW)
    assert [pair.conversation.id for pair in matches] == ["cv-2"]
    assert [failure.conversation_id for failure in failures] == ["cv-1"]


def test_conversations_are_spread_over_agents_and_stop_when_all_are_full() -> None:
    queue = [waiting(n) for n in range(10)]
    matches, failures = match(queue, everyone([agent(1), agent(2, load_percent=50)]), POLICY, NOW)
    taken = [pair.offered[0].agent.id for pair in matches]
    assert (taken.count("agent-1"), taken.count("agent-2")) == (4, 2)
    assert [pair.conversation.id for pair in matches] == [f"cv-{n}" for n in range(6)]
    assert len(failures) == 4


def test_who_declined_is_not_chosen_again_though_he_is_free() -> None:
    declined = waiting(passed_over=(PassedOver("agent-1", NOW + 1),))
    assert choose_agent(declined, Shortlist([agent(1)]), POLICY, NOW).filtered == {"passed_over": 1}


def test_priority_outweighs_waiting_only_so_far() -> None:
    urgent = waiting(1, priority=80, queued_at=NOW)
    old = waiting(2, priority=50, queued_at=NOW - 180_000)
    assert queue_rank(urgent, ORDER) == queue_rank(old, ORDER)
    assert queue_rank(replace(old, queued_at=old.queued_at - 1), ORDER) < queue_rank(urgent, ORDER)
    assert score(urgent, ORDER, NOW) == score(old, ORDER, NOW) == 80
    assert score(old, ORDER, NOW + 6_000) == 81

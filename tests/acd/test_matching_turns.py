"""Whose turn it is in a queue, what a match takes of an agent, and what its record tells."""

from dataclasses import replace
from typing import Any

import pytest

from acd.matching import (
    RUNNERS_UP,
    Shortlist,
    asks_of,
    choose_agent,
    everyone,
    match,
    with_one_more,
)
from acd.model import QueueOrder, RoutingPolicy, ScoreWeights, Utilization
from conversations.model import Conversation, PassedOver, RequiredSkill, Ring
from tests.acd.samples import POLICY, PRIVATE, PUBLIC, agent, waiting
from tests.conversations.samples import NOW

THREE_AT_ONCE = replace(POLICY, offers_at_once=3)


def by_skill(weight: int) -> RoutingPolicy:
    order = QueueOrder(ScoreWeights(skill=weight, priority=1, time_in_queue=1))
    return replace(POLICY, queue_order=order)


def asking(number: int, skill: str, **fields: Any) -> Conversation:
    return waiting(number, required_skills=(RequiredSkill(skill, 1),), **fields)


def test_several_are_offered_it_at_once_and_the_next_are_runners_up() -> None:
    floor = [agent(n, load_percent=n) for n in range(10, 20)]

    explanation = choose_agent(waiting(), Shortlist(floor), THREE_AT_ONCE, NOW)

    assert explanation.chosen is not None
    assert explanation.chosen.agent_id == "agent-10"
    assert [one.agent_id for one in explanation.also_offered] == ["agent-11", "agent-12"]
    runners_up = [one.agent_id for one in explanation.runners_up]
    assert runners_up == [f"agent-{n}" for n in range(13, 13 + RUNNERS_UP)]


def test_with_too_few_agents_all_of_them_are_offered_it() -> None:
    explanation = choose_agent(waiting(), Shortlist([agent(1), agent(2)]), THREE_AT_ONCE, NOW)

    assert [one.agent_id for one in explanation.also_offered] == ["agent-2"]
    assert explanation.runners_up == ()


def test_everybody_who_is_offered_it_gives_room_and_counts_it() -> None:
    policy = replace(THREE_AT_ONCE, utilization={PUBLIC: Utilization(60, 1)})

    matches, failures = match([waiting(1), waiting(2)], everyone([agent(1), agent(2)]), policy, NOW)

    (pair,) = matches
    assert [(one.agent.id, one.weight_percent) for one in pair.offered] == [
        ("agent-1", 60),
        ("agent-2", 60),
    ]
    assert failures[0].filtered == {"maximum_count": 2}


def test_while_somebody_is_waited_for_the_others_are_only_runners_up() -> None:
    conversation = waiting(preferred_agent_id="agent-1", preferred_until=NOW + 1)
    both_reasons = agent(1, load_percent=100, load_count={PUBLIC: 1})
    policy = replace(POLICY, utilization={PUBLIC: Utilization(25, 1)})

    explanation = choose_agent(conversation, Shortlist([both_reasons, agent(2)]), policy, NOW)

    assert explanation.waits_for_agent_id == "agent-1"
    assert explanation.chosen is None
    assert [one.agent_id for one in explanation.runners_up] == ["agent-2"]
    assert explanation.also_offered == ()
    assert explanation.filtered == {"maximum_count": 1}


def test_a_record_tells_when_where_and_with_which_score() -> None:
    conversation = waiting(ring=2, priority=7, queued_at=NOW - 1_234)

    explanation = choose_agent(conversation, Shortlist([agent(1)]), POLICY, NOW)

    assert (explanation.conversation_id, explanation.workgroup_id) == ("cv-1", "workgroup-1")
    assert (explanation.at, explanation.ring, explanation.score) == (NOW, 2, 7.206)


def test_a_match_stops_after_so_many_pairs() -> None:
    queue = [waiting(n) for n in range(4)]

    matches, failures = match(queue, everyone([agent(1)]), POLICY, NOW, most=2)

    assert ([pair.conversation.id for pair in matches], failures) == (["cv-0", "cv-1"], [])


def test_those_who_ask_for_the_same_are_looked_at_together() -> None:
    plain, ringed = asks_of(waiting(1), POLICY), asks_of(waiting(2, ring=3), POLICY)
    assert plain == ringed  # there are no rings to open

    policy = replace(POLICY, rings=(Ring(1), Ring(2)))
    assert asks_of(waiting(1, ring=1), policy) != asks_of(waiting(2, ring=2), policy)
    assert asks_of(waiting(1, ring=2), policy) == asks_of(waiting(2, ring=3), policy)
    assert asks_of(waiting(1), POLICY) != asks_of(waiting(2, media_type=PRIVATE), POLICY)


def test_who_waits_for_or_passes_over_somebody_stands_alone() -> None:
    choosy = waiting(1, preferred_agent_id="agent-1")
    declined = waiting(2, passed_over=(PassedOver("agent-1", NOW),))

    for one in (choosy, declined):
        assert asks_of(one, POLICY) != asks_of(replace(one, id="cv-9"), POLICY)
        assert asks_of(one, POLICY)[-1] == one.id


def test_without_a_weight_of_skill_the_longest_waiting_goes_first() -> None:
    floor = [agent(1, skills={"billing": 90, "chess": 1}, load_percent=75)]
    old, young = asking(1, "chess", queued_at=NOW - 2_000), asking(2, "billing", queued_at=NOW)

    matches, _ = match([young, old], everyone(floor), POLICY, NOW)

    assert [pair.conversation.id for pair in matches] == ["cv-1"]


def test_with_a_weight_of_skill_the_better_served_goes_first() -> None:
    floor = [agent(1, skills={"billing": 90, "chess": 1}, load_percent=75)]
    old, young = asking(1, "chess", queued_at=NOW - 2_000), asking(2, "billing", queued_at=NOW)

    matches, _ = match([young, old], everyone(floor), by_skill(1), NOW)

    assert [pair.conversation.id for pair in matches] == ["cv-2"]


def test_fit_is_measured_by_the_best_agent_who_may_get_it() -> None:
    """The one who knows most about chess has gone; whoever stays knows billing better."""
    floor = [
        agent(1, skills={"billing": 50, "chess": 40}, load_percent=75),
        agent(2, skills={"chess": 99}, is_present=False),
    ]

    matches, _ = match(
        [asking(1, "chess"), asking(2, "billing")],
        everyone(floor),
        by_skill(1),
        NOW,
    )

    assert [pair.conversation.id for pair in matches] == ["cv-2"]


def test_fit_is_a_mean_so_asking_for_more_is_no_advantage() -> None:
    floor = [agent(1, skills={"billing": 50, "chess": 50, "golf": 60}, load_percent=75)]
    two = waiting(1, required_skills=(RequiredSkill("billing"), RequiredSkill("chess")))

    matches, _ = match([two, asking(2, "golf")], everyone(floor), by_skill(1), NOW)

    assert [pair.conversation.id for pair in matches] == ["cv-2"]


def test_who_asks_for_nothing_has_no_fit_to_boast_of() -> None:
    floor = [agent(1, skills={"golf": 1}, load_percent=75)]

    matches, _ = match([waiting(1), asking(2, "golf")], everyone(floor), by_skill(1), NOW)

    assert [pair.conversation.id for pair in matches] == ["cv-2"]


def test_who_finds_nobody_has_no_fit_either() -> None:
    floor = [agent(1, skills={"golf": 1}, load_percent=75)]
    queue = [asking(1, "klingon", queued_at=NOW), asking(2, "golf", queued_at=NOW)]

    matches, failures = match(queue, everyone(floor), by_skill(1), NOW)

    assert [pair.conversation.id for pair in matches] == ["cv-2"]
    assert [failure.conversation_id for failure in failures] == ["cv-1"]


def test_who_were_ruled_out_before_are_counted_for_everybody() -> None:
    looked_at = everyone([agent(1)], {"capacity": 4})

    matches, _ = match([waiting()], looked_at, POLICY, NOW)

    assert matches[0].explanation.candidates == 5
    assert matches[0].explanation.filtered == {"capacity": 4}


@pytest.mark.parametrize(("carried", "count"), [({}, 1), ({PUBLIC: 2, PRIVATE: 5}, 3)])
def test_one_conversation_more_is_one_more(carried: dict[object, int], count: int) -> None:
    before = agent(load_percent=10, load_count=carried, offered_at=3)

    fuller = with_one_more(before, PUBLIC, 25, NOW)

    assert (fuller.load_percent, fuller.offered_at) == (35, NOW)
    assert fuller.load_count == {**carried, PUBLIC: count}
    assert before.load_count == carried

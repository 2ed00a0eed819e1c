"""Circles: which agents and skills count while so many rings are open."""

from dataclasses import replace

import pytest

from acd.eligibility import Reason, is_in_reach, is_on_queue, reach, reasons_against
from acd.model import RoutingPolicy
from acd.rings import asked_skills, open_rings, widest_reach, workgroups_in_reach
from conversations.model import PassedOver, RequiredSkill, Ring, RoutingStatus
from tests.acd.samples import POLICY, agent, waiting
from tests.conversations.samples import NOW

NEIGHBOURS, SKILL_DROPPED, LEVEL_LOWERED = (
    Ring(30, workgroup_ids=("workgroup-2",)),
    Ring(60, drop_skills=("german",)),
    Ring(90, workgroup_ids=("workgroup-3",), lower_skills=(RequiredSkill("billing", 20),)),
)
RINGED = replace(POLICY, rings=(NEIGHBOURS, SKILL_DROPPED, LEVEL_LOWERED))
ASKING = (RequiredSkill("billing", 60), RequiredSkill("german", 10))


@pytest.mark.parametrize(
    ("ring", "workgroups"),
    [
        (0, {"workgroup-1"}),
        (1, {"workgroup-1", "workgroup-2"}),
        (2, {"workgroup-1", "workgroup-2"}),
        (3, {"workgroup-1", "workgroup-2", "workgroup-3"}),
    ],
)
def test_each_ring_adds_its_workgroups(ring: int, workgroups: set[str]) -> None:
    conversation = waiting(ring=ring)

    assert workgroups_in_reach(conversation, RINGED) == workgroups
    assert len(open_rings(conversation, RINGED)) == ring
    for number in (1, 2, 3, 4):
        of_one = agent(workgroup_ids=frozenset({f"workgroup-{number}"}))
        is_counted = f"workgroup-{number}" in workgroups
        assert is_in_reach(conversation, of_one, RINGED) is is_counted


@pytest.mark.parametrize(
    ("ring", "asked"),
    [
        (0, {"billing": 60, "german": 10}),
        (1, {"billing": 60, "german": 10}),
        (2, {"billing": 60}),
        (3, {"billing": 20}),
    ],
)
def test_rings_drop_skills_and_lower_levels(ring: int, asked: dict[str, int]) -> None:
    found = asked_skills(waiting(ring=ring, required_skills=ASKING), RINGED)

    assert {one.skill: one.min_proficiency for one in found} == asked


def test_a_ring_never_raises_a_level() -> None:
    raising = replace(POLICY, rings=(Ring(1, lower_skills=(RequiredSkill("billing", 90),)),))

    (asked,) = asked_skills(
        waiting(ring=1, required_skills=(RequiredSkill("billing", 5),)), raising
    )

    assert asked.min_proficiency == 5


def test_the_workgroups_own_skills_are_dropped_like_the_conversations() -> None:
    policy = replace(RINGED, required_skills=(RequiredSkill("german", 1),))

    assert asked_skills(waiting(ring=1), policy) == policy.required_skills
    assert asked_skills(waiting(ring=2), policy) == ()


def test_how_many_could_ever_take_it_is_counted_ring_by_ring() -> None:
    floor = [
        agent(1, skills={"billing": 60, "german": 10}),
        agent(2, skills={"billing": 60}),
        agent(3, skills={"billing": 20}),
        agent(4, skills={"billing": 90, "german": 90}, workgroup_ids=frozenset({"workgroup-2"})),
        agent(5, skills={"billing": 20}, workgroup_ids=frozenset({"workgroup-3"})),
        agent(6, skills={"billing": 90, "german": 90}, is_licensed=False),
    ]
    conversation = waiting(required_skills=ASKING)

    assert reach(conversation, floor, RINGED, NOW) == (1, 2, 3, 5)
    assert reach(replace(conversation, ring=3), floor, RINGED, NOW) == (1, 2, 3, 5)


def test_who_is_full_or_declined_is_still_within_reach() -> None:
    declined = waiting(passed_over=(PassedOver("agent-2", NOW + 9),))
    floor = [agent(1, load_percent=100), agent(2), agent(3, load_percent=100, is_enabled=False)]

    assert reach(declined, floor, POLICY, NOW) == (2,)


@pytest.mark.parametrize(
    ("signs_off_at", "is_on"), [(None, True), (NOW + 1, True), (NOW, False), (NOW - 1, False)]
)
def test_a_scheduled_sign_off_holds_from_its_moment(
    signs_off_at: int | None, *, is_on: bool
) -> None:
    leaving = agent(signs_off_at=signs_off_at)

    assert is_on_queue(leaving, NOW) is is_on
    told = reasons_against(waiting(), leaving, POLICY, NOW)
    assert told == (() if is_on else (Reason.NOT_ON_QUEUE,))


def test_who_is_off_queue_stays_so_whenever_he_signs_off() -> None:
    away = agent(routing_status=RoutingStatus.OFF_QUEUE, signs_off_at=NOW + 9)

    assert not is_on_queue(away, NOW)


def test_a_skill_that_nobody_measured_is_a_skill_that_nobody_has() -> None:
    """A required proficiency of 0 asks for the skill, at any level; who lacks it is out."""
    asking = waiting(required_skills=(RequiredSkill("billing", 0),))

    assert reasons_against(asking, agent(skills={"billing": 0}), POLICY, NOW) == ()
    assert reasons_against(asking, agent(), POLICY, NOW) == (Reason.MISSING_SKILL,)


@pytest.mark.parametrize("rings", [(3, 0), (0, 3)])
def test_a_queue_reaches_as_far_as_its_widest(rings: tuple[int, int]) -> None:
    queue = [waiting(n, ring=ring) for n, ring in enumerate(rings)]

    assert widest_reach(queue, RINGED) == {"workgroup-1", "workgroup-2", "workgroup-3"}
    assert widest_reach([], RINGED) == {"workgroup-1"}


def test_a_policy_without_rings_reaches_its_own_members() -> None:
    policy = RoutingPolicy("workgroup-1", 1)
    stranger = agent(workgroup_ids=frozenset({"workgroup-2"}))

    assert not is_in_reach(waiting(ring=4), stranger, policy)
    assert is_in_reach(waiting(ring=4), agent(), policy)

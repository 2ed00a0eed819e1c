"""Whom a match looks at: the first who are not ruled out at once, and counts of the rest."""

from dataclasses import replace
from typing import Any

import pytest

from acd.matching import RUNNERS_UP, choose_agent, everyone, match
from acd.model import OrderKey, Utilization
from acd.shortlist import Coarse, is_waited_for, most_to_look_at, ruled_out_by, shortlist
from conversations.model import PassedOver, RequiredSkill, RoutingStatus
from tests.acd.samples import POLICY, PRIVATE, PUBLIC, agent, waiting
from tests.conversations.samples import NOW

BILLING = waiting(required_skills=(RequiredSkill("billing", 50),))
WAITED_FOR = waiting(preferred_agent_id="agent-1", preferred_until=NOW + 1)
FIT = {"skills": {"billing": 50}}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, None),
        ({"is_enabled": False}, Coarse.DISABLED),
        ({"routing_status": RoutingStatus.DRAINING}, Coarse.NOT_ON_QUEUE),
        ({"skills": {"billing": 49}}, Coarse.MISSING_SKILL),
        ({"load_percent": 75}, None),
        ({"load_percent": 76}, Coarse.CAPACITY),
        ({"is_present": False}, None),
        ({"is_licensed": False}, None),
        ({"is_enabled": False, "routing_status": RoutingStatus.OFF_QUEUE}, Coarse.DISABLED),
        ({"routing_status": RoutingStatus.OFF_QUEUE, "skills": {}}, Coarse.NOT_ON_QUEUE),
        ({"skills": {}, "load_percent": 100}, Coarse.MISSING_SKILL),
    ],
)
def test_what_rules_somebody_out_at_once(fields: dict[str, Any], reason: Coarse | None) -> None:
    assert ruled_out_by(BILLING, agent(1, **FIT | fields), POLICY) is reason


def test_who_is_waited_for_is_looked_at_without_room_too() -> None:
    full = agent(1, load_percent=100)

    assert ruled_out_by(WAITED_FOR, full, POLICY) is None
    assert ruled_out_by(replace(WAITED_FOR, preferred_until=None), full, POLICY) is Coarse.CAPACITY
    assert ruled_out_by(WAITED_FOR, agent(2, load_percent=100), POLICY) is Coarse.CAPACITY
    assert is_waited_for(WAITED_FOR, "agent-1")
    assert not is_waited_for(WAITED_FOR, "agent-2")
    assert not is_waited_for(replace(WAITED_FOR, preferred_until=None), "agent-1")


def test_the_best_are_looked_at_and_the_others_are_counted() -> None:
    floor = [
        agent(5, workgroup_ids=frozenset({"workgroup-2"})),  # nobody counts him
        *(agent(n, load_percent=n) for n in (40, 20, 30, 10)),
        agent(6, is_enabled=False),
        agent(7, load_percent=80),
        agent(8, load_percent=90),
    ]

    found = shortlist(waiting(), floor, POLICY, 2)

    assert [one.id for one in found.agents] == ["agent-10", "agent-20"]
    assert found.stopped_before == {"disabled": 1, "capacity": 2, "further_back": 2}


def test_without_a_bound_all_are_looked_at_and_nothing_is_counted_for_nothing() -> None:
    floor = [agent(2, load_percent=1), agent(1)]

    found = shortlist(waiting(), floor, POLICY, None)

    assert [one.id for one in found.agents] == ["agent-1", "agent-2"]
    assert found.stopped_before == {}


def test_who_is_waited_for_is_always_among_the_first() -> None:
    floor = [agent(2), agent(3), agent(1, load_percent=100)]
    by_load = replace(POLICY, agent_order=(OrderKey.LOWEST_UTILIZATION,))

    found = shortlist(WAITED_FOR, floor, by_load, 1)

    assert [one.id for one in found.agents] == ["agent-1"]


@pytest.mark.parametrize(("waits", "at_once", "passed_over"), [(1, 1, 0), (3, 2, 2), (200, 1, 1)])
def test_so_many_are_enough(waits: int, at_once: int, passed_over: int) -> None:
    """Offers move somebody back, backed-off ones are of no use, and there are runners-up."""
    policy = replace(POLICY, offers_at_once=at_once)
    over = tuple(PassedOver(f"agent-{n}", NOW + 1) for n in range(passed_over))

    most = most_to_look_at(waiting(passed_over=over), policy, waits)

    assert most is not None
    assert most == waits * at_once + passed_over + RUNNERS_UP + 1


def test_where_the_nearest_goes_first_all_are_looked_at() -> None:
    nearest = replace(POLICY, agent_order=(OrderKey.LONGEST_IDLE, OrderKey.NEAREST))

    assert most_to_look_at(waiting(), nearest, 1) is None


def test_a_bounded_look_chooses_whom_a_look_at_everybody_chooses() -> None:
    floor = [agent(n, load_percent=n % 90) for n in range(60)]
    over = (PassedOver("agent-0", NOW + 1), PassedOver("agent-1", NOW + 1))
    conversation = waiting(passed_over=over)
    most = most_to_look_at(conversation, POLICY, 1)

    bounded = choose_agent(conversation, shortlist(conversation, floor, POLICY, most), POLICY, NOW)
    whole = choose_agent(conversation, everyone(floor)(conversation), POLICY, NOW)

    assert bounded.chosen == whole.chosen
    assert bounded.runners_up == whole.runners_up
    assert bounded.candidates == whole.candidates


def test_a_full_agent_who_takes_something_lighter_is_counted_once() -> None:
    weights = {PUBLIC: Utilization(50), PRIVATE: Utilization(25)}
    policy = replace(POLICY, utilization=weights)
    heavy, light, later = (
        waiting(1, queued_at=NOW - 3),
        waiting(2, queued_at=NOW - 2, media_type=PRIVATE),
        waiting(3, queued_at=NOW - 1),
    )

    matches, failures = match(
        [heavy, light, later], everyone([agent(1, load_percent=60)]), policy, NOW
    )

    assert [pair.conversation.id for pair in matches] == ["cv-2"]
    assert [failure.filtered for failure in failures] == [{"capacity": 1}, {"capacity": 1}]

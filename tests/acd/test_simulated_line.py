"""The line of agents that a simulation keeps: the order of the production rules, and no other."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.model import Agent, OrderKey, RoutingPolicy
from acd.order import ranked
from acd.simulated_line import Line
from conversations.model import RequiredSkill
from tests.acd.samples import POLICY, agent, waiting
from tests.conversations.samples import NOW

BILLING = RequiredSkill("billing", 0)
NEAREST = replace(POLICY, agent_order=(OrderKey.NEAREST, *POLICY.agent_order))


def agents() -> st.SearchStrategy[list[Agent]]:
    one = st.builds(
        agent,
        number=st.integers(1, 6),
        load_percent=st.sampled_from([0, 25, 50]),
        idle_since=st.integers(NOW - 3, NOW),
        skills=st.sampled_from([{}, {"billing": 70}]),
    )
    return st.lists(one, max_size=12)


@given(placed=agents(), taken=st.sets(st.integers(1, 6)))
def test_agents_stand_as_the_rules_place_them(placed: list[Agent], taken: set[int]) -> None:
    """Whoever is placed anew stands only where he was placed last."""
    line = Line(POLICY)
    last: dict[str, Agent] = {}
    for each in placed:
        line.put(each)
        last[each.id] = each
    for number in taken:
        line.take(f"agent-{number}")
        last.pop(f"agent-{number}", None)

    places = [ranked(waiting(), each, POLICY) for each in last.values()]
    by_rules = [place.agent_id for place in sorted(places, key=lambda place: place.key)]
    assert list(line.first(3)) == by_rules[:3]
    assert list(line.first(100)) == by_rules


@pytest.mark.parametrize(
    ("policy", "asked", "is_served"),
    [
        (POLICY, (), True),
        (POLICY, (BILLING,), False),
        (replace(POLICY, preferred_skills=(BILLING,)), (), False),
        (NEAREST, (), False),
    ],
)
def test_only_who_asks_for_no_skill_and_no_place_sees_this_order(
    policy: RoutingPolicy, asked: tuple[RequiredSkill, ...], *, is_served: bool
) -> None:
    line = Line(policy)

    assert line.serves(waiting(required_skills=asked)) is is_served


def test_where_the_way_counts_no_line_is_kept() -> None:
    line = Line(NEAREST)

    line.put(agent(1))

    assert list(line.first(10)) == []

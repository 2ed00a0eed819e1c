"""Which agent goes first, by each key that a workgroup may name."""

from dataclasses import replace
from typing import Any

import pytest

from acd.distance import distance_km
from acd.model import Agent, OrderKey
from acd.order import FARTHEST_KM, ranked, skill_fit, wanted_skills
from conversations.model import Location, RequiredSkill, Ring
from tests.acd.samples import POLICY, agent, waiting
from tests.conversations.samples import NOW

BERLIN = Location("DE", "Berlin", 52.5200, 13.4050)
PARIS = Location("FR", "Paris", 48.8566, 2.3522)
QUITO = Location("EC", "Quito", 0.0, -78.4678)
PADANG = Location("ID", "Padang", 0.0, 101.5322)
NOWHERE = Location("DE", "Berlin")


def first_by(key: OrderKey, *agents: Agent, **conversation: Any) -> list[str]:
    policy = replace(POLICY, agent_order=(key,))
    places = [ranked(waiting(**conversation), each, policy) for each in agents]
    return [place.agent_id for place in sorted(places, key=lambda place: place.key)]


@pytest.mark.parametrize(
    ("key", "better", "worse"),
    [
        (OrderKey.LOWEST_UTILIZATION, {"load_percent": 10}, {"load_percent": 20}),
        (OrderKey.LONGEST_IDLE, {"idle_since": NOW - 2}, {"idle_since": NOW - 1}),
        (OrderKey.ROUND_ROBIN, {"offered_at": NOW - 2}, {"offered_at": NOW - 1}),
        (OrderKey.SKILL_FIT, {"skills": {"billing": 70}}, {"skills": {"billing": 69}}),
        (OrderKey.NEAREST, {"location": BERLIN}, {"location": PARIS}),
        (OrderKey.NEAREST, {"location": PADANG}, {"location": NOWHERE}),
        (OrderKey.NEAREST, {"location": PADANG}, {"location": None}),
    ],
)
def test_each_key_puts_the_better_one_first(
    key: OrderKey, better: dict[str, Any], worse: dict[str, Any]
) -> None:
    asked = {"required_skills": (RequiredSkill("billing", 1),), "location": BERLIN}

    assert first_by(key, agent(1, **worse), agent(2, **better), **asked) == ["agent-2", "agent-1"]
    assert first_by(key, agent(1, **better), agent(2, **worse), **asked) == ["agent-1", "agent-2"]


def test_the_preferred_agent_goes_first_and_equal_ones_by_id() -> None:
    three = (agent(3), agent(2), agent(1))

    assert first_by(OrderKey.PREFERRED_AGENT, *three, preferred_agent_id="agent-3") == [
        "agent-3",
        "agent-1",
        "agent-2",
    ]


def test_a_record_names_each_key_in_the_workgroups_order() -> None:
    policy = replace(POLICY, agent_order=(OrderKey.ROUND_ROBIN, OrderKey.NEAREST))
    place = ranked(waiting(location=BERLIN), agent(offered_at=5, location=BERLIN), policy)

    assert list(place.order.items()) == [("offered_at", 5), ("distance_km", 0.0)]
    assert place.key == (5, 0.0, "agent-1")


def test_a_record_tells_every_reason_to_prefer_somebody() -> None:
    policy = replace(POLICY, agent_order=tuple(OrderKey))
    conversation = waiting(
        required_skills=(RequiredSkill("billing"),), preferred_agent_id="agent-1"
    )
    candidate = agent(skills={"billing": 40}, load_percent=25, idle_since=NOW, offered_at=NOW - 1)

    assert ranked(conversation, candidate, policy).order == {
        "not_preferred": 0,
        "lacking_skill": -40,
        "load_percent": 25,
        "idle_since": NOW,
        "offered_at": NOW - 1,
        "distance_km": FARTHEST_KM,
    }


def test_fit_adds_up_what_is_asked_for_and_what_is_preferred() -> None:
    policy = replace(
        POLICY,
        required_skills=(RequiredSkill("brand", 10),),
        preferred_skills=(RequiredSkill("german", 20),),
    )
    conversation = waiting(
        required_skills=(RequiredSkill("billing", 30),),
        preferred_skills=(RequiredSkill("chess", 50),),
    )
    candidate = agent(skills={"brand": 10, "german": 20, "billing": 30, "chess": 49, "golf": 99})

    assert {one.skill for one in wanted_skills(conversation, policy)} == {
        "brand",
        "german",
        "billing",
        "chess",
    }
    assert skill_fit(conversation, candidate, policy) == 60


def test_a_skill_that_an_agent_lacks_adds_nothing_though_no_level_is_asked() -> None:
    conversation = waiting(preferred_skills=(RequiredSkill("german"), RequiredSkill("chess")))

    assert skill_fit(conversation, agent(skills={"chess": 5}), POLICY) == 5
    assert skill_fit(conversation, agent(), POLICY) == 0


def test_a_distance_is_recorded_to_a_hundred_metres() -> None:
    policy = replace(POLICY, agent_order=(OrderKey.NEAREST,))

    place = ranked(waiting(location=BERLIN), agent(location=PARIS), policy)

    assert place.order == {"distance_km": 877.5}


def test_what_an_open_ring_drops_counts_no_more() -> None:
    policy = replace(POLICY, rings=(Ring(1, drop_skills=("billing",)),))
    asking = waiting(required_skills=(RequiredSkill("billing", 1),))
    candidate = agent(skills={"billing": 80})

    assert skill_fit(asking, candidate, policy) == 80
    assert skill_fit(replace(asking, ring=1), candidate, policy) == 0


@pytest.mark.parametrize(
    ("one", "other", "km"),
    [
        (BERLIN, PARIS, 877.5),
        (PARIS, BERLIN, 877.5),
        (BERLIN, BERLIN, 0.0),
        (QUITO, PADANG, 20_015.1),
        (Location(lat=0.0, lon=0.0), Location(lat=0.0, lon=90.0), 10_007.6),
        (Location(lat=90.0, lon=0.0), Location(lat=-90.0, lon=0.0), 20_015.1),
        (Location(lat=60.0, lon=0.0), Location(lat=60.0, lon=90.0), 4_604.5),
        (Location(lat=0.0, lon=179.5), Location(lat=0.0, lon=-179.5), 111.2),
    ],
)
def test_distances_are_those_of_the_globe(one: Location, other: Location, km: float) -> None:
    found = distance_km(one, other)

    assert found is not None
    assert round(found, 1) == pytest.approx(km, abs=0.15)
    assert found < FARTHEST_KM


@pytest.mark.parametrize(
    "unknown", [None, NOWHERE, Location(lat=1.0), Location(lon=1.0), Location(lat=None, lon=1.0)]
)
def test_there_is_no_distance_to_an_unknown_place(unknown: Location | None) -> None:
    assert distance_km(unknown, BERLIN) is None
    assert distance_km(BERLIN, unknown) is None

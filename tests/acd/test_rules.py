import json
from typing import Any

import pytest
from hypothesis import given

from acd.rule_actions import MOST_TAGS, Routing
from acd.rule_facts import CustomerFacts, Trigger
from acd.rule_reading import read_rules, rule_set
from acd.rule_trace import as_record
from acd.rules import RuleSet, evaluate, references
from conversations.model import Location, RequiredSkill
from tests.acd.rule_samples import (
    BERLIN,
    GRAZ,
    POST,
    ROUTING,
    VIENNA,
    ask,
    facts,
    rules_of,
    then,
    trees,
    when,
    worlds,
)

LEAF = {"fact": "author.followers", "at_least": 5}
NEVER = {"fact": "author.followers", "at_least": 5_000}


def test_rules_are_asked_in_order_and_the_last_word_counts() -> None:
    verdict = ask(
        then({"action": "set_priority", "priority": 80}, name="first"),
        then({"action": "set_priority", "priority": 20}, name="never", when=NEVER),
        then({"action": "raise_priority", "by": 15}, name="third"),
        then({"action": "set_workgroup", "workgroup_id": "wg-2"}, name="fourth"),
        then({"action": "set_workgroup", "workgroup_id": "wg-3"}, name="fifth"),
    )

    assert verdict.fired == ("first", "third", "fourth", "fifth")
    assert verdict.routing == Routing("wg-3", 95)


def test_stop_ends_the_list_only_where_its_rule_fired() -> None:
    verdict = ask(
        then({"action": "tag", "tags": ["a"]}, name="not now", when=NEVER, stop=True),
        then({"action": "tag", "tags": ["b"]}, name="stops", stop=True),
        then({"action": "tag", "tags": ["c"]}, name="unasked"),
    )

    assert verdict.routing.tags == ("b",)
    assert [rule.name for rule in verdict.trace] == ["not now", "stops"]


def test_a_discard_ends_the_list() -> None:
    verdict = ask(
        then({"action": "tag", "tags": ["spam"]}, {"action": "discard", "reason": "an advert"}),
        then({"action": "set_priority", "priority": 99}, name="unasked"),
    )

    assert verdict.routing == Routing("workgroup-1", 50, tags=("spam",), discard_reason="an advert")


@pytest.mark.parametrize(("by", "priority"), [(100, 100), (-100, 0), (-7, 43)])
def test_a_priority_stays_within_its_bounds(by: int, priority: int) -> None:
    assert ask(then({"action": "raise_priority", "by": by})).routing.priority == priority


def test_a_skill_asked_for_twice_keeps_the_higher_proficiency() -> None:
    verdict = ask(
        then({"action": "require_skill", "skill": "refunds", "min_proficiency": 60}, name="one"),
        then({"action": "require_skill", "skill": "refunds", "min_proficiency": 30}, name="two"),
        then({"action": "prefer_skill", "skill": "parcels"}, name="three"),
    )

    assert verdict.routing.required_skills == (RequiredSkill("refunds", 60),)
    assert verdict.routing.preferred_skills == (RequiredSkill("parcels", 0),)


@pytest.mark.parametrize(
    ("action", "skill"),
    [
        ({"skill_from": "post.language"}, "language:de"),
        ({"skill_from": "author.language"}, "language:de"),
        ({"skill_from": "location.country"}, "country:at"),
        ({"skill_from": "location.region"}, "region:wien"),
        ({"skill_from": "location.place"}, "place:vienna"),
        ({"skill_from": "post.language", "among": ["language:en", "language:de"]}, "language:de"),
        ({"skill_from": "post.language", "among": ["language:en"]}, None),
        (
            {
                "skill_from": "post.language",
                "among": ["language:en"],
                "otherwise": "language:en",
            },
            "language:en",
        ),
    ],
)
def test_languages_and_locations_are_skills(action: dict[str, Any], skill: str | None) -> None:
    verdict = ask(then({"action": "require_skill", "min_proficiency": 40, **action}))

    wanted = () if skill is None else (RequiredSkill(skill, 40),)
    assert verdict.routing.required_skills == wanted


def test_a_skill_of_a_missing_fact_is_not_asked_for_and_the_record_says_so() -> None:
    nowhere = facts(location=Location(lat=1.0, lon=2.0))
    asked = then({"action": "require_skill", "skill_from": "location.country"})

    verdict = ask(asked, seen=nowhere)

    assert verdict.routing == ROUTING
    (done,) = as_record(verdict, ROUTING)["rules"][0]["done"]
    assert "missing" in done["nothing_because"]


def test_the_nearest_workgroup_is_chosen() -> None:
    nearest = then({"action": "nearest_workgroup", "workgroup_ids": ["berlin", "graz", "unplaced"]})

    assert ask(nearest).routing.workgroup_id == "graz"
    assert ask(nearest, seen=facts(location=BERLIN)).routing.workgroup_id == "berlin"
    assert ask(nearest, seen=facts(location=None)).routing.workgroup_id == "workgroup-1"


def test_a_workgroup_too_far_away_is_not_near() -> None:
    nearest = {"action": "nearest_workgroup", "workgroup_ids": ["berlin"], "within_km": 500}

    verdict = ask(then(nearest))

    assert verdict.routing.workgroup_id == "workgroup-1"
    assert verdict.trace[0].done[0].nothing_because


def test_of_equally_near_workgroups_the_first_is_chosen() -> None:
    seen = facts(places={"b": VIENNA, "a": VIENNA})

    verdict = ask(then({"action": "nearest_workgroup", "workgroup_ids": ["b", "a"]}), seen=seen)

    assert verdict.routing.workgroup_id == "b"


def test_an_agent_or_the_customers_own_is_preferred() -> None:
    named = then({"action": "prefer_agent", "agent_id": "ag-1"})
    own = then({"action": "prefer_agent", "agent": "customers_own"})
    with_own = facts(customer=CustomerFacts(own_agent_id="ag-7"))

    assert ask(named).routing.preferred_agent_id == "ag-1"
    assert ask(own, seen=with_own).routing.preferred_agent_id == "ag-7"
    assert ask(own).routing.preferred_agent_id is None


@pytest.mark.parametrize(
    ("action", "effect"),
    [
        ({"action": "set_priority", "priority": 7}, "7"),
        ({"action": "raise_priority", "by": 7}, "57"),
        ({"action": "require_skill", "skill": "x", "min_proficiency": 5}, "x at least 5"),
        ({"action": "prefer_skill", "skill": "x"}, "x at least 0"),
        ({"action": "set_workgroup", "workgroup_id": "wg"}, "wg"),
        ({"action": "nearest_workgroup", "workgroup_ids": ["graz"]}, "graz"),
        ({"action": "nearest_workgroup", "workgroup_ids": ["mars"]}, None),
        ({"action": "prefer_agent", "agent_id": "ag"}, "ag"),
        ({"action": "prefer_agent", "agent": "customers_own"}, None),
        ({"action": "require_skill", "skill_from": "post.language", "among": ["language:x"]}, None),
        ({"action": "tag", "tags": ["a", "b"]}, "a, b"),
        ({"action": "discard", "reason": "spam"}, "spam"),
    ],
)
def test_the_record_names_every_action_as_it_was_written(
    action: dict[str, Any], effect: str | None
) -> None:
    (done,) = as_record(ask(then(action)), ROUTING)["rules"][0]["done"]

    assert done["action"] == action["action"]
    assert done.get("effect") == effect
    assert ("nothing_because" in done) is (effect is None)


@pytest.mark.parametrize(("count", "kept"), [(10, 50), (11, 40)])
def test_a_conversation_keeps_fifty_tags(count: int, kept: int) -> None:
    rules = [
        then({"action": "tag", "tags": [f"{name}{n}" for n in range(20)]}, name=name)
        for name in "ab"
    ]
    last = then({"action": "tag", "tags": [f"c{n}" for n in range(count)]}, name="c")

    verdict = ask(*rules, last)

    assert len(verdict.routing.tags) == kept
    assert (verdict.trace[-1].done[0].nothing_because is None) is (kept == 50)


def test_a_workgroup_exactly_as_far_as_allowed_is_near_enough() -> None:
    there = facts(location=GRAZ)
    for within, chosen in ((0, "graz"), (0.0, "graz")):
        action = {"action": "nearest_workgroup", "workgroup_ids": ["graz"], "within_km": within}
        assert ask(then(action), seen=there).routing.workgroup_id == chosen


@pytest.mark.parametrize(
    ("rule", "needed"),
    [
        (when(LEAF), False),
        (when({"all": [LEAF, {"fact": "customer.is_known", "equals": True}]}), True),
        (then({"action": "prefer_agent", "agent": "customers_own"}), True),
        (then({"action": "prefer_agent", "agent_id": "ag"}), False),
    ],
)
def test_a_customer_is_read_only_where_rules_look_at_one(
    rule: dict[str, Any],
    needed: bool,  # noqa: FBT001
) -> None:
    assert references(rules_of(rule).rules).needs_customer is needed


def test_a_set_without_a_version_is_the_first() -> None:
    assert RuleSet(Trigger.ARRIVAL, ()).version == 1


def test_tags_add_up_once_each_and_are_bounded() -> None:
    tags = [f"t{n}" for n in range(20)]
    rules = [
        then({"action": "tag", "tags": tags}, name="a"),
        then({"action": "tag", "tags": tags}, name="b"),
        then({"action": "tag", "tags": [f"u{n}" for n in range(20)]}, name="c"),
        then({"action": "tag", "tags": [f"v{n}" for n in range(20)]}, name="d"),
    ]

    routing = ask(*rules).routing

    assert len(routing.tags) == 40 <= MOST_TAGS


def test_a_rule_sees_the_facts_as_they_were_before_the_first_rule() -> None:
    verdict = ask(
        then({"action": "tag", "tags": ["vip"]}, name="tags"),
        then(
            {"action": "set_priority", "priority": 100},
            name="looks",
            when={"fact": "conversation.tags", "contains_any": ["vip"]},
        ),
    )

    assert verdict.fired == ("tags",)


@given(trees, worlds)
def test_rules_change_nothing_unless_they_fire(tree: dict[str, Any], world: Any) -> None:
    read = read_rules([when(tree)], Trigger.ARRIVAL)
    if read.faults:
        return
    verdict = evaluate(rule_set([when(tree)], Trigger.ARRIVAL), world, ROUTING)

    assert bool(verdict.fired) is (verdict.routing != ROUTING)


def test_everything_that_rules_name_is_known() -> None:
    named = references(
        rules_of(
            then(
                {"action": "nearest_workgroup", "workgroup_ids": ["near-1", "near-2"]},
                {"action": "require_skill", "skill": "refunds"},
                {
                    "action": "prefer_skill",
                    "skill_from": "post.language",
                    "among": ["language:de"],
                    "otherwise": "language:en",
                },
                {"action": "prefer_agent", "agent_id": "ag-1"},
                name="one",
                when={
                    "not": {
                        "any": [
                            {"fact": "time.is_open", "workgroup_id": "open-1", "equals": True},
                            LEAF,
                        ]
                    }
                },
            ),
            then({"action": "set_workgroup", "workgroup_id": "set-1"}, name="two"),
            then({"action": "prefer_agent", "agent": "customers_own"}, name="three"),
        ).rules
    )

    assert named.workgroup_ids == {"near-1", "near-2", "open-1", "set-1"}
    assert named.agent_ids == {"ag-1"}
    assert named.skills == {"refunds", "language:de", "language:en"}
    assert named.places_of == {"near-1", "near-2"}
    assert named.hours_of == {"open-1"}


def test_the_record_tells_the_change_and_who_made_it() -> None:
    verdict = ask(then({"action": "set_priority", "priority": 90}, name="important"))

    record = as_record(verdict, ROUTING)

    assert record["kind"] == "rules"
    assert (record["rule_set_id"], record["rule_set_version"]) == ("ru_1", 3)
    assert (record["before"]["priority"], record["after"]["priority"]) == (50, 90)
    assert record["rules"] == [
        {
            "name": "important",
            "fired": True,
            "done": [{"action": "set_priority", "effect": "90"}],
        }
    ]
    assert POST.text not in json.dumps(record)

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.rule_facts import Trigger
from acd.rule_reading import read_rules, rule_set
from acd.rule_trace import as_record
from acd.rules import evaluate
from tests.acd.rule_samples import FACTS, ROUTING, faults, then, when

LEAF = {"fact": "author.followers", "at_least": 5}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda below: st.lists(below, max_size=5) | st.dictionaries(st.text(), below, max_size=5),
    max_leaves=20,
)
words = st.sampled_from(
    ["all", "any", "not", "fact", "equals", "between", "matches", "contains_any", "is_present"]
)
facts_or_words = st.sampled_from(["post.text", "author.followers", "time.of_day", "x"])
hostile_conditions = st.recursive(
    st.dictionaries(words, facts_or_words | json_values, max_size=3),
    lambda below: st.dictionaries(words, below | st.lists(below, max_size=4), max_size=2),
    max_leaves=12,
)
hostile_actions = st.dictionaries(
    st.sampled_from(["action", "skill", "skill_from", "priority", "by", "agent", "tags", "among"]),
    st.sampled_from(["require_skill", "set_priority", "tag", "prefer_agent", "post.language"])
    | json_values,
    max_size=4,
)
hostile_rules = st.fixed_dictionaries(
    {"name": st.text(min_size=1) | json_values, "then": st.lists(hostile_actions, max_size=3)},
    optional={"when": hostile_conditions, "stop": json_values, "more": json_values},
)


@given(json_values | st.lists(hostile_rules, max_size=4), st.sampled_from(Trigger))
def test_any_json_is_read_or_refused_at_its_place(value: Any, trigger: Trigger) -> None:
    reading = read_rules(value, trigger, ("body", "rules"))

    assert not (reading.rules and reading.faults)
    assert all(fault.path[:2] == ("body", "rules") and fault.reason for fault in reading.faults)
    if not reading.faults:
        record = as_record(evaluate(rule_set(value, trigger), FACTS, ROUTING), ROUTING)
        json.dumps(record)


def tree_of(nodes: int) -> dict[str, Any]:
    return {"all": [LEAF] * (nodes - 1)}


def deep(levels: int) -> dict[str, Any]:
    tree: dict[str, Any] = LEAF
    for _ in range(levels - 1):
        tree = {"not": tree}
    return tree


def test_a_rule_has_at_most_64_nodes() -> None:
    assert not faults(when({"all": [tree_of(31), tree_of(32)]}))
    told = faults(when({"all": [tree_of(32), tree_of(32)]}))

    assert list(told) == ["rules/0/when/all/1/all/30"]
    assert "at most 64" in next(iter(told.values()))


def test_a_rule_is_at_most_eight_levels_deep() -> None:
    assert not faults(when(deep(8)))

    assert list(faults(when(deep(9)))) == ["rules/0/when" + "/not" * 8]


def test_hostile_depth_is_refused_without_being_walked() -> None:
    assert faults(when(deep(900)))


def test_a_set_has_at_most_a_hundred_rules() -> None:
    rules = [then({"action": "set_priority", "priority": 1}, name=str(n)) for n in range(101)]

    assert not faults(*rules[:100])
    assert list(faults(*rules)) == ["rules"]


def test_patterns_and_keywords_of_a_set_are_bounded() -> None:
    patterns = [
        when({"any": [{"fact": "post.text", "matches": "x"}] * 51}, name=name) for name in "ab"
    ]
    words = [f"w{n}" for n in range(100)]
    keywords = [
        when({"any": [{"fact": "post.text", "contains_any": words}] * 21}),
    ]

    assert faults(*patterns) == {"rules": "have 102 patterns: at most 100"}
    assert faults(*keywords) == {"rules": "have 2100 keywords: at most 2000"}


@pytest.mark.parametrize(
    ("condition", "place", "reason"),
    [
        ({"fact": "post.mood", "equals": "x"}, "/fact", "name of a fact"),
        ({"fact": "post.language"}, "", "exactly one of"),
        ({"fact": "post.language", "equals": "de", "one_of": ["en"]}, "", "exactly one of"),
        ({"fact": "post.language", "at_least": 5}, "/at_least", "unknown here"),
        ({"fact": "author.followers", "equals": "many"}, "/equals", "a number"),
        ({"fact": "author.followers", "equals": True}, "/equals", "a number"),
        ({"fact": "author.followers", "between": [5, 1]}, "/between", "before it begins"),
        ({"fact": "author.followers", "between": [5]}, "/between", "2 to 2"),
        ({"fact": "author.followers", "equals": float("nan")}, "/equals", "from"),
        ({"fact": "post.text", "matches": "("}, "/matches", "missing )"),
        ({"fact": "post.text", "matches": "(?=x)"}, "/matches", "no pattern of RE2"),
        ({"fact": "post.text", "matches": "x" * 501}, "/matches", "at most 500"),
        ({"fact": "post.text", "matches": "(a{1000}){1000}"}, "/matches", "no pattern of RE2"),
        ({"fact": "post.text", "contains_any": []}, "/contains_any", "1 to 100"),
        ({"fact": "post.text", "contains_any": [" "]}, "/contains_any/0", "not blank"),
        ({"fact": "post.visibility", "equals": "secret"}, "/equals", "public, private"),
        ({"fact": "customer.is_known", "equals": 1}, "/equals", "true or false"),
        ({"fact": "time.weekday", "equals": "monday"}, "/time_zone", "missing"),
        (
            {"fact": "time.weekday", "time_zone": "Mars/Base", "equals": "monday"},
            "/time_zone",
            "time zone",
        ),
        (
            {"fact": "time.of_day", "time_zone": "UTC", "between": ["9:00", "10:00"]},
            "/between/0",
            "09:30",
        ),
        (
            {"fact": "time.of_day", "time_zone": "UTC", "between": ["09:00", "09:00"]},
            "/between",
            "same time",
        ),
        (
            {"fact": "location.distance_km", "from": {"lat": 91, "lon": 0}, "at_most": 5},
            "/from/lat",
            "from -90 to 90",
        ),
        ({"all": []}, "/all", "1 to 64"),
        ({"all": [LEAF], "any": [LEAF]}, "", "one thing"),
        ({"fact": "post.language", "equals": "de", "loud": True}, "/loud", "unknown here"),
        ([], "", "an object"),
    ],
)
def test_a_bad_condition_is_refused_at_its_place(condition: Any, place: str, reason: str) -> None:
    told = faults(when(condition))

    assert list(told) == [f"rules/0/when{place}"]
    assert reason in told[f"rules/0/when{place}"]


@pytest.mark.parametrize(
    ("actions", "place", "reason"),
    [
        ([], "", "1 to 20"),
        ([{"action": "dance"}], "/0/action", "one of set_priority"),
        ([{"action": "set_priority", "priority": 101}], "/0/priority", "0 to 100"),
        ([{"action": "set_priority"}], "/0/priority", "missing"),
        ([{"action": "raise_priority", "by": 0}], "/0/by", "changes nothing"),
        ([{"action": "require_skill"}], "/0/skill", "missing"),
        ([{"action": "require_skill", "skill": " x"}], "/0/skill", "space"),
        ([{"action": "require_skill", "skill_from": "post.text"}], "/0/skill_from", "one of"),
        (
            [{"action": "require_skill", "skill": "x", "skill_from": "post.language"}],
            "/0/skill",
            "unknown here",
        ),
        (
            [{"action": "prefer_skill", "skill_from": "post.language", "among": ["de"]}],
            "/0/among/0",
            "language:",
        ),
        ([{"action": "prefer_agent", "agent": "best"}], "/0/agent", "customers_own"),
        (
            [{"action": "prefer_agent", "agent": "customers_own", "agent_id": "a"}],
            "/0/agent_id",
            "",
        ),
        ([{"action": "nearest_workgroup", "workgroup_ids": []}], "/0/workgroup_ids", "1 to 100"),
        ([{"action": "tag", "tags": "vip"}], "/0/tags", "a list"),
        ([{"action": "discard"}], "/0/reason", "missing"),
        (
            [
                {"action": "set_priority", "priority": 1},
                {"action": "set_priority", "priority": 2},
            ],
            "",
            "the priority 2 times",
        ),
        (
            [{"action": "set_priority", "priority": 1}, {"action": "raise_priority", "by": 2}],
            "",
            "the priority 2 times",
        ),
        (
            [
                {"action": "set_workgroup", "workgroup_id": "a"},
                {"action": "nearest_workgroup", "workgroup_ids": ["b"]},
            ],
            "",
            "the workgroup 2 times",
        ),
        (
            [
                {"action": "discard", "reason": "spam"},
                {"action": "set_workgroup", "workgroup_id": "a"},
            ],
            "",
            "only tags go with a discard",
        ),
        (
            [
                {"action": "require_skill", "skill": "x"},
                {"action": "prefer_skill", "skill": "x"},
            ],
            "",
            "2 times for the skill x",
        ),
        (
            [
                {"action": "prefer_agent", "agent": "customers_own"},
                {"action": "prefer_agent", "agent_id": "a"},
            ],
            "",
            "the preferred agent 2 times",
        ),
    ],
)
def test_actions_that_are_wrong_or_contradict_each_other_are_refused(
    actions: Any, place: str, reason: str
) -> None:
    told = faults(then(*actions))

    assert list(told) == [f"rules/0/then{place}"]
    assert reason in told[f"rules/0/then{place}"]


@pytest.mark.parametrize(
    "trigger", [Trigger.TRANSFER_CONVERSATION, Trigger.TRANSFER_DIRECT_MESSAGE]
)
def test_what_somebody_handed_over_is_never_discarded(trigger: Trigger) -> None:
    discards = then({"action": "discard", "reason": "spam"})

    assert "handed over" in faults(discards, trigger=trigger)["rules/0/then"]
    assert not faults(discards, trigger=Trigger.RING_STEP)


def test_what_re2_says_of_a_pattern_is_told_plainly() -> None:
    told = faults(when({"fact": "post.text", "matches": "("}))

    assert told == {"rules/0/when/matches": "is no pattern of RE2: missing ): ("}


def test_half_of_a_surrogate_pair_is_no_pattern() -> None:
    assert faults(when({"fact": "post.text", "matches": "\ud800"}))


def test_two_rules_of_one_name_are_refused() -> None:
    twice = then({"action": "set_priority", "priority": 1})

    assert faults(twice, twice) == {"rules": "2 rules have the name rule"}


def test_every_mistake_is_told_at_once() -> None:
    told = faults({"name": "", "when": {"fact": "x"}, "then": []}, 5, {"then": [{}]})

    assert set(told) == {
        "rules/0/name",
        "rules/0/when/fact",
        "rules/0/then",
        "rules/1",
        "rules/2/name",
    }


def test_rules_that_were_accepted_before_and_would_be_refused_now_are_told() -> None:
    with pytest.raises(ValueError, match="0/name"):
        rule_set([{"name": "", "then": []}], Trigger.ARRIVAL)

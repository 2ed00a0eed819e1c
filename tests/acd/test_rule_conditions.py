import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from acd.conditions import OPERATORS, Node
from acd.rule_facts import FACTS as KNOWN_FACTS
from acd.rule_facts import ConversationFacts, CustomerFacts, FactType
from acd.rule_trace import as_record, node_record
from acd.rules import evaluate
from conversations.model import Author, Location, MediaType, Visibility
from tests.acd.rule_samples import (
    BERLIN,
    FACTS,
    MONDAY_NOON_UTC,
    POST,
    ROUTING,
    ask,
    depth_of,
    facts,
    holds,
    naive,
    rules_of,
    size_of,
    trees,
    when,
    worlds,
    written,
)

HOUR_MS = 3_600_000


def is_small(tree: dict[str, Any]) -> bool:
    return depth_of(tree) <= 8 and size_of(tree) <= 64


@given(trees, worlds)
def test_a_tree_says_what_a_naive_reading_says(tree: dict[str, Any], world: Any) -> None:
    assume(is_small(tree))

    assert holds(tree, world) is naive(tree, world)


@given(st.lists(trees, min_size=1, max_size=3), worlds)
def test_de_morgan_holds(below: list[dict[str, Any]], world: Any) -> None:
    negated: list[dict[str, Any]] = [{"not": tree} for tree in below]
    pairs: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"not": {"all": below}}, {"any": negated}),
        ({"not": {"any": below}}, {"all": negated}),
    ]
    for left, right in pairs:
        assume(is_small(left))
        assume(is_small(right))
        assert holds(left, world) is holds(right, world)


@given(trees, worlds)
def test_the_trace_has_every_node_and_agrees_with_the_result(
    tree: dict[str, Any], world: Any
) -> None:
    assume(is_small(tree))
    (traced,) = evaluate(rules_of(when(tree)), world, ROUTING).trace
    assert traced.condition is not None

    assert traced.condition.size == size_of(tree)
    assert _again(traced.condition) is traced.condition.result is traced.fired
    _agrees(node_record(traced.condition), tree)


def _again(node: Node) -> bool:
    if node.kind == "not":
        return not _again(node.children[0])
    if node.kind in {"all", "any"}:
        results = [_again(child) for child in node.children]
        return all(results) if node.kind == "all" else any(results)
    return node.result


def _agrees(record: dict[str, Any], tree: dict[str, Any]) -> None:
    assert isinstance(record["result"], bool)
    if "not" in tree:
        _agrees(record["not"], tree["not"])
    elif "fact" in tree:
        assert record["fact"] == tree["fact"]
        assert ("missing" in record) is (record["seen"] is None)
    else:
        (kind,) = tree
        for one, below in zip(record[kind], tree[kind], strict=True):
            _agrees(one, below)


@given(trees, worlds)
def test_the_same_facts_give_the_same_record(tree: dict[str, Any], world: Any) -> None:
    assume(is_small(tree))
    rules = rules_of(when(tree))

    records = [as_record(evaluate(rules, world, ROUTING), ROUTING) for _ in range(2)]

    assert records[0] == records[1]


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ({"fact": "post.text", "contains_any": ["late"]}, True),
        ({"fact": "post.text", "contains_any": ["lat"]}, False),
        ({"fact": "post.text", "contains_any": ["parcel  is late"]}, True),
        ({"fact": "post.text", "contains_all": ["late", "PARCEL"]}, True),
        ({"fact": "post.text", "contains_all": ["late", "broken"]}, False),
        ({"fact": "post.text", "matches": r"order \d{4}\b"}, True),
        ({"fact": "post.text", "matches": r"^late"}, False),
        ({"fact": "post.text", "matches": r"(?i)PARCEL"}, True),
        ({"fact": "post.text", "starts_with": "my PARCEL"}, True),
        ({"fact": "post.text", "ends_with": "4711"}, False),
        ({"fact": "post.text", "ends_with": "4711!"}, True),
        ({"fact": "post.text_length", "equals": 36}, True),
        ({"fact": "post.text_length", "more_than": 36}, False),
        ({"fact": "post.text_length", "at_most": 36}, True),
        ({"fact": "post.text_length", "less_than": 36}, False),
        ({"fact": "post.visibility", "equals": "public"}, True),
        ({"fact": "post.visibility", "equals": "private"}, False),
        ({"fact": "conversation.media_type", "equals": "social_conversation"}, True),
        ({"fact": "conversation.media_type", "equals": "social_direct_message"}, False),
        ({"fact": "post.has_media", "equals": False}, True),
        ({"fact": "post.source_application", "equals": "WEB"}, True),
        ({"fact": "author.handle", "equals": "ParcelFan"}, True),
        ({"fact": "author.language", "equals": "de"}, True),
        ({"fact": "author.language", "equals": "de-AT"}, True),
        ({"fact": "author.language", "equals": "de-DE"}, False),
        ({"fact": "author.language", "one_of": ["en", "de_at"]}, True),
        ({"fact": "author.followers", "between": [1_200, 1_200]}, True),
        ({"fact": "author.followers", "between": [0, 1_199]}, False),
        ({"fact": "location.country", "one_of": ["de", "at"]}, True),
        ({"fact": "location.region", "equals": "wien"}, True),
        ({"fact": "location.place", "equals": "Vienna"}, True),
        (
            {"fact": "location.distance_km", "from": {"lat": 47.07, "lon": 15.44}, "at_most": 150},
            True,
        ),
        (
            {"fact": "location.distance_km", "from": {"lat": 52.5, "lon": 13.4}, "at_most": 150},
            False,
        ),
        ({"fact": "customer.is_known", "equals": True}, True),
        ({"fact": "customer.tags", "contains_any": ["vip"]}, True),
        ({"fact": "customer.tags", "contains_all": ["vip", "lost"]}, False),
        ({"fact": "customer.has_own_agent", "equals": False}, True),
        ({"fact": "conversation.network", "equals": "simulated"}, True),
        ({"fact": "conversation.account_id", "one_of": ["account-2"]}, False),
        ({"fact": "conversation.channel_id", "equals": "channel-1"}, True),
        ({"fact": "conversation.workgroup_id", "equals": "Workgroup-1"}, False),
        ({"fact": "conversation.ring", "equals": 0}, True),
        ({"fact": "conversation.is_continued", "equals": True}, False),
        ({"fact": "time.is_open", "workgroup_id": "workgroup-1", "equals": True}, True),
        ({"fact": "time.is_open", "workgroup_id": "workgroup-2", "equals": True}, False),
        ({"fact": "time.weekday", "time_zone": "Europe/Vienna", "equals": "monday"}, True),
        ({"fact": "time.weekday", "time_zone": "Pacific/Kiritimati", "equals": "tuesday"}, True),
        (
            {"fact": "time.of_day", "time_zone": "Europe/Vienna", "between": ["14:00", "15:00"]},
            True,
        ),
        (
            {"fact": "time.of_day", "time_zone": "Europe/Vienna", "between": ["13:00", "14:00"]},
            False,
        ),
        ({"fact": "time.of_day", "time_zone": "UTC", "between": ["22:00", "12:01"]}, True),
        ({"fact": "time.of_day", "time_zone": "UTC", "between": ["22:00", "12:00"]}, False),
        ({"fact": "time.of_day", "time_zone": "UTC", "between": ["12:00", "06:00"]}, True),
        ({"fact": "time.of_day", "time_zone": "UTC", "at_least": "12:00"}, True),
        ({"fact": "time.of_day", "time_zone": "UTC", "less_than": "12:00"}, False),
    ],
)
def test_an_operator_compares_as_it_is_documented(condition: dict[str, Any], wanted: bool) -> None:  # noqa: FBT001
    assert holds(condition) is wanted


@pytest.mark.parametrize(
    ("keyword", "text", "wanted"),
    [
        ("返金", "返金したい", True),
        ("iphone", "新しいiPhoneを", True),
        ("ärger", "Ärger!", True),
        ("ärger", "verärgert", False),
        ("straße", "STRASSE", True),
        ("C++", "I like c++.", True),
        ("cafe\u0301", "CAFÉ", True),
        ("привет", "Привет, мир", True),
        ("при", "Привет, мир", False),
        ("late_", "late_fee", False),
        ("late", "chocolate", False),
        (".net", "asp.net", True),
    ],
)
def test_a_keyword_is_a_whole_word_in_any_script(keyword: str, text: str, wanted: bool) -> None:  # noqa: FBT001
    assert holds({"fact": "post.text", "contains_any": [keyword]}, written(text)) is wanted


def test_social_conversations_and_direct_messages_leave_by_different_exits() -> None:
    private = facts(
        media_type=MediaType.SOCIAL_DIRECT_MESSAGE,
        post=replace(POST, visibility=Visibility.PRIVATE),
    )
    public_exit = {"fact": "conversation.media_type", "equals": "social_conversation"}
    private_exit = {"fact": "conversation.media_type", "equals": "social_direct_message"}

    assert (holds(public_exit), holds(private_exit)) == (True, False)
    assert (holds(public_exit, private), holds(private_exit, private)) == (False, True)


NOTHING = facts(post=None, location=None, is_open={}, customer=CustomerFacts())
ALWAYS_THERE = {name for name in KNOWN_FACTS if name.startswith("conversation.")} | {
    "time.weekday",
    "time.of_day",
    "customer.is_known",
    "customer.has_own_agent",
    "customer.tags",
}


@pytest.mark.parametrize("name", sorted(set(KNOWN_FACTS) - ALWAYS_THERE))
def test_a_missing_fact_makes_every_comparison_false_and_says_so(name: str) -> None:
    fact = KNOWN_FACTS[name]
    leaf: dict[str, Any] = {"fact": name}
    if name == "location.distance_km":
        leaf["from"] = {"lat": 0, "lon": 0}
    if name == "time.is_open":
        leaf["workgroup_id"] = "workgroup-1"
    for operator in OPERATORS[fact.type] - {"is_present"}:
        verdict = ask(when({**leaf, operator: _operand(fact, operator)}), seen=NOTHING)
        record = as_record(verdict, ROUTING)["rules"][0]["when"]
        assert (record["result"], record["missing"], record["seen"]) == (False, True, None)
    assert holds({**leaf, "is_present": False}, NOTHING)


def _operand(fact: Any, operator: str) -> Any:
    if operator == "between":
        return [0, 9]
    one = {FactType.NUMBER: 1, FactType.FLAG: False}.get(fact.type, "x")
    one = fact.choices[0] if fact.choices else one
    return [one] if operator in {"one_of", "contains_any", "contains_all"} else one


def test_a_wall_clock_follows_daylight_saving() -> None:
    january = facts(now=MONDAY_NOON_UTC - 150 * 24 * HOUR_MS)
    at_two = {"fact": "time.of_day", "time_zone": "Europe/Vienna", "between": ["14:00", "14:01"]}
    at_one = {"fact": "time.of_day", "time_zone": "Europe/Vienna", "between": ["13:00", "13:01"]}

    assert (holds(at_two), holds(at_one)) == (True, False)
    assert (holds(at_two, january), holds(at_one, january)) == (False, True)


def test_a_customers_location_is_compared_by_distance() -> None:
    near_vienna = {
        "fact": "location.distance_km",
        "from": {"lat": 48.2, "lon": 16.37},
        "less_than": 5,
    }

    assert holds(near_vienna)
    assert not holds(near_vienna, facts(location=BERLIN))
    assert not holds(near_vienna, facts(location=Location("AT", "Vienna")))


def test_waiting_and_rings_are_seen() -> None:
    waiting = facts(conversation=ConversationFacts(50, "workgroup-1", waited_s=61.5, ring=2))

    assert holds({"fact": "conversation.waited_s", "more_than": 60}, waiting)
    assert holds({"fact": "conversation.ring", "at_least": 2}, waiting)


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+$",
        r"(a|aa)+$",
        r"(a*)*b",
        r"(.*a){12}$",
        r"(\w+\s?)*[01]{20}$",
        "a?" * 100 + "a" * 100,
    ],
)
def test_a_pattern_that_others_never_finish_takes_a_moment(pattern: str) -> None:
    hostile = written("a" * 9_999 + "!")
    begun = time.perf_counter()

    holds({"fact": "post.text", "matches": pattern}, hostile)

    assert time.perf_counter() - begun < 1


def test_a_full_set_of_rules_takes_milliseconds() -> None:
    text = "word " * 56
    words = [f"w{n}x" for n in range(10)]
    leaves: list[dict[str, Any]] = [{"fact": "post.text", "contains_any": words}] * 2
    leaves += [{"fact": "author.followers", "at_least": 5}] * 60
    rules = rules_of(*(when({"all": leaves}, name=f"rule {n}") for n in range(100)))
    seen = written(text)
    begun = time.process_time()

    evaluate(rules, seen, ROUTING)

    assert time.process_time() - begun < 0.5


def test_only_the_first_ten_thousand_characters_are_looked_at() -> None:
    late = {"fact": "post.text", "contains_any": ["late"]}

    assert holds(late, written("x" * 9_995 + " late"))
    assert not holds(late, written("x" * 9_996 + " late"))
    assert holds({"fact": "post.text_length", "equals": 20_000}, written("x" * 20_000))


def test_the_author_may_be_verified_or_unknown() -> None:
    verified = {"fact": "author.verified", "equals": True}

    assert not holds(verified, facts(post=replace(POST, author=Author("u1"))))


def test_the_sample_is_what_it_says() -> None:
    assert FACTS.post is POST

"""Facts, rules and a second, naive reading of them, for the tests of routing rules."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from acd.rule_actions import Routing
from acd.rule_facts import (
    ConversationFacts,
    CustomerFacts,
    PostFacts,
    RoutingFacts,
    Trigger,
)
from acd.rule_reading import read_rules, rule_set
from acd.rules import RuleSet, Verdict, evaluate
from conversations.model import Author, Location, MediaType, Visibility

MONDAY_NOON_UTC = 1_750_075_200_000  # 2025-06-16T12:00:00Z
ROUTING = Routing("workgroup-1", 50)
VIENNA = Location("AT", "Vienna", 48.2082, 16.3738, "Wien")
GRAZ = Location("AT", "Graz", 47.0707, 15.4395)
BERLIN = Location("DE", "Berlin", 52.52, 13.405)
POST = PostFacts(
    text="My parcel is LATE again, order 4711!",
    visibility=Visibility.PUBLIC,
    author=Author("u1", handle="@parcelfan", followers=1_200, language="de-AT"),
    language="de",
    source_application="web",
)
FACTS = RoutingFacts(
    now=MONDAY_NOON_UTC,
    media_type=MediaType.SOCIAL_CONVERSATION,
    network="simulated",
    account_id="account-1",
    channel_id="channel-1",
    conversation=ConversationFacts(priority=50, workgroup_id="workgroup-1"),
    post=POST,
    customer=CustomerFacts(is_known=True, tags=frozenset({"VIP"})),
    location=VIENNA,
    is_open={"workgroup-1": True, "workgroup-2": False},
    places={"graz": GRAZ, "berlin": BERLIN},
)


def facts(**fields: Any) -> RoutingFacts:
    return replace(FACTS, **fields)


def written(text: str, **fields: Any) -> RoutingFacts:
    return facts(post=replace(POST, text=text, **fields))


def rules_of(*rules: dict[str, Any], trigger: Trigger = Trigger.ARRIVAL) -> RuleSet:
    return rule_set(list(rules), trigger, set_id="ru_1", version=3)


def when(condition: dict[str, Any], **rule: Any) -> dict[str, Any]:
    then = [{"action": "tag", "tags": ["hit"]}]
    return {"name": "rule", "when": condition, "then": then, **rule}


def holds(condition: dict[str, Any], seen: RoutingFacts = FACTS) -> bool:
    return bool(evaluate(rules_of(when(condition)), seen, ROUTING).fired)


def ask(*rules: dict[str, Any], seen: RoutingFacts = FACTS) -> Verdict:
    return evaluate(rules_of(*rules), seen, ROUTING)


def then(*actions: dict[str, Any], name: str = "rule", **rule: Any) -> dict[str, Any]:
    return {"name": name, "then": list(actions), **rule}


def faults(*rules: object, trigger: Trigger = Trigger.ARRIVAL) -> dict[str, str]:
    """Return each fault's reason by its place."""
    found = read_rules(list(rules), trigger, ("rules",)).faults
    return {"/".join(str(part) for part in fault.path): fault.reason for fault in found}


LEAVES: list[tuple[dict[str, Any], str]] = [
    ({"fact": "author.followers", "at_least": 1_000}, "followers"),
    ({"fact": "author.followers", "between": [10, 999]}, "followers"),
    ({"fact": "post.language", "one_of": ["de", "fr"]}, "language"),
    ({"fact": "post.text", "contains_any": ["late", "broken"]}, "text"),
    ({"fact": "customer.is_known", "equals": True}, "is_known"),
    ({"fact": "conversation.priority", "less_than": 40}, "priority"),
    ({"fact": "author.followers", "is_present": False}, "followers"),
]

trees: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.sampled_from([leaf for leaf, _ in LEAVES]),
    lambda below: st.one_of(
        st.builds(lambda c: {"all": c}, st.lists(below, min_size=1, max_size=4)),
        st.builds(lambda c: {"any": c}, st.lists(below, min_size=1, max_size=4)),
        st.builds(lambda c: {"not": c}, below),
    ),
    max_leaves=16,
)

worlds: st.SearchStrategy[RoutingFacts] = st.builds(
    lambda followers, language, text, is_known, priority: facts(
        post=replace(
            POST,
            text=text,
            language=language,
            author=Author("u1", followers=followers),
        ),
        customer=CustomerFacts(is_known=is_known),
        conversation=ConversationFacts(priority, "workgroup-1"),
    ),
    st.none() | st.integers(0, 2_000),
    st.sampled_from([None, "de", "de-CH", "en", "FR"]),
    st.sampled_from(["", "too late", "lately", "Broken!", "a late broken thing"]),
    st.booleans(),
    st.integers(0, 100),
)


def naive(tree: dict[str, Any], seen: RoutingFacts) -> bool:
    """Evaluate a tree as its documentation reads, without anything of the production code."""
    if "all" in tree:
        return all(naive(below, seen) for below in tree["all"])
    if "any" in tree:
        return any(naive(below, seen) for below in tree["any"])
    if "not" in tree:
        return not naive(tree["not"], seen)
    assert seen.post is not None
    followers, words = seen.post.author.followers, seen.post.text.lower().strip("!").split()
    language = (seen.post.language or "").lower().split("-")[0]
    answers = {
        "at_least": followers is not None and followers >= 1_000,
        "between": followers is not None and 10 <= followers <= 999,
        "one_of": language in {"de", "fr"},
        "contains_any": "late" in words or "broken" in words,
        "equals": seen.customer.is_known,
        "less_than": seen.conversation.priority < 40,
        "is_present": followers is None,
    }
    (operator,) = set(tree) - {"fact"}
    return answers[operator]


def depth_of(tree: dict[str, Any]) -> int:
    if "not" in tree:
        return 1 + depth_of(tree["not"])
    return 1 + max(
        (depth_of(below) for below in tree.get("all") or tree.get("any") or ()), default=0
    )


def size_of(tree: dict[str, Any]) -> int:
    if "not" in tree:
        return 1 + size_of(tree["not"])
    return 1 + sum(size_of(below) for below in tree.get("all") or tree.get("any") or ())

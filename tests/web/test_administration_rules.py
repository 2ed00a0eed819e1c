"""Routing rules in administration: mistakes at their node, trials, versions, a dry run."""

from typing import Any

from playwright.sync_api import expect

from acd.conditions import OPERATORS
from acd.rule_facts import FACTS
from acd.rule_reading import READ_ACTION
from tests.web.conftest import Administer
from tests.web.served import Served
from tests.web.test_administration import Json, channel, mistake_at, rules, save


def test_a_mistake_in_a_rule_stands_at_its_node(parley: Served, administer: Administer) -> None:
    made = rules(parley, {"all": [{"not": {"fact": "author.followers", "less_than": 10}}]})
    page = administer(parley, f"rules/{made['id']}")
    page.get_by_role("button", name="Add a comparison").click()
    node = page.locator(".node").last
    node.get_by_label("Comparison").select_option("matches")
    node.get_by_label("Value").fill("(((")
    page.get_by_label("By", exact=True).fill("300")
    save(page)

    expect(node.locator(".mistakes").first).to_contain_text("no pattern of RE2")
    mistake_at(page, "By", "100")
    node.get_by_label("Value").fill("refund")
    page.get_by_label("By", exact=True).fill("30")
    save(page)
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    kept = parley.call("GET", f"/rules/{made['id']}")["rules"][0]
    assert kept["when"]["all"][1] == {"fact": "post.text", "matches": "refund"}
    assert kept["then"] == [{"action": "raise_priority", "by": 30}]


def test_rules_are_tried_and_each_node_says_what_it_saw(
    parley: Served, administer: Administer
) -> None:
    made = channel(parley)
    angry = {"fact": "post.text", "contains_any": ["refund"]}
    known = {"fact": "author.followers", "at_least": 10_000}
    tried = rules(parley, {"all": [angry, {"any": [known]}]}, {"not": angry})
    page = administer(parley, f"rules/{tried['id']}")
    page.get_by_label("As if it came through").select_option(label=made["name"])
    page.get_by_label("What the post says").fill("I want a refund")
    page.get_by_label("Followers").fill("20000")
    page.get_by_role("button", name="Ask the rules").click()

    trace = page.get_by_role("region", name="What the rules saw")
    expect(trace.locator("li.so")).to_have_count(5)
    expect(trace.locator("li.not-so")).to_have_count(1)
    expect(trace).to_contain_text("saw 20000")
    expect(trace.locator(".facts")).to_contain_text("50 → 70")
    assert parley.call("GET", "/conversations")["items"] == []


def test_versions_show_what_differs(parley: Served, administer: Administer) -> None:
    made = rules(parley, {"fact": "author.verified", "equals": True})
    changed = [made["rules"][0] | {"then": [{"action": "tag", "tags": ["vip"]}]}]
    parley.call("PATCH", f"/rules/{made['id']}", {"rules": changed})
    page = administer(parley, f"rules/{made['id']}")

    difference = page.get_by_label("What differs")
    expect(difference.locator(".removed").filter(has_text="raise_priority")).to_have_count(1)
    expect(difference.locator(".added").filter(has_text="vip")).to_have_count(1)
    expect(difference.locator(".added").filter(has_text="author.verified")).to_have_count(0)


def test_a_dry_run_is_drawn_beside_what_happened(parley: Served, administer: Administer) -> None:
    made = rules(parley, {"fact": "author.verified", "equals": True})
    waits = {"answered": 8, "mean_ms": 40_000.0, "p50_ms": 30_000, "p95_ms": 1, "longest_ms": 2}
    actual = {"conversations": 10, "waits": waits, "service_level_percent": {}, "assignments": {}}
    actual |= {"missed": 3, "overflowed": 0, "unmatched": 2}
    answer = {"actual": actual, "simulated": actual | {"missed": 1}, "compared": 8}
    asked: list[Json] = []
    page = administer(parley, f"rules/{made['id']}")

    def simulate(route: Any) -> None:
        asked.append(route.request.post_data_json)
        route.fulfill(json=answer | {"changed_agent": 4})

    page.route("**/api/v1/simulations", simulate)
    page.get_by_label("By", exact=True).fill("55")
    page.get_by_role("button", name="Run it").click()
    result = page.get_by_role("region", name="What came out")
    expect(result).to_contain_text("Of 8 conversations picked up in both, 4 went to another agent.")
    expect(result.get_by_role("row", name="Offers missed")).to_have_text("Offers missed31")
    assert asked[0]["rule_set"]["rules"][0]["then"] == [{"action": "raise_priority", "by": 55}]


def test_the_lists_of_facts_operators_and_actions_are_those_of_the_rules(
    parley: Served, administer: Administer
) -> None:
    page = administer(parley)
    read = """() => import('/web/administration/rule_facts.js').then(
      ({ FACTS, OPERATORS, ACTIONS }) => [FACTS, OPERATORS, Object.keys(ACTIONS)])"""
    facts, operators, actions = page.evaluate(read)

    assert {name: told["type"] for name, told in facts.items()} == {
        name: fact.type.value for name, fact in FACTS.items()
    }
    for name, fact in FACTS.items():
        assert facts[name].get("argument") == (fact.argument.value if fact.argument else None)
        assert facts[name].get("choices", []) == list(fact.choices)
    assert {name: set(told) for name, told in operators.items()} == {
        kind.value: {one.value for one in known} for kind, known in OPERATORS.items()
    }
    assert actions == list(READ_ACTION)

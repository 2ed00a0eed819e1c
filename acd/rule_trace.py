"""The trace of routing rules as a decision record keeps it: bounded, plain, the same every time."""

from dataclasses import asdict
from typing import Any

from acd.conditions import Node
from acd.rule_actions import Routing
from acd.rule_facts import FACTS, Point
from acd.rule_texts import Keyword, Pattern
from acd.rules import RuleTrace, Verdict

LONGEST_SHOWN = 80
"""A record shows so much of a text: it explains, it is no second copy of what was written."""
MOST_SHOWN = 10
MOST_NODES_KEPT = 640
"""So many nodes a record keeps, those of ten full rules; of the rest it tells the results."""


def as_record(verdict: Verdict, before: Routing) -> dict[str, Any]:
    """Return the verdict as plain JSON; `before` is how the conversation came to the rules."""
    left = MOST_NODES_KEPT
    rules: list[dict[str, Any]] = []
    for rule in sorted(verdict.trace, key=lambda rule: not rule.fired):
        size = rule.condition.size if rule.condition else 0
        rules.append(_rule(rule, with_nodes=size <= left))
        left -= min(size, left)
    order = {rule.name: place for place, rule in enumerate(verdict.trace)}
    return {
        "kind": "rules",
        "trigger": verdict.trigger.value,
        "rule_set_id": verdict.rule_set_id,
        "rule_set_version": verdict.version,
        "fired": list(verdict.fired),
        "before": asdict(before),
        "after": asdict(verdict.routing),
        "rules": sorted(rules, key=lambda rule: order[rule["name"]]),
    }


def _rule(rule: RuleTrace, *, with_nodes: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"name": rule.name, "fired": rule.fired}
    if rule.condition is not None:
        told["when"] = node_record(rule.condition) if with_nodes else {"left_out": True}
    if rule.fired:
        told["done"] = [
            {name: value for name, value in asdict(done).items() if value is not None}
            for done in rule.done
        ]
    return told


def node_record(node: Node) -> dict[str, Any]:
    """Return one node: the result, and for a comparison what it saw."""
    if node.kind not in FACTS:
        below = [node_record(child) for child in node.children]
        return {node.kind: below[0] if node.kind == "not" else below, "result": node.result}
    told: dict[str, Any] = {"fact": node.kind, str(node.operator): _shown(node.operand)}
    if node.argument is not None:
        told[str(FACTS[node.kind].argument)] = _shown(node.argument)
    told["seen"] = _shown(node.seen)
    if node.is_missing:
        told["missing"] = True
    if node.matched:
        told["matched"] = _shown(node.matched)
    return {**told, "result": node.result}


def _shown(value: object) -> Any:  # noqa: ANN401 - any JSON
    match value:
        case bool() | int() | float() | None:
            return value
        case Point(lat, lon):
            return {"lat": lat, "lon": lon}
        case frozenset():
            return _shown(tuple(sorted(value)))
        case tuple():
            some = [_shown(one) for one in value[:MOST_SHOWN]]
            return some if len(value) <= MOST_SHOWN else [*some, f"… {len(value)} in all"]
        case _:
            return _shortened(value)


def _shortened(value: object) -> str:
    match value:
        case Keyword(word):
            text = word
        case Pattern(source):
            return source
        case _:
            text = str(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"

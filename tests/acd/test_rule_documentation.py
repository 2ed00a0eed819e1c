"""What rules know is what the documentation says that they know."""

import json
import re
from pathlib import Path

from acd.condition_reading import DEEPEST, MOST_NODES
from acd.conditions import Operator
from acd.rule_facts import FACTS, Trigger
from acd.rule_reading import MOST_ACTIONS, MOST_RULES, READ_ACTION, read_rules

TEXT = (Path(__file__).parents[2] / "docs" / "routing-rules.md").read_text()


def section(title: str) -> str:
    return re.split(r"^##+ ", TEXT.split(f"# {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def first_cells(title: str) -> set[str]:
    cells = re.findall(r"^\| (`.*?) \|", section(title), re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(\w+(?:\.\w+)?)`", cell)}


def test_every_fact_has_its_line_with_its_type() -> None:
    lines = dict(re.findall(r"^\| `([\w.]+)` \| ([\w ]+) \|", section("Facts"), re.MULTILINE))

    assert lines == {name: fact.type.replace("_", " ") for name, fact in FACTS.items()}


def test_every_operator_action_and_trigger_has_its_line() -> None:
    assert first_cells("Operators") == set(Operator)
    assert first_cells("Actions") == set(READ_ACTION)
    assert first_cells("Triggers") == set(Trigger)


def test_the_limits_are_those_of_the_code() -> None:
    limits = section("Limits")

    assert f"| {MOST_NODES}, {DEEPEST} |" in limits
    assert f"| {MOST_RULES}, 200 |" in limits
    assert f"| {MOST_ACTIONS} |" in limits


def test_the_example_can_be_read() -> None:
    (example,) = re.findall(r"```json\n(\{\"trigger\".*?)```", TEXT, re.DOTALL)
    body = json.loads(example)

    assert read_rules(body["rules"], Trigger(body["trigger"])).faults == ()

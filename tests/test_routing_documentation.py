"""What routing asks and compares is what the documentation says that it does."""

import json
import re
from pathlib import Path

from acd.eligibility import Reason
from acd.model import OrderKey, RoutingPolicy
from acd.order import ranked
from acd.utilization import Level
from api.agents import AgentBody
from api.channels import ChannelBody
from api.decisions import AgentToldOfShape, DecisionShape
from api.fields import Body, Shape
from api.shapes import ConversationShape
from api.stations import StationBody
from api.statuses import UtilizationShape
from api.workgroups import LARGEST_RING, RingBody, ScoreWeightsBody, WorkgroupBody
from conversations.model import OfferTimeoutAction
from storage.upkeep import DECISION_LIFE_MS
from tests.acd.samples import agent, waiting
from tests.markdown import ROOT, blocks

ROUTING = ROOT / "docs" / "routing.md"
API = ROOT / "docs" / "api.md"
MS_PER_DAY = 24 * 3_600_000


def section(title: str, document: Path = ROUTING) -> str:
    text = document.read_text().split(f"# {title}\n", 1)[1]
    return re.split(r"^##+ ", text, maxsplit=1, flags=re.MULTILINE)[0]


def first_cells(title: str) -> list[str]:
    return re.findall(r"^\| `(\w+)` \|", section(title), re.MULTILINE)


def test_every_reason_has_its_line_in_the_order_in_which_it_is_checked() -> None:
    assert first_cells("Who is eligible") == [reason.value for reason in Reason]


def test_every_key_of_the_agent_order_has_its_line_with_its_name_in_the_record() -> None:
    lines = re.findall(
        r"^\| `(\w+)` \| [^|]+ \| `(\w+)`", section("Which agent goes first"), re.MULTILINE
    )

    everything = RoutingPolicy("workgroup-1", 1, agent_order=tuple(OrderKey))
    names = ranked(waiting(), agent(), everything).order
    assert dict(lines) == dict(zip(OrderKey, names, strict=True))


def test_every_field_of_rings_offers_and_weights_has_its_line() -> None:
    assert first_cells("Rings") == list(RingBody.model_fields)
    assert set(first_cells("Offers")) <= set(WorkgroupBody.model_fields)
    assert all(f"`{action.value}`" in section("Offers") for action in OfferTimeoutAction)
    weights = ScoreWeightsBody().model_dump().items()
    told = ", ".join(f"{name} ({weight})" for name, weight in weights)
    assert f"`score_weights {{{told}}}`" in section("Which conversation goes first")


def test_every_outcome_of_a_decision_is_told() -> None:
    outcomes = AgentToldOfShape.model_json_schema()["properties"]["outcome"]["enum"]
    told = section("Why? Decision records")

    assert [outcome for outcome in outcomes if f"`{outcome}`" not in told] == []
    assert f"for {DECISION_LIFE_MS // MS_PER_DAY} days" in told


def test_the_limits_are_those_of_the_code() -> None:
    assert f"| rings of a workgroup | {LARGEST_RING};" in section("Limits")


def test_the_examples_are_bodies_that_are_taken() -> None:
    workgroup, of_agent, utilization = blocks(ROUTING, "json")

    assert len(WorkgroupBody.model_validate_json(workgroup).rings) > 1
    assert AgentBody.model_validate(
        {"username": "a", "name": "A", **json.loads(of_agent)}
    ).utilization
    levels = UtilizationShape.model_validate_json(utilization).media_types.values()
    assert {told.level for each in levels for told in each.levels} == {Level.WORKGROUP, Level.AGENT}


def test_the_api_documentation_names_every_field_of_what_is_set_up() -> None:
    rows = dict(re.findall(r"^\| `/(\w+)` \| (.+) \|$", section("Set-up", API), re.MULTILINE))

    bodies: dict[str, type[Body]] = {
        "workgroups": WorkgroupBody,
        "agents": AgentBody,
        "channels": ChannelBody,
        "stations": StationBody,
    }
    for resource, body in bodies.items():
        missing = [
            name for name in body.model_fields if not re.search(rf"\b{name}\b", rows[resource])
        ]
        assert missing == []


def test_the_api_documentation_names_every_field_of_conversations_and_decisions() -> None:
    shapes: dict[str, type[Shape]] = {
        "Conversations": ConversationShape,
        "Decision records": DecisionShape,
    }

    for title, shape in shapes.items():
        assert set(shape.model_fields) <= set(re.findall(r"\w+", section(title, API)))

"""Decision records to look at: why a conversation went to whom, and what it meant for an agent."""

from typing import Annotated, Any, Literal

from fastapi import Query
from sqlalchemy import Connection

from acd.order import Ranked
from api.auth import Caller
from api.context import ContextOf
from api.fields import Shape, Stamp, rfc3339
from api.listing import Asked, Listing, listing
from api.routes import READS_ONE, new_router
from api.sight import require_visible
from storage import explaining, reading, rule_records

router = new_router("conversations")


class RankedShape(Shape):
    """An agent with the values that placed him; the smallest go first, key by key."""

    agent_id: str
    order: dict[str, Any]


class AgentToldOfShape(Shape):
    """What the decision meant for one agent, by evaluating it again."""

    agent_id: str
    outcome: Literal[
        "chosen",
        "also_offered",
        "waited_for",
        "runner_up",
        "further_back",
        "not_eligible",
        "not_there",
    ]
    reasons: list[str]
    order: dict[str, Any] | None


class EvaluatedShape(Shape):
    """Whether the decision, evaluated again, comes out as it was recorded, byte for byte."""

    is_reproduced: bool
    agent: AgentToldOfShape | None


class DecisionShape(Shape):
    """Why a conversation was offered to whom or to nobody, or what routing rules said of it.

    Of kind `named` a human gave it to an agent. Of kind `rules` it has `rules`
    (docs/routing-rules.md), and nothing of a match. `evaluated` is there when it was asked for
    and what the decision was made from is still kept.
    """

    id: str
    kind: Literal["match", "named", "rules"]
    at: Stamp
    conversation_id: str
    workgroup_id: str
    offer_id: str | None
    agent_id: str | None
    policy_version: int | None
    ring: int | None
    score: float | None
    candidates: int | None
    filtered: dict[str, int] | None
    chosen: RankedShape | None
    also_offered: list[RankedShape]
    runners_up: list[RankedShape]
    waits_for_agent_id: str | None
    rules: dict[str, Any] | None
    evaluated: EvaluatedShape | None


Evaluate = Annotated[bool, Query(description="Evaluate each decision again and compare")]
AgentAskedFor = Annotated[
    str | None, Query(max_length=64, description="Tell what each decision meant for this agent")
]


@router.get(
    "/conversations/{conversation_id}/decisions",
    response_model=Listing[DecisionShape],
    responses=READS_ONE,
)
async def list_decisions(  # noqa: PLR0917 - one parameter a query parameter
    conversation_id: str,
    context: ContextOf,
    caller: Caller,
    window: Asked,
    evaluate: Evaluate = False,  # noqa: FBT002 - a query parameter is named by its caller
    agent_id: AgentAskedFor = None,
) -> dict[str, Any]:
    """Read why the conversation was offered to whom, or why it found nobody."""

    def read(connection: Connection) -> dict[str, Any]:
        require_visible(connection, caller, conversation_id)
        page = reading.decisions(connection, conversation_id, window)
        shapes = []
        for row in page.rows:
            shape = decision_shape(dict(row))
            if evaluate or agent_id is not None:
                shape["evaluated"] = evaluated_shape(connection, row["record"], agent_id)
            shapes.append(shape)
        return listing(shapes, page.next)

    return await context.database.read(read)


def evaluated_shape(
    connection: Connection, record: dict[str, Any], agent_id: str | None
) -> dict[str, Any] | None:
    if record.get("kind") == "rules":
        is_reproduced = rule_records.is_reproduced(connection, record)
        return None if is_reproduced is None else {"is_reproduced": is_reproduced, "agent": None}
    evaluated = explaining.evaluate(connection, record)
    if evaluated is None:
        return None
    agent = None
    if agent_id is not None:
        told = evaluated.tell_of(agent_id)
        agent = {
            "agent_id": told.agent_id,
            "outcome": told.outcome,
            "reasons": list(told.reasons),
            "order": _order(told.placed),
        }
    return {"is_reproduced": explaining.is_reproduced(record, evaluated), "agent": agent}


def _order(placed: Ranked | None) -> dict[str, float] | None:
    return placed.order if placed else None


def _kind(record: dict[str, Any]) -> str:
    if record.get("kind") == "rules":
        return "rules"
    is_named = "input" in record and record["input"] is None
    return "named" if is_named else "match"


def decision_shape(row: dict[str, Any]) -> dict[str, Any]:
    record = row["record"]
    is_about_rules = record.get("kind") == "rules"
    kept = ("policy_version", "ring", "score", "candidates", "filtered", "chosen")
    return {
        **{name: row[name] for name in ("id", "conversation_id", "offer_id", "agent_id")},
        **{name: record.get(name) for name in (*kept, "waits_for_agent_id")},
        "kind": _kind(record),
        "at": rfc3339(row["at"]),
        "workgroup_id": record["after"]["workgroup_id"]
        if is_about_rules
        else record["workgroup_id"],
        "runners_up": record.get("runners_up", []),
        "also_offered": record.get("also_offered", []),
        "rules": record if is_about_rules else None,
        "evaluated": None,
    }

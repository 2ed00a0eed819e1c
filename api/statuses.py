"""Agents at work: on queue and off, heartbeats, and how full they are."""

from typing import Annotated, Any

from fastapi import Response
from pydantic import Field, model_validator
from sqlalchemy import Connection

from acd.utilization import Level
from api.agents import AgentShape, meant, shape
from api.auth import Caller
from api.context import ContextOf
from api.doorkeeper import Principal
from api.errors import Problem, not_found
from api.fields import Body, Id, Moment, Shape
from api.policy import Role
from api.routes import CHANGES, READS_ONE, new_router
from api.setup import found, with_etag
from conversations.errors import AgentNotEligible
from conversations.model import MediaType, RoutingStatus
from storage import agent_utilization, agents, presence, statuses
from storage.journal import Aftermath

router = new_router("agents")


class StatusBody(Body):
    """`station_id`: where the agent logs in; `sign_off_at`: when nothing new comes any more."""

    routing_status: Annotated[RoutingStatus, Field(strict=False)] | None = None
    reason: Annotated[str, Field(max_length=200)] | None = None
    station_id: Id | None = None
    sign_off_at: Moment | None = None

    @model_validator(mode="after")
    def _say_something(self) -> "StatusBody":
        if self.routing_status is None and "sign_off_at" not in self.model_fields_set:
            raise ValueError("routing_status or sign_off_at is needed")
        if self.station_id is not None and self.routing_status is not RoutingStatus.ON_QUEUE:
            raise ValueError("a station is where an agent comes on_queue")
        return self


class LevelShape(Shape):
    """What one conversation takes; `workgroup_id` null: in every workgroup."""

    level: Level
    workgroup_id: str | None
    percent: int
    max: int | None


class MediaTypeUtilizationShape(Shape):
    conversations: int
    has_right: bool
    levels: list[LevelShape]


class UtilizationShape(Shape):
    agent_id: str
    utilization_percent: int
    override_percent: int
    media_types: dict[MediaType, MediaTypeUtilizationShape]


@router.put("/agents/{agent_id}/status", response_model=AgentShape, responses=CHANGES)
async def set_status(
    agent_id: str, body: StatusBody, context: ContextOf, caller: Caller
) -> Response:
    """Go on queue or off, at a station or without; a supervisor may set anybody's status."""
    wanted = meant(agent_id, caller)
    _require_right(caller, wanted, body.routing_status)

    def change(connection: Connection) -> tuple[dict[str, Any], Aftermath]:
        _require_agents_right(connection, wanted, body.routing_status)
        aftermath = _status_set(connection, wanted, body, caller)
        if "sign_off_at" in body.model_fields_set:
            scheduled = statuses.schedule_sign_off(connection, wanted, body.sign_off_at)
            aftermath |= scheduled.aftermath
        return shape(connection, wanted), aftermath

    shown, aftermath = await context.database.write(change)
    context.following.follow_later(aftermath)
    return with_etag(shown)


def _status_set(
    connection: Connection, agent_id: str, body: StatusBody, caller: Principal
) -> Aftermath:
    """Set the status, if one is named; to be sent off by a supervisor is no sign of life."""
    status = body.routing_status
    if status is None:
        return Aftermath()
    outcome = statuses.set_status(
        connection,
        agent_id,
        status,
        body.reason,
        station_id=body.station_id,
        is_sign_of_life=caller.agent_id == agent_id or status is RoutingStatus.ON_QUEUE,
    )
    return outcome.aftermath


def _require_right(caller: Principal, agent_id: str, status: RoutingStatus | None) -> None:
    if status is RoutingStatus.NOT_RESPONDING:
        detail = "not_responding is set by the system alone"
        raise Problem(422, "not_for_callers", detail)
    if caller.is_supervisor:
        return
    if caller.agent_id != agent_id or status is RoutingStatus.DRAINING:
        raise Problem(403, "forbidden", "only a supervisor may set this status")


def _require_agents_right(
    connection: Connection, agent_id: str, status: RoutingStatus | None
) -> None:
    """Refuse to put somebody on queue who has not the right to converse."""
    row = found(agents.get(connection, agent_id), "agent", agent_id)
    if status is RoutingStatus.ON_QUEUE and Role.AGENT not in row["roles"]:
        raise AgentNotEligible(agent_id, "lacks the role agent")


@router.post("/agents/{agent_id}/heartbeat", status_code=204, responses=READS_ONE)
async def heartbeat(agent_id: str, context: ContextOf, caller: Caller) -> None:
    """Stay present for another 60 s."""
    wanted = meant(agent_id, caller)
    if wanted != caller.agent_id:
        raise Problem(403, "forbidden", "an agent's heart beats for itself alone")
    aftermath = await context.database.write(lambda k: presence.heartbeat(k, wanted))
    context.following.follow_later(aftermath)


@router.get("/agents/{agent_id}/utilization", response_model=UtilizationShape, responses=READS_ONE)
async def get_utilization(agent_id: str, context: ContextOf, caller: Caller) -> dict[str, Any]:
    """Say how full an agent is, and which level says what one more would take."""
    wanted = meant(agent_id, caller)
    read = await context.database.read(lambda k: agent_utilization.read(k, wanted))
    if read is None:
        raise not_found("agent", wanted)
    return {
        "agent_id": wanted,
        "utilization_percent": read.agent.load_percent,
        "override_percent": read.override_percent,
        "media_types": {
            media_type.value: {
                "conversations": read.carried[media_type],
                "has_right": media_type in read.agent.may_get,
                "levels": [
                    {
                        "level": each.level,
                        "workgroup_id": each.workgroup_id,
                        "percent": each.utilization.percent,
                        "max": each.utilization.max_count,
                    }
                    for each in levels
                ],
            }
            for media_type, levels in read.levels.items()
        },
    }

"""Workgroups and their members."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from fastapi import Response
from pydantic import Field, model_validator
from sqlalchemy import Connection, RowMapping

from acd.model import DEFAULT_AGENT_ORDER, OrderKey
from api.context import Context, ContextOf
from api.errors import not_found
from api.fields import (
    Body,
    Id,
    Name,
    PlaceBody,
    RequiredSkillBody,
    Seconds,
    SkillName,
    Stamp,
    UtilizationBody,
    Weight,
    WrapUpCode,
    plain,
    rfc3339,
)
from api.hours import BusinessHoursBody, OverflowBody, ServiceLevelBody
from api.idempotency import Answer, Carried
from api.listing import Asked, Listing, listing
from api.routes import CHANGES, CREATES, DELETES, READS, READS_ONE, new_router
from api.setup import IfMatch, Patch, found, merge_patch_of, patched, require_version, with_etag
from conversations.model import MediaType, OfferTimeoutAction, WrapUpMode
from storage import workgroups
from storage.journal import Aftermath

router = new_router("workgroups")

DEFAULT_WEIGHT = UtilizationBody(percent=25)
AgentOrder = Annotated[
    list[Annotated[OrderKey, Field(strict=False)]], Field(min_length=1, max_length=len(OrderKey))
]
LARGEST_RING = 6


class RingBody(Body):
    """How the circle widens: after so many seconds in the queue, or at once if nobody is there."""

    after_s: Annotated[int, Field(ge=0, le=86_400)]
    workgroups: Annotated[list[Id], Field(max_length=50)] = []
    drop_skills: Annotated[list[SkillName], Field(max_length=50)] = []
    lower_skills: Annotated[list[RequiredSkillBody], Field(max_length=50)] = []
    at_once_if_nobody: bool = False


class ScoreWeightsBody(Body):
    """What a point of each is worth in a conversation's score."""

    skill: Weight = 0
    priority: Weight = 1
    time_in_queue: Weight = 1
    time_in_system: Weight = 0


class WrapUpBody(Body):
    mode: Annotated[WrapUpMode, Field(strict=False)] = WrapUpMode.NONE
    timeout_s: Seconds | None = None
    codes: Annotated[list[WrapUpCode], Field(max_length=200)] = []
    only_offered: Annotated[
        bool, Field(description="Whether `codes` and the dispositions offered here are all")
    ] = False

    @model_validator(mode="after")
    def _have_a_time(self) -> "WrapUpBody":
        if self.mode is WrapUpMode.TIMEBOXED and self.timeout_s is None:
            raise ValueError("mode timeboxed needs timeout_s")
        return self


UtilizationLevels = dict[Annotated[MediaType, Field(strict=False)], UtilizationBody]


class WorkgroupBody(Body):
    """A workgroup as it is created."""

    name: Name
    service_level: ServiceLevelBody = ServiceLevelBody()
    offer_timeout_s: Annotated[int, Field(ge=1, le=3_600)] = 20
    decline_backoff_s: Annotated[int, Field(ge=0, le=3_600)] = 10
    utilization: UtilizationLevels = dict.fromkeys(MediaType, DEFAULT_WEIGHT)
    wrap_up: WrapUpBody = WrapUpBody()
    required_skills: Annotated[list[RequiredSkillBody], Field(max_length=50)] = []
    preferred_agent_wait_s: Annotated[int, Field(ge=0, le=3_600)] = 10
    agent_order: AgentOrder = Field(default_factory=lambda: list(DEFAULT_AGENT_ORDER))
    preferred_skills: Annotated[list[RequiredSkillBody], Field(max_length=50)] = []
    rings: Annotated[list[RingBody], Field(max_length=LARGEST_RING)] = []
    score_weights: ScoreWeightsBody = ScoreWeightsBody()
    strict_priority: bool = False
    auto_accept: bool = False
    age_on_transfer: Annotated[
        Literal["keep", "restart"],
        Field(description="Whether who comes by a transfer keeps the time waited before"),
    ] = "keep"
    offers_at_once: Annotated[int, Field(ge=1, le=50)] = 1
    offer_timeout_action: Annotated[OfferTimeoutAction, Field(strict=False)] = (
        OfferTimeoutAction.NOT_RESPONDING
    )
    undo_window_s: Annotated[
        int, Field(ge=0, le=60, description="So long a reply waits for second thoughts")
    ] = 0
    business_hours: BusinessHoursBody | None = None
    overflow: OverflowBody | None = None
    location: PlaceBody | None = None

    @model_validator(mode="after")
    def _not_contradict_itself(self) -> "WorkgroupBody":
        for reason in contradictions(self):
            raise ValueError(reason)
        return self


def contradictions(body: WorkgroupBody) -> Iterator[str]:
    """Say what in a workgroup's settings cannot be meant."""
    if len(set(body.agent_order)) != len(body.agent_order):
        yield "agent_order names a key twice"
    weights = body.score_weights
    if not (weights.time_in_queue or weights.time_in_system):
        yield "score_weights need a time that counts, or whoever has low priority waits for ever"
    if body.auto_accept and body.offers_at_once > 1:
        yield "auto_accept connects one agent: offers_at_once must be 1"
    yield from _contradictions_of_rings(body.rings)


def _contradictions_of_rings(rings: list[RingBody]) -> Iterator[str]:
    moments = [ring.after_s for ring in rings]
    if moments != sorted(moments):
        yield "rings open one after the other: after_s must not fall"
    added = [workgroup for ring in rings for workgroup in ring.workgroups]
    if len(set(added)) != len(added):
        yield "rings add up: a workgroup is named by one ring only"
    for ring in rings:
        if not (ring.workgroups or ring.drop_skills or ring.lower_skills):
            yield "a ring adds workgroups, drops skills or lowers them"
        if set(ring.drop_skills) & {lower.skill for lower in ring.lower_skills}:
            yield "a ring either drops a skill or lowers it"


class Workgroup(WorkgroupBody):
    id: Id
    version: int
    created_at: Stamp


def values_of(body: WorkgroupBody) -> dict[str, Any]:
    return {name: plain(body)[name] for name in WorkgroupBody.model_fields}


def body_of(row: RowMapping) -> dict[str, Any]:
    return {name: row[name] for name in WorkgroupBody.model_fields}


def shape(row: RowMapping) -> dict[str, Any]:
    created_at = rfc3339(row["created_at"])
    return {"id": row["id"], **body_of(row), "version": row["version"], "created_at": created_at}


@router.post("/workgroups", status_code=201, response_model=Workgroup, responses=CREATES)
async def create_workgroup(body: WorkgroupBody, once: Carried) -> Response:
    """Create a workgroup."""

    def create(connection: Connection) -> Answer:
        workgroup_id = workgroups.create(connection, values_of(body))
        return Answer(201, shape(found(workgroups.get(connection, workgroup_id), "workgroup", "")))

    return await once.run(create)


@router.get("/workgroups", response_model=Listing[Workgroup], responses=READS)
async def list_workgroups(context: ContextOf, window: Asked) -> dict[str, Any]:
    """List workgroups by creation."""
    page = await context.database.read(lambda k: workgroups.listed(k, window))
    return listing([shape(row) for row in page.rows], page.next)


@router.get("/workgroups/{workgroup_id}", response_model=Workgroup, responses=READS_ONE)
async def get_workgroup(workgroup_id: str, context: ContextOf) -> Response:
    """Read a workgroup; its version is the `ETag`."""
    row = await context.database.read(lambda k: workgroups.get(k, workgroup_id))
    return with_etag(shape(found(row, "workgroup", workgroup_id)))


@router.patch(
    "/workgroups/{workgroup_id}",
    response_model=Workgroup,
    responses=CHANGES,
    openapi_extra=merge_patch_of(WorkgroupBody),
)
async def change_workgroup(
    workgroup_id: str, patch: Patch, context: ContextOf, if_match: IfMatch = None
) -> Response:
    """Change a workgroup; effective at once."""

    def change(connection: Connection) -> dict[str, Any]:
        row = found(workgroups.lock(connection, workgroup_id), "workgroup", workgroup_id)
        require_version(row, if_match)
        body = patched(WorkgroupBody, body_of(row), patch)
        workgroups.change(connection, row, values_of(body))
        return shape(found(workgroups.get(connection, workgroup_id), "workgroup", workgroup_id))

    changed = await context.database.write(change)
    await context.following.follow(Aftermath(asks=frozenset({workgroup_id})))
    return with_etag(changed)


@router.delete("/workgroups/{workgroup_id}", status_code=204, responses=DELETES)
async def delete_workgroup(workgroup_id: str, context: ContextOf) -> None:
    """Delete a workgroup that nothing refers to."""

    def remove(connection: Connection) -> None:
        found(workgroups.lock(connection, workgroup_id), "workgroup", workgroup_id)
        workgroups.remove(connection, workgroup_id)

    await context.database.write(remove)


@router.put("/workgroups/{workgroup_id}/members/{agent_id}", status_code=204, responses=READS_ONE)
async def add_member(workgroup_id: str, agent_id: str, context: ContextOf) -> None:
    """Make an agent a member; one who is a member stays one."""
    theirs = await context.database.write(
        lambda k: workgroups.add_member(k, workgroup_id, agent_id)
    )
    if theirs is None:
        raise not_found("workgroup or agent", f"{workgroup_id}, {agent_id}")
    await _after_membership(context, theirs)


@router.delete(
    "/workgroups/{workgroup_id}/members/{agent_id}", status_code=204, responses=READS_ONE
)
async def remove_member(workgroup_id: str, agent_id: str, context: ContextOf) -> None:
    """End a membership; conversations that the agent has stay with the agent."""
    left = await context.database.write(
        lambda k: workgroups.remove_member(k, workgroup_id, agent_id)
    )
    if left is None:
        raise not_found("membership", f"{workgroup_id}, {agent_id}")
    await _after_membership(context, left)


async def _after_membership(context: Context, workgroup_ids: frozenset[str]) -> None:
    context.feed.rights_changed()
    await context.following.follow(Aftermath(asks=workgroup_ids))

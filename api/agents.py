"""Agents: set up by an administrator, on queue by themselves."""

from typing import Annotated, Any, Literal

from fastapi import Response
from pydantic import Field
from sqlalchemy import Connection, RowMapping

from acd.licences import LicenceKind
from api.auth import Caller
from api.context import ContextOf
from api.doorkeeper import Principal
from api.errors import not_found
from api.fields import (
    Body,
    Id,
    Name,
    PlaceBody,
    Proficiency,
    Shape,
    SkillName,
    Stamp,
    maybe_rfc3339,
    plain,
    rfc3339,
)
from api.idempotency import Answer, Carried
from api.listing import Asked, Listing, listing
from api.policy import Role
from api.routes import CHANGES, COMMANDS, CREATES, DELETES, READS, READS_ONE, new_router
from api.setup import IfMatch, Patch, found, merge_patch_of, patched, require_version, with_etag
from api.workgroups import UtilizationLevels
from conversations.model import ConversationState, MediaType
from storage import agents, principals, sessions, workgroups
from storage.journal import Aftermath

router = new_router("agents")

ME = "me"
Username = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^\S+$")]


class SkillBody(Body):
    skill: SkillName
    proficiency: Proficiency = 100


MediaTypes = Annotated[
    list[Annotated[MediaType, Field(strict=False)]],
    Field(max_length=len(MediaType), description="What the agent has the right to get"),
]


AssignedRole = Literal[Role.ADMIN, Role.SUPERVISOR, Role.AGENT, Role.INTEGRATOR]


class AgentBody(Body):
    """An agent as it is created."""

    username: Username
    name: Name
    skills: Annotated[list[SkillBody], Field(max_length=100)] = []
    workgroups: Annotated[list[Id], Field(max_length=200)] = []
    licensed: bool = True
    enabled: Annotated[bool, Field(description="False: gets nothing, and no key opens")] = True
    roles: Annotated[list[AssignedRole], Field(max_length=4)] = [Role.AGENT]
    utilization: UtilizationLevels = {}
    location: Annotated[str, Field(max_length=200)] | None = None
    place: PlaceBody | None = None
    media_types: MediaTypes = list(MediaType)
    presence_lease: bool = True


class AgentShape(Shape):
    id: str
    username: str
    name: str
    routing_status: str
    reason: str | None
    since: Stamp
    utilization_percent: int
    conversations: dict[str, int]
    skills: list[SkillBody]
    workgroups: list[str]
    licensed: bool
    enabled: bool
    roles: list[str]
    utilization: dict[str, Any]
    location: str | None
    place: PlaceBody | None
    media_types: list[MediaType]
    presence_lease: bool
    station_id: str | None
    held_licence: LicenceKind | None
    sign_off_at: Stamp | None
    override_percent: int
    version: int
    created_at: Stamp


class KeyShape(Shape):
    id: str
    key: str


SAME_NAMES = (
    "username",
    "name",
    "licensed",
    "enabled",
    "roles",
    "location",
    "place",
    "media_types",
    "presence_lease",
)
STATE_NAMES = (
    "id",
    "routing_status",
    "reason",
    "station_id",
    "held_licence",
    "override_percent",
    "version",
)


def values_of(body: AgentBody) -> dict[str, Any]:
    """Return a body as the row's values; memberships are rows of their own."""
    said = plain(body)
    return {
        **{name: said[name] for name in SAME_NAMES},
        "skills": {one["skill"]: one["proficiency"] for one in said["skills"]},
        "own_utilization": said["utilization"],
    }


def body_of(row: RowMapping, workgroup_ids: list[str]) -> dict[str, Any]:
    """Return what a creation would have said."""
    return {
        **{name: row[name] for name in SAME_NAMES},
        "skills": [{"skill": s, "proficiency": p} for s, p in sorted(row["skills"].items())],
        "workgroups": workgroup_ids,
        "utilization": row["own_utilization"],
    }


def shapes(connection: Connection, rows: list[RowMapping]) -> list[dict[str, Any]]:
    """Return agents as everybody sees them, with what they have at hand."""
    ids = [row["id"] for row in rows]
    memberships = workgroups.of_agents(connection, ids)
    counts = agents.conversation_counts(connection, ids)
    nothing = dict.fromkeys(AT_HAND, 0)
    return [
        {
            **body_of(row, memberships[row["id"]]),
            **{name: row[name] for name in STATE_NAMES},
            "sign_off_at": maybe_rfc3339(row["sign_off_at"]),
            "since": rfc3339(row["since"]),
            "created_at": rfc3339(row["created_at"]),
            "utilization_percent": row["utilization"],
            "conversations": nothing | counts.get(row["id"], {}),
        }
        for row in rows
    ]


AT_HAND = tuple(
    state.value
    for state in (
        ConversationState.ALERTING,
        ConversationState.CONNECTED,
        ConversationState.HELD,
        ConversationState.PARKED,
        ConversationState.WRAPUP,
    )
)


def shape(connection: Connection, agent_id: str) -> dict[str, Any]:
    """Return one agent.

    Raises:
        Problem: 404, there is none.
    """
    return shapes(connection, [found(agents.get(connection, agent_id), "agent", agent_id)])[0]


def meant(agent_id: str, caller: Principal) -> str:
    """Return whom a path means: `me` is the caller's own agent."""
    if agent_id != ME:
        return agent_id
    if caller.agent_id is None:
        raise not_found("agent", "of this key")
    return caller.agent_id


@router.post("/agents", status_code=201, response_model=AgentShape, responses=CREATES)
async def create_agent(body: AgentBody, once: Carried, context: ContextOf) -> Response:
    """Create an agent; keys are made apart."""

    def create(connection: Connection) -> Answer:
        agent_id = agents.create(connection, values_of(body), body.workgroups)
        return Answer(201, shape(connection, agent_id))

    answered = await once.run(create)
    context.doorkeeper.forget()
    return answered


@router.get("/agents", response_model=Listing[AgentShape], responses=READS)
async def list_agents(context: ContextOf, window: Asked) -> dict[str, Any]:
    """List agents by creation."""

    def read(connection: Connection) -> dict[str, Any]:
        page = agents.listed(connection, window)
        return listing(shapes(connection, page.rows), page.next)

    return await context.database.read(read)


@router.get("/agents/{agent_id}", response_model=AgentShape, responses=READS_ONE)
async def get_agent(agent_id: str, context: ContextOf, caller: Caller) -> Response:
    """Read an agent; `me` is the caller's own."""
    wanted = meant(agent_id, caller)
    return with_etag(await context.database.read(lambda k: shape(k, wanted)))


@router.patch(
    "/agents/{agent_id}",
    response_model=AgentShape,
    responses=CHANGES,
    openapi_extra=merge_patch_of(AgentBody),
)
async def change_agent(
    agent_id: str, patch: Patch, context: ContextOf, if_match: IfMatch = None
) -> Response:
    """Change an agent; effective at once."""

    def change(connection: Connection) -> tuple[dict[str, Any], list[str]]:
        row = found(agents.lock(connection, agent_id), "agent", agent_id)
        require_version(row, if_match)
        theirs = workgroups.of_agents(connection, [agent_id])[agent_id]
        body = patched(AgentBody, body_of(row, theirs), patch)
        asks = agents.change(connection, row, values_of(body), body.workgroups)
        if not body.enabled:  # who is let in again some day signs in again
            sessions.end_all_of_agent(connection, agent_id)
        return shape(connection, agent_id), asks

    changed, asks = await context.database.write(change)
    context.rights_changed()
    await context.following.follow(Aftermath(asks=frozenset(asks)))
    return with_etag(changed)


@router.delete("/agents/{agent_id}", status_code=204, responses=DELETES)
async def delete_agent(agent_id: str, context: ContextOf) -> None:
    """Delete an agent who never worked; one who did can be disabled."""

    def remove(connection: Connection) -> None:
        found(agents.lock(connection, agent_id), "agent", agent_id)
        agents.remove(connection, agent_id)

    await context.database.write(remove)
    context.rights_changed()


@router.post(
    "/agents/{agent_id}/keys", status_code=201, response_model=KeyShape, responses=COMMANDS
)
async def create_key(agent_id: str, once: Carried) -> Response:
    """Make a key that acts as the agent; it is shown this once."""

    def make(connection: Connection) -> Answer:
        principal_id = principals.of_agent(connection, agent_id)
        if principal_id is None:
            raise not_found("agent", agent_id)
        key_id, key = principals.add_key(connection, principal_id)
        return Answer(201, {"id": key_id, "key": key}, is_secret=True)

    return await once.run(make)


@router.delete("/keys/{key_id}", status_code=204, responses=DELETES)
async def delete_key(key_id: str, context: ContextOf) -> None:
    """Revoke a key; what it opened closes."""
    if not await context.database.write(lambda k: principals.remove_key(k, key_id)):
        raise not_found("key", key_id)
    context.rights_changed()

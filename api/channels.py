"""Channels: what is listened to, and which workgroup gets it."""

from typing import Annotated, Any

from fastapi import Response
from pydantic import Field
from sqlalchemy import Connection, RowMapping

from api.context import ContextOf
from api.fields import Body, Id, Name, RequiredSkillBody, Shape, Stamp, plain, rfc3339
from api.idempotency import Answer, Carried
from api.listing import Asked, Listing, listing
from api.routes import CHANGES, CREATES, DELETES, READS, READS_ONE, new_router
from api.setup import IfMatch, Patch, found, merge_patch_of, patched, require_version, with_etag
from conversations.model import Threading
from storage import channels, skills

router = new_router("channels")

Term = Annotated[str, Field(min_length=1, max_length=200)]


class ChannelBody(Body):
    """A channel as it is created; its account and threading never change."""

    name: Name
    account_id: Id
    workgroup_id: Id
    handles: Annotated[list[Term], Field(max_length=200)] = []
    keywords: Annotated[list[Term], Field(max_length=200)] = []
    poll_interval_ms: Annotated[int, Field(ge=100, le=3_600_000)] = 5_000
    post_limit: Annotated[int, Field(ge=1, le=500)] = 100
    threading: Annotated[Threading, Field(strict=False)] = Threading.CUSTOMER
    affinity_window_s: Annotated[int, Field(ge=1, le=31_536_000)] = 3_600
    priority: Annotated[int, Field(ge=0, le=1_000)] = 50
    required_skills: Annotated[list[RequiredSkillBody], Field(max_length=50)] = []
    preferred_skills: Annotated[list[RequiredSkillBody], Field(max_length=50)] = []
    enabled: bool = True


class ChannelShape(Shape):
    id: str
    name: str
    account_id: str
    workgroup_id: str
    handles: list[str]
    keywords: list[str]
    poll_interval_ms: int
    post_limit: int
    threading: str
    affinity_window_s: int
    priority: int
    required_skills: list[RequiredSkillBody]
    preferred_skills: list[RequiredSkillBody]
    enabled: bool
    health: str
    health_detail: str | None
    version: int
    created_at: Stamp


def body_of(row: RowMapping) -> dict[str, Any]:
    return {name: row[name] for name in ChannelBody.model_fields}


def shape(row: RowMapping) -> dict[str, Any]:
    kept = ("id", "health", "health_detail", "version")
    return {
        **body_of(row),
        **{name: row[name] for name in kept},
        "created_at": rfc3339(row["created_at"]),
    }


@router.post("/channels", status_code=201, response_model=ChannelShape, responses=CREATES)
async def create_channel(body: ChannelBody, once: Carried) -> Response:
    """Create a channel."""

    def create(connection: Connection) -> Answer:
        channel_id = channels.create(connection, plain(body))
        return Answer(201, shape(found(channels.get(connection, channel_id), "channel", "")))

    return await once.run(create)


@router.get("/channels", response_model=Listing[ChannelShape], responses=READS)
async def list_channels(context: ContextOf, window: Asked) -> dict[str, Any]:
    """List channels by creation."""
    page = await context.database.read(lambda k: channels.listed(k, window))
    return listing([shape(row) for row in page.rows], page.next)


@router.get("/channels/{channel_id}", response_model=ChannelShape, responses=READS_ONE)
async def get_channel(channel_id: str, context: ContextOf) -> Response:
    """Read a channel and its health."""
    row = await context.database.read(lambda k: channels.get(k, channel_id))
    return with_etag(shape(found(row, "channel", channel_id)))


@router.patch(
    "/channels/{channel_id}",
    response_model=ChannelShape,
    responses=CHANGES,
    openapi_extra=merge_patch_of(ChannelBody),
)
async def change_channel(
    channel_id: str, patch: Patch, context: ContextOf, if_match: IfMatch = None
) -> Response:
    """Change a channel; effective at its next poll."""

    def change(connection: Connection) -> dict[str, Any]:
        row = found(channels.lock(connection, channel_id), "channel", channel_id)
        require_version(row, if_match)
        body = patched(ChannelBody, body_of(row), patch)
        channels.change(connection, row, plain(body))
        return shape(found(channels.get(connection, channel_id), "channel", channel_id))

    return with_etag(await context.database.write(change))


@router.delete("/channels/{channel_id}", status_code=204, responses=DELETES)
async def delete_channel(channel_id: str, context: ContextOf) -> None:
    """Delete a channel through which nothing came."""

    def remove(connection: Connection) -> None:
        found(channels.lock(connection, channel_id), "channel", channel_id)
        channels.remove(connection, channel_id)

    await context.database.write(remove)


class SkillShape(Shape):
    name: str
    created_at: Stamp


@router.get("/skills", response_model=Listing[SkillShape], responses=READS)
async def list_skills(context: ContextOf, window: Asked) -> dict[str, Any]:
    """List skills: each exists as soon as its name is used."""
    page = await context.database.read(lambda k: skills.listed(k, window))
    items = [{"name": r["name"], "created_at": rfc3339(r["created_at"])} for r in page.rows]
    return listing(items, page.next)

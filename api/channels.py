"""Channels: what is listened to, and which workgroup gets it."""

from enum import StrEnum
from typing import Annotated, Any

from fastapi import Response
from pydantic import Field
from sqlalchemy import Connection, RowMapping

from api.context import ContextOf
from api.fields import (
    Body,
    Id,
    Name,
    RequiredSkillBody,
    Shape,
    Stamp,
    maybe_rfc3339,
    plain,
    rfc3339,
)
from api.idempotency import Answer, Carried
from api.listing import Asked, Listing, listing
from api.routes import CHANGES, CREATES, DELETES, READS, READS_ONE, new_router
from api.setup import IfMatch, Patch, found, merge_patch_of, patched, require_version, with_etag
from conversations.health import Health
from conversations.model import Threading
from storage import channels, skills

router = new_router("channels")

Term = Annotated[str, Field(min_length=1, max_length=200)]


class Purpose(StrEnum):
    BRAND = "brand"
    COMPETITOR = "competitor"
    CAMPAIGN = "campaign"


class Extra(StrEnum):
    QUOTES = "quotes"
    REPOSTS = "reposts"
    LIKES = "likes"


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
    purpose: Annotated[
        Purpose, Field(strict=False, description="Whose talk it is; routing rules may tell apart")
    ] = Purpose.BRAND
    include: Annotated[
        list[Annotated[Extra, Field(strict=False)]],
        Field(max_length=3, description="What is taken in beside posts; the rest is counted"),
    ] = [Extra.QUOTES]
    backfill_s: Annotated[
        int, Field(ge=0, le=604_800, description="Polls take nothing older than the channel by it")
    ] = 3_600


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
    purpose: Purpose
    include: list[Extra]
    backfill_s: int
    health: Health
    health_detail: str | None
    health_since: Stamp | None
    caught_up_at: Annotated[
        Stamp | None,
        Field(description="When a poll last found nothing more waiting, to the minute"),
    ]
    left_out: Annotated[int, Field(description="Posts that `include` or `backfill_s` kept out")]
    version: int
    created_at: Stamp


def body_of(row: RowMapping) -> dict[str, Any]:
    return {name: row[name] for name in ChannelBody.model_fields}


def shape(row: RowMapping) -> dict[str, Any]:
    kept = ("id", "health", "health_detail", "left_out", "version")
    moments = ("health_since", "caught_up_at", "created_at")
    return {
        **body_of(row),
        **{name: row[name] for name in kept},
        **{name: maybe_rfc3339(row[name]) for name in moments},
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

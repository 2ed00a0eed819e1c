"""Posts that could not be accepted, with their reasons, and what can be done about them."""

import json
from typing import Annotated, Any

from fastapi import Query, Response
from pydantic import Field
from sqlalchemy import Connection, RowMapping

from api import posts
from api.auth import Caller
from api.context import ContextOf
from api.errors import not_found
from api.fields import Body, Shape, Stamp, rfc3339
from api.idempotency import Answer, Carried
from api.listing import Asked, Listing, listing
from api.posts import PostBody, TakenShape
from api.routes import COMMANDS, READS, READS_ONE, new_router
from storage import quarantine
from storage.quarantine import StillNotAccepted

router = new_router("quarantine")


class QuarantinedShape(Shape):
    """`raw` is what came, cut after 16,384 characters; `network` and `workgroup_id` its channel's.

    Whether `is_readable`: it is one whole JSON text, so that it can be tried again as it is.
    """

    id: str
    channel_id: str
    network: str
    workgroup_id: str
    external_id: str | None
    code: str
    detail: str
    raw: str
    received_at: Stamp
    is_readable: bool


class RetryBody(Body):
    """Without `post` what came is judged again; with it, that post is taken instead."""

    post: Annotated[PostBody | None, Field(description="The post as it should have come")] = None


@router.get("/quarantine", response_model=Listing[QuarantinedShape], responses=READS)
async def list_quarantine(
    context: ContextOf,
    window: Asked,
    channel_id: Annotated[str | None, Query(max_length=64)] = None,
) -> dict[str, Any]:
    """List what could not be accepted, newest first."""
    page = await context.database.read(lambda k: quarantine.listed(k, channel_id, window))
    return listing([_shape(row) for row in page.rows], page.next)


def _shape(row: RowMapping) -> dict[str, Any]:
    is_readable = _piece_of(row["raw"]) is not None
    return {**row, "received_at": rfc3339(row["received_at"]), "is_readable": is_readable}


def _piece_of(raw: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


@router.post("/quarantine/{quarantined_id}/retry", response_model=TakenShape, responses=COMMANDS)
async def retry_quarantined(
    quarantined_id: str, body: RetryBody, once: Carried, context: ContextOf, caller: Caller
) -> Response:
    """Try once more to take a post in, as it came or as the caller corrected it."""

    def take(connection: Connection) -> Answer:
        row = quarantine.lock(connection, quarantined_id)
        if row is None:
            raise not_found("quarantined post", quarantined_id)
        raw = row["raw"]
        page = posts.page_of(body.post) if body.post else posts.judge([_piece_of(raw)])
        if page.bad:
            raise StillNotAccepted(quarantined_id, page.bad[0].code, page.bad[0].detail)
        answer = posts.take_at_once(connection, context, row["channel_id"], page)
        opened = (answer.body or {})["conversation_ids"].values()
        quarantine.settle(connection, row, by=caller.id, conversation_id=next(iter(opened), None))
        return Answer(200, answer.body, answer.aftermath, before_answering=answer.before_answering)

    return await once.run(take)


@router.delete("/quarantine/{quarantined_id}", status_code=204, responses=READS_ONE)
async def delete_quarantined(quarantined_id: str, context: ContextOf, caller: Caller) -> None:
    """Throw away what could not be accepted; that it was done, and by whom, is kept as an event."""

    def remove(connection: Connection) -> None:
        row = quarantine.lock(connection, quarantined_id)
        if row is None:
            raise not_found("quarantined post", quarantined_id)
        quarantine.remove(connection, row, by=caller.id)

    await context.database.write(remove)

"""Drafts: an agent's own words in a conversation before they are said."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Response
from pydantic import Field
from sqlalchemy import Connection

from api.agents import ME, meant
from api.attachments import Attached, described, of_agent
from api.auth import Caller
from api.context import ContextOf
from api.fields import Body, Shape, Stamp, maybe_rfc3339
from api.replies import ExternalId
from api.routes import READS_ONE, new_router, problems
from api.setup import IfMatch, require_version, with_etag
from api.shapes import AttachmentShape, attachment_shape
from api.sight import require_visible
from conversations.model import Visibility
from storage import drafts
from storage.drafts import Draft

router = new_router("drafts")


class DraftBody(Body):
    """What a reply would take, as far as it has come: nothing of it is judged yet."""

    text: Annotated[str, Field(max_length=20_000)]
    visibility: Annotated[Visibility, Field(strict=False)] | None = None
    in_reply_to: ExternalId | None = None
    attachments: Attached = []


class DraftShape(Shape):
    """A draft; where there is none its text is empty and `version` is 0."""

    conversation_id: str
    text: str
    visibility: Visibility | None
    in_reply_to: str | None
    attachments: list[AttachmentShape]
    updated_at: Stamp | None
    version: int


def shape(conversation_id: str, draft: Draft) -> dict[str, Any]:
    return {
        "conversation_id": conversation_id,
        "text": draft.text,
        "visibility": draft.visibility,
        "in_reply_to": draft.in_reply_to,
        "attachments": [attachment_shape(one) for one in draft.attachments],
        "updated_at": maybe_rfc3339(draft.updated_at),
        "version": draft.version,
    }


@router.get(
    "/conversations/{conversation_id}/draft", response_model=DraftShape, responses=READS_ONE
)
async def get_draft(conversation_id: str, context: ContextOf, caller: Caller) -> Response:
    """Read the caller's own draft; nobody else ever does."""
    agent_id = meant(ME, caller)

    def read(connection: Connection) -> dict[str, Any]:
        require_visible(connection, caller, conversation_id)
        return shape(conversation_id, drafts.get(connection, agent_id, conversation_id))

    return with_etag(await context.database.read(read))


@router.put(
    "/conversations/{conversation_id}/draft",
    response_model=DraftShape,
    responses=problems(401, 403, 404, 412, 413, 415, 422, 503),
)
async def put_draft(
    conversation_id: str,
    body: DraftBody,
    context: ContextOf,
    caller: Caller,
    if_match: IfMatch = None,
) -> Response:
    """Keep the caller's draft; with `If-Match` only over the version that it was made from.

    Files that are not there any more are left out.
    """
    agent_id = meant(ME, caller)

    def keep(connection: Connection) -> dict[str, Any]:
        require_visible(connection, caller, conversation_id)
        before = drafts.lock(connection, agent_id, conversation_id)
        require_version(asdict(before), if_match)
        there = of_agent(connection, agent_id, conversation_id, body.attachments)
        files = described(there, body.attachments)
        wanted = Draft(body.text, body.visibility, body.in_reply_to, attachments=files)
        after = drafts.put(connection, agent_id, conversation_id, before, wanted)
        return shape(conversation_id, after)

    return with_etag(await context.database.write(keep))


@router.delete("/conversations/{conversation_id}/draft", status_code=204, responses=READS_ONE)
async def delete_draft(conversation_id: str, context: ContextOf, caller: Caller) -> None:
    """Throw the caller's draft away, if there is one."""
    agent_id = meant(ME, caller)

    def remove(connection: Connection) -> None:
        require_visible(connection, caller, conversation_id)
        drafts.remove(connection, agent_id, conversation_id)

    await context.database.write(remove)

"""Attachments: files that go with a reply, brought before it and named by it."""

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import quote

from fastapi import Query, Response
from pydantic import Field
from sqlalchemy import Connection

from api.auth import Caller
from api.context import Context, ContextOf
from api.doorkeeper import Principal
from api.errors import Problem, not_found, unprocessable
from api.fields import Body, Id
from api.idempotency import Answer, Carried
from api.media import ANY_MEDIA, file_headers
from api.routes import COMMANDS, DELETES, READS_ONE, RawRoute, new_router
from api.shapes import AttachmentShape, attachment_shape
from api.sight import require_visible
from api.wording import capabilities_of
from connectors.fetcher import SHOWN
from conversations.attachments import (
    KNOWN,
    MOST_OF_A_REPLY,
    Attachment,
    media_type_of,
    require_taken,
)
from conversations.capabilities import Capabilities
from conversations.errors import AttachmentsNotTaken
from conversations.model import Visibility
from storage import attachments, conversations
from storage.attachments import Kept
from storage.ids import new_id

router = new_router("attachments", RawRoute)

MOST_UNUSED = 20
FileName = Annotated[
    str,
    Query(
        min_length=1,
        max_length=150,
        pattern=r"^[^\x00-\x1f\x7f-\x9f/\\\u2028-\u202e\u2066-\u2069]+$",
        description="What the file is called, without any folder",
    ),
]
ANY_FILE = {
    "requestBody": {
        "required": True,
        "description": f"The file itself, one of {', '.join(sorted(KNOWN))}: 8 MiB at most",
        "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class AttachedBody(Body):
    """A file that was brought before, and what it shows for those who do not see it."""

    id: Id
    alt_text: Annotated[str, Field(max_length=5_000)] | None = None


Attached = Annotated[list[AttachedBody], Field(max_length=MOST_OF_A_REPLY)]


@router.post(
    "/conversations/{conversation_id}/attachments",
    status_code=201,
    response_model=AttachmentShape,
    responses=COMMANDS,
    openapi_extra=ANY_FILE,
)
async def create_attachment(
    conversation_id: str,
    name: FileName,
    once: Carried,
    caller: Caller,
    context: ContextOf,
) -> Response:
    """Keep a file for a reply of the conversation; what it is, its first bytes say."""
    content = await once.request.body()
    media_type = _kind_of(content)
    brought = Attachment(new_id("at"), name, media_type, len(content), content=content)

    def keep(connection: Connection) -> Answer:
        require_visible(connection, caller, conversation_id)
        _require_some_use(context, connection, conversation_id, brought)
        agent_id = caller.agent_id or ""
        if attachments.unused(connection, conversation_id, agent_id) >= MOST_UNUSED:
            detail = f"{MOST_UNUSED} files of yours are in no reply yet: delete some, or send them"
            raise Problem(409, "too_many_attachments", detail)
        attachments.add(connection, conversation_id, agent_id, brought)
        return Answer(201, attachment_shape(brought))

    return await once.run(keep)


def _kind_of(content: bytes) -> str:
    if not content:
        raise unprocessable("empty_file", ["body"], "the file has no bytes")
    media_type = media_type_of(content)
    if media_type is None:
        detail = f"the file is none of {', '.join(sorted(KNOWN))}"
        raise Problem(415, "unsupported_media_type", detail)
    return media_type


def _require_some_use(
    context: Context, connection: Connection, conversation_id: str, brought: Attachment
) -> None:
    """Refuse at once what the network takes neither in public nor in private.

    Raises:
        AttachmentsNotTaken: it says why.
    """
    conversation = conversations.get(connection, conversation_id)
    if conversation is None:
        raise not_found("conversation", conversation_id)
    known = capabilities_of(context, connection, conversation.account_id) or Capabilities()
    refusals = []
    for visibility in Visibility:
        rule = known.attachments_of(visibility)
        try:
            require_taken(rule.without_alt_text, conversation.network, [brought])
        except AttachmentsNotTaken as refused:
            refusals.append(refused)
    if len(refusals) == len(Visibility):
        raise refusals[0]


@router.get(
    "/attachments/{attachment_id}",
    response_class=Response,
    responses={**ANY_MEDIA, **READS_ONE},
)
async def get_attachment(attachment_id: str, context: ContextOf, caller: Caller) -> Response:
    """Fetch a file; one that is in no reply only who brought it gets."""

    def read(connection: Connection) -> tuple[Attachment, bytes]:
        kept = _visible(connection, caller, attachment_id)
        content = attachments.contents(connection, [attachment_id]).get(attachment_id)
        if content is None:
            raise not_found("content of attachment", attachment_id)
        return kept.attachment, content

    found, content = await context.database.read(read)
    ending = f"filename*=UTF-8''{quote(found.name, safe='')}"
    headers = file_headers(ending, is_shown=found.media_type in SHOWN, is_private=True)
    return Response(content, media_type=found.media_type, headers=headers)


@router.delete("/attachments/{attachment_id}", status_code=204, responses=DELETES)
async def delete_attachment(attachment_id: str, context: ContextOf, caller: Caller) -> None:
    """Throw a file away that is in no reply."""

    def remove(connection: Connection) -> None:
        kept = _visible(connection, caller, attachment_id)
        if kept.reply_id is not None:
            raise _in_use(kept)
        attachments.remove(connection, attachment_id)

    await context.database.write(remove)


def _visible(connection: Connection, caller: Principal, attachment_id: str) -> Kept:
    kept = attachments.get(connection, attachment_id)
    if kept is None or (kept.reply_id is None and kept.agent_id != caller.agent_id):
        raise not_found("attachment", attachment_id)
    require_visible(connection, caller, kept.conversation_id)
    return kept


def _in_use(kept: Kept) -> Problem:
    detail = f"attachment {kept.attachment.id} is in reply {kept.reply_id}"
    return Problem(409, "attachment_in_use", detail)


def chosen(
    connection: Connection,
    agent_id: str | None,
    conversation_id: str,
    named: Sequence[AttachedBody],
) -> tuple[Attachment, ...]:
    """Return the files that a reply names, with their alternative texts.

    Raises:
        Problem: 422 when one is named twice or is not there, 409 when another reply has it.
    """
    if len({one.id for one in named}) < len(named):
        raise unprocessable("attachment_named_twice", ["body", "attachments"], "names one twice")
    there = of_agent(connection, agent_id, conversation_id, named)
    for index, one in enumerate(named):
        kept = there.get(one.id)
        if kept is None:
            where: list[str | int] = ["body", "attachments", index, "id"]
            raise unprocessable("unknown_attachment", where, "names no file of the conversation")
        if not attachments.is_free(connection, kept):
            raise _in_use(kept)
    return described(there, named)


def of_agent(
    connection: Connection,
    agent_id: str | None,
    conversation_id: str,
    named: Sequence[AttachedBody],
) -> dict[str, Kept]:
    """Return those of the named files that the agent brought into the conversation."""
    found = attachments.of_ids(connection, [one.id for one in named])
    return {
        key: kept
        for key, kept in found.items()
        if (kept.conversation_id, kept.agent_id) == (conversation_id, agent_id)
    }


def described(there: dict[str, Kept], named: Sequence[AttachedBody]) -> tuple[Attachment, ...]:
    """Return those that are there in the order in which they are named."""
    return tuple(
        there[one.id].attachment.described(one.alt_text) for one in named if one.id in there
    )

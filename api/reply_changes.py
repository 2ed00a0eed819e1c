"""Second thoughts: a reply is withdrawn while it waits, edited or deleted when it is there."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Response
from pydantic import Field
from sqlalchemy import Connection

from api.auth import Caller
from api.context import ContextOf
from api.doorkeeper import Principal
from api.errors import not_found
from api.fields import Body, Id
from api.idempotency import Answer, Carried, refusal
from api.routes import COMMANDS, new_router
from api.shapes import ReplyShape, reply_shape
from api.sight import require_visible
from api.wording import capabilities_of, posts_of
from conversations.errors import CannotChangeReply, ConversationError
from conversations.replies import Reply
from conversations.reply_parts import ChangeKind
from storage import replies, reply_changes
from storage.replies import Settled
from storage.reply_changes import NewWords

router = new_router("replies")

Change = Callable[[Connection, Reply], Settled]


class EditBody(Body):
    """What the reply is to say instead."""

    text: Annotated[str, Field(min_length=1, max_length=20_000, pattern=r"\S")]


class NothingMore(Body):
    """Nothing has to be said besides."""


@router.post("/replies/{reply_id}/undo", response_model=ReplyShape, responses=COMMANDS)
async def undo_reply(reply_id: Id, body: NothingMore, once: Carried, caller: Caller) -> Response:
    """Take a reply back that has not left: its posts count as unanswered again."""
    del body
    change: Change = lambda k, reply: reply_changes.undo(k, reply.id, caller.actor)  # noqa: E731
    return await once.run(lambda k: _answer(k, once, caller, reply_id, change, status=200))


@router.post(
    "/replies/{reply_id}/edit", status_code=202, response_model=ReplyShape, responses=COMMANDS
)
async def edit_reply(
    reply_id: Id, body: EditBody, once: Carried, caller: Caller, context: ContextOf
) -> Response:
    """Have a sent reply say something else; `change` tells how far that has come."""

    def change(connection: Connection, reply: Reply) -> Settled:
        known = capabilities_of(context, connection, reply.account_id)
        if known is None or not known.may_edit(reply.visibility):
            raise CannotChangeReply(reply.id, ChangeKind.EDIT, f"{reply.network} knows no edits")
        words = NewWords(body.text, posts_of(body.text, known, reply.visibility))
        return reply_changes.edit(connection, reply.id, caller.actor, words)

    return await once.run(lambda k: _answer(k, once, caller, reply_id, change, status=202))


@router.post(
    "/replies/{reply_id}/delete", status_code=202, response_model=ReplyShape, responses=COMMANDS
)
async def delete_reply(
    reply_id: Id, body: NothingMore, once: Carried, caller: Caller, context: ContextOf
) -> Response:
    """Have a sent reply taken off its network; `change` tells how far that has come."""
    del body

    def change(connection: Connection, reply: Reply) -> Settled:
        known = capabilities_of(context, connection, reply.account_id)
        if known is None or not known.may_delete(reply.visibility):
            why = f"{reply.network} cannot take a post back"
            raise CannotChangeReply(reply.id, ChangeKind.DELETE, why)
        return reply_changes.delete(connection, reply.id, caller.actor)

    return await once.run(lambda k: _answer(k, once, caller, reply_id, change, status=202))


def _answer(
    connection: Connection,
    once: Carried,
    caller: Principal,
    reply_id: str,
    change: Change,
    *,
    status: int,
) -> Answer:
    reply = replies.get(connection, reply_id)
    if reply is None:
        raise not_found("reply", reply_id)
    require_visible(connection, caller, reply.conversation_id)
    try:
        settled = change(connection, reply)
    except ConversationError as refused:
        return refusal(once.request, refused)
    if settled.refusal is not None:
        return refusal(once.request, settled.refusal, settled.aftermath)
    return Answer(status, reply_shape(settled.reply), settled.aftermath)

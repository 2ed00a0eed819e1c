"""Consulting, and two conversations at once: merge, forward, split and unmerge."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Response
from pydantic import Field
from sqlalchemy import Connection

from api.auth import Caller
from api.commands import Command, Comment, Nothing
from api.context import Context, ContextOf
from api.doorkeeper import Principal
from api.errors import not_found, unprocessable
from api.fields import Body, Id
from api.idempotency import Answer, Carried, Once, refusal
from api.routes import COMMANDS, new_router
from api.shapes import ConversationShape, shaped
from api.sight import require_visible, viewer_of
from conversations import commands as c
from conversations.joining_commands import Forward, Merge
from storage import agents, joining, reading
from storage.conversations import Outcome

router = new_router("conversations")

MOST_SPLIT = 500
PostName = Annotated[str, Field(min_length=1, max_length=255)]


class ConsultBody(Body):
    agent_id: Id
    comment: Comment | None = None


class MergeBody(Body):
    into: Annotated[Id, Field(description="The conversation that gets the posts")]
    comment: Comment | None = None


class ForwardBody(Body):
    conversation_id: Annotated[Id, Field(description="An agent's, who gets the posts")]
    comment: Comment | None = None


class SplitBody(Body):
    post_ids: Annotated[
        list[PostName],
        Field(min_length=1, max_length=MOST_SPLIT, description="Ids or external ids"),
    ]


class Joining:
    """Carries out what changes two conversations, in one commit with its key."""

    def __init__(self, once: Once, context: Context, caller: Caller, conversation_id: str) -> None:
        self._once = once
        self._context = context
        self._caller = caller
        self._id = conversation_id

    async def carry_out(
        self, act: Callable[[Connection], Outcome], *, other: tuple[str, str] | None = None
    ) -> Response:
        """Let the caller act on what it sees; `other` is a field and the id that it names.

        The answer is 201 for a conversation that is new.
        """

        def transaction(connection: Connection) -> Answer:
            require_visible(connection, self._caller, self._id)
            if other is not None:
                _require_other(connection, self._caller, *other)
            return self._answer(connection, act(connection))

        return await self._once.run(transaction)

    def _answer(self, connection: Connection, outcome: Outcome) -> Answer:
        if outcome.conversation is None:
            raise not_found("conversation", self._id)
        if outcome.refusal is not None:
            return refusal(self._once.request, outcome.refusal, outcome.aftermath)
        shape = shaped(connection, [outcome.conversation], self._context.links)[0]
        status = 200 if outcome.conversation.id == self._id else 201
        return Answer(status, shape, outcome.aftermath)


def _require_other(
    connection: Connection, caller: Principal, field: str, conversation_id: str
) -> None:
    if not reading.is_visible(connection, conversation_id, viewer_of(connection, caller)):
        where = ["body", field]
        raise unprocessable("unknown_reference", where, f"{conversation_id} does not exist")


async def joining_of(
    conversation_id: str, once: Carried, context: ContextOf, caller: Caller
) -> Joining:
    return Joining(once, context, caller, conversation_id)


Joins = Annotated[Joining, Depends(joining_of)]


@router.post(
    "/conversations/{conversation_id}/merge", response_model=ConversationShape, responses=COMMANDS
)
async def merge(conversation_id: str, body: MergeBody, joins: Joins, caller: Caller) -> Response:
    """Merge into another conversation of the customer, which gets the posts."""
    command = Merge(caller.actor, body.comment)
    return await joins.carry_out(
        lambda k: joining.merge(k, conversation_id, body.into, command), other=("into", body.into)
    )


@router.post(
    "/conversations/{conversation_id}/forward",
    response_model=ConversationShape,
    responses=COMMANDS,
)
async def forward(
    conversation_id: str, body: ForwardBody, joins: Joins, caller: Caller
) -> Response:
    """Forward the posts to the agent who owns the customer's other conversation."""
    command = Forward(caller.actor, body.comment)
    target = body.conversation_id
    return await joins.carry_out(
        lambda k: joining.merge(k, conversation_id, target, command),
        other=("conversation_id", target),
    )


@router.post(
    "/conversations/{conversation_id}/unmerge", response_model=ConversationShape, responses=COMMANDS
)
async def unmerge(conversation_id: str, _: Nothing, joins: Joins, caller: Caller) -> Response:
    """Take a merge back while its target is open: the posts return, and wait in the queue."""
    return await joins.carry_out(lambda k: joining.unmerge(k, conversation_id, caller.actor))


@router.post(
    "/conversations/{conversation_id}/split",
    status_code=201,
    response_model=ConversationShape,
    responses=COMMANDS,
)
async def split(conversation_id: str, body: SplitBody, joins: Joins, caller: Caller) -> Response:
    """Make a conversation of its own of some posts; it waits in the queue, its owner preferred."""
    return await joins.carry_out(
        lambda k: joining.split(k, conversation_id, caller.actor, body.post_ids)
    )


@router.post(
    "/conversations/{conversation_id}/consult",
    response_model=ConversationShape,
    responses=COMMANDS,
)
async def consult(body: ConsultBody, command: Command, caller: Caller) -> Response:
    """Consult another agent: he sees the conversation and may write notes; the owner keeps it."""

    def check(connection: Connection) -> None:
        if agents.get(connection, body.agent_id) is None:
            where = ["body", "agent_id"]
            raise unprocessable("unknown_reference", where, f"{body.agent_id} does not exist")

    return await command.carry_out(
        lambda *_: c.Consult(caller.actor, body.agent_id, body.comment), check
    )


@router.post(
    "/conversations/{conversation_id}/consult/end",
    response_model=ConversationShape,
    responses=COMMANDS,
)
async def end_consult(_: Nothing, command: Command, caller: Caller) -> Response:
    """End the consultation: its owner, a supervisor, or the consulted agent."""
    return await command.carry_out(lambda *_: c.EndConsult(caller.actor))

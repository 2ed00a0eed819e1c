"""What agents and supervisors do with conversations; each command is one commit."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Response
from pydantic import Field, model_validator
from sqlalchemy import Connection

from api.auth import Caller
from api.context import Context, ContextOf
from api.errors import Problem, not_found, unprocessable
from api.fields import Body, Id, Moment, Words
from api.idempotency import Answer, Carried, Once, refusal
from api.routes import COMMANDS, new_router
from api.shapes import ConversationShape, shaped
from api.sight import require_visible
from conversations import commands as c
from conversations.model import Conversation, Instant
from storage import agents, conversations, workgroups
from storage.conversations import Build, Outcome
from storage.ids import new_id

router = new_router("conversations")

Comment = Annotated[str, Field(max_length=2_000)]
Code = Annotated[str, Field(min_length=1, max_length=200)]


class Nothing(Body):
    """A command that needs no word."""


class OfferBody(Body):
    offer_id: Id | None = None


class DeclineBody(OfferBody):
    reason: Comment | None = None


class ParkBody(Body):
    until: Moment | None = None
    reason: Comment | None = None


class TransferBody(Body):
    """To a workgroup or to an agent, not both."""

    workgroup_id: Id | None = None
    agent_id: Id | None = None
    comment: Comment | None = None
    override_capacity: Annotated[
        bool, Field(description="A supervisor's: the agent gets it also without room")
    ] = False

    @model_validator(mode="after")
    def _one_target(self) -> "TransferBody":
        if (self.workgroup_id is None) == (self.agent_id is None):
            raise ValueError("name either workgroup_id or agent_id")
        if self.override_capacity and self.agent_id is None:
            raise ValueError("override_capacity is about an agent's capacity: name agent_id")
        return self


class DisconnectBody(Body):
    wrap_up_code: Code | None = None


class WrapUpDoneBody(DisconnectBody):
    done: bool = True


class ReasonBody(Body):
    reason: Words


class Commanding:
    """Carries one caller's command out on one conversation."""

    def __init__(self, once: Once, context: Context, caller: Caller, conversation_id: str) -> None:
        self._once = once
        self._context = context
        self._caller = caller
        self._id = conversation_id

    async def carry_out(
        self, build: Build, check: Callable[[Connection], None] | None = None
    ) -> Response:
        """Decide the command in one commit with its key; answer the conversation after it."""

        def transaction(connection: Connection) -> Answer:
            require_visible(connection, self._caller, self._id)
            if check is not None:
                check(connection)
            outcome = conversations.carry_out(connection, self._id, build, self._once.elapsed_ms)
            return self._answer(connection, outcome)

        return await self._once.run(transaction)

    def _answer(self, connection: Connection, outcome: Outcome) -> Answer:
        if outcome.conversation is None:
            raise not_found("conversation", self._id)
        if outcome.refusal is not None:
            return refusal(self._once.request, outcome.refusal, outcome.aftermath)
        shape = shaped(connection, [outcome.conversation], self._context.links)[0]
        return Answer(200, shape, outcome.aftermath)


async def commanding(
    conversation_id: str, once: Carried, context: ContextOf, caller: Caller
) -> Commanding:
    return Commanding(once, context, caller, conversation_id)


Command = Annotated[Commanding, Depends(commanding)]


@router.post(
    "/conversations/{conversation_id}/pickup", response_model=ConversationShape, responses=COMMANDS
)
async def pick_up(body: OfferBody, command: Command, caller: Caller) -> Response:
    """Pick up: the offered agent, or any eligible member while it waits."""
    return await command.carry_out(lambda _, at: c.PickUp(caller.actor, body.offer_id, at))


@router.post(
    "/conversations/{conversation_id}/decline", response_model=ConversationShape, responses=COMMANDS
)
async def decline(body: DeclineBody, command: Command, caller: Caller) -> Response:
    """Decline an offer; it goes back with its age and passes the agent over for a while."""
    return await command.carry_out(lambda *_: c.Decline(caller.actor, body.offer_id, body.reason))


@router.post(
    "/conversations/{conversation_id}/hold", response_model=ConversationShape, responses=COMMANDS
)
async def hold(_: Nothing, command: Command, caller: Caller) -> Response:
    """Hold: the owner keeps it and its capacity; it is not answered meanwhile."""
    return await command.carry_out(lambda *_: c.Hold(caller.actor))


@router.post(
    "/conversations/{conversation_id}/resume", response_model=ConversationShape, responses=COMMANDS
)
async def resume(_: Nothing, command: Command, caller: Caller) -> Response:
    """Resume a held conversation."""
    return await command.carry_out(lambda *_: c.Resume(caller.actor))


@router.post(
    "/conversations/{conversation_id}/park", response_model=ConversationShape, responses=COMMANDS
)
async def park(body: ParkBody, command: Command, caller: Caller) -> Response:
    """Park until a moment or the customer's answer; its capacity is free meanwhile."""
    return await command.carry_out(lambda *_: c.Park(caller.actor, body.until, body.reason))


@router.post(
    "/conversations/{conversation_id}/unpark", response_model=ConversationShape, responses=COMMANDS
)
async def unpark(_: Nothing, command: Command, caller: Caller) -> Response:
    """Take a parked conversation up again; without room it waits in the queue."""
    return await command.carry_out(lambda *_: c.Unpark(caller.actor))


@router.post(
    "/conversations/{conversation_id}/transfer",
    response_model=ConversationShape,
    responses=COMMANDS,
)
async def transfer(body: TransferBody, command: Command, caller: Caller) -> Response:
    """Transfer to a workgroup's queue or to an agent; the giver is free at the commit."""
    if body.override_capacity and not caller.is_supervisor:
        raise Problem(403, "forbidden", "only a supervisor may override an agent's capacity")
    offer_id = new_id("of")

    def build(_: Conversation, __: Instant) -> c.Command:
        if body.workgroup_id is not None:
            return c.TransferToWorkgroup(caller.actor, body.workgroup_id, body.comment)
        return c.TransferToAgent(
            caller.actor, body.agent_id or "", offer_id, body.comment, body.override_capacity
        )

    def check(connection: Connection) -> None:
        _require_target(connection, body)

    return await command.carry_out(build, check)


def _require_target(connection: Connection, body: TransferBody) -> None:
    if body.workgroup_id is not None and workgroups.get(connection, body.workgroup_id) is None:
        where = ["body", "workgroup_id"]
        raise unprocessable("unknown_reference", where, f"{body.workgroup_id} does not exist")
    if body.agent_id is not None and agents.get(connection, body.agent_id) is None:
        where = ["body", "agent_id"]
        raise unprocessable("unknown_reference", where, f"{body.agent_id} does not exist")


@router.post(
    "/conversations/{conversation_id}/disconnect",
    response_model=ConversationShape,
    responses=COMMANDS,
)
async def disconnect(body: DisconnectBody, command: Command, caller: Caller) -> Response:
    """End the conversation; a reply on its way goes on."""
    return await command.carry_out(lambda *_: c.Disconnect(caller.actor, body.wrap_up_code))


@router.post(
    "/conversations/{conversation_id}/wrapup", response_model=ConversationShape, responses=COMMANDS
)
async def wrap_up(body: WrapUpDoneBody, command: Command, caller: Caller) -> Response:
    """Note the wrap-up code, and be done with it."""
    return await command.carry_out(
        lambda *_: c.FinishWrapUp(caller.actor, body.wrap_up_code, body.done)
    )


@router.post(
    "/conversations/{conversation_id}/discard", response_model=ConversationShape, responses=COMMANDS
)
async def discard(body: ReasonBody, command: Command, caller: Caller) -> Response:
    """Discard what needs no answer."""
    return await command.carry_out(lambda *_: c.Discard(caller.actor, body.reason))


@router.post(
    "/conversations/{conversation_id}/release", response_model=ConversationShape, responses=COMMANDS
)
async def release(body: ReasonBody, command: Command, caller: Caller) -> Response:
    """Take a conversation from its owner and queue it again."""
    return await command.carry_out(lambda *_: c.Release(caller.actor, body.reason))

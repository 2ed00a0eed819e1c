"""Replies: taken in the conversation's own commit, settled by the network or by a human."""

from typing import Annotated, Any, Literal

from fastapi import Response
from pydantic import Field
from sqlalchemy import Connection

from api.attachments import Attached, chosen
from api.auth import Caller
from api.context import Context, ContextOf
from api.doorkeeper import Principal
from api.errors import not_found, unprocessable
from api.fields import Body, Id, Shape
from api.idempotency import Answer, Carried, refusal
from api.networks import AttachmentRuleShape, LengthShape, attachments_shape, length_shape
from api.routes import COMMANDS, READS_ONE, new_router
from api.shapes import NoteShape, ReplyShape, note_shape, reply_shape
from api.sight import require_visible
from api.wording import capabilities_of, may_be_said, posts_of, rule_of, spoken_in
from connectors.lengths import length_of
from conversations.capabilities import Capabilities, ReplyDepth
from conversations.errors import ReplyTooLong
from conversations.model import Visibility
from conversations.replies import Reply
from storage import conversations, drafts, reading, replies
from storage.conversations import ReplyDraft
from storage.ids import new_id

router = new_router("replies")

ExternalId = Annotated[str, Field(min_length=1, max_length=255)]


class ReplyBody(Body):
    """What is to be said; public or private like the conversation unless told otherwise."""

    text: Annotated[str, Field(min_length=1, max_length=20_000, pattern=r"\S")]
    visibility: Annotated[Visibility, Field(strict=False)] | None = None
    in_reply_to: ExternalId | None = None
    confirm_public: bool = False
    attachments: Attached = []
    from_draft: Annotated[
        bool, Field(description="It is what the draft became: that is deleted in the same commit")
    ] = False


class PreviewBody(Body):
    """What might be said; nothing at all asks for the rule alone."""

    text: Annotated[str, Field(max_length=20_000)]
    visibility: Annotated[Visibility, Field(strict=False)] | None = None
    has_attachments: bool = False


class PreviewPart(Shape):
    text: str
    length: int


class RefusalShape(Shape):
    code: str
    detail: str


class AudienceShape(Shape):
    """A visibility that a reply may ask for; `refusal` is why the network does not take it."""

    visibility: Visibility
    refusal: RefusalShape | None


class PreviewShape(LengthShape):
    """The posts that a text would become, and the rule of the conversation's account."""

    parts: list[PreviewPart]
    is_threaded: bool
    reply_depth: Annotated[str, Field(description="Which posts can be answered: none, or any")]
    audiences: list[AudienceShape]
    attachments: AttachmentRuleShape


class NoteBody(Body):
    text: Annotated[str, Field(min_length=1, max_length=20_000, pattern=r"\S")]
    mentions: Annotated[
        list[Id],
        Field(max_length=20, description="Agents who are told, and see the conversation then"),
    ] = []


class ResolutionBody(Body):
    """What a human saw on the network: it is there, or it is not and may be sent again."""

    outcome: Literal["sent", "absent"]
    external_id: ExternalId | None = None


@router.post(
    "/conversations/{conversation_id}/replies",
    status_code=202,
    response_model=ReplyShape,
    responses=COMMANDS,
)
async def create_reply(
    conversation_id: str, body: ReplyBody, once: Carried, caller: Caller, context: ContextOf
) -> Response:
    """Take a reply; 202 is sent when it can no longer be lost.

    A text that is too long for one post becomes a thread, or is refused before anything is stored.
    """

    def take(connection: Connection) -> Answer:
        require_visible(connection, caller, conversation_id)
        _require_target(connection, conversation_id, body.in_reply_to)
        known, visibility = spoken_in(context, connection, conversation_id, body.visibility)
        files = chosen(connection, caller.agent_id, conversation_id, body.attachments)
        try:
            parts = posts_of(body.text, known, visibility, has_attachments=bool(files))
        except ReplyTooLong as refused:
            return refusal(once.request, refused)
        draft = ReplyDraft(
            reply_id=new_id("re"),
            actor=caller.actor,
            text=body.text,
            visibility=body.visibility,
            in_reply_to=body.in_reply_to,
            confirm_public=body.confirm_public,
            parts=parts,
            capabilities=known,
            attachments=files,
        )
        outcome = conversations.reply(connection, conversation_id, draft, once.elapsed_ms)
        if outcome.refusal is not None:
            return refusal(once.request, outcome.refusal, outcome.aftermath)
        if outcome.reply is None:
            raise not_found("conversation", conversation_id)
        if body.from_draft and caller.agent_id is not None:
            drafts.remove(connection, caller.agent_id, conversation_id)
        return Answer(202, reply_shape(outcome.reply), outcome.aftermath)

    return await once.run(take)


@router.post(
    "/conversations/{conversation_id}/replies/preview",
    response_model=PreviewShape,
    responses=COMMANDS,
)
async def preview_reply(
    conversation_id: str, body: PreviewBody, once: Carried, caller: Caller, context: ContextOf
) -> Response:
    """Show which posts a text would become, and by which rule; nothing is stored or sent."""

    def show(connection: Connection) -> Answer:
        require_visible(connection, caller, conversation_id)
        known, visibility = spoken_in(context, connection, conversation_id, body.visibility)
        has_files = body.has_attachments
        rule = rule_of(known, visibility, has_attachments=has_files)
        is_blank = not body.text.strip()
        try:
            posts = (
                posts_of(body.text, known, visibility, has_attachments=has_files)
                if not is_blank
                else ()
            )
        except ReplyTooLong as refused:
            return refusal(once.request, refused)
        parts = [{"text": text, "length": length_of(text, rule)} for text in posts]
        threaded = known is not None and known.is_threaded
        files = (known or Capabilities()).attachments_of(visibility)
        shown = {"parts": parts, **length_shape(rule), "is_threaded": threaded}
        shown["attachments"] = attachments_shape(files)
        return Answer(200, shown | _audiences(connection, conversation_id, caller, context))

    return await once.run(show)


def _audiences(
    connection: Connection, conversation_id: str, caller: Principal, context: Context
) -> dict[str, Any]:
    """Say before somebody writes for whom what will be refused, and why."""
    conversation = conversations.get(connection, conversation_id)
    if conversation is None:
        raise not_found("conversation", conversation_id)
    known = capabilities_of(context, connection, conversation.account_id)
    audiences = []
    for visibility in Visibility:
        why = may_be_said(connection, conversation, caller.actor, known, visibility)
        told = None if why is None else {"code": why.code, "detail": str(why)}
        audiences.append({"visibility": visibility.value, "refusal": told})
    depth = ReplyDepth.ANY if known is None else known.reply_depth
    return {"reply_depth": depth.value, "audiences": audiences}


def _require_target(connection: Connection, conversation_id: str, target: str | None) -> None:
    if target is not None and not reading.posts_named(connection, conversation_id, [target]):
        where = ["body", "in_reply_to"]
        raise unprocessable("unknown_reply_target", where, "names no post of the conversation")


@router.get("/replies/{reply_id}", response_model=ReplyShape, responses=READS_ONE)
async def get_reply(reply_id: str, context: ContextOf, caller: Caller) -> dict[str, Any]:
    """Read a reply and how far it has come."""
    return await context.database.read(lambda k: reply_shape(_visible(k, caller, reply_id)))


def _visible(connection: Connection, caller: Principal, reply_id: str) -> Reply:
    reply = replies.get(connection, reply_id)
    if reply is None:
        raise not_found("reply", reply_id)
    require_visible(connection, caller, reply.conversation_id)
    return reply


@router.post("/replies/{reply_id}/resolve", response_model=ReplyShape, responses=COMMANDS)
async def resolve_reply(
    reply_id: Id, body: ResolutionBody, once: Carried, caller: Caller
) -> Response:
    """Settle a reply that needs a human: it was seen, or it is absent and sent again."""

    def settle(connection: Connection) -> Answer:
        _visible(connection, caller, reply_id)
        settled = replies.resolve_by_human(
            connection, reply_id, caller.actor, body.outcome, body.external_id
        )
        if settled is None:
            raise not_found("reply", reply_id)
        if settled.refusal is not None:
            return refusal(once.request, settled.refusal, settled.aftermath)
        return Answer(200, reply_shape(settled.reply), settled.aftermath)

    return await once.run(settle)


@router.post(
    "/conversations/{conversation_id}/notes",
    status_code=201,
    response_model=NoteShape,
    responses=COMMANDS,
)
async def create_note(
    conversation_id: str, body: NoteBody, once: Carried, caller: Caller
) -> Response:
    """Write a note for colleagues; no customer ever sees it."""

    def write(connection: Connection) -> Answer:
        require_visible(connection, caller, conversation_id)
        mentioned = set(body.mentions) - {caller.agent_id or ""}
        name = caller.identity.name
        note = reading.add_note(
            connection, conversation_id, caller.agent_id, name, body.text, mentioned
        )
        return Answer(201, note_shape(note))

    return await once.run(write)

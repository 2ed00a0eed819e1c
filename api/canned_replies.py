"""Canned replies: written by an administrator, found by agents, filled in for a conversation."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, Query, Response
from pydantic import Field, field_validator
from sqlalchemy import Connection, RowMapping

from api.auth import Caller
from api.context import ContextOf
from api.fields import Body, Id, Shape, Stamp, plain, rfc3339
from api.idempotency import Answer, Carried
from api.listing import Asked, Listing, listing
from api.routes import CHANGES, COMMANDS, CREATES, DELETES, READS, READS_ONE, new_router
from api.setup import IfMatch, Patch, found, merge_patch_of, patched, require_version, with_etag
from api.sight import require_visible, viewer_of
from conversations.canned_replies import Variable, missing, render, unknown_variables
from storage import canned_replies, conversations, reading
from storage.canned_replies import Sought

router = new_router("canned replies")

Shortcut = Annotated[
    str, Field(min_length=1, max_length=50, pattern=r"^[^\s/{}]+$", examples=["late"])
]
Language = Annotated[
    str, Field(max_length=35, pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", examples=["en"])
]


class CannedReplyBody(Body):
    """A text with variables in braces; of no workgroup: everybody's."""

    shortcut: Shortcut
    text: Annotated[
        str,
        Field(
            min_length=1,
            max_length=20_000,
            pattern=r"\S",
            examples=["Hello {customer_name}, this is {agent_name}."],
        ),
    ]
    workgroups: Annotated[list[Id], Field(max_length=200)] = []
    language: Language | None = None

    @field_validator("text")
    @classmethod
    def _have_known_variables(cls, text: str) -> str:
        unknown = unknown_variables(text)
        if unknown:
            known = ", ".join(f"{{{variable}}}" for variable in Variable)
            raise ValueError(f"{{{unknown[0][:50]}}} is no variable; there are {known}")
        return text


class CannedReply(CannedReplyBody):
    id: Id
    version: int
    created_at: Stamp


class RenderBody(Body):
    conversation_id: Id


class RenderedShape(Shape):
    """What would be said; `missing` names the variables for which nothing is known."""

    text: str
    missing: list[Variable]


async def sought(
    q: Annotated[str, Query(max_length=200)] = "",
    workgroup_id: Annotated[str | None, Query(max_length=64)] = None,
    language: Annotated[str | None, Query(max_length=35)] = None,
) -> Sought:
    """Read which ones are asked for: by how shortcut or words begin."""
    return Sought(q, workgroup_id, language)


def body_of(row: RowMapping, workgroup_ids: list[str]) -> dict[str, Any]:
    said = {name: row[name] for name in ("shortcut", "text", "language")}
    return {**said, "workgroups": workgroup_ids}


def values_of(body: CannedReplyBody) -> dict[str, Any]:
    return {name: said for name, said in plain(body).items() if name != "workgroups"}


def shapes(connection: Connection, rows: list[RowMapping]) -> list[dict[str, Any]]:
    whose = canned_replies.workgroups_of(connection, [row["id"] for row in rows])
    return [
        {
            "id": row["id"],
            **body_of(row, whose.get(row["id"], [])),
            "version": row["version"],
            "created_at": rfc3339(row["created_at"]),
        }
        for row in rows
    ]


def _shape(connection: Connection, row: RowMapping | None, canned_reply_id: str) -> dict[str, Any]:
    return shapes(connection, [found(row, canned_replies.KIND, canned_reply_id)])[0]


@router.post("/canned-replies", status_code=201, response_model=CannedReply, responses=CREATES)
async def create_canned_reply(body: CannedReplyBody, once: Carried) -> Response:
    """Create a canned reply."""

    def create(connection: Connection) -> Answer:
        made = canned_replies.create(connection, values_of(body), body.workgroups)
        return Answer(201, _shape(connection, canned_replies.get(connection, made), made))

    return await once.run(create)


@router.get("/canned-replies", response_model=Listing[CannedReply], responses=READS)
async def list_canned_replies(
    context: ContextOf, caller: Caller, window: Asked, wanted: Annotated[Sought, Depends(sought)]
) -> dict[str, Any]:
    """List canned replies by shortcut; an agent's are those of its workgroups and everybody's."""

    def read(connection: Connection) -> dict[str, Any]:
        seen = replace(wanted, seen_by=viewer_of(connection, caller).workgroup_ids)
        page = canned_replies.listed(connection, seen, window)
        return listing(shapes(connection, page.rows), page.next)

    return await context.database.read(read)


@router.get("/canned-replies/{canned_reply_id}", response_model=CannedReply, responses=READS_ONE)
async def get_canned_reply(canned_reply_id: str, context: ContextOf, caller: Caller) -> Response:
    """Read a canned reply; its version is the `ETag`."""

    def read(connection: Connection) -> dict[str, Any]:
        seen_by = viewer_of(connection, caller).workgroup_ids
        row = canned_replies.get(connection, canned_reply_id, seen_by)
        return _shape(connection, row, canned_reply_id)

    return with_etag(await context.database.read(read))


@router.patch(
    "/canned-replies/{canned_reply_id}",
    response_model=CannedReply,
    responses=CHANGES,
    openapi_extra=merge_patch_of(CannedReplyBody),
)
async def change_canned_reply(
    canned_reply_id: str, patch: Patch, context: ContextOf, if_match: IfMatch = None
) -> Response:
    """Change a canned reply; what was said by it stays what it is."""

    def change(connection: Connection) -> dict[str, Any]:
        locked = canned_replies.lock(connection, canned_reply_id)
        row = found(locked, canned_replies.KIND, canned_reply_id)
        require_version(row, if_match)
        whose = canned_replies.workgroups_of(connection, [canned_reply_id])
        present = body_of(row, whose.get(canned_reply_id, []))
        body = patched(CannedReplyBody, present, patch)
        canned_replies.change(connection, row, values_of(body), body.workgroups)
        changed = canned_replies.get(connection, canned_reply_id)
        return _shape(connection, changed, canned_reply_id)

    return with_etag(await context.database.write(change))


@router.delete("/canned-replies/{canned_reply_id}", status_code=204, responses=DELETES)
async def delete_canned_reply(canned_reply_id: str, context: ContextOf) -> None:
    """Delete a canned reply."""

    def remove(connection: Connection) -> None:
        locked = canned_replies.lock(connection, canned_reply_id)
        found(locked, canned_replies.KIND, canned_reply_id)
        canned_replies.remove(connection, canned_reply_id)

    await context.database.write(remove)


@router.post(
    "/canned-replies/{canned_reply_id}/render", response_model=RenderedShape, responses=COMMANDS
)
async def render_canned_reply(
    canned_reply_id: str, body: RenderBody, once: Carried, caller: Caller
) -> Response:
    """Fill a canned reply in for a conversation, as plain text; nothing is stored or sent."""

    def fill(connection: Connection) -> Answer:
        require_visible(connection, caller, body.conversation_id)
        seen_by = viewer_of(connection, caller).workgroup_ids
        row = canned_replies.get(connection, canned_reply_id, seen_by)
        text = found(row, canned_replies.KIND, canned_reply_id)["text"]
        values = {
            Variable.CUSTOMER_NAME: _customer_name(connection, body.conversation_id),
            Variable.AGENT_NAME: caller.identity.name,
            Variable.CONVERSATION_ID: body.conversation_id,
        }
        return Answer(200, {"text": render(text, values), "missing": missing(text, values)})

    return await once.run(fill)


def _customer_name(connection: Connection, conversation_id: str) -> str:
    """Return what the customer is called: by name, or else by handle."""
    conversation = conversations.get(connection, conversation_id)
    if conversation is None:
        return ""
    seen = reading.customers_seen(connection, [conversation])[conversation_id]
    return seen.name or seen.handle or ""

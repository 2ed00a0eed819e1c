"""Conversations to look at: lists, one, its timeline."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import Field
from sqlalchemy import Connection

from api.auth import Caller
from api.context import ContextOf
from api.errors import not_found
from api.fields import Moment, Shape, Stamp, maybe_rfc3339, rfc3339
from api.listing import Asked, Listing, listing
from api.posts import PostShape, post_shape
from api.routes import READS, READS_ONE, new_router
from api.shapes import (
    ConversationShape,
    NoteShape,
    ReplyShape,
    detail_shape,
    note_shape,
    read_shapes,
    reply_shape,
)
from api.sight import require_visible, viewer_of
from conversations.model import ConversationState, MediaType
from storage import conversations, reading, searching
from storage.reading import ConversationFilters, Entry

router = new_router("conversations")

OneId = Annotated[str | None, Query(max_length=64)]


async def filters(  # noqa: PLR0913, PLR0917 - one parameter a filter, as the contract has them
    state: Annotated[ConversationState | None, Query()] = None,
    workgroup_id: OneId = None,
    agent_id: OneId = None,
    consulted_agent_id: OneId = None,
    channel_id: OneId = None,
    customer_id: OneId = None,
    media_type: Annotated[MediaType | None, Query()] = None,
    since: Annotated[Moment | None, Query()] = None,
    until: Annotated[Moment | None, Query()] = None,
    network: OneId = None,
    q: Annotated[
        str, Query(max_length=200, description="Words of handle, name or posts, or an id")
    ] = "",
    newest_first: Annotated[bool, Query()] = False,  # noqa: FBT002 - named by its caller
) -> ConversationFilters:
    """Read which conversations are asked for; moments are those of their creation."""
    return ConversationFilters(
        state=state,
        workgroup_id=workgroup_id,
        agent_id=agent_id,
        consulted_agent_id=consulted_agent_id,
        channel_id=channel_id,
        customer_id=customer_id,
        media_type=media_type,
        since=since,
        until=until,
        network=network,
        q=q,
        newest_first=newest_first,
    )


class ConversationListing(Listing[ConversationShape]):
    searched_to: Annotated[
        Stamp | None,
        Field(description="With `q` or `network`: how far this page looked; null to the end"),
    ]


class EventShape(Shape):
    """What happened; `by_name` is who did it, when that was not the agent."""

    type: str
    agent_id: str | None
    by_name: str | None = None
    detail: dict[str, Any]


class EntryShape(Shape):
    """One entry of a timeline; beside `kind` stands the member of that name."""

    kind: str
    at: Stamp
    post: PostShape | None = None
    reply: ReplyShape | None = None
    note: NoteShape | None = None
    event: EventShape | None = None


@router.get("/conversations", response_model=ConversationListing, responses=READS)
async def list_conversations(
    context: ContextOf,
    caller: Caller,
    window: Asked,
    wanted: Annotated[ConversationFilters, Depends(filters)],
) -> dict[str, Any]:
    """List conversations by creation; `agent_id` finds the owner and the offered agent.

    With `q` or `network` a page looks at the next 2,000 conversations that the other filters
    leave: it may hold fewer than `limit`, or none, and have a `next_cursor` all the same.
    """
    look = searching.found if searching.is_search(wanted) else reading.listed

    def read(connection: Connection) -> dict[str, Any]:
        page = look(connection, wanted, viewer_of(connection, caller), window)
        shapes = read_shapes(connection, page.conversations, context.links)
        return listing(shapes, page.next) | {"searched_to": maybe_rfc3339(page.searched_to)}

    return await context.database.read(read)


@router.get(
    "/conversations/{conversation_id}", response_model=ConversationShape, responses=READS_ONE
)
async def get_conversation(
    conversation_id: str, context: ContextOf, caller: Caller
) -> dict[str, Any]:
    """Read a conversation."""

    def read(connection: Connection) -> dict[str, Any]:
        require_visible(connection, caller, conversation_id)
        conversation = conversations.get(connection, conversation_id)
        if conversation is None:
            raise not_found("conversation", conversation_id)
        return read_shapes(connection, [conversation], context.links)[0]

    return await context.database.read(read)


@router.get(
    "/conversations/{conversation_id}/timeline",
    response_model=Listing[EntryShape],
    response_model_exclude_unset=True,
    responses=READS_ONE,
)
async def get_timeline(
    conversation_id: str, context: ContextOf, caller: Caller, window: Asked
) -> dict[str, Any]:
    """Read posts, replies, notes and events in one order."""

    def read(connection: Connection) -> dict[str, Any]:
        require_visible(connection, caller, conversation_id)
        told = reading.timeline(connection, conversation_id, window)
        names = reading.names_of(connection, told.entries)
        return listing([entry_shape(entry, names) for entry in told.entries], told.next)

    return await context.database.read(read)


def entry_shape(entry: Entry, names: Mapping[str, str]) -> dict[str, Any]:
    """Return an entry of a timeline in the contract's form; the names are those of principals."""
    shape: dict[str, Any]
    if entry.reply is not None:
        shape = reply_shape(entry.reply)
    elif entry.kind == "post":
        shape = post_shape(entry.value)
    elif entry.kind == "note":
        shape = note_shape(entry.value)
    else:
        shape = {name: entry.value[name] for name in ("type", "agent_id")}
        shape["detail"] = detail_shape(entry.value["detail"])
        if name := names.get(str(entry.value["detail"].get("by"))):
            shape["by_name"] = name
    return {"kind": entry.kind, "at": rfc3339(entry.at), entry.kind: shape}

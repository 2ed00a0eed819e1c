"""Mentions: notes that name the caller, until the conversation is opened."""

from typing import Annotated, Any

from fastapi import Query
from sqlalchemy import Connection, RowMapping

from api.auth import Caller
from api.context import ContextOf
from api.fields import Body, Shape, Stamp, maybe_rfc3339, rfc3339
from api.listing import Asked, Listing, listing
from api.routes import READS, READS_ONE, new_router, problems
from api.shapes import CustomerShape
from api.sight import require_visible
from storage import mentions, reading
from storage.pages import Page
from storage.reading import CustomerSeen

router = new_router("mentions")


class WriterShape(Shape):
    """Who wrote the note; `agent_id` is null for a key that is no agent's."""

    agent_id: str | None
    name: str


class MentionShape(Shape):
    """A note that names the caller; `read_at` is when he opened its conversation."""

    note_id: str
    conversation_id: str
    customer: CustomerShape
    network: str
    by: WriterShape
    text: str
    created_at: Stamp
    read_at: Stamp | None


class ReadBody(Body):
    """Whether the caller has seen what names him there; false keeps it for later."""

    read: bool


@router.get("/mentions", response_model=Listing[MentionShape], responses=READS)
async def list_mentions(
    context: ContextOf,
    caller: Caller,
    window: Asked,
    unread: Annotated[bool, Query(description="Only what is not read yet")] = False,  # noqa: FBT002 - a filter as the others
) -> dict[str, Any]:
    """List the notes that name the caller, the newest first; a key that is no agent's has none."""
    agent_id = caller.agent_id
    if agent_id is None:
        return listing([], None)

    def read(connection: Connection) -> dict[str, Any]:
        found = mentions.of_agent(connection, agent_id, window, is_unread_only=unread)
        return listing(_shapes(connection, found), found.next)

    return await context.database.read(read)


def _shapes(connection: Connection, found: Page) -> list[dict[str, Any]]:
    ids = {row["conversation_id"] for row in found.rows}
    homes = reading.conversations_of(connection, ids)
    customers = reading.customers_seen(connection, list(homes.values()))
    return [
        _shape(row, homes[row["conversation_id"]].network, customers[row["conversation_id"]])
        for row in found.rows
    ]


def _shape(row: RowMapping, network: str, customer: CustomerSeen) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("note_id", "conversation_id", "text")},
        "customer": {"id": customer.id, "handle": customer.handle, "name": customer.name},
        "network": network,
        "by": {"agent_id": row["by_agent_id"], "name": row["author_name"]},
        "created_at": rfc3339(row["created_at"]),
        "read_at": maybe_rfc3339(row["read_at"]),
    }


@router.put(
    "/conversations/{conversation_id}/mentions",
    status_code=204,
    responses=READS_ONE | problems(413, 415),
)
async def mark_mentions(
    conversation_id: str, body: ReadBody, context: ContextOf, caller: Caller
) -> None:
    """Take the conversation's notes that name the caller as read, or as new again."""
    agent_id = caller.agent_id

    def mark(connection: Connection) -> None:
        require_visible(connection, caller, conversation_id)
        if agent_id is not None:
            mentions.mark(connection, agent_id, conversation_id, is_read=body.read)

    await context.database.write(mark)

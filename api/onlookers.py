"""Who else is at a conversation: told by each for 15 s at a time, read by the others."""

from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Connection, RowMapping

from api.auth import Caller
from api.context import ContextOf
from api.fields import Body, Shape, Stamp, rfc3339
from api.listing import Asked, Listing, listing
from api.routes import READS_ONE, new_router, problems
from api.sight import require_visible
from conversations.onlooking import Activity
from storage import onlookers
from storage.onlookers import Onlooker

router = new_router("presence")


class PresenceBody(Body):
    """What the caller does there; it counts for 15 s."""

    activity: Annotated[Activity, Field(strict=False)]


class OnlookerShape(Shape):
    """Somebody else who looks or types; `agent_id` is null for a key that is no agent's."""

    agent_id: str | None
    name: str
    activity: Activity
    since: Stamp
    until: Stamp


@router.get(
    "/conversations/{conversation_id}/presence",
    response_model=Listing[OnlookerShape],
    responses=READS_ONE,
)
async def list_onlookers(
    conversation_id: str, context: ContextOf, caller: Caller, window: Asked
) -> dict[str, Any]:
    """List who else looks at the conversation or types in it, by when they began."""

    def read(connection: Connection) -> dict[str, Any]:
        require_visible(connection, caller, conversation_id)
        page = onlookers.others(connection, Onlooker(conversation_id, caller.id), window)
        return listing([shape(row) for row in page.rows], page.next)

    return await context.database.read(read)


def shape(row: RowMapping) -> dict[str, Any]:
    """Return an onlooker as the others see him."""
    return {
        **{name: row[name] for name in ("agent_id", "name", "activity")},
        "since": rfc3339(row["since"]),
        "until": rfc3339(row["until"]),
    }


@router.post(
    "/conversations/{conversation_id}/presence",
    status_code=204,
    responses=problems(401, 403, 404, 413, 415, 422, 503),
)
async def note_presence(
    conversation_id: str, body: PresenceBody, context: ContextOf, caller: Caller
) -> None:
    """Look, type, or be gone; like a heartbeat, it is kept with no key."""
    who = Onlooker(conversation_id, caller.id)

    def look(connection: Connection) -> bool:
        require_visible(connection, caller, conversation_id)
        return onlookers.is_worth_writing(connection, who, body.activity)

    if await context.database.read(look):
        await context.database.write(lambda k: onlookers.note(k, who, body.activity))

"""Sessions as a list: one's own, seen and ended; an administrator ends an agent's."""

from typing import Annotated, Any

from fastapi import Response
from pydantic import Field
from sqlalchemy import Connection, RowMapping

from api.auth import Caller
from api.context import ContextOf
from api.doorkeeper import Principal
from api.errors import not_found
from api.fields import Shape, Stamp, rfc3339
from api.listing import Asked, Listing, listing
from api.routes import DELETES, READS, new_router, problems
from api.session import farewell
from api.setup import found
from storage import agents, sessions

router = new_router("session")


class OpenSessionShape(Shape):
    """One browser that is signed in."""

    id: str
    opened_by: Annotated[str, Field(description="key, password or demo")]
    browser: Annotated[str | None, Field(description="What the browser said of itself")]
    created_at: Stamp
    last_used_at: Annotated[Stamp, Field(description="Written once a minute at most")]
    expires_at: Stamp
    is_this: Annotated[bool, Field(description="Whether it is the one that asks")]


def _shape(row: RowMapping, caller: Principal) -> dict[str, Any]:
    return {
        "id": row["id"],
        "opened_by": row["opened_by"],
        "browser": row["browser"],
        "created_at": rfc3339(row["created_at"]),
        "last_used_at": rfc3339(row["last_used_at"]),
        "expires_at": rfc3339(sessions.ends_at(row)),
        "is_this": row["token_hash"] == caller.identity.session_hash,
    }


@router.get("/sessions", response_model=Listing[OpenSessionShape], responses=READS)
async def list_sessions(context: ContextOf, caller: Caller, window: Asked) -> dict[str, Any]:
    """List the caller's own open sessions, the oldest first."""
    page = await context.database.read(lambda k: sessions.of_principal(k, caller.id, window))
    return listing([_shape(row, caller) for row in page.rows], page.next)


@router.delete("/sessions", status_code=204, responses=problems(401, 403, 503))
async def end_sessions(context: ContextOf, caller: Caller) -> Response:
    """Log out everywhere, here too; what the sessions opened closes. Keys stay."""
    await context.database.write(lambda k: sessions.end_all(k, caller.id))
    context.rights_changed()
    return farewell(context)


@router.delete("/sessions/{session_id}", status_code=204, responses=DELETES)
async def end_session(session_id: str, context: ContextOf, caller: Caller) -> None:
    """End one of the caller's own sessions."""
    if not await context.database.write(lambda k: sessions.end(k, caller.id, session_id)):
        raise not_found("session", session_id)
    context.rights_changed()


@router.delete("/agents/{agent_id}/sessions", status_code=204, responses=DELETES)
async def end_sessions_of_agent(agent_id: str, context: ContextOf) -> None:
    """Sign an agent out of every browser; keys and password stay."""

    def end(connection: Connection) -> None:
        found(agents.get(connection, agent_id), "agent", agent_id)
        sessions.end_all_of_agent(connection, agent_id)

    await context.database.write(end)
    context.rights_changed()

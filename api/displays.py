"""Displays: tokens for screens on walls, which read figures and nothing else."""

from typing import Annotated, Any

from fastapi import Response
from pydantic import Field
from sqlalchemy import Connection, RowMapping

from api.auth import Caller
from api.context import ContextOf
from api.errors import not_found, unprocessable
from api.fields import Body, Id, Moment, Name, Shape, Stamp, maybe_rfc3339, rfc3339
from api.idempotency import Answer, Carried
from api.listing import Asked, Listing, listing
from api.routes import CREATES, DELETES, READS, new_router
from conversations.model import Instant
from storage import clock, displays

router = new_router("displays")

DAY_MS = 86_400_000
USUAL_LIFE_MS = 90 * DAY_MS
LONGEST_LIFE_MS = 366 * DAY_MS


class DisplayBody(Body):
    """A screen; without workgroups it shows all of them."""

    name: Name
    workgroups: Annotated[list[Id], Field(max_length=200)] = []
    shows_agents: Annotated[bool, Field(description="Agents by name, and why they are away")] = (
        False
    )
    expires_at: Annotated[Moment, Field(description="In 90 days if not said; in 366 at most")] | (
        None
    ) = None


class DisplayShape(Shape):
    id: str
    name: str
    workgroups: list[str]
    shows_agents: bool
    created_by: str
    created_at: Stamp
    expires_at: Stamp
    last_used_at: Stamp | None


class NewDisplayShape(DisplayShape):
    token: Annotated[str, Field(description="Shown this once")]


def shape(row: RowMapping) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "workgroups": row["workgroup_ids"],
        "shows_agents": row["shows_agents"],
        "created_by": row["created_by"],
        "created_at": rfc3339(row["created_at"]),
        "expires_at": rfc3339(row["expires_at"]),
        "last_used_at": maybe_rfc3339(row["last_used_at"]),
    }


def _ends(connection: Connection, wanted: Instant | None) -> Instant:
    """Return when the display's token ends.

    Raises:
        Problem: 422; that is past, or too far away.
    """
    now = clock.now(connection)
    latest = now + LONGEST_LIFE_MS
    ends = now + USUAL_LIFE_MS if wanted is None else wanted
    if not now < ends <= latest:
        detail = f"lies between now and {rfc3339(latest)}"
        raise unprocessable("invalid_request", ["body", "expires_at"], detail)
    return ends


@router.post("/displays", status_code=201, response_model=NewDisplayShape, responses=CREATES)
async def create_display(body: DisplayBody, once: Carried, caller: Caller) -> Response:
    """Make a display; its token is shown this once."""

    def create(connection: Connection) -> Answer:
        wanted = displays.Wanted(
            name=body.name,
            workgroup_ids=tuple(dict.fromkeys(body.workgroups)),
            shows_agents=body.shows_agents,
            expires_at=_ends(connection, body.expires_at),
            created_by=caller.identity.name,
        )
        if missing := displays.unknown_workgroups(connection, wanted.workgroup_ids):
            where = ["body", "workgroups"]
            raise unprocessable("unknown_reference", where, f"{missing[0]} does not exist")
        display_id, token = displays.create(connection, wanted)
        row = displays.get(connection, display_id)
        if row is None:
            raise not_found("display", display_id)
        return Answer(201, {**shape(row), "token": token}, is_secret=True)

    return await once.run(create)


@router.get("/displays", response_model=Listing[DisplayShape], responses=READS)
async def list_displays(context: ContextOf, window: Asked) -> dict[str, Any]:
    """List displays with their last use, which is noted once a minute."""

    def read(connection: Connection) -> dict[str, Any]:
        found = displays.listed(connection, window)
        return listing([shape(row) for row in found.rows], found.next)

    return await context.database.read(read)


@router.delete("/displays/{display_id}", status_code=204, responses=DELETES)
async def delete_display(display_id: str, context: ContextOf) -> Response:
    """Take a display's token back: it opens nothing any more."""
    if not await context.database.write(lambda k: displays.remove(k, display_id)):
        raise not_found("display", display_id)
    context.doorkeeper.forget()
    return Response(status_code=204)

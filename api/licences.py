"""Licences: how they are allocated, how many there are, how many are in use."""

from typing import Annotated, Any

from fastapi import Response
from pydantic import Field
from sqlalchemy import Connection

from acd.licences import Allocation, LicenceKind
from api.context import ContextOf
from api.errors import not_found
from api.fields import Body, Shape
from api.listing import Listing, listing
from api.routes import CHANGES, READS, new_router
from api.setup import IfMatch, Patch, merge_patch_of, patched, require_version, with_etag
from storage import licences
from storage.journal import Aftermath
from storage.upkeep import workgroups_with_waiting

router = new_router("licences")


class LicenceBody(Body):
    """How licences of a kind are allocated; `count` null: there is no limit."""

    allocation: Annotated[Allocation, Field(strict=False)] = Allocation.ASSIGNED
    count: Annotated[int, Field(ge=0, le=1_000_000)] | None = None


class LicenceShape(Shape):
    kind: LicenceKind
    allocation: Allocation
    count: int | None
    in_use: int
    version: int


@router.get("/licences", response_model=Listing[LicenceShape], responses=READS)
async def list_licences(context: ContextOf) -> dict[str, Any]:
    """List both kinds: of stations and of users."""
    return listing(await context.database.read(licences.listed), None)


@router.patch(
    "/licences/{kind}",
    response_model=LicenceShape,
    responses=CHANGES,
    openapi_extra=merge_patch_of(LicenceBody),
)
async def change_licence(
    kind: str, patch: Patch, context: ContextOf, if_match: IfMatch = None
) -> Response:
    """Allocate a kind anew; effective at once, and refused where more are in use."""
    if kind not in set(LicenceKind):
        raise not_found("licence", kind)

    def change(connection: Connection) -> tuple[dict[str, Any], list[str]]:
        locked = licences.lock(connection, LicenceKind(kind))
        require_version(locked.row, if_match)
        present = {name: locked.row[name] for name in LicenceBody.model_fields}
        body = patched(LicenceBody, present, patch)
        changed = licences.change(connection, locked, body.allocation, body.count)
        return changed, workgroups_with_waiting(connection)

    changed, asks = await context.database.write(change)
    await context.following.follow(Aftermath(asks=frozenset(asks)))
    return with_etag(changed)

"""Dispositions: wrap-up codes with names, offered to a workgroup's agents or to everybody's."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, Query, Response
from pydantic import Field
from sqlalchemy import Connection, RowMapping

from api.auth import Caller
from api.context import ContextOf
from api.errors import not_found, unprocessable
from api.fields import Body, Id, Moment, Name, Shape, Stamp, WrapUpCode, plain, rfc3339
from api.idempotency import Answer, Carried
from api.listing import Asked, Listing, listing
from api.routes import CHANGES, CREATES, DELETES, READS, READS_ONE, new_router
from api.setup import IfMatch, Patch, found, merge_patch_of, patched, require_version, with_etag
from api.sight import viewer_of
from storage import dispositions, standing
from storage.dispositions import Sought

router = new_router("dispositions")


class DispositionBody(Body):
    """A code and what agents read; of no workgroup: everybody's."""

    code: Annotated[WrapUpCode, Field(description="What conversations get; never changes")]
    name: Name
    workgroups: Annotated[list[Id], Field(max_length=200)] = []
    active: Annotated[bool, Field(description="False: it is no longer offered")] = True
    position: Annotated[int, Field(ge=0, le=1_000, description="Offered in this order")] = 0


class Disposition(DispositionBody):
    id: Id
    version: int
    created_at: Stamp


class Period(Body):
    """Which ends are counted; `from` and `to` need an offset."""

    begin: Annotated[Moment, Field(alias="from")]
    end: Annotated[Moment, Field(alias="to")]
    workgroup_id: Annotated[str, Field(max_length=64)] | None = None


class CountShape(Shape):
    """So many conversations of a workgroup ended with the code."""

    workgroup_id: str
    code: str
    conversations: int


class CountsShape(Shape):
    items: list[CountShape]


async def sought(
    workgroup_id: Annotated[str | None, Query(max_length=64)] = None,
    active: Annotated[bool | None, Query()] = None,
) -> Sought:
    """Read which ones are asked for: those of a workgroup and everybody's."""
    return Sought(workgroup_id, active)


def body_of(row: RowMapping, workgroup_ids: list[str]) -> dict[str, Any]:
    said = {name: row[name] for name in ("code", "name", "active", "position")}
    return {**said, "workgroups": workgroup_ids}


def values_of(body: DispositionBody) -> dict[str, Any]:
    return {name: said for name, said in plain(body).items() if name != "workgroups"}


def shapes(connection: Connection, rows: list[RowMapping]) -> list[dict[str, Any]]:
    whose = dispositions.workgroups_of(connection, [row["id"] for row in rows])
    return [
        {
            "id": row["id"],
            **body_of(row, whose.get(row["id"], [])),
            "version": row["version"],
            "created_at": rfc3339(row["created_at"]),
        }
        for row in rows
    ]


def _shape(connection: Connection, row: RowMapping | None, disposition_id: str) -> dict[str, Any]:
    return shapes(connection, [found(row, dispositions.KIND, disposition_id)])[0]


@router.post("/dispositions", status_code=201, response_model=Disposition, responses=CREATES)
async def create_disposition(body: DispositionBody, once: Carried) -> Response:
    """Create a disposition."""

    def create(connection: Connection) -> Answer:
        made = dispositions.create(connection, values_of(body), body.workgroups)
        return Answer(201, _shape(connection, dispositions.get(connection, made), made))

    return await once.run(create)


@router.get("/dispositions", response_model=Listing[Disposition], responses=READS)
async def list_dispositions(
    context: ContextOf, caller: Caller, window: Asked, wanted: Annotated[Sought, Depends(sought)]
) -> dict[str, Any]:
    """List dispositions by position, then code; an agent's are its workgroups' and everybody's."""

    def read(connection: Connection) -> dict[str, Any]:
        seen = replace(wanted, seen_by=viewer_of(connection, caller).workgroup_ids)
        page = dispositions.listed(connection, seen, window)
        return listing(shapes(connection, page.rows), page.next)

    return await context.database.read(read)


@router.get("/dispositions/{disposition_id}", response_model=Disposition, responses=READS_ONE)
async def get_disposition(disposition_id: str, context: ContextOf, caller: Caller) -> Response:
    """Read a disposition; its version is the `ETag`."""

    def read(connection: Connection) -> dict[str, Any]:
        seen_by = viewer_of(connection, caller).workgroup_ids
        row = dispositions.get(connection, disposition_id, seen_by)
        return _shape(connection, row, disposition_id)

    return with_etag(await context.database.read(read))


@router.patch(
    "/dispositions/{disposition_id}",
    response_model=Disposition,
    responses=CHANGES,
    openapi_extra=merge_patch_of(DispositionBody),
)
async def change_disposition(
    disposition_id: str, patch: Patch, context: ContextOf, if_match: IfMatch = None
) -> Response:
    """Change a disposition; conversations keep the code that they have."""

    def change(connection: Connection) -> dict[str, Any]:
        row = found(
            dispositions.lock(connection, disposition_id), dispositions.KIND, disposition_id
        )
        require_version(row, if_match)
        whose = dispositions.workgroups_of(connection, [disposition_id])
        body = patched(DispositionBody, body_of(row, whose.get(disposition_id, [])), patch)
        dispositions.change(connection, row, values_of(body), body.workgroups)
        changed = dispositions.get(connection, disposition_id)
        return _shape(connection, changed, disposition_id)

    return with_etag(await context.database.write(change))


@router.delete("/dispositions/{disposition_id}", status_code=204, responses=DELETES)
async def delete_disposition(disposition_id: str, context: ContextOf) -> None:
    """Delete a disposition that no conversation has; others are switched off."""

    def remove(connection: Connection) -> None:
        locked = dispositions.lock(connection, disposition_id)
        dispositions.remove(connection, found(locked, dispositions.KIND, disposition_id))

    await context.database.write(remove)


@router.get("/statistics/dispositions", response_model=CountsShape, responses=READS_ONE)
async def get_statistics_dispositions(
    context: ContextOf, caller: Caller, asked: Annotated[Period, Query()]
) -> dict[str, Any]:
    """Count the conversations that ended in a period by workgroup and disposition."""
    if asked.end <= asked.begin:
        raise unprocessable("period_empty", ["query", "to"], "has to be after from")

    def read(connection: Connection) -> dict[str, Any]:
        seen_by = viewer_of(connection, caller).workgroup_ids
        ids = [row["id"] for row in standing.all_workgroups(connection)]
        wanted = [
            one
            for one in ids
            if asked.workgroup_id in (None, one) and (seen_by is None or one in seen_by)
        ]
        if asked.workgroup_id is not None and not wanted:
            raise not_found("workgroup", asked.workgroup_id)
        counts = dispositions.counted(connection, wanted, asked.begin, asked.end)
        items = [
            {"workgroup_id": workgroup_id, "code": code, "conversations": conversations}
            for (workgroup_id, code), conversations in sorted(counts.items())
        ]
        return {"items": items}

    return await context.database.read(read)

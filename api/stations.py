"""Stations: the places where agents log in."""

from typing import Any

from fastapi import Response
from sqlalchemy import Connection, RowMapping

from api.context import ContextOf
from api.fields import Body, Id, Name, Stamp, plain, rfc3339
from api.idempotency import Answer, Carried
from api.listing import Asked, Listing, listing
from api.routes import CHANGES, CREATES, DELETES, READS, READS_ONE, new_router
from api.setup import IfMatch, Patch, found, merge_patch_of, patched, require_version, with_etag
from storage import stations
from storage.journal import Aftermath

router = new_router("stations")


class StationBody(Body):
    """A station as it is created; its licence serves whoever is logged in there."""

    name: Name
    licensed: bool = False


class Station(StationBody):
    id: Id
    agent_id: Id | None
    version: int
    created_at: Stamp


def body_of(row: RowMapping) -> dict[str, Any]:
    return {name: row[name] for name in StationBody.model_fields}


def shapes(connection: Connection, rows: list[RowMapping]) -> list[dict[str, Any]]:
    """Return stations with who is logged in there."""
    present = stations.agents_at(connection, rows)
    return [
        {
            "id": row["id"],
            **body_of(row),
            "agent_id": present.get(row["id"]),
            "version": row["version"],
            "created_at": rfc3339(row["created_at"]),
        }
        for row in rows
    ]


def shape(connection: Connection, station_id: str) -> dict[str, Any]:
    """Return one station.

    Raises:
        Problem: 404, there is none.
    """
    return shapes(connection, [found(stations.get(connection, station_id), "station", station_id)])[
        0
    ]


@router.post("/stations", status_code=201, response_model=Station, responses=CREATES)
async def create_station(body: StationBody, once: Carried) -> Response:
    """Create a station."""

    def create(connection: Connection) -> Answer:
        return Answer(201, shape(connection, stations.create(connection, plain(body))))

    return await once.run(create)


@router.get("/stations", response_model=Listing[Station], responses=READS)
async def list_stations(context: ContextOf, window: Asked) -> dict[str, Any]:
    """List stations by creation."""

    def read(connection: Connection) -> dict[str, Any]:
        page = stations.listed(connection, window)
        return listing(shapes(connection, page.rows), page.next)

    return await context.database.read(read)


@router.get("/stations/{station_id}", response_model=Station, responses=READS_ONE)
async def get_station(station_id: str, context: ContextOf) -> Response:
    """Read a station; its version is the `ETag`."""
    return with_etag(await context.database.read(lambda k: shape(k, station_id)))


@router.patch(
    "/stations/{station_id}",
    response_model=Station,
    responses=CHANGES,
    openapi_extra=merge_patch_of(StationBody),
)
async def change_station(
    station_id: str, patch: Patch, context: ContextOf, if_match: IfMatch = None
) -> Response:
    """Change a station; its licence is effective at once for whoever is logged in there."""

    def change(connection: Connection) -> tuple[dict[str, Any], frozenset[str]]:
        row = found(stations.lock(connection, station_id), "station", station_id)
        require_version(row, if_match)
        body = patched(StationBody, body_of(row), patch)
        asks = stations.change(connection, row, plain(body))
        return shape(connection, station_id), asks

    changed, asks = await context.database.write(change)
    await context.following.follow(Aftermath(asks=asks))
    return with_etag(changed)


@router.delete("/stations/{station_id}", status_code=204, responses=DELETES)
async def delete_station(station_id: str, context: ContextOf) -> None:
    """Delete a station where nobody is logged in."""

    def remove(connection: Connection) -> None:
        found(stations.lock(connection, station_id), "station", station_id)
        stations.remove(connection, station_id)

    await context.database.write(remove)

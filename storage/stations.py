"""Stations: places of work, each with one agent at a time."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from acd.licences import LicenceKind
from storage import clock, licences, setup, workgroups
from storage.agent_changes import note_agents
from storage.database import ConcurrentChange
from storage.ids import new_id
from storage.pages import Page, Window, page
from storage.setup_tables import AgentRow, StationRow

AGENTS = AgentRow.__table__  # type: ignore[attr-defined]
STATIONS = StationRow.__table__  # type: ignore[attr-defined]

KIND = "station"


class StationInUse(setup.SetUpRefusal):
    """Another agent is logged in there."""

    def __init__(self, station_id: str, agent_id: str) -> None:
        super().__init__(f"agent {agent_id} is logged in at station {station_id}")


def create(connection: Connection, values: Mapping[str, Any]) -> str:
    """Create a station and return its id.

    Raises:
        NameTaken: another one has the name.
        LicencesExhausted: it is to be licensed and no licence is left.
    """
    station_id = new_id("st")
    setup.require_free(STATIONS.c.name, connection, KIND, values["name"], station_id)
    if values["licensed"]:
        licences.require_assignable(connection, LicenceKind.STATION)
    given = {**values, "id": station_id, "created_at": clock.now(connection)}
    setup.add(connection, STATIONS, given)
    return station_id


def get(connection: Connection, station_id: str) -> RowMapping | None:
    return setup.find(connection, STATIONS, station_id)


def lock(connection: Connection, station_id: str) -> RowMapping | None:
    """Lock a station after whoever is logged in there: agents come before stations.

    Raises:
        ConcurrentChange: somebody came or went in between; the transaction is run again.
    """
    before = agent_at(connection, station_id)
    if before is not None:
        setup.lock(connection, AGENTS, before)
    row = setup.lock(connection, STATIONS, station_id)
    if agent_at(connection, station_id) != before:
        raise ConcurrentChange(station_id)
    return row


def agent_at(connection: Connection, station_id: str) -> str | None:
    """Return who is logged in there."""
    query = select(AGENTS.c.id).where(AGENTS.c.station_id == station_id)
    return connection.execute(query).scalar_one_or_none()


def listed(connection: Connection, window: Window) -> Page:
    return page(connection, select(STATIONS), (STATIONS.c.created_at, STATIONS.c.id), window)


def agents_at(connection: Connection, rows: list[RowMapping]) -> dict[str, str]:
    """Return who is logged in at which of the stations."""
    query = select(AGENTS.c.station_id, AGENTS.c.id).where(
        AGENTS.c.station_id.in_([row["id"] for row in rows])
    )
    return {row.station_id: row.id for row in connection.execute(query)}


def change(connection: Connection, row: RowMapping, values: Mapping[str, Any]) -> frozenset[str]:
    """Write a locked station's new values; return the workgroups that may gain by it.

    Raises:
        NameTaken: another one has the name.
        LicencesExhausted: it is to be licensed and no licence is left.
        NoLicenceFree: whoever sits there needs its concurrent licence and none is free.
    """
    setup.require_free(STATIONS.c.name, connection, KIND, values["name"], row["id"])
    is_gain = values["licensed"] and not row["licensed"]
    if is_gain:
        licences.require_assignable(connection, LicenceKind.STATION)
    setup.change(connection, STATIONS, row, values)
    agent_id = agent_at(connection, row["id"])
    if agent_id is None:
        return frozenset()
    licences.settle(connection, agent_id, refuses=is_gain)
    note_agents(connection, [agent_id], clock.now(connection))
    theirs = workgroups.of_agents(connection, [agent_id])[agent_id]
    return workgroups.served_by(connection, theirs)


def remove(connection: Connection, station_id: str) -> None:
    """Delete a station where nobody is logged in.

    Raises:
        InUse: somebody is.
    """
    if setup.is_referred_to(connection, AGENTS.c.station_id, station_id):
        raise setup.InUse(KIND, station_id, "logged-in agents")
    setup.remove(connection, STATIONS, KIND, station_id)


def require_free(connection: Connection, station_id: str, agent_id: str) -> None:
    """Lock a station for a locked agent who logs in there.

    Raises:
        UnknownReference: there is no such station.
        StationInUse: another agent is logged in there.
    """
    if setup.lock(connection, STATIONS, station_id) is None:
        raise setup.UnknownReference("station_id", station_id)
    other = agent_at(connection, station_id)
    if other not in {None, agent_id}:
        raise StationInUse(station_id, str(other))

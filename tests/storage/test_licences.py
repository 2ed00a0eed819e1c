"""Licences are counted: also when 60 agents log in at once, never one too many."""

import asyncio
import contextlib
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from acd.licences import Allocation, LicenceKind
from conversations.model import RoutingStatus
from storage import agents, clock, licences, stations, statuses
from storage.database import Database
from storage.setup_tables import AgentRow
from tests.floor import Floor

AGENTS = AgentRow.__table__  # type: ignore[attr-defined]
USER, STATION = LicenceKind.USER, LicenceKind.STATION
CONCURRENT, ASSIGNED = Allocation.CONCURRENT, Allocation.ASSIGNED
CROWD = 60
AT_ONCE = 12
"""Fewer than the pool has connections: who waits 5 s for one is refused, and that is right."""

pytestmark = pytest.mark.timeout(180)


async def allocate(
    database: Database, kind: LicenceKind, allocation: Allocation, count: int | None
) -> dict[str, Any]:
    return await database.write(
        lambda k: licences.change(k, licences.lock(k, kind), allocation, count)
    )


async def log_in(database: Database, agent_id: str, station_id: str | None = None) -> None:
    await database.write(
        lambda k: statuses.set_status(
            k, agent_id, RoutingStatus.ON_QUEUE, None, station_id=station_id
        )
    )


async def in_use(database: Database, kind: LicenceKind) -> int:
    rows = await database.read(licences.listed)
    (found,) = (row["in_use"] for row in rows if row["kind"] == kind)
    return int(found)


async def row_of(database: Database, agent_id: str) -> Any:
    return await database.read(lambda k: agents.get(k, agent_id))


async def station(database: Database, *, licensed: bool, name: str = "desk 1") -> str:
    values = {"name": name, "licensed": licensed}
    return await database.write(lambda k: stations.create(k, values))


async def newcomers(floor: Floor, count: int) -> list[str]:
    """Return agents who are not logged in, made in one commit."""
    names = [f"ag-{number:03}" for number in range(count)]

    def add(connection: Connection) -> None:
        now = clock.now(connection)
        moments = dict.fromkeys(("created_at", "since", "idle_since"), now)
        common: dict[str, Any] = {"roles": ["agent"], **moments}
        rows = [
            AgentRow(id=n, username=n, name=n, presence_lease=False, **common).model_dump()
            for n in names
        ]
        connection.execute(insert(AGENTS), rows)

    await floor.database.write(add)
    return names


async def test_of_60_who_log_in_at_once_only_the_count_gets_in(database: Database) -> None:
    crowd = await newcomers(Floor(database), CROWD)
    await allocate(database, USER, CONCURRENT, 25)

    came = await asyncio.gather(*(log_in(database, a) for a in crowd), return_exceptions=True)

    assert sum(outcome is None for outcome in came) == 25
    assert all(isinstance(o, licences.NoLicenceFree) for o in came if o is not None)
    assert await in_use(database, USER) == 25
    query = select(AGENTS.c.held_licence, AGENTS.c.routing_status)
    rows = await database.read(lambda k: k.execute(query).all())
    assert {(held is not None, status) for held, status in rows} == {
        (True, "on_queue"),
        (False, "off_queue"),
    }


async def test_the_count_holds_while_60_come_and_go_and_it_is_changed(database: Database) -> None:
    crowd = await newcomers(Floor(database), CROWD)
    await allocate(database, USER, CONCURRENT, 20)
    seen: list[int] = []
    turns = asyncio.Semaphore(AT_ONCE)

    async def change(agent_id: str, status: RoutingStatus) -> None:
        async with turns:
            await database.write(lambda k: statuses.set_status(k, agent_id, status, None))
            seen.append(await in_use(database, USER))

    async def come_and_go(agent_id: str) -> None:
        for status in (RoutingStatus.ON_QUEUE, RoutingStatus.OFF_QUEUE) * 3:
            with contextlib.suppress(licences.NoLicenceFree):
                await change(agent_id, status)

    async def vary() -> None:
        for count in (30, 20, 30, 20):
            try:
                await allocate(database, USER, CONCURRENT, count)
            except licences.LicencesExhausted:
                continue

    await asyncio.gather(vary(), *(come_and_go(agent_id) for agent_id in crowd))

    assert max(seen) <= 30
    assert await in_use(database, USER) == 0


async def test_a_log_off_frees_the_licence_for_the_next(database: Database) -> None:
    first, second = await newcomers(Floor(database), 2)
    await allocate(database, USER, CONCURRENT, 1)
    await log_in(database, first)
    with pytest.raises(licences.NoLicenceFree, match="1 of 1 user"):
        await log_in(database, second)

    await database.write(lambda k: statuses.set_status(k, first, RoutingStatus.OFF_QUEUE, "lunch"))
    await log_in(database, second)

    assert (await row_of(database, second))["held_licence"] == USER
    assert (await row_of(database, first))["held_licence"] is None


async def test_a_refused_log_in_leaves_nothing_half_done(database: Database) -> None:
    (agent,) = await newcomers(Floor(database), 1)
    desk = await station(database, licensed=False)
    await allocate(database, USER, CONCURRENT, 0)
    before = await row_of(database, agent)

    with pytest.raises(licences.NoLicenceFree):
        await log_in(database, agent, desk)

    assert await row_of(database, agent) == before


async def test_the_station_licenses_whom_no_users_licence_is_left_for(database: Database) -> None:
    agent, other = await newcomers(Floor(database), 2)
    desk = await station(database, licensed=True)
    await allocate(database, USER, CONCURRENT, 0)
    await log_in(database, agent, desk)
    assert (await row_of(database, agent))["held_licence"] is None, "the station's is assigned"

    await allocate(database, STATION, CONCURRENT, 1)

    assert (await row_of(database, agent))["held_licence"] == STATION
    with pytest.raises(licences.NoLicenceFree):
        await log_in(database, other)


async def test_assigned_licences_are_refused_beyond_their_count(database: Database) -> None:
    await allocate(database, STATION, ASSIGNED, 1)
    desk = await station(database, licensed=True)

    with pytest.raises(licences.LicencesExhausted, match="1 station licences, 2 would"):
        await station(database, licensed=True, name="desk 2")
    with pytest.raises(licences.LicencesExhausted, match="0 station licences, 1 would"):
        await allocate(database, STATION, ASSIGNED, 0)

    values = {"name": "desk 1", "licensed": False}
    await database.write(
        lambda k: stations.change(k, stations.lock(k, desk), values)  # type: ignore[arg-type]
    )
    assert await station(database, licensed=True, name="desk 2")


async def test_60_stations_at_once_are_never_licensed_beyond_the_count(database: Database) -> None:
    await allocate(database, STATION, ASSIGNED, 7)

    made = await asyncio.gather(
        *(station(database, licensed=True, name=f"desk {n}") for n in range(CROWD)),
        return_exceptions=True,
    )

    assert sum(isinstance(one, str) for one in made) == 7
    assert await in_use(database, STATION) == 7


async def test_licences_become_concurrent_for_those_who_work_or_not_at_all(
    database: Database,
) -> None:
    crowd = await newcomers(Floor(database), 3)
    for agent_id in crowd:
        await log_in(database, agent_id)

    with pytest.raises(licences.LicencesExhausted, match="2 user licences, 3 would"):
        await allocate(database, USER, CONCURRENT, 2)
    assert await in_use(database, USER) == 3
    changed = await allocate(database, USER, CONCURRENT, 3)

    assert (changed["in_use"], changed["count"]) == (3, 3)
    assert {(await row_of(database, a))["held_licence"] for a in crowd} == {USER}
    await allocate(database, USER, ASSIGNED, None)
    assert {(await row_of(database, a))["held_licence"] for a in crowd} == {None}

"""What one match costs as queue and floor grow, and how long a shift's log-in takes."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median

from sqlalchemy import Connection, func, select, update

from bench.claims import build, fill, fresh_database, ring_nobody
from bench.match_sizes import MatchSizes
from conversations.model import RoutingStatus
from storage import assignment, statuses
from storage.asking import Following
from storage.database import Database, open_database
from storage.ingest import Source
from storage.schema import upgrade
from storage.setup_tables import AgentRow

AGENTS = AgentRow.__table__  # type: ignore[attr-defined]
FULL_PERCENT, ROOM_FOR_ONE_PERCENT = 100, 75


class _TakenBack(Exception):
    """Ends a transaction without its changes, so that the next match finds all as it was."""


async def measure(server_url: str | None, sizes: MatchSizes) -> dict[str, float]:
    """Measure on SQLite, and on PostgreSQL where a server is given."""
    async with _sqlite() as database_url:
        found = await _on(database_url, "sqlite", sizes)
    if server_url is not None:
        async with fresh_database(server_url) as database_url:
            found |= await _on(database_url, "postgresql", sizes)
    return found


@asynccontextmanager
async def _sqlite() -> AsyncIterator[str]:
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder:
        yield f"sqlite:///{Path(folder) / 'matches.db'}"


async def _on(database_url: str, name: str, sizes: MatchSizes) -> dict[str, float]:
    await asyncio.to_thread(upgrade, database_url)
    database = open_database(database_url)
    try:
        return await _costs(database, name, sizes) | await _shift(database, name, sizes)
    finally:
        await database.close()


async def _costs(database: Database, name: str, sizes: MatchSizes) -> dict[str, float]:
    """Give one conversation to the one agent with room; only queue and floor differ."""
    floors = {
        "small": await _floor(database, sizes.few_agents, sizes.few_waiting),
        "long_queue": await _floor(database, sizes.few_agents, sizes.many_waiting),
        "large_floor": await _floor(database, sizes.many_agents, sizes.few_waiting),
        "both": await _floor(database, sizes.many_agents, sizes.many_waiting),
    }
    times: dict[str, list[float]] = {floor: [] for floor in floors}
    for _ in range(sizes.matches):
        for floor, source in floors.items():
            times[floor].append(await _match_ms(database, source.workgroup_id))
    cost = {floor: median(each) for floor, each in times.items()}
    return {
        f"matches.{name}_small": cost["small"],
        f"matches.{name}_long_queue_ratio": cost["long_queue"] / cost["small"],
        f"matches.{name}_large_floor_ratio": cost["large_floor"] / cost["small"],
        f"matches.{name}_both_ratio": cost["both"] / cost["small"],
    }


async def _floor(database: Database, agents: int, waiting: int) -> Source:
    """Build a workgroup in which one agent has room for one conversation."""
    source, agent_ids = await database.write(lambda k: build(k, agents))
    first, *others = agent_ids
    await database.write(lambda k: _load(k, [first], ROOM_FOR_ONE_PERCENT))
    await database.write(lambda k: _load(k, others, FULL_PERCENT))
    await fill(database, source, waiting)
    return source


def _load(connection: Connection, agent_ids: list[str], percent: int) -> None:
    loaded = update(AGENTS).where(AGENTS.c.id.in_(agent_ids))
    connection.execute(loaded.values(utilization=percent))


async def _match_ms(database: Database, workgroup_id: str) -> float:
    took_s = 0.0

    def match(connection: Connection) -> None:
        nonlocal took_s
        began_s = time.perf_counter()
        asked = assignment.ask(connection, workgroup_id, assignment.FIRST_BATCH)
        took_s = time.perf_counter() - began_s
        if asked.claimed != 1:
            raise RuntimeError(f"a match claimed {asked.claimed} conversations instead of 1")
        raise _TakenBack

    try:
        await database.write(match)
    except _TakenBack:
        return took_s * 1000
    raise RuntimeError("a match was not taken back")


async def _shift(database: Database, name: str, sizes: MatchSizes) -> dict[str, float]:
    """Log a shift in at once beside a long queue, and wait until everybody has all he can take."""
    source, agent_ids = await database.write(lambda k: build(k, sizes.logging_in))
    await database.write(lambda k: _sign_off(k, agent_ids))
    await fill(database, source, sizes.many_waiting)
    following = Following(database, ring_nobody)

    async def log_in(agent_id: str) -> None:
        outcome = await database.write(
            lambda k: statuses.set_status(k, agent_id, RoutingStatus.ON_QUEUE, None)
        )
        await following.follow(outcome.aftermath)

    began_s = time.perf_counter()
    await asyncio.gather(*(log_in(agent_id) for agent_id in agent_ids))
    took_s = time.perf_counter() - began_s
    await following.close()
    least, most = await database.read(lambda k: _loads(k, agent_ids))
    if (least, most) != (FULL_PERCENT, FULL_PERCENT):
        raise RuntimeError(f"agents are at {least} to {most} % beside a long queue")
    return {f"matches.{name}_shift": took_s}


def _sign_off(connection: Connection, agent_ids: list[str]) -> None:
    signed_off = update(AGENTS).where(AGENTS.c.id.in_(agent_ids))
    connection.execute(signed_off.values(routing_status=RoutingStatus.OFF_QUEUE.value))


def _loads(connection: Connection, agent_ids: list[str]) -> tuple[int, int]:
    loads = select(func.min(AGENTS.c.utilization), func.max(AGENTS.c.utilization))
    least, most = connection.execute(loads.where(AGENTS.c.id.in_(agent_ids))).one()
    return least, most

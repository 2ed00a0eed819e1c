"""Days of many who act at once on one database: every invariant holds at every moment."""

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, select, text

from storage import explaining
from storage.database import Database
from storage.log_tables import DecisionRow
from tests.clocks import Clock
from tests.floor import Floor
from tests.history import read_history
from tests.invariants import violations_at_any_commit, violations_when_quiet
from tests.working_day import WorkingDay

DECISIONS = DecisionRow.__table__  # type: ignore[attr-defined]
CROWD = 50


def decisions_that_differ(connection: Connection) -> Iterator[str]:
    """Evaluate every match again that can be; name those that come out differently.

    With PostgreSQL others commit between the statements by which a match reads, so that in a
    crowd what it read is of no single moment: there this is told of matches that met nobody.
    """
    if connection.dialect.name == "postgresql":
        return
    for record in connection.execute(select(DECISIONS.c.record)).scalars():
        if record.get("kind") == "rules":
            continue
        again = explaining.evaluate(connection, record)
        if again is not None and not explaining.is_reproduced(record, again):
            yield f"{explaining.canonical(record)} came out as {again.why}"


def deadlocks(connection: Connection) -> int:
    """Count the deadlocks that PostgreSQL had to break; SQLite has one writer and none."""
    if connection.dialect.name == "sqlite":
        return 0
    broken = text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    return int(connection.execute(broken).scalar_one())


@pytest.mark.parametrize("seed", range(3))
async def test_a_working_day_breaks_no_invariant(
    database: Database, clock: Clock, seed: int
) -> None:
    day = WorkingDay(Floor(database), clock, seed)
    await day.open()
    living = asyncio.create_task(day.live(actors=5, steps=60))
    while not living.done():
        await asyncio.wait([living], timeout=0.3)
        assert violations_at_any_commit(await database.read(read_history)) == []
    await living
    await day.come_to_rest()
    assert violations_when_quiet(await database.read(read_history), day.world) == []
    assert await database.read(lambda k: list(decisions_that_differ(k))) == []


@pytest.mark.timeout(180)
async def test_fifty_at_once_neither_deadlock_nor_lose_a_wake_up(
    database: Database, clock: Clock
) -> None:
    """Time stands still and no sweep asks: whoever waits beside a free agent was forgotten."""
    day = WorkingDay(Floor(database), clock, CROWD, customers=80, does_time_pass=False)
    await day.open(agents=12)
    await day.live(actors=CROWD, steps=10)
    await day.come_to_rest()
    assert violations_when_quiet(await database.read(read_history), day.world) == []
    assert await database.read(lambda k: list(decisions_that_differ(k))) == []
    assert await database.read(deadlocks) == 0


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", range(100, 120))
async def test_a_long_day_breaks_no_invariant(database: Database, clock: Clock, seed: int) -> None:
    day = WorkingDay(Floor(database), clock, seed, customers=40)
    await day.open(agents=8)
    for _ in range(10):
        await day.live(actors=8, steps=100)
        await day.come_to_rest()
        assert violations_when_quiet(await database.read(read_history), day.world) == []
    assert await database.read(lambda k: list(decisions_that_differ(k))) == []

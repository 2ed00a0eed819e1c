"""Days of many who act at once on one database: every invariant holds at every moment."""

import asyncio

import pytest

from storage.database import Database
from tests.clocks import Clock
from tests.floor import Floor
from tests.history import read_history
from tests.invariants import violations_at_any_commit, violations_when_quiet
from tests.working_day import WorkingDay


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

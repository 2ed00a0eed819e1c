"""A recorded day, read back and repeated by the simulator, on both databases."""

from dataclasses import replace
from typing import Any

import pytest

from acd.model import Utilization
from acd.simulated_floor import SimulatedWorkgroup
from acd.what_if import Comparison, Setting, compare
from conversations.model import Instant, MediaType
from storage import floor_record, traffic
from storage.database import Database
from storage.simulated_settings import setting_of
from storage.traffic import Period, TooMuchTraffic
from storage.traffic_reading import read_traffic
from tests.clocks import Clock
from tests.floor import Floor
from tests.storage.recorded_day import RecordedDay


async def lived(
    database: Database, clock: Clock, seed: int, *, conversations: int = 30, **settings: Any
) -> Period:
    """Let a day be lived and return when it was."""
    day = RecordedDay(Floor(database), clock, seed)
    start = clock.now
    await day.open(**settings)
    await day.live(conversations=conversations, mean_gap_ms=5_000)
    return Period(start, clock.now)


async def settings_at(database: Database, at: Instant) -> list[Setting]:
    rows = await database.read(lambda k: floor_record.workgroups_at(k, at))
    return [setting_of(row) for row in rows.values()]


async def repeated(database: Database, period: Period) -> Comparison:
    recorded = await read_traffic(database, period)
    return compare(recorded, await settings_at(database, period.start))


async def test_unchanged_settings_reproduce_what_happened(database: Database, clock: Clock) -> None:
    period = await lived(database, clock, 1)

    said = await repeated(database, period)

    assert said.actual.conversations == said.simulated.conversations == 30
    assert said.actual == said.simulated
    assert (said.compared, said.changed_agent) == (30, 0)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(2, 4))
@pytest.mark.parametrize("settings", [{}, {"offers_at_once": 2}, {"auto_accept": True}])
async def test_more_days_are_reproduced_closely(
    database: Database, clock: Clock, seed: int, settings: dict[str, Any]
) -> None:
    period = await lived(database, clock, seed, **settings)

    said = await repeated(database, period)

    assert abs(said.actual.waits.mean_ms - said.simulated.waits.mean_ms) <= 2_000
    assert said.changed_agent <= said.compared * 0.05


async def test_half_a_day_begins_with_what_was_there(database: Database, clock: Clock) -> None:
    whole = await lived(database, clock, 8)
    period = Period(whole.start + 80_000, whole.until)

    recorded = await read_traffic(database, period)
    said = compare(recorded, await settings_at(database, period.start))

    assert recorded.carried_over
    assert len(recorded.carried_over) + len(recorded.arrivals) <= 30
    assert abs(said.actual.waits.p50_ms - said.simulated.waits.p50_ms) <= 5_000
    assert said.changed_agent <= said.compared * 0.2


async def test_other_settings_come_to_something_else(database: Database, clock: Clock) -> None:
    period = await lived(database, clock, 9)
    recorded = await read_traffic(database, period)
    narrow = [
        replace(setting, workgroup=_one_at_a_time(setting.workgroup))
        for setting in await settings_at(database, period.start)
    ]

    said = compare(recorded, narrow)

    assert said.simulated.waits.mean_ms > said.actual.waits.mean_ms


def _one_at_a_time(group: SimulatedWorkgroup) -> SimulatedWorkgroup:
    full = dict.fromkeys(MediaType, Utilization(100))
    return replace(group, routing=replace(group.routing, utilization=full))


async def test_too_much_traffic_is_refused(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    period = await lived(database, clock, 1, conversations=6)
    monkeypatch.setattr(traffic, "MOST_CONVERSATIONS", 5)

    with pytest.raises(TooMuchTraffic, match="choose a shorter one"):
        await read_traffic(database, period)

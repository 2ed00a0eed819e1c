"""Complaint 12: service-level clocks are wrong with business hours, holidays and snoozing.

Lunch pauses, holidays and clock changes stop them to the millisecond; what is parked waits for
nobody. The calendar itself is walked minute by minute in `tests/acd/test_calendar.py`.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, select

from conversations import commands as c
from conversations.model import Instant, MediaType, RoutingStatus
from storage import conversations, queues, workgroups
from storage.conversation_tables import QueueEntryRow
from storage.database import Database
from storage.queues import Reached
from tests.clocks import Clock
from tests.floor import Floor

ENTRIES = QueueEntryRow.__table__  # type: ignore[attr-defined]
WITH_A_LUNCH_PAUSE = [{"from": "09:00", "to": "12:00"}, {"from": "13:00", "to": "17:00"}]
HOURS = {
    "time_zone": "Europe/Berlin",
    "weekly": dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), WITH_A_LUNCH_PAUSE),
    "holidays": [{"date": "2026-04-03"}, {"date": "2026-04-06"}],
    "when_closed": "queue",
    "service_level_clock": "stops",
}
TARGET_S = 600
HOUR_MS, MINUTE_MS = 3_600_000, 60_000


def berlin(text: str) -> Instant:
    local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin"))
    return round(local.timestamp() * 1000)


class Desk:
    """One agent in one workgroup whose clock stops."""

    def __init__(self, floor: Floor, clock: Clock) -> None:
        self.floor, self.clock = floor, clock

    async def open(self) -> "Desk":
        level = {"target_s": TARGET_S, "percent": 80}
        self.workgroup = await self.floor.workgroup(business_hours=HOURS, service_level=level)
        self.source = await self.floor.channel(self.workgroup)
        self.agent = await self.floor.agent(self.workgroup, on_queue=False)
        return self

    async def waited_ms(self, arrives_at: Instant, picked_up_at: Instant) -> int:
        self.clock.instant = arrives_at
        opened = await self.floor.open(self.source, f"customer-{arrives_at}")
        return await self.picked_up(opened, picked_up_at)

    async def picked_up(self, opened: str, at: Instant) -> int:
        self.clock.instant = at
        await self.floor.status(self.agent, RoutingStatus.ON_QUEUE)
        await self.floor.pick_up(opened, self.agent)
        await self.floor.status(self.agent, RoutingStatus.OFF_QUEUE)
        return (await self.waits_of(opened))[-1]

    async def waits_of(self, conversation_id: str) -> list[int]:
        query = (
            select(ENTRIES.c.waited_ms)
            .where(ENTRIES.c.conversation_id == conversation_id)
            .order_by(ENTRIES.c.entered_at)
        )
        return await self.floor.database.read(lambda k: list(k.execute(query).scalars()))

    async def reached(self) -> Reached:
        def read(connection: Connection) -> Reached:
            row = workgroups.get(connection, self.workgroup)
            assert row is not None
            queue = queues.queue_of(connection, row)
            return queue.service_level[MediaType.SOCIAL_CONVERSATION]

        return await self.floor.database.read(read)


@pytest.fixture
async def desk(database: Database, clock: Clock) -> Desk:
    return await Desk(Floor(database), clock).open()


@pytest.mark.parametrize(
    ("arrives", "picked_up", "waited_ms"),
    [
        ("2026-03-27T16:55", "2026-03-30T09:05", 10 * MINUTE_MS),  # the clocks change between
        ("2026-10-23T16:55", "2026-10-26T09:05", 10 * MINUTE_MS),  # and back
        ("2026-04-01T11:50", "2026-04-01T13:10", 20 * MINUTE_MS),  # lunch
        ("2026-04-02T11:50", "2026-04-07T13:10", 7 * HOUR_MS + 20 * MINUTE_MS),  # Easter
        ("2026-04-04T10:00", "2026-04-05T10:00", 0),
        ("2026-04-01T16:59:59.999", "2026-04-02T09:00:00.001", 2),
    ],
)
async def test_only_open_time_is_waited(
    desk: Desk, arrives: str, picked_up: str, waited_ms: int
) -> None:
    assert await desk.waited_ms(berlin(arrives), berlin(picked_up)) == waited_ms


async def test_the_target_is_met_to_the_millisecond(desk: Desk) -> None:
    friday, monday = berlin("2026-03-27T16:55"), berlin("2026-03-30T09:05")
    desk.clock.instant = friday
    in_time = await desk.floor.open(desk.source, "in time")
    desk.clock.advance(ms=-1)
    late = await desk.floor.open(desk.source, "a millisecond earlier")

    desk.clock.instant = monday
    assert (await desk.reached()).waiting_late == 1
    assert await desk.picked_up(in_time, monday) == TARGET_S * 1000
    assert await desk.picked_up(late, monday) == TARGET_S * 1000 + 1
    reached = await desk.reached()
    assert (reached.counts.answered, reached.counts.answered_in_time) == (2, 1)
    assert (reached.percent, reached.waiting_late) == (50.0, 0)


async def test_what_is_parked_waits_for_nobody(desk: Desk) -> None:
    desk.clock.instant = berlin("2026-04-01T10:00")
    opened = await desk.floor.open(desk.source, "customer")
    await desk.picked_up(opened, berlin("2026-04-01T10:01"))
    back_at = berlin("2026-04-02T10:00")
    await desk.floor.command(opened, c.Park(c.Actor(desk.agent), back_at, "tomorrow"))
    desk.clock.instant = back_at
    outcome = await desk.floor.database.write(lambda k: conversations.let_due_happen(k, opened))
    await desk.floor.follow(outcome)
    await desk.picked_up(opened, berlin("2026-04-02T10:02"))

    assert await desk.waits_of(opened) == [MINUTE_MS, 2 * MINUTE_MS]

"""Every wait is written down once: entered, answered, flowed out, discarded, and how long."""

from typing import Any

import pytest
from sqlalchemy import Connection, select

from acd.service_level import WayOut
from conversations import commands as c
from conversations.model import MediaType, RoutingStatus
from storage import queues, upkeep, workgroups
from storage.conversation_tables import QueueEntryRow
from storage.database import Database
from storage.queues import Place, Queue
from tests.clocks import Clock
from tests.floor import Floor

ENTRIES = QueueEntryRow.__table__  # type: ignore[attr-defined]
PUBLIC, PRIVATE = MediaType.SOCIAL_CONVERSATION, MediaType.SOCIAL_DIRECT_MESSAGE
SUPERVISOR = c.Actor(None, is_supervisor=True)


@pytest.fixture
async def floor(database: Database) -> Floor:
    return Floor(database)


async def waits(floor: Floor, conversation_id: str) -> list[tuple[Any, ...]]:
    """Return workgroup, way out, agent and measured wait of each of a conversation's waits."""
    query = (
        select(ENTRIES.c.workgroup_id, ENTRIES.c.outcome, ENTRIES.c.agent_id, ENTRIES.c.waited_ms)
        .where(ENTRIES.c.conversation_id == conversation_id)
        .order_by(ENTRIES.c.entered_at, ENTRIES.c.left_at.is_(None), ENTRIES.c.id)
    )
    return await floor.database.read(lambda k: [tuple(row) for row in k.execute(query)])


async def queue_of(floor: Floor, workgroup_id: str) -> Queue:
    def read(connection: Connection) -> Queue:
        row = workgroups.get(connection, workgroup_id)
        assert row is not None
        return queues.queue_of(connection, row)

    return await floor.database.read(read)


async def test_an_arrival_waits_until_it_is_picked_up(floor: Floor, clock: Clock) -> None:
    source = await floor.channel(workgroup := await floor.workgroup())
    opened = await floor.open(source, "customer")
    assert await waits(floor, opened) == [(workgroup, None, None, None)]

    clock.advance(s=90)
    agent = await floor.agent(workgroup)
    clock.advance(s=5)
    await floor.pick_up(opened, agent)

    assert await waits(floor, opened) == [(workgroup, WayOut.ANSWERED, agent, 95_000)]


async def test_an_offer_that_is_not_taken_ends_no_wait(floor: Floor, clock: Clock) -> None:
    source = await floor.channel(workgroup := await floor.workgroup())
    first = await floor.agent(workgroup)
    opened = await floor.open(source, "customer")
    clock.advance(s=10)
    await floor.command(opened, c.Decline(c.Actor(first), None, None))
    assert (await floor.get(opened)).state == "queued"
    assert await waits(floor, opened) == [(workgroup, None, None, None)]

    clock.advance(s=10)
    await floor.pick_up(opened, first)
    assert await waits(floor, opened) == [(workgroup, WayOut.ANSWERED, first, 20_000)]


async def test_what_expires_and_is_picked_up_at_once_is_one_wait(
    floor: Floor, clock: Clock
) -> None:
    source = await floor.channel(workgroup := await floor.workgroup(offer_timeout_s=20))
    first = await floor.agent(workgroup)
    second = await floor.agent(workgroup, on_queue=False)
    opened = await floor.open(source, "customer")
    assert (await floor.get(opened)).offer.agent_id == first
    clock.advance(s=26)
    await floor.status(second, RoutingStatus.ON_QUEUE)
    await floor.pick_up(opened, second)

    assert await waits(floor, opened) == [(workgroup, WayOut.ANSWERED, second, 26_000)]


async def test_a_transfer_is_a_wait_of_its_own(floor: Floor, clock: Clock) -> None:
    source = await floor.channel(workgroup := await floor.workgroup())
    other = await floor.workgroup()
    await floor.agent(workgroup)
    opened, agent = await floor.connect(source, "customer")
    clock.advance(s=60)
    await floor.command(opened, c.TransferToWorkgroup(c.Actor(agent), other, None))
    clock.advance(s=30)
    await floor.command(opened, c.Discard(SUPERVISOR, "spam"))

    assert await waits(floor, opened) == [
        (workgroup, WayOut.ANSWERED, agent, 0),
        (other, WayOut.DISCARDED, None, 30_000),
    ]


async def test_a_transfer_out_of_the_queue_flows_out(floor: Floor, clock: Clock) -> None:
    source = await floor.channel(workgroup := await floor.workgroup())
    other = await floor.workgroup()
    opened = await floor.open(source, "customer")
    clock.advance(s=30)
    await floor.command(opened, c.TransferToWorkgroup(SUPERVISOR, other, None))

    assert await waits(floor, opened) == [
        (workgroup, WayOut.FLOWED_OUT, None, 30_000),
        (other, None, None, None),
    ]


async def test_an_offer_to_a_named_agent_is_a_wait_only_when_he_does_not_take_it(
    floor: Floor, clock: Clock
) -> None:
    source = await floor.channel(workgroup := await floor.workgroup())
    await floor.agent(workgroup)
    opened, giver = await floor.connect(source, "customer")
    named = await floor.agent(workgroup)
    await floor.command(opened, c.TransferToAgent(c.Actor(giver), named, "of_1", None))
    assert len(await waits(floor, opened)) == 1

    await floor.command(opened, c.Decline(c.Actor(named), None, None))
    assert await waits(floor, opened) == [
        (workgroup, WayOut.ANSWERED, giver, 0),
        (workgroup, None, None, None),
    ]


async def test_a_clock_that_stops_measures_open_time_only(floor: Floor, clock: Clock) -> None:
    closing = {"from": "00:00", "to": "15:07"}  # 20 s after the tests' noon, UTC
    hours = {
        "time_zone": "UTC",
        "weekly": {"sun": [closing], "mon": [{"from": "09:00", "to": "17:00"}]},
        "when_closed": "queue",
        "service_level_clock": "stops",
    }
    workgroup = await floor.workgroup(business_hours=hours)
    source = await floor.channel(workgroup)
    opened = await floor.open(source, "customer")
    clock.advance(s=4 * 3_600)
    agent = await floor.agent(workgroup)
    await floor.pick_up(opened, agent)

    assert await waits(floor, opened) == [(workgroup, WayOut.ANSWERED, agent, 20_000)]


async def test_the_queue_tells_waits_estimate_and_service_level(floor: Floor, clock: Clock) -> None:
    level: dict[str, Any] = {"target_s": 60, "percent": 80}
    level |= {"media_types": {"social_direct_message": {"target_s": 10, "percent": 90}}}
    workgroup = await floor.workgroup(service_level=level)
    source = await floor.channel(workgroup)
    agent = await floor.agent(
        workgroup,
        on_queue=False,
        own_utilization={
            "social_conversation": {"percent": 1},
            "social_direct_message": {"percent": 1},
        },
    )
    conversations = [await floor.open(source, f"customer-{n}") for n in range(8)]
    clock.advance(s=50)
    await floor.status(agent, RoutingStatus.ON_QUEUE)
    for opened in conversations[:4]:
        await floor.pick_up(opened, agent)
    clock.advance(s=30)
    for opened in conversations[4:6]:
        await floor.pick_up(opened, agent)
    await floor.status(agent, RoutingStatus.OFF_QUEUE)
    await floor.command(conversations[6], c.Discard(SUPERVISOR, "spam"))

    queue = await queue_of(floor, workgroup)
    reached = queue.service_level[PUBLIC]
    assert (queue.waiting, queue.alerting, queue.longest_waiting_ms) == (1, 0, 80_000)
    assert queue.estimated_wait_ms == 60_000
    assert (reached.counts.answered, reached.counts.answered_in_time) == (6, 4)
    assert (reached.percent, reached.counts.flowed_out, reached.waiting_late) == (66.67, 1, 1)
    assert queue.service_level[PRIVATE].percent is None
    assert queue.opening.is_open


async def test_yesterday_counts_no_more(floor: Floor, clock: Clock) -> None:
    workgroup = await floor.workgroup()
    source = await floor.channel(workgroup)
    agent = await floor.agent(workgroup)
    opened = await floor.open(source, "customer")
    await floor.pick_up(opened, agent)
    assert (await queue_of(floor, workgroup)).service_level[PUBLIC].percent == 100.0
    clock.advance(s=86_400)
    queue = await queue_of(floor, workgroup)
    assert queue.service_level[PUBLIC].percent is None
    assert queue.estimated_wait_ms is None


async def place_of(floor: Floor, conversation_id: str) -> Place:
    conversation = await floor.get(conversation_id)

    def read(connection: Connection) -> Place:
        row = workgroups.get(connection, conversation.workgroup_id)
        assert row is not None
        return queues.place_of(connection, conversation, row)

    return await floor.database.read(read)


async def test_a_conversation_knows_its_place(floor: Floor, clock: Clock) -> None:
    workgroup = await floor.workgroup()
    source = await floor.channel(workgroup)
    first = await floor.open(source, "first")
    clock.advance(s=10)
    second = await floor.open(source, "second")
    elsewhere = await floor.open(await floor.channel(await floor.workgroup()), "elsewhere")
    clock.advance(s=10)

    for opened, position, waited_ms in ((first, 1, 20_000), (second, 2, 10_000)):
        place = await place_of(floor, opened)
        assert (place.position, place.waited_ms) == (position, waited_ms)
        assert place.estimated_wait_ms is None
    assert (await place_of(floor, elsewhere)).position == 1

    await floor.agent(workgroup)
    assert (await place_of(floor, first)).position is None


async def test_the_first_of_the_queue_has_the_highest_score(floor: Floor, clock: Clock) -> None:
    workgroup = await floor.workgroup()
    low = await floor.open(await floor.channel(workgroup, priority=1), "low")
    clock.advance(s=10)
    high = await floor.open(await floor.channel(workgroup, priority=90), "high")
    assert [(await place_of(floor, one)).position for one in (low, high)] == [2, 1]


async def test_old_waits_are_forgotten_open_ones_never(floor: Floor, clock: Clock) -> None:
    workgroup = await floor.workgroup()
    source = await floor.channel(workgroup)
    old, still = await floor.open(source, "old"), await floor.open(source, "still")
    await floor.command(old, c.Discard(SUPERVISOR, "spam"))
    now = clock.advance(ms=upkeep.WAIT_LIFE_MS)
    await floor.database.write(lambda k: upkeep.forget_old(k, now))
    assert len(await waits(floor, old)) == 1

    now = clock.advance(ms=1)
    await floor.database.write(lambda k: upkeep.forget_old(k, now))
    assert await waits(floor, old) == []
    assert len(await waits(floor, still)) == 1

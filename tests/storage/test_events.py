"""One sequence of events, without gap or repeat, whoever numbers it."""

import asyncio

from sqlalchemy import Connection

from conversations.model import RoutingStatus
from storage import events, reading
from storage.database import Database
from storage.events import Happening
from storage.pages import Window
from tests.clocks import Clock
from tests.floor import Floor


def happening(number: int) -> Happening:
    return Happening("agent.status_changed", None, f"ag-{number}", None, {"number": number})


async def append(database: Database, number: int) -> None:
    await database.write(lambda k: events.append(k, [happening(number)], 0))


async def sequence(database: Database) -> list[int]:
    rows = await database.read(lambda k: events.events_after(k, 0, 10_000))
    return [row["seq"] for row in rows]


async def test_relays_beside_writers_leave_no_gap_and_no_repeat(database: Database) -> None:
    writing = [append(database, n) for n in range(200)]

    async def relay() -> None:
        for _ in range(20):
            await database.write(lambda k: events.number_events(k, 7))
            await asyncio.sleep(0.002)

    await asyncio.gather(*writing, *(relay() for _ in range(3)))
    while await database.write(events.number_events):
        pass

    assert await sequence(database) == list(range(1, 201))


async def test_a_rolled_back_change_leaves_no_gap(database: Database) -> None:
    def failing(connection: Connection) -> None:
        events.append(connection, [happening(0)], 0)
        raise RuntimeError("the change is refused")

    for number in range(5):
        await asyncio.gather(database.write(failing), return_exceptions=True)
        await append(database, number)
    while await database.write(events.number_events):
        pass

    assert await sequence(database) == [1, 2, 3, 4, 5]


async def test_a_reader_never_sees_an_event_appear_behind_it(database: Database) -> None:
    seen: list[int] = []
    writing = asyncio.gather(*(append(database, n) for n in range(100)))
    while not writing.done() or len(seen) < 100:
        await database.write(lambda k: events.number_events(k, 10))
        after = seen[-1] if seen else 0
        rows = await database.read(lambda k, a=after: events.events_after(k, a, 1_000))  # type: ignore[misc]
        seen += [row["seq"] for row in rows]

    assert seen == list(range(1, 101))


async def test_the_newest_event_is_kept_so_that_the_head_is_known(database: Database) -> None:
    for number in range(5):
        await append(database, number)
    while await database.write(events.number_events):
        pass

    await database.write(lambda k: events.forget_before(k, 1, 100))

    assert await sequence(database) == [5]
    assert await database.read(events.head) == 5
    assert await database.read(events.oldest) == 5


async def test_a_conversations_past_outlives_the_stream(database: Database, clock: Clock) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    agent = await floor.agent(workgroup)
    opened, _ = await floor.connect(source, "customer")
    while await database.write(events.number_events):
        pass
    clock.advance(s=8 * 24 * 3_600)
    await floor.status(agent, RoutingStatus.OFF_QUEUE)
    while await database.write(events.number_events):
        pass

    await database.write(lambda k: events.forget_before(k, clock.now - 1_000, 100))

    head = await database.read(events.head)
    assert await database.read(events.oldest) == head
    told = await database.read(lambda k: reading.timeline(k, opened, Window(50)))
    types = [entry.value["type"] for entry in told.entries if entry.kind == "event"]
    assert types == ["conversation.created", "conversation.offered", "conversation.connected"]

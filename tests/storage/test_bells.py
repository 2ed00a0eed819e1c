"""The sweep rings what was lost, and never what is only slow."""

from conversations import commands as c
from storage import bells
from storage.bells import NOT_RUNG_AFTER_MS, NOT_SEEN_AFTER_MS
from storage.database import Database
from tests.clocks import Clock
from tests.floor import Floor


async def lost(database: Database, clock: Clock) -> list[str]:
    found = await database.read(lambda k: bells.to_ring_again(k, clock.now))
    return [bell.conversation_id for bell in found]


async def test_a_bell_that_was_not_rung_for_ten_seconds_is_rung_again(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    source = await floor.channel(await floor.workgroup())
    opened = await floor.open(source, "customer")

    clock.advance(ms=NOT_RUNG_AFTER_MS)
    assert await lost(database, clock) == []
    clock.advance(ms=1)
    assert await lost(database, clock) == [opened]


async def test_a_backlog_is_not_rung_again_within_a_minute(
    database: Database, clock: Clock
) -> None:
    """Re-ringing what was only not yet seen rang 26,000 times for 2,000 posts."""
    floor = Floor(database)
    source = await floor.channel(await floor.workgroup())
    opened = [await floor.open(source, f"c{n}") for n in range(20)]
    rings = 0

    for _ in range(60):
        clock.advance(s=2)
        again = await lost(database, clock)
        rings += len(again)
        await database.write(
            lambda k, again=again: bells.note_rung(k, [(i, 1) for i in again], clock.now)  # type: ignore[misc]
        )

    assert rings == 2 * len(opened)


async def test_what_was_rung_but_not_seen_for_a_minute_is_rung_again(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    source = await floor.channel(await floor.workgroup())
    opened = await floor.open(source, "customer")
    await database.write(lambda k: bells.note_rung(k, [(opened, 1)], clock.now))

    clock.advance(ms=NOT_SEEN_AFTER_MS)
    assert await lost(database, clock) == []
    clock.advance(ms=1)
    assert await lost(database, clock) == [opened]
    await database.write(lambda k: bells.note_seen(k, [(opened, 1, "run")]))
    assert await lost(database, clock) == []


async def test_bookkeeping_raises_no_version(database: Database, clock: Clock) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    await floor.agent(workgroup)
    opened, _ = await floor.connect(source, "customer")
    version = (await floor.get(opened)).version

    await database.write(lambda k: bells.note_rung(k, [(opened, version)], clock.now))
    await database.write(lambda k: bells.note_seen(k, [(opened, version, "run")]))

    assert (await floor.get(opened)).version == version
    assert await database.read(bells.backlog) == 0


async def test_after_a_reset_only_lives_that_go_on_are_rung(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    agent = await floor.agent(workgroup)
    ended, _ = await floor.connect(source, "gone")
    await floor.command(ended, c.Disconnect(c.Actor(agent), None))
    goes_on, _ = await floor.connect(source, "here")
    for opened in (ended, goes_on):
        version = (await floor.get(opened)).version
        await database.write(
            lambda k, i=opened, v=version: bells.note_rung(k, [(i, v)], clock.now)  # type: ignore[misc]
        )
        await database.write(lambda k, i=opened, v=version: bells.note_seen(k, [(i, v, "r")]))  # type: ignore[misc]

    assert await database.write(bells.reset) == 1

    clock.advance(ms=NOT_RUNG_AFTER_MS + 1)
    assert await lost(database, clock) == [goes_on]

"""Merge, split and unmerge beside posts, pick-ups and each other: one legal order each time."""

import asyncio
import random
from collections import Counter

import pytest

from conversations import commands as c
from conversations.model import ConversationState, RoutingStatus
from storage import events
from storage.database import Database
from storage.ingest import Source
from tests.clocks import Clock
from tests.floor import Floor
from tests.history import read_history
from tests.invariants import violations_when_quiet

INTERLEAVINGS = 50
WRITERS = 50
S = ConversationState

pytestmark = pytest.mark.timeout(180)


async def soon() -> None:
    await asyncio.sleep(random.random() * 0.004)


async def two_channels(floor: Floor, workgroup: str) -> tuple[Source, Source]:
    account_id = await floor.account()
    wall = await floor.channel(workgroup, account_id=account_id)
    return wall, await floor.channel(workgroup, account_id=account_id)


async def check(floor: Floor) -> None:
    await floor.following.close()
    while await floor.database.write(events.number_events):
        pass
    assert violations_when_quiet(await floor.database.read(read_history)) == []


async def test_a_post_that_races_a_merge_is_in_the_target_whoever_came_first(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    wall, page = await two_channels(floor, await floor.workgroup())

    for number in range(INTERLEAVINGS):
        clock.advance(ms=1)
        first = await floor.open(wall, f"c{number}")
        second = await floor.open(page, f"c{number}")

        async def post(number: int = number) -> str:
            await soon()
            return await floor.open(wall, f"c{number}", "more")

        async def merge(first: str = first, second: str = second) -> None:
            await soon()
            assert (await floor.merge(first, second)).refusal is None

        await asyncio.gather(post(), merge())
        assert (await floor.get(second)).post_count == 3
        assert await floor.open(wall, f"c{number}", "and more") == second

    await check(floor)


async def test_a_pick_up_that_races_a_merge_leaves_no_weight_behind(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    workgroup = await floor.workgroup(utilization={"social_conversation": {"percent": 30}})
    wall, page = await two_channels(floor, workgroup)
    agent = await floor.agent(workgroup)
    endings: Counter[bool] = Counter()

    for number in range(INTERLEAVINGS):
        clock.advance(ms=1)
        first = await floor.open(wall, f"c{number}")
        second = await floor.open(page, f"c{number}")
        await floor.pick_up(second, agent)

        async def pick_up(first: str = first) -> bool:
            await soon()
            return (await floor.pick_up(first, agent)).refusal is None

        async def merge(first: str = first, second: str = second) -> None:
            await soon()
            assert (await floor.merge(first, second, c.Actor(agent))).refusal is None

        picked, _ = await asyncio.gather(pick_up(), merge())
        endings[picked] += 1
        assert (await floor.get(first)).state is S.MERGED
        await floor.command(second, c.Disconnect(c.Actor(agent), None))

    assert len(endings) == 2
    await check(floor)


async def test_two_who_merge_each_into_the_other_make_one_conversation(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    wall, page = await two_channels(floor, await floor.workgroup())

    for number in range(INTERLEAVINGS):
        clock.advance(ms=1)
        first = await floor.open(wall, f"c{number}")
        second = await floor.open(page, f"c{number}")

        async def merge(source: str, target: str) -> bool:
            await soon()
            return (await floor.merge(source, target)).refusal is None

        done = await asyncio.gather(merge(first, second), merge(second, first))
        assert sorted(done) == [False, True]
        states = [(await floor.get(i)).state for i in (first, second)]
        assert sorted(states) == [S.MERGED, S.QUEUED]

    await check(floor)


async def test_an_unmerge_that_races_the_targets_end_is_whole_or_refused(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    workgroup = await floor.workgroup()
    wall, page = await two_channels(floor, workgroup)
    agent = await floor.agent(workgroup)
    endings: Counter[bool] = Counter()

    for number in range(INTERLEAVINGS):
        clock.advance(ms=1)
        first = await floor.open(wall, f"c{number}")
        second = await floor.open(page, f"c{number}")
        await floor.pick_up(second, agent)
        await floor.merge(first, second)

        async def unmerge(first: str = first) -> bool:
            await soon()
            return (await floor.unmerge(first)).refusal is None

        async def end(second: str = second) -> None:
            await soon()
            await floor.command(second, c.Disconnect(c.Actor(agent), None))

        undone, _, third = await asyncio.gather(
            unmerge(), end(), floor.open(wall, f"c{number}", "meanwhile")
        )
        endings[undone] += 1
        for opened in {first, third} - {second}:
            await floor.command(opened, c.Discard(c.SYSTEM, "the round is over"))

    assert len(endings) == 2
    await check(floor)


async def test_fifty_writers_merge_split_unmerge_and_post_at_once(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    workgroup = await floor.workgroup()
    sources = await two_channels(floor, workgroup)
    agents = [await floor.agent(workgroup) for _ in range(3)]
    opened = [await floor.open(s, f"c{n}", "a", "b") for n in range(4) for s in sources]

    async def write(number: int) -> None:
        draw = random.Random(number)
        await soon()
        clock.advance(ms=draw.choice([0, 1]))
        one, other = draw.sample(opened, 2)
        match number % 5:
            case 0:
                await floor.merge(one, other)
            case 1:
                await floor.unmerge(one)
            case 2:
                await floor.open(draw.choice(sources), f"c{draw.randrange(4)}", "more")
            case 3:
                posts = (await database.read(read_history)).posts
                here = [p["id"] for p in posts if p["conversation_id"] == one]
                await floor.split(one, here[:1])
            case _:
                await floor.pick_up(one, draw.choice(agents))

    await asyncio.gather(*(write(n) for n in range(WRITERS)))
    for agent in agents:
        await floor.status(agent, RoutingStatus.ON_QUEUE)
    await check(floor)

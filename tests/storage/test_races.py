"""Two at once, 200 times: one legal order, whoever came first."""

import asyncio
import random
from collections import Counter

import pytest
from sqlalchemy import func, select

from conversations import commands as c
from conversations.model import ConversationState, RoutingStatus
from storage import conversations
from storage.conversation_tables import PostRow, ReplyRow
from storage.conversations import ReplyDraft
from storage.database import Database
from storage.setup_tables import AgentRow
from tests.floor import Floor

AGENTS = AgentRow.__table__  # type: ignore[attr-defined]
POSTS = PostRow.__table__  # type: ignore[attr-defined]
REPLIES = ReplyRow.__table__  # type: ignore[attr-defined]


@pytest.fixture(params=[60, pytest.param(200, marks=pytest.mark.long)])
def interleavings(request: pytest.FixtureRequest) -> int:
    """Return how often two are let race each other."""
    return int(request.param)


pytestmark = pytest.mark.timeout(180)


async def soon() -> None:
    await asyncio.sleep(random.random() * 0.004)


async def loads(database: Database) -> list[int]:
    return await database.read(lambda k: list(k.execute(select(AGENTS.c.utilization)).scalars()))


async def test_a_post_that_races_a_disconnect_is_in_exactly_one_conversation(
    database: Database, interleavings: int
) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    agent = await floor.agent(workgroup)
    joined = 0

    for number in range(interleavings):
        first, _ = await floor.connect(source, f"c{number}")

        async def post(number: int = number) -> str:
            await soon()
            return await floor.open(source, f"c{number}")

        async def disconnect(first: str = first) -> None:
            await soon()
            outcome = await floor.command(first, c.Disconnect(c.Actor(agent), None))
            assert outcome.refusal is None

        second, _ = await asyncio.gather(post(), disconnect())
        joined += second == first
        if second != first:
            following = await floor.get(second)
            assert following.continues == first
            await floor.pick_up(second, agent)
            await floor.command(second, c.Disconnect(c.Actor(agent), None))

    posts = await database.read(lambda k: k.execute(select(func.count()).select_from(POSTS)))
    assert posts.scalar_one() == 2 * interleavings
    assert await loads(database) == [0]
    assert 0 < joined < interleavings


async def test_a_pick_up_that_races_the_time_out_has_one_winner(
    database: Database, interleavings: int
) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup(offer_timeout_s=0))
    agent = await floor.agent(workgroup)
    endings: Counter[str] = Counter()

    for number in range(interleavings):
        opened = await floor.open(source, f"c{number}")
        offer = (await floor.get(opened)).offer
        assert offer is not None

        async def pick_up(opened: str = opened) -> conversations.Outcome:
            await soon()
            received_in_time = 10
            return await database.write(
                lambda k: conversations.carry_out(
                    k,
                    opened,
                    lambda _, at: c.PickUp(c.Actor(agent), None, at),
                    lambda: received_in_time,
                )
            )

        async def time_out(opened: str = opened) -> conversations.Outcome:
            await soon()
            return await floor.command(opened, c.ExpireOffer())

        won, _ = await asyncio.gather(pick_up(), time_out())
        after = await floor.get(opened)
        if won.refusal is None:
            assert (after.state, after.agent_id) == (ConversationState.CONNECTED, agent)
            await floor.command(opened, c.Disconnect(c.Actor(agent), None))
        else:
            assert after.state is ConversationState.QUEUED
            await floor.command(opened, c.Discard(c.SYSTEM, "the test is over"))
        endings[after.state] += 1
        await floor.status(agent, RoutingStatus.ON_QUEUE)

    assert await loads(database) == [0]
    assert len(endings) == 2


async def test_a_transfer_that_races_a_pick_up_leaves_one_owner(
    database: Database, interleavings: int
) -> None:
    floor = Floor(database)
    here, there = await floor.workgroup(), await floor.workgroup()
    source = await floor.channel(here)
    agent, other = await floor.agent(here), await floor.agent(there)

    for number in range(interleavings):
        opened = await floor.open(source, f"c{number}")

        async def pick_up(opened: str = opened) -> conversations.Outcome:
            await soon()
            return await floor.pick_up(opened, agent)

        async def transfer(opened: str = opened) -> conversations.Outcome:
            await soon()
            moved = c.TransferToWorkgroup(c.SYSTEM, there, None)
            return await floor.command(opened, moved)

        await asyncio.gather(pick_up(), transfer())
        after = await floor.get(opened)
        assert after.state is ConversationState.ALERTING
        assert after.offer.agent_id == other
        await floor.pick_up(opened, other)
        await floor.command(opened, c.Disconnect(c.Actor(other), None))

    assert await loads(database) == [0, 0]


async def test_two_replies_with_one_id_are_one_reply(
    database: Database, interleavings: int
) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    agent = await floor.agent(workgroup)
    opened, _ = await floor.connect(source, "c")

    async def reply(reply_id: str, text: str) -> bool:
        draft = ReplyDraft(reply_id, c.Actor(agent), text, None, None, confirm_public=False)
        await soon()
        try:
            outcome = await database.write(lambda k: conversations.reply(k, opened, draft))
        except Exception:  # noqa: BLE001 - the unique key; the API's log of keys comes before it
            return False
        return outcome.refusal is None

    for number in range(interleavings):
        taken = await asyncio.gather(reply(f"r{number}", "one"), reply(f"r{number}", "two"))
        assert sorted(taken) == [False, True]

    rows = await database.read(lambda k: k.execute(select(func.count()).select_from(REPLIES)))
    assert rows.scalar_one() == interleavings
    assert (await floor.get(opened)).unsettled_replies == interleavings


async def test_fifty_writers_never_take_an_agent_over_a_hundred_percent(
    database: Database,
) -> None:
    floor = Floor(database)
    source = await floor.channel(
        workgroup := await floor.workgroup(utilization={"social_conversation": {"percent": 40}})
    )
    agents = [await floor.agent(workgroup) for _ in range(5)]

    async def customer(number: int) -> None:
        opened = await floor.open(source, f"c{number}")
        picked = await floor.pick_up(opened, random.choice(agents))
        if picked.refusal is None and picked.conversation is not None:
            owner = picked.conversation.agent_id
            await floor.command(opened, c.Disconnect(c.Actor(owner), None))

    await asyncio.gather(*(customer(n) for n in range(50)))

    assert all(0 <= load <= 100 for load in await loads(database))
    counts = Counter((await floor.states()).values())
    held = counts["alerting"] + counts["connected"]
    assert sum(await loads(database)) == 40 * held
    assert counts["queued"] == 0 or held == 2 * len(agents)

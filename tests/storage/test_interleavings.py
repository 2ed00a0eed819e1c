"""No lost wake-up: whatever overlaps with a match, nobody waits beside a free agent afterwards."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, update
from sqlalchemy.ext.asyncio import create_async_engine

from conversations import commands as c
from conversations.model import Author, ConversationState, Post, RoutingStatus
from storage import conversations, ingest, statuses
from storage.candidates import locked_agents
from storage.database import Database, open_database
from storage.journal import Aftermath, Journal
from storage.setup_tables import AgentRow
from tests.floor import SECRET, Floor

OVERLAPS = 25
FULL = {"social_conversation": {"percent": 100}}


class Overlap:
    """A transaction that is done but not committed while others work."""

    def __init__(self, url: str) -> None:
        self._engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))

    @asynccontextmanager
    async def uncommitted(self, work: Callable[[Connection], Any]) -> AsyncIterator[Any]:
        async with self._engine.begin() as connection:
            yield await connection.run_sync(work)

    async def close(self) -> None:
        await self._engine.dispose()


@pytest.fixture
async def overlap(postgresql_url: str) -> AsyncIterator[Overlap]:
    """On PostgreSQL only: SQLite has one writer, nothing overlaps there."""
    opened = Overlap(postgresql_url)
    yield opened
    await opened.close()


@pytest.fixture
async def floor(postgresql_url: str) -> AsyncIterator[Floor]:
    database = open_database(postgresql_url)
    yield Floor(database)
    await database.close()


async def nobody_waits_beside_a_free_agent(floor: Floor) -> None:
    waiting = [i for i, state in (await floor.states()).items() if state == "queued"]
    assert not waiting


async def test_an_arrival_that_overlaps_a_freed_agent_is_offered(
    floor: Floor, overlap: Overlap
) -> None:
    workgroup = await floor.workgroup(utilization=FULL)
    source = await floor.channel(workgroup)
    await floor.agent(workgroup)
    current, agent = await floor.connect(source, "first")

    for number in range(OVERLAPS):
        disconnect = c.Disconnect(c.Actor(agent), None)
        async with overlap.uncommitted(
            lambda k, i=current, d=disconnect: conversations.carry_out(k, i, lambda *_: d)  # type: ignore[misc]
        ) as freed:
            arrived = await floor.open(source, f"customer-{number}")
            assert (await floor.get(arrived)).state is ConversationState.QUEUED
        await floor.follow(freed)

        assert (await floor.get(arrived)).state is ConversationState.ALERTING
        await floor.pick_up(arrived, agent)
        current = arrived


async def test_an_agent_of_two_workgroups_freed_in_one_is_asked_for_in_both(
    floor: Floor, overlap: Overlap
) -> None:
    first, second = await floor.workgroup(utilization=FULL), await floor.workgroup(utilization=FULL)
    sources = [await floor.channel(first), await floor.channel(second)]
    agent = await floor.agent(first, second)
    current, _ = await floor.connect(sources[0], "first")

    for number in range(OVERLAPS):
        disconnect = c.Disconnect(c.Actor(agent), None)
        async with overlap.uncommitted(
            lambda k, i=current, d=disconnect: conversations.carry_out(k, i, lambda *_: d)  # type: ignore[misc]
        ) as freed:
            arrived = await floor.open(sources[(number + 1) % 2], f"customer-{number}")
        await floor.follow(freed)
        await floor.following.close()

        assert (await floor.get(arrived)).state is ConversationState.ALERTING
        await floor.pick_up(arrived, agent)
        current = arrived


async def test_a_post_that_joins_a_waiting_conversation_hides_it_from_no_agent(
    floor: Floor, overlap: Overlap
) -> None:
    workgroup = await floor.workgroup(utilization=FULL)
    source = await floor.channel(workgroup)
    agent = await floor.agent(workgroup, on_queue=False)

    for number in range(OVERLAPS):
        waiting = await floor.open(source, f"customer-{number}")
        post = Post(f"late-{number}", Author(f"customer-{number}"), "more", 1)
        async with overlap.uncommitted(
            lambda k, p=post: ingest.take_in(k, SECRET, source, [p])  # type: ignore[misc]
        ) as joined:
            await floor.status(agent, RoutingStatus.ON_QUEUE)
            assert (await floor.get(waiting)).state is ConversationState.QUEUED
        await floor.follow(joined)

        await nobody_waits_beside_a_free_agent(floor)
        await floor.pick_up(waiting, agent)
        await floor.command(waiting, c.Disconnect(c.Actor(agent), None))
        await floor.status(agent, RoutingStatus.OFF_QUEUE)


def rename(connection: Connection, agent_id: str) -> Aftermath:
    """Change what no match looks at, as a PATCH of the agent does."""
    journal = Journal(connection, 0)
    journal.agents_are_locked(locked_agents(connection, [agent_id], 0))
    agents = AgentRow.__table__  # type: ignore[attr-defined]
    connection.execute(update(agents).where(agents.c.id == agent_id).values(name="renamed"))
    return journal.aftermath()


async def test_a_changed_name_hides_its_agent_from_no_arrival(
    floor: Floor, overlap: Overlap
) -> None:
    workgroup = await floor.workgroup(utilization=FULL)
    source = await floor.channel(workgroup)
    agent = await floor.agent(workgroup)

    for number in range(OVERLAPS):
        async with overlap.uncommitted(lambda k: rename(k, agent)) as aftermath:
            arrived = await floor.open(source, f"customer-{number}")
            assert (await floor.get(arrived)).state is ConversationState.QUEUED
        await floor.following.follow(aftermath)

        assert (await floor.get(arrived)).state is ConversationState.ALERTING
        await floor.pick_up(arrived, agent)
        await floor.command(arrived, c.Disconnect(c.Actor(agent), None))


async def test_a_wake_up_is_lost_when_nobody_asks_after_the_commit(
    floor: Floor, overlap: Overlap
) -> None:
    """The seeded bug: without the asking the overlap leaves somebody waiting."""
    workgroup = await floor.workgroup(utilization=FULL)
    source = await floor.channel(workgroup)
    agent = await floor.agent(workgroup)

    async with overlap.uncommitted(lambda k: rename(k, agent)):
        arrived = await floor.open(source, "customer")

    assert (await floor.get(arrived)).state is ConversationState.QUEUED


async def test_pages_and_agents_at_once_neither_deadlock_nor_leave_anybody_waiting(
    database: Database,
) -> None:
    floor = Floor(database)
    workgroup = await floor.workgroup(utilization={"social_conversation": {"percent": 25}})
    source = await floor.channel(workgroup)
    agents = [await floor.agent(workgroup) for _ in range(8)]
    stopping = asyncio.Event()

    async def ingest_pages(number: int) -> None:
        for page in range(4):
            customers = [f"{number}-{page}-{n}" for n in range(20)]
            posts = [Post(f"p-{name}", Author(name), "hello", 1) for name in customers]
            await floor.pages.take_in(source, posts)

    async def work(agent: str) -> None:
        while not stopping.is_set():
            offered = [i for i, s in (await floor.states()).items() if s == "alerting"]
            for conversation_id in offered:
                outcome = await floor.pick_up(conversation_id, agent)
                if outcome.refusal is None:
                    await floor.command(conversation_id, c.Disconnect(c.Actor(agent), None))
            await asyncio.sleep(0)

    workers = [asyncio.create_task(work(agent)) for agent in agents]
    await asyncio.gather(*(ingest_pages(n) for n in range(4)))
    async with asyncio.timeout(40):
        while {"queued", "alerting"} & set((await floor.states()).values()):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    stopping.set()
    await asyncio.gather(*workers)

    assert len(await floor.states()) == 4 * 4 * 20


async def test_a_status_change_takes_back_an_offer_that_was_made_meanwhile(
    database: Database,
) -> None:
    floor = Floor(database)
    workgroup = await floor.workgroup()
    source = await floor.channel(workgroup)
    agent = await floor.agent(workgroup)
    opened = await asyncio.gather(*(floor.open(source, f"c{n}") for n in range(4)))

    outcome = await database.write(
        lambda k: statuses.set_status(k, agent, RoutingStatus.OFF_QUEUE, "break")
    )
    await floor.follow(outcome)

    assert {(await floor.get(i)).state for i in opened} == {ConversationState.QUEUED}

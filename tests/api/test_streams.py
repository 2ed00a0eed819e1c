"""A viewer's stream from inside: slow viewers, changed rights, cursors of elsewhere."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import Connection

from api import events as endpoint
from api.doorkeeper import Doorkeeper, Principal
from api.feed import LARGEST_BUFFER, Feed, Stream, Told, Wanted
from api.links import TemporalLinks
from api.metrics import Metrics
from api.policy import Role, effective
from conversations import commands as c
from storage import events, principals, workgroups
from storage.database import Database
from storage.events import Happening
from storage.reading import Viewer
from tests.floor import Floor


class StillThere:
    """A request whose client never hangs up."""

    async def is_disconnected(self) -> bool:
        return False


@pytest_asyncio.fixture
async def feed(database: Database) -> AsyncIterator[Feed]:
    opened = Feed(database, Doorkeeper(database), Metrics(), TemporalLinks("", "default"))
    await opened.start()
    yield opened
    await opened.close()


async def principal_of(database: Database, role: Role, agent_id: str | None = None) -> Principal:
    def add(connection: Connection) -> principals.Identity | None:
        principal_id = principals.add(connection, "viewer", [role], agent_id)
        return principals.by_key(connection, principals.add_key(connection, principal_id)[1])

    identity = await database.write(add)
    assert identity is not None
    return Principal(identity, effective(identity.roles))


async def tell(database: Database, count: int) -> None:
    told = [Happening("agent.status_changed", None, None, None, {}) for _ in range(count)]
    await database.write(lambda k: events.append(k, told, 0))


def frames(
    database: Database, feed: Feed, stream: Stream, cursor: int | None
) -> AsyncGenerator[bytes]:
    context: Any = SimpleNamespace(feed=feed, database=database)
    request: Any = StillThere()
    return endpoint._frames(request, context, stream, cursor)


async def sequence(told: AsyncGenerator[bytes], until: int) -> list[int]:
    """Return the numbers of the events that come, up to one of them."""
    found: list[int] = []
    async with asyncio.timeout(20):
        async for frame in told:
            lines = frame.decode().splitlines()
            found += [json.loads(line[6:])["seq"] for line in lines if line.startswith("data: ")]
            if found and found[-1] >= until:
                return found
    return found


async def become_true(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.02)


def test_a_viewer_too_far_behind_costs_no_more_than_a_full_buffer() -> None:
    identity = principals.Identity("pr", "viewer", frozenset(), None, None)
    stream = Stream(Principal(identity, frozenset()), Wanted(), Viewer())

    for seq in range(1, 3 * LARGEST_BUFFER):
        stream.offer(Told(seq, "agent.status_changed", None, None, None, b""))

    assert len(stream.buffer) <= LARGEST_BUFFER
    assert stream.is_behind


async def test_a_slow_viewer_misses_nothing_and_gets_nothing_twice(
    database: Database, feed: Feed
) -> None:
    stream = await feed.open(await principal_of(database, Role.SUPERVISOR), Wanted())
    told = frames(database, feed, stream, None)
    await anext(told)
    await anext(told)
    for _ in range(4):
        await tell(database, 500)
    await become_true(lambda: feed.handed_out == 2_000)
    await tell(database, 5)

    assert await sequence(told, 2_005) == list(range(1, 2_006))
    await told.aclose()


async def test_resuming_while_events_come_has_no_gap_and_no_repeat(
    database: Database, feed: Feed
) -> None:
    await tell(database, 700)
    await become_true(lambda: feed.handed_out == 700)
    stream = await feed.open(await principal_of(database, Role.SUPERVISOR), Wanted())
    told = frames(database, feed, stream, 150)
    reading = asyncio.create_task(sequence(told, 1_000))
    for _ in range(30):
        await tell(database, 10)
        await asyncio.sleep(0.01)

    assert await reading == list(range(151, 1_001))
    await told.aclose()


@pytest.mark.parametrize("cursor", [5_000, 2**40])
async def test_a_cursor_of_another_database_is_told_to_resync(
    database: Database, feed: Feed, cursor: int
) -> None:
    await tell(database, 3)
    stream = await feed.open(await principal_of(database, Role.SUPERVISOR), Wanted())
    told = frames(database, feed, stream, cursor)
    await anext(told)

    assert b"event: resync" in await anext(told)
    await told.aclose()


async def test_a_membership_that_ends_ends_the_view_at_once(database: Database, feed: Feed) -> None:
    floor = Floor(database)
    group = await floor.workgroup()
    source = await floor.channel(group)
    agent_id = await floor.agent(group, on_queue=False)
    stream = await feed.open(await principal_of(database, Role.AGENT, agent_id), Wanted())
    await floor.open(source, "before")
    await become_true(lambda: bool(stream.buffer))
    seen = {told.conversation_id for told in stream.buffer}
    await database.write(lambda k: workgroups.remove_member(k, group, agent_id))

    hidden = await floor.open(source, "after")
    await tell(database, 1)
    await become_true(lambda: stream.buffer[-1].type == "agent.status_changed")

    assert None not in seen
    assert hidden not in {told.conversation_id for told in stream.buffer}


async def test_an_agent_goes_on_seeing_what_it_was_once_offered(
    database: Database, feed: Feed
) -> None:
    floor = Floor(database)
    group, elsewhere = await floor.workgroup(), await floor.workgroup()
    source = await floor.channel(group)
    agent_id = await floor.agent(group)
    conversation_id = await floor.open(source, "customer")
    await floor.pick_up(conversation_id, agent_id)
    stream = await feed.open(await principal_of(database, Role.AGENT, agent_id), Wanted())

    actor = c.Actor(agent_id)
    await floor.command(conversation_id, c.TransferToWorkgroup(actor, elsewhere, None))

    def is_told() -> bool:
        return "conversation.transferred" in {told.type for told in stream.buffer}

    await become_true(is_told)


async def test_who_lost_the_key_is_let_go(database: Database, feed: Feed) -> None:
    principal = await principal_of(database, Role.SUPERVISOR)
    stream = await feed.open(principal, Wanted())

    key_id = principal.identity.key_id or ""
    await database.write(lambda k: principals.remove_key(k, key_id))
    feed.rights_changed()

    await become_true(lambda: stream.is_ending)

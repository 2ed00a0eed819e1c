"""Who comes to a conversation and who goes, told while it is true: outside the sequence."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from api.feed import Feed, Stream, Wanted
from api.onlooker_feed import OnlookerFeed
from api.policy import Role
from conversations.onlooking import Activity
from storage import onlookers
from storage.database import Database
from storage.log_tables import EventRow
from storage.onlookers import Onlooker
from tests.api.conftest import Json
from tests.api.streaming import Served, served  # noqa: F401 - a fixture
from tests.api.test_streams import feed, frames, principal_of  # noqa: F401 - a fixture among them
from tests.clocks import Clock
from tests.floor import Floor

PRESENCE = Wanted(with_presence=True)


def told_to(stream: Stream) -> list[list[tuple[str, str]]]:
    """Take out what the stream was told: who does what, one list a frame."""
    found = []
    for frame in stream.passed():
        lines = frame.decode().splitlines()
        assert lines[0] == "event: conversation.presence"
        told = json.loads(lines[1].removeprefix("data: "))
        found.append([(one["name"], one["activity"]) for one in told["onlookers"]])
    return found


async def events_in(database: Database) -> int:
    query = select(func.count()).select_from(EventRow)
    return await database.read(lambda k: k.execute(query).scalar_one())


async def do(database: Database, who: Onlooker, activity: Activity) -> None:
    await database.write(lambda k: onlookers.note(k, who, activity))


async def test_changes_are_told_once_and_renewals_never(
    database: Database,
    clock: Clock,
    feed: Feed,  # noqa: F811
) -> None:
    floor = Floor(database)
    opened = await floor.open(await floor.channel(await floor.workgroup()), "customer")
    looking = OnlookerFeed(database, feed)
    viewer = await principal_of(database, Role.SUPERVISOR)
    stream = await feed.open(viewer, PRESENCE)
    other = Onlooker(opened, (await principal_of(database, Role.AGENT)).id)
    before = await events_in(database)

    said: list[Any] = []
    for activity in (Activity.LOOKING, Activity.LOOKING, Activity.TYPING, Activity.GONE):
        clock.advance(s=6)
        await do(database, other, activity)
        await looking.look()
        said.append(told_to(stream))
    assert said == [[[("viewer", "looking")]], [], [[("viewer", "typing")]], [[]]]

    await do(database, other, Activity.LOOKING)
    await looking.look()
    assert told_to(stream) == [[("viewer", "looking")]]
    clock.advance(s=15)
    await looking.look()
    assert told_to(stream) == [[]], "a lease that ran out is told, too"
    assert await events_in(database) == before


async def test_nobody_is_his_own_onlooker(
    database: Database,
    feed: Feed,  # noqa: F811
) -> None:
    floor = Floor(database)
    opened = await floor.open(await floor.channel(await floor.workgroup()), "customer")
    looking = OnlookerFeed(database, feed)
    viewer = await principal_of(database, Role.SUPERVISOR)
    stream = await feed.open(viewer, PRESENCE)

    await do(database, Onlooker(opened, viewer.id), Activity.TYPING)
    await looking.look()

    assert told_to(stream) == [[]]


async def test_it_is_told_to_whom_asked_and_may_see_the_conversation(
    database: Database,
    feed: Feed,  # noqa: F811
) -> None:
    floor = Floor(database)
    mine, theirs = await floor.workgroup(), await floor.workgroup()
    opened = await floor.open(await floor.channel(mine), "customer")
    member = await floor.agent(mine, on_queue=False)
    stranger = await floor.agent(theirs, on_queue=False)
    looking = OnlookerFeed(database, feed)
    supervisor = await principal_of(database, Role.SUPERVISOR)
    streams = {
        "supervisor": await feed.open(supervisor, PRESENCE),
        "elsewhere": await feed.open(supervisor, Wanted(workgroup_id=theirs, with_presence=True)),
        "unasked": await feed.open(supervisor, Wanted()),
        "member": await feed.open(await principal_of(database, Role.AGENT, member), PRESENCE),
        "stranger": await feed.open(await principal_of(database, Role.AGENT, stranger), PRESENCE),
    }
    who = await principal_of(database, Role.SUPERVISOR)

    await do(database, Onlooker(opened, who.id), Activity.LOOKING)
    await looking.look()

    told = {name for name, stream in streams.items() if told_to(stream)}
    assert told == {"supervisor", "member"}


async def test_a_slow_viewer_gets_what_is_true_in_the_end(
    database: Database,
    feed: Feed,  # noqa: F811
) -> None:
    floor = Floor(database)
    opened = await floor.open(await floor.channel(await floor.workgroup()), "customer")
    looking = OnlookerFeed(database, feed)
    stream = await feed.open(await principal_of(database, Role.SUPERVISOR), PRESENCE)
    other = Onlooker(opened, (await principal_of(database, Role.AGENT)).id)

    for activity in (Activity.LOOKING, Activity.TYPING, Activity.LOOKING):
        await do(database, other, activity)
        await looking.look()
    told = frames(database, feed, stream, None)

    async with asyncio.timeout(5):
        got = [frame async for frame in _until_presence(told)]
    assert got[-1].count(b'"activity":"looking"') == 1
    assert not any(line.startswith(b"id:") for line in got[-1].splitlines())
    await told.aclose()


async def _until_presence(told: Any) -> Any:
    async for frame in told:
        yield frame
        if b"conversation.presence" in frame:
            return


@pytest.mark.parametrize("query", ["?presence=true", "?presence=true&types=reply.sent"])
async def test_the_stream_tells_who_types_and_keeps_the_readers_place(
    served: Served,  # noqa: F811
    query: str,
) -> None:
    opened, agent = await served.floor.connect("customer")
    me = await agent.ok("GET", "/agents/me")
    heard = asyncio.create_task(_presence(served, query))
    await asyncio.sleep(0.3)

    await agent.ok("POST", f"/conversations/{opened}/presence", {"activity": "typing"})

    event = await heard
    (onlooker,) = event.pop("onlookers")
    assert (onlooker["agent_id"], onlooker["activity"]) == (me["id"], "typing")
    assert event == {
        "type": "conversation.presence",
        "conversation_id": opened,
        "workgroup_id": served.floor.workgroup,
    }


async def _presence(served: Served, query: str) -> Json:  # noqa: F811
    url = f"{served.url}/api/v1/events{query}"
    headers = {"Authorization": f"Bearer {served.floor.admin.key}"}
    async with (
        asyncio.timeout(10),
        httpx.AsyncClient() as http,
        http.stream("GET", url, headers=headers, timeout=10) as stream,
    ):
        async for line in stream.aiter_lines():
            if line.startswith("data: "):
                event: Json = json.loads(line.removeprefix("data: "))
                return event
    raise AssertionError("the stream ended")

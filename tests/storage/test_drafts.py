"""Drafts outlive their conversation's leave by a week, and never come back by an old version."""

import asyncio

import pytest
from sqlalchemy import Connection, select

from conversations import commands as c
from storage import agents, drafts, upkeep
from storage import clock as clocks
from storage.database import Database
from storage.desk_tables import DraftRow
from storage.drafts import Draft
from tests.clocks import Clock
from tests.floor import Floor

DRAFTS = DraftRow.__table__  # type: ignore[attr-defined]
WEEK_S = 7 * 24 * 3600


async def put(database: Database, agent_id: str, conversation_id: str, text: str) -> Draft:
    def write(connection: Connection) -> Draft:
        before = drafts.lock(connection, agent_id, conversation_id)
        return drafts.put(connection, agent_id, conversation_id, before, Draft(text))

    return await database.write(write)


async def sweep(database: Database) -> None:
    await database.write(lambda k: upkeep.forget_old(k, clocks.now(k)))


async def texts(database: Database) -> list[str]:
    return await database.read(lambda k: list(k.execute(select(DRAFTS.c.text)).scalars()))


async def connected(floor: Floor) -> tuple[str, str]:
    source = await floor.channel(workgroup := await floor.workgroup())
    await floor.agent(workgroup)
    return await floor.connect(source, "customer")


async def test_a_draft_at_hand_is_kept_for_ever(database: Database, clock: Clock) -> None:
    conversation_id, agent = await connected(Floor(database))
    await put(database, agent, conversation_id, "half a")

    for _ in range(3):
        clock.advance(s=WEEK_S)
        await sweep(database)

    assert await texts(database) == ["half a"]


@pytest.mark.parametrize("end", ["transfer", "disconnect"])
async def test_what_left_the_agent_is_forgotten_after_a_week(
    database: Database, clock: Clock, end: str
) -> None:
    floor = Floor(database)
    conversation_id, agent = await connected(floor)
    await put(database, agent, conversation_id, "half a")
    elsewhere = await floor.workgroup()
    commands: dict[str, c.Command] = {
        "transfer": c.TransferToWorkgroup(c.Actor(agent), elsewhere, None),
        "disconnect": c.Disconnect(c.Actor(agent), None),
    }
    await floor.command(conversation_id, commands[end])
    await sweep(database)

    clock.advance(s=WEEK_S)
    await sweep(database)
    assert await texts(database) == ["half a"]
    clock.advance(ms=1)
    await sweep(database)
    assert await texts(database) == []


async def test_what_comes_back_begins_its_week_anew(database: Database, clock: Clock) -> None:
    floor = Floor(database)
    conversation_id, agent = await connected(floor)
    await put(database, agent, conversation_id, "half a")
    await floor.command(conversation_id, c.Release(c.SYSTEM, "lunch"))
    await sweep(database)
    clock.advance(s=WEEK_S - 1)
    await floor.command(conversation_id, c.PickUp(c.Actor(agent), None, clock()))
    await sweep(database)

    clock.advance(s=WEEK_S)
    await sweep(database)

    assert await texts(database) == ["half a"]


async def test_a_version_is_never_used_twice(database: Database, clock: Clock) -> None:
    conversation_id, agent = await connected(Floor(database))

    first = await put(database, agent, conversation_id, "one")
    second = await put(database, agent, conversation_id, "two")
    clock.advance(ms=2)
    await database.write(lambda k: drafts.remove(k, agent, conversation_id))
    third = await put(database, agent, conversation_id, "three")

    assert 0 < first.version < second.version < third.version


async def test_two_windows_that_begin_at_once_leave_one_draft(database: Database) -> None:
    conversation_id, agent = await connected(Floor(database))

    left = await asyncio.gather(
        *(put(database, agent, conversation_id, f"window {n}") for n in range(8))
    )

    assert len({draft.version for draft in left}) == 8
    assert await texts(database) == [max(left, key=lambda draft: draft.version).text]


async def test_an_agent_who_never_worked_goes_with_his_drafts(database: Database) -> None:
    floor = Floor(database)
    conversation_id, _ = await connected(floor)
    other = await floor.agent(on_queue=False)
    await put(database, other, conversation_id, "never sent")

    await database.write(lambda k: agents.remove(k, other))

    assert await texts(database) == []

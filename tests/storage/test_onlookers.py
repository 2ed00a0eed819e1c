"""Who else is at a conversation; nothing of the conversation is touched by it."""

import asyncio
from typing import Any

from sqlalchemy import func, insert, select

from conversations.onlooking import Activity
from storage import clock as clocks
from storage import conversations, onlookers, upkeep
from storage.database import Database, PostgresDatabase, open_database
from storage.desk_tables import OnlookerRow
from storage.log_tables import EventRow
from storage.onlookers import Onlooker
from storage.pages import Window
from storage.setup_tables import PrincipalRow
from tests.clocks import Clock
from tests.floor import Floor

EVENTS = EventRow.__table__  # type: ignore[attr-defined]
ONLOOKERS = OnlookerRow.__table__  # type: ignore[attr-defined]
PRINCIPALS = PrincipalRow.__table__  # type: ignore[attr-defined]


async def count(database: Database, table: Any) -> int:
    query = select(func.count()).select_from(table)
    return await database.read(lambda k: k.execute(query).scalar_one())


async def principal(database: Database, principal_id: str) -> Onlooker:
    row = {"id": principal_id, "name": principal_id, "roles": ["agent"], "created_at": 0}
    await database.write(lambda k: k.execute(insert(PRINCIPALS).values(row)))
    return Onlooker("cv", principal_id)


async def do(database: Database, who: Onlooker, activity: str) -> bool:
    """Do what the API does; return whether anything had to be written."""
    wanted = Activity(activity)
    worth = await database.read(lambda k: onlookers.is_worth_writing(k, who, wanted))
    if worth:
        await database.write(lambda k: onlookers.note(k, who, wanted))
    return worth


async def seen_by(database: Database, who: Onlooker) -> dict[str, str]:
    page = await database.read(lambda k: onlookers.others(k, who, Window(50)))
    return {row["principal_id"]: row["activity"] for row in page.rows}


async def test_each_sees_the_others_and_not_itself(database: Database, clock: Clock) -> None:
    one, two = await principal(database, "one"), await principal(database, "two")
    await do(database, one, "looking")
    await do(database, two, "typing")

    assert await seen_by(database, one) == {"two": "typing"}
    assert await seen_by(database, two) == {"one": "looking"}
    assert await seen_by(database, Onlooker("another", "one")) == {}
    await do(database, two, "looking")
    assert await seen_by(database, one) == {"two": "looking"}
    await do(database, two, "gone")
    assert await seen_by(database, one) == {}


async def test_whoever_says_nothing_for_the_lease_is_gone(database: Database, clock: Clock) -> None:
    one, two = await principal(database, "one"), await principal(database, "two")
    await do(database, two, "looking")

    clock.advance(ms=14_999)
    assert await seen_by(database, one) == {"two": "looking"}
    clock.advance(ms=1)
    assert await seen_by(database, one) == {}


async def test_what_is_known_already_is_not_written_again(database: Database, clock: Clock) -> None:
    one = await principal(database, "one")

    assert await do(database, one, "looking")
    clock.advance(ms=4_999)
    assert not await do(database, one, "looking")
    clock.advance(ms=1)
    assert await do(database, one, "looking")
    assert await do(database, one, "gone")
    assert not await do(database, one, "gone")


async def test_the_sweep_forgets_leases_that_are_over(database: Database, clock: Clock) -> None:
    one, two = await principal(database, "one"), await principal(database, "two")
    await do(database, one, "looking")
    clock.advance(s=75)
    await do(database, two, "looking")
    clock.advance(ms=1)

    await database.write(lambda k: upkeep.forget_old(k, clocks.now(k)))

    assert await count(database, ONLOOKERS) == 1


async def test_presence_tells_nothing_and_changes_nothing_of_the_conversation(
    database: Database,
) -> None:
    floor = Floor(database)
    opened = await floor.open(await floor.channel(await floor.workgroup()), "customer")
    before, told = await floor.get(opened), await count(database, EVENTS)

    await do(database, Onlooker(opened, "one"), "typing")

    assert await floor.get(opened) == before
    assert await count(database, EVENTS) == told


async def test_presence_does_not_wait_for_who_has_the_conversation_locked(
    postgresql_url: str,
) -> None:
    database = open_database(postgresql_url)
    assert isinstance(database, PostgresDatabase)
    floor = Floor(database)
    opened = await floor.open(await floor.channel(await floor.workgroup()), "customer")

    async with database._engine.begin() as connection, asyncio.timeout(5):
        await connection.run_sync(lambda k: conversations.lock(k, [opened]))
        assert await do(database, Onlooker(opened, "one"), "typing")

    await database.close()

"""Revision 0006: what channels were called healthy or in trouble is said in the new words."""

import asyncio

from sqlalchemy import select, update

from storage import schema
from storage.database import Database, open_database
from storage.setup_tables import ChannelRow
from tests.floor import Floor

CHANNELS = ChannelRow.__table__  # type: ignore[attr-defined]


async def healths(database: Database) -> list[str]:
    query = select(CHANNELS.c.health).order_by(CHANNELS.c.id)
    return await database.read(lambda k: list(k.execute(query).scalars()))


async def test_old_words_for_health_become_new_ones_and_old_again(database_url: str) -> None:
    database = open_database(database_url)
    floor = Floor(database)
    workgroup_id = await floor.workgroup()
    for health in ("healthy", "degraded"):
        source = await floor.channel(workgroup_id)
        this = update(CHANNELS).where(CHANNELS.c.id == source.channel_id)
        await database.write(lambda k, this=this, h=health: k.execute(this.values(health=h)))  # type: ignore[misc]

    await database.close()
    await asyncio.to_thread(schema.downgrade, database_url, "0005")
    database = open_database(database_url)
    before = await healths(database)
    await database.close()
    await asyncio.to_thread(schema.upgrade, database_url)
    database = open_database(database_url)
    after = await healths(database)
    await database.close()

    assert before == ["ok", "trouble"]
    assert after == ["healthy", "degraded"]

"""A read-only look into Parley's database: whether the workflows have seen everything."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Connection, func, select

from storage.conversation_tables import BellRow, ConversationRow
from storage.database import Database, open_database

BELLS = BellRow.__table__  # type: ignore[attr-defined]
CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]

LOOKS_EVERY_S = 0.05
SYNCED_WITHIN_S = 600.0


class NeverSynced(Exception):
    """Some workflow has not seen its conversation's newest version."""


class Look:
    """Looks, and never writes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def until_synced(self) -> None:
        """Return when every bell is rung and synced, and every reply settled.

        Raises:
            NeverSynced: that does not come.
        """
        deadline_s = time.monotonic() + SYNCED_WITHIN_S
        while left := await self._database.read(_not_synced):
            if time.monotonic() > deadline_s:
                raise NeverSynced(f"{left} conversations after {SYNCED_WITHIN_S:.0f} s")
            await asyncio.sleep(LOOKS_EVERY_S)


def _not_synced(connection: Connection) -> int:
    """Count what is not seen; replies only when all is: they have no index of their own."""
    unseen = select(func.count()).where(BELLS.c.version > BELLS.c.seen_version)
    if found := connection.execute(unseen).scalar_one():
        return int(found)
    unsettled = select(func.count()).where(CONVERSATIONS.c.unsettled_replies > 0)
    return int(connection.execute(unsettled).scalar_one())


@asynccontextmanager
async def look_into(database_url: str) -> AsyncIterator[Look]:
    database = open_database(database_url)
    try:
        yield Look(database)
    finally:
        await database.close()

"""Tells streams who comes to a conversation and who goes: live only, never in the sequence."""

import asyncio
import contextlib
import json
from collections.abc import Collection, Mapping

from sqlalchemy import Connection, RowMapping

from api.feed import Feed, Stream
from api.onlookers import shape
from storage import agents, onlookers, reading
from storage.database import Database, DatabaseUnavailable

LOOK_EVERY_S = 0.5
"""The look is one read of a small table, and only while somebody wants to know."""

TYPE = "conversation.presence"

Present = Mapping[str, list[RowMapping]]


class OnlookerFeed:
    """Looks who is where, and hands on what has changed since the last look."""

    def __init__(self, database: Database, feed: Feed) -> None:
        self._database = database
        self._feed = feed
        self._known: dict[str, frozenset[tuple[str, str]]] = {}
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._running = asyncio.create_task(self._go_on())

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            with contextlib.suppress(DatabaseUnavailable):
                await self.look()

    async def look(self) -> None:
        """Tell what has changed; after a time without a listener, all that there is."""
        if not self._feed.streams_with_presence():
            self._known = {}
            return
        present = await self._database.read(onlookers.present)
        known = {
            conversation_id: frozenset((row["principal_id"], row["activity"]) for row in rows)
            for conversation_id, rows in present.items()
        }
        either = known.keys() | self._known.keys()
        changed = {one for one in either if known.get(one) != self._known.get(one)}
        if changed:
            await self._tell(changed, present)
        self._known = known

    async def _tell(self, changed: Collection[str], present: Present) -> None:
        news = await self._database.read(lambda k: _news(k, changed, present))
        await self._feed.refresh_viewers()
        for stream in self._feed.streams_with_presence():
            for one in news:
                if one.is_for(stream):
                    stream.pass_on(one.conversation_id, one.frame_for(stream.principal.id))

    async def close(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)


class _News:
    """Who is at a conversation now, and who may know it."""

    def __init__(
        self, conversation_id: str, home_id: str, involved: frozenset[str], rows: list[RowMapping]
    ) -> None:
        self.conversation_id = conversation_id
        self._home_id = home_id
        self._involved = involved
        self._rows = rows
        self._for_others = self._frame(rows)
        self._present = {row["principal_id"] for row in rows}

    def is_for(self, stream: Stream) -> bool:
        """Whether the viewer asked for it, and its rights allow it: what `GET` would show."""
        if stream.wanted.workgroup_id not in {None, self._home_id}:
            return False
        viewer = stream.viewer
        if viewer.workgroup_ids is None:
            return True
        return self._home_id in viewer.workgroup_ids or viewer.agent_id in self._involved

    def frame_for(self, principal_id: str) -> bytes:
        """Return what a principal is told: nobody is his own onlooker."""
        if principal_id not in self._present:
            return self._for_others
        return self._frame([row for row in self._rows if row["principal_id"] != principal_id])

    def _frame(self, rows: list[RowMapping]) -> bytes:
        """Return an event without an id, so that it moves no reader's place."""
        told = {
            "type": TYPE,
            "conversation_id": self.conversation_id,
            "workgroup_id": self._home_id,
            "onlookers": [shape(row) for row in rows],
        }
        text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
        return f"event: {TYPE}\ndata: {text}\n\n".encode()


def _news(connection: Connection, changed: Collection[str], present: Present) -> list[_News]:
    homes = reading.conversations_of(connection, changed)
    involved = agents.involved_in(connection, changed)
    return [
        _News(
            conversation_id,
            conversation.workgroup_id,
            involved.get(conversation_id, frozenset()),
            present.get(conversation_id, []),
        )
        for conversation_id, conversation in sorted(homes.items())
    ]

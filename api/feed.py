"""One reader of the event table for all viewers of this process: encoded once, sent to many."""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import Connection

from api.doorkeeper import Doorkeeper, Principal
from api.fields import rfc3339
from api.links import TemporalLinks
from api.metrics import Metrics
from api.shapes import conversation_shape
from conversations.model import Conversation
from storage import bells, events, reading, workgroups
from storage.database import Database, DatabaseUnavailable
from storage.reading import CustomerSeen, Viewer

log = structlog.get_logger()

PAUSE_S = 0.02
"""How often the table is looked at; the look is one indexed read."""

IDLE_PAUSE_S = 0.05
PAGE = 500
LARGEST_BUFFER = 1_000
"""A viewer so many events behind is cut, and told to resync."""

RIGHTS_EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class Told:
    """An event ready to be sent, with what decides who may see it."""

    seq: int
    type: str
    workgroup_id: str | None
    agent_id: str | None
    conversation_id: str | None
    frame: bytes


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a viewer asked for; empty means everything."""

    types: frozenset[str] = frozenset()
    workgroup_id: str | None = None
    agent_id: str | None = None

    def covers(self, told: Told) -> bool:
        if self.types and told.type not in self.types:
            return False
        if self.workgroup_id is not None and told.workgroup_id != self.workgroup_id:
            return False
        return self.agent_id is None or told.agent_id == self.agent_id


@dataclass(eq=False)
class Stream:
    """One viewer's stream: a bounded buffer between the feed and the connection."""

    principal: Principal
    wanted: Wanted
    viewer: Viewer
    buffer: deque[Told] = field(default_factory=deque)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    ending: str | None = None

    def offer(self, told: Told) -> None:
        if self.ending is None and len(self.buffer) >= LARGEST_BUFFER:
            self.end("resync")
        if self.ending is None:
            self.buffer.append(told)
            self.wake.set()

    def end(self, why: str) -> None:
        """Let the connection close: `resync` when events were left out, else `bye`."""
        self.ending = self.ending or why
        self.wake.set()


class Feed:
    """Numbers events, reads them in order, and hands them to the streams that may see them."""

    def __init__(
        self, database: Database, doorkeeper: Doorkeeper, metrics: Metrics, links: TemporalLinks
    ) -> None:
        self._database = database
        self._doorkeeper = doorkeeper
        self._metrics = metrics
        self._links = links
        self._streams: set[Stream] = set()
        self._head = 0
        self._rights_are_old = asyncio.Event()
        self._running: list[asyncio.Task[None]] = []

    @property
    def head(self) -> int:
        """The newest event that was handed to the streams."""
        return self._head

    async def start(self) -> None:
        self._head = await self._database.read(events.head)
        self._running = [
            asyncio.create_task(self._tail()),
            asyncio.create_task(self._check_rights()),
        ]

    def rights_changed(self) -> None:
        """Look every viewer's rights up again soon."""
        self._rights_are_old.set()

    async def open(self, principal: Principal, wanted: Wanted) -> Stream:
        """Join a viewer; from now on nothing is missed."""
        viewer = await self._database.read(lambda k: _viewer(k, principal))
        stream = Stream(principal, wanted, viewer)
        self._streams.add(stream)
        self._metrics.streams.set(len(self._streams))
        return stream

    def streams_of(self, principal: Principal) -> int:
        return sum(stream.principal.id == principal.id for stream in self._streams)

    def leave(self, stream: Stream) -> None:
        self._streams.discard(stream)
        self._metrics.streams.set(len(self._streams))

    async def since(self, seq: int, until: int) -> list[Told]:
        """Return a page of what was told after `seq`, up to `until`."""
        rows = await self._database.read(lambda k: events.events_after(k, seq, PAGE))
        return await self._tell([row for row in rows if row["seq"] <= until])

    async def may_see(self, viewer: Viewer, told: Sequence[Told]) -> list[Told]:
        """Return those of the events that the viewer's rights allow."""
        if viewer.workgroup_ids is None:
            return list(told)
        open_questions = {t.conversation_id for t in told if not _is_theirs(t, viewer)} - {None}
        seen: set[str] = set()
        if open_questions:
            seen = await self._database.read(
                lambda k: {i for i in open_questions if i and reading.is_visible(k, i, viewer)}
            )
        return [t for t in told if _is_theirs(t, viewer) or t.conversation_id in seen]

    async def _tail(self) -> None:
        while True:
            try:
                found = await self._advance()
            except DatabaseUnavailable as error:
                log.warning("feed_waits", error=type(error).__name__)
                found = False
                await asyncio.sleep(1.0)
            await asyncio.sleep(PAUSE_S if found else IDLE_PAUSE_S)

    async def _advance(self) -> bool:
        if self._database.dialect == "postgresql":
            await self._number()
        rows = await self._database.read(lambda k: events.events_after(k, self._head, PAGE))
        if not rows:
            return False
        # The head moves first: who joins from here on reads these from the table.
        self._head = rows[-1]["seq"]
        if self._streams:
            await self._hand_out(await self._tell(rows))
        return True

    async def _number(self) -> None:
        if await self._database.read(events.has_unnumbered):
            while await self._database.write(events.number_events) == events.RELAY_BATCH:
                pass

    async def _hand_out(self, told: Sequence[Told]) -> None:
        for stream in list(self._streams):
            wanted = [t for t in told if stream.wanted.covers(t)]
            for one in await self.may_see(stream.viewer, wanted):
                stream.offer(one)
                self._metrics.streamed.inc()

    async def _tell(self, rows: Sequence[Mapping[str, Any]]) -> list[Told]:
        faces = await self._database.read(lambda k: _faces(k, rows))
        return [_told(row, faces, self._links) for row in rows]

    async def _check_rights(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RIGHTS_EVERY_S):
                    await self._rights_are_old.wait()
            self._rights_are_old.clear()
            with contextlib.suppress(DatabaseUnavailable):
                await self._look_rights_up()

    async def _look_rights_up(self) -> None:
        streams = list(self._streams)
        if not streams:
            return
        good = await self._doorkeeper.still_good([stream.principal for stream in streams])
        for stream in streams:
            principal = good.get(stream.principal.identity)
            if principal is None:
                stream.end("bye")
                continue
            stream.viewer = await self._database.read(lambda k, p=principal: _viewer(k, p))  # type: ignore[misc]

    async def close(self) -> None:
        """End every stream and stop reading."""
        for stream in list(self._streams):
            stream.end("bye")
        for running in self._running:
            running.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


def _viewer(connection: Connection, principal: Principal) -> Viewer:
    if principal.is_supervisor or principal.agent_id is None:
        return principal.sees(())
    theirs = workgroups.of_agents(connection, [principal.agent_id])
    return principal.sees(theirs[principal.agent_id])


def _is_theirs(told: Told, viewer: Viewer) -> bool:
    if told.agent_id is not None and told.agent_id == viewer.agent_id:
        return True
    if told.workgroup_id is None:
        return told.conversation_id is None
    return told.workgroup_id in (viewer.workgroup_ids or ())


@dataclass(frozen=True, slots=True)
class _Faces:
    """What the events' snapshots leave out: the customers' handles and the workflow runs."""

    customers: Mapping[str, CustomerSeen]
    runs: Mapping[str, str | None]


def _faces(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> _Faces:
    shown = {row["snapshot"]["id"]: row["snapshot"] for row in rows if row["snapshot"]}
    if not shown:
        return _Faces({}, {})
    found: dict[str, Conversation] = reading.conversations_of(connection, list(shown))
    customers = reading.customers_seen(connection, list(found.values()))
    return _Faces(customers, bells.run_ids(connection, list(shown)))


def _told(row: Mapping[str, Any], faces: _Faces, links: TemporalLinks) -> Told:
    snapshot = row["snapshot"]
    told: dict[str, Any] = {
        "seq": row["seq"],
        "type": row["type"],
        "at": rfc3339(row["at"]),
        "workgroup_id": row["workgroup_id"],
        "agent_id": row["agent_id"],
        "conversation_id": row["conversation_id"],
        "detail": row["detail"],
    }
    if snapshot is not None and snapshot["id"] in faces.customers:
        customer = faces.customers[snapshot["id"]]
        run_id = faces.runs.get(snapshot["id"])
        told["conversation"] = conversation_shape(snapshot, customer, run_id, links)
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    frame = f"id: {row['seq']}\nevent: {row['type']}\ndata: {text}\n\n".encode()
    return Told(
        row["seq"],
        row["type"],
        row["workgroup_id"],
        row["agent_id"],
        row["conversation_id"],
        frame,
    )

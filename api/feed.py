"""One reader of the event table for all viewers of this process: encoded once, sent to many."""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import Connection

from api.doorkeeper import Doorkeeper, Principal
from api.fields import rfc3339
from api.links import TemporalLinks
from api.metrics import Metrics
from api.shapes import conversation_shape, detail_shape
from api.sight import viewer_of
from conversations.model import Conversation
from storage import agents, bells, events, reading, workgroups
from storage.database import Database, DatabaseUnavailable
from storage.previews import previews
from storage.reading import CustomerSeen, Viewer

log = structlog.get_logger()

PAUSE_S = 0.02
"""How often the table is looked at; the look is one indexed read."""

IDLE_PAUSE_S = 0.05
PAGE = 500
LARGEST_BUFFER = 1_000
"""A viewer so many events behind gets the rest from the table: no viewer costs more than this."""

RIGHTS_EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class Told:
    """An event ready to be sent, with what decides who may see it now.

    `home_id` is the workgroup that its conversation is in now, `involved` who ever had it.
    """

    seq: int
    type: str
    workgroup_id: str | None
    agent_id: str | None
    conversation_id: str | None
    frame: bytes
    home_id: str | None = None
    involved: frozenset[str] = frozenset()

    def is_for(self, viewer: Viewer) -> bool:
        """Whether the viewer's rights allow it: what `GET` would show, and agents' statuses."""
        if viewer.workgroup_ids is None:
            return True
        if self.conversation_id is not None:
            return self.home_id in viewer.workgroup_ids or viewer.agent_id in self.involved
        return self.workgroup_id is None or self.workgroup_id in viewer.workgroup_ids


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a viewer asked for; empty means everything that is in the sequence."""

    types: frozenset[str] = frozenset()
    workgroup_id: str | None = None
    agent_id: str | None = None
    with_presence: bool = False

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
    passing: dict[str, bytes] = field(default_factory=dict)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    is_behind: bool = False
    is_ending: bool = False

    def offer(self, told: Told) -> None:
        """Hand an event over, unless the viewer is so slow that it has to read the table."""
        if len(self.buffer) >= LARGEST_BUFFER:
            self.buffer.clear()
            self.is_behind = True
        if not self.is_behind:
            self.buffer.append(told)
        self.wake.set()

    def taken(self, place: int) -> Iterator[Told]:
        """Take out what is there, but for what the viewer has."""
        while self.buffer:
            told = self.buffer.popleft()
            if told.seq > place:
                yield told

    def pass_on(self, about: str, frame: bytes) -> None:
        """Hand over what is only true now and has no place: of one matter the latest is enough."""
        self.passing[about] = frame
        self.wake.set()

    def passed(self) -> Iterator[bytes]:
        """Take out what is only true now."""
        while self.passing:
            yield self.passing.pop(next(iter(self.passing)))

    async def is_woken(self, within_s: float) -> bool:
        """Wait for something to do; False when nothing came and nothing lies there."""
        try:
            async with asyncio.timeout(within_s):
                await self.wake.wait()
        except TimeoutError:
            return self.wake.is_set()
        finally:
            self.wake.clear()
        return True

    def end(self) -> None:
        """Let the connection close; its client comes back, if it still may."""
        self.is_ending = True
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
        self._head = self._handed_out = 0
        self._rights_are_old = asyncio.Event()
        self._running: list[asyncio.Task[None]] = []

    @property
    def head(self) -> int:
        """The newest event that was read; it may be on its way to the streams."""
        return self._head

    @property
    def handed_out(self) -> int:
        """The newest event that every stream has, in its buffer or behind it."""
        return self._handed_out

    async def start(self) -> None:
        self._head = self._handed_out = await self._database.read(events.head)
        self._running = [
            asyncio.create_task(self._tail()),
            asyncio.create_task(self._check_rights()),
        ]

    def rights_changed(self) -> None:
        """Look every viewer's rights up again soon."""
        self._rights_are_old.set()

    async def open(self, principal: Principal, wanted: Wanted) -> Stream:
        """Join a viewer; from now on nothing is missed."""
        viewer = await self._database.read(lambda k: viewer_of(k, principal))
        stream = Stream(principal, wanted, viewer)
        self._streams.add(stream)
        self._metrics.streams.set(len(self._streams))
        return stream

    def streams_with_presence(self) -> list[Stream]:
        return [stream for stream in self._streams if stream.wanted.with_presence]

    def streams_of(self, principal: Principal) -> int:
        return sum(stream.principal.id == principal.id for stream in self._streams)

    def leave(self, stream: Stream) -> None:
        self._streams.discard(stream)
        self._metrics.streams.set(len(self._streams))

    async def since(self, seq: int, until: int) -> list[Told]:
        """Return a page of what was told after `seq`, up to `until`."""
        rows = await self._database.read(lambda k: events.events_after(k, seq, PAGE))
        return await self._tell([row for row in rows if row["seq"] <= until])

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
            told = await self._tell(rows)
            await self.refresh_viewers()
            self._hand_out(told)
        self._handed_out = self._head
        return True

    async def _number(self) -> None:
        if await self._database.read(events.has_unnumbered):
            while await self._database.write(events.number_events) == events.RELAY_BATCH:
                pass

    async def refresh_viewers(self) -> None:
        """Read the agents' workgroups again, so that rights are those of the delivery."""
        agents = {s.viewer.agent_id for s in self._streams if s.viewer.workgroup_ids is not None}
        wanted = sorted(agent_id for agent_id in agents if agent_id is not None)
        if not wanted:
            return
        theirs = await self._database.read(lambda k: workgroups.of_agents(k, wanted))
        for stream in self._streams:
            agent_id = stream.viewer.agent_id
            if stream.viewer.workgroup_ids is not None and agent_id in theirs:
                stream.viewer = Viewer(agent_id, frozenset(theirs[agent_id]))

    def _hand_out(self, told: Sequence[Told]) -> None:
        for stream in self._streams:
            for one in told:
                if stream.wanted.covers(one) and one.is_for(stream.viewer):
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
                stream.end()
            elif principal.roles != stream.principal.roles:
                stream.end()  # it comes back with its new rights

    def end_streams(self) -> None:
        """Let every viewer go: the process is about to end."""
        for stream in self._streams:
            stream.end()

    async def close(self) -> None:
        """End every stream and stop reading."""
        self.end_streams()
        for running in self._running:
            running.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class _Faces:
    """What snapshots leave out: customers' handles and words, workflow runs, who may see them."""

    customers: Mapping[str, CustomerSeen]
    runs: Mapping[str, str | None]
    homes: Mapping[str, str]
    involved: Mapping[str, frozenset[str]]
    previews: Mapping[str, str | None]


def _faces(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> _Faces:
    shown = {row["conversation_id"] for row in rows if row["conversation_id"] is not None}
    if not shown:
        return _Faces({}, {}, {}, {}, {})
    found: dict[str, Conversation] = reading.conversations_of(connection, shown)
    return _Faces(
        customers=reading.customers_seen(connection, list(found.values())),
        runs=bells.run_ids(connection, shown),
        homes={conversation.id: conversation.workgroup_id for conversation in found.values()},
        involved=agents.involved_in(connection, shown),
        previews=previews(connection, shown),
    )


def _told(row: Mapping[str, Any], faces: _Faces, links: TemporalLinks) -> Told:
    snapshot = row["snapshot"]
    told: dict[str, Any] = {
        "seq": row["seq"],
        "type": row["type"],
        "at": rfc3339(row["at"]),
        "workgroup_id": row["workgroup_id"],
        "agent_id": row["agent_id"],
        "conversation_id": row["conversation_id"],
        "detail": detail_shape(row["detail"]),
    }
    if snapshot is not None and snapshot["id"] in faces.customers:
        customer = faces.customers[snapshot["id"]]
        run_id = faces.runs.get(snapshot["id"])
        shape = conversation_shape(snapshot, customer, run_id, links)
        told["conversation"] = shape | {"preview": faces.previews.get(snapshot["id"])}
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    frame = f"id: {row['seq']}\nevent: {row['type']}\ndata: {text}\n\n".encode()
    return Told(
        row["seq"],
        row["type"],
        row["workgroup_id"],
        row["agent_id"],
        row["conversation_id"],
        frame,
        faces.homes.get(row["conversation_id"] or ""),
        faces.involved.get(row["conversation_id"] or "", frozenset()),
    )

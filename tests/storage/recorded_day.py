"""A day on a real database by a clock that is set: everything falls due when it is due."""

import heapq
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from conversations import commands as c
from conversations.lifecycle import alarm_at
from conversations.model import Conversation, Instant, RoutingStatus
from storage import conversations
from storage.conversation_tables import ConversationRow
from storage.events import number_events
from storage.ingest import Source
from storage.rows import conversation_from
from storage.setup_tables import AgentRow
from tests.acd.simulated_day import People
from tests.clocks import Clock
from tests.floor import Floor

AGENTS = AgentRow.__table__  # type: ignore[attr-defined]
CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]
BACK_AFTER_MS = 45_000


@dataclass
class RecordedDay:
    """Customers write, agents come, go and work; after it all of that is in the database."""

    floor: Floor
    clock: Clock
    seed: int
    agents: list[str] = field(default_factory=list)
    workgroups: list[str] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    _agenda: list[tuple[Instant, int, tuple[Any, ...]]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _stages: dict[str, tuple[object, ...]] = field(default_factory=dict)
    _alarms: dict[str, Instant] = field(default_factory=dict)
    _missing: set[str] = field(default_factory=set)

    async def open(self, *, groups: int = 2, agents: int = 4, **settings: Any) -> None:
        self.workgroups = [await self.floor.workgroup(**settings) for _ in range(groups)]
        self.sources = [await self.floor.channel(one) for one in self.workgroups]
        for number in range(agents):
            group = self.workgroups[number % groups]
            self.agents.append(await self.floor.agent(group, on_queue=False))
        self.draw = random.Random(self.seed)
        self.people = People(self.draw, self.workgroups, self.agents, mean_handle_ms=60_000)

    async def live(self, *, conversations: int, mean_gap_ms: int) -> None:
        """Let so many conversations come, and live until nothing is left to happen."""
        for number, agent in enumerate(self.agents):
            self._at(self.clock.now + 1_000 * number, "status", agent, RoutingStatus.ON_QUEUE)
        at = self.clock.now + 10_000
        for number in range(conversations):
            at += int(self.draw.expovariate(1 / mean_gap_ms))
            self._at(at, "post", self.draw.choice(self.sources), f"c{number}")
            if self.draw.random() < 0.05:
                agent = self.draw.choice(self.agents)
                self._at(at + 1, "status", agent, RoutingStatus.OFF_QUEUE)
                self._at(at + 90_000, "status", agent, RoutingStatus.ON_QUEUE)
        while self._agenda:
            moment, _, what = heapq.heappop(self._agenda)
            self.clock.instant = max(self.clock.instant, moment)
            await self._do(*what)
            await self.floor.following.close()
            await self._plan()
        while await self.floor.database.write(number_events):
            pass

    def _at(self, at: Instant, *what: Any) -> None:
        heapq.heappush(self._agenda, (at, next(self._numbers), what))

    async def _do(self, kind: str, *subject: Any) -> None:
        match kind, subject:
            case "status", (agent, status):
                self._missing.discard(agent)
                await self.floor.status(agent, status)
            case "post", (source, customer):
                await self.floor.post(source, customer)
            case "alarm", (conversation_id,):
                outcome = await self.floor.database.write(
                    lambda k: conversations.let_due_happen(k, conversation_id)
                )
                await self.floor.follow(outcome)
            case "act", (conversation_id, stage, command):
                is_reply = isinstance(command, c.SendReply | c.SettleReply)
                if self._stages.get(conversation_id) == stage and not is_reply:
                    await self.floor.command(conversation_id, command)

    async def _plan(self) -> None:
        """Plan what follows for every conversation that came into another stage."""
        for conversation in await self.floor.database.read(_open):
            alarm = alarm_at(conversation)
            if alarm is not None and self._alarms.get(conversation.id) != alarm:
                self._alarms[conversation.id] = alarm
                self._at(alarm, "alarm", conversation.id)
            stage = _stage(conversation)
            if self._stages.get(conversation.id) == stage:
                continue
            self._stages[conversation.id] = stage
            for act in self.people.acts(conversation, self.clock.now):
                self._at(act.at, "act", conversation.id, stage, act.command)
        for agent in await self.floor.database.read(_not_responding):
            if agent not in self._missing:
                self._missing.add(agent)
                back_at = self.clock.now + BACK_AFTER_MS
                self._at(back_at, "status", agent, RoutingStatus.ON_QUEUE)


def _stage(conversation: Conversation) -> tuple[object, ...]:
    owner = (conversation.state, conversation.workgroup_id, conversation.agent_id)
    return (*owner, conversation.offered_at, conversation.connected_at)


def _open(connection: Connection) -> list[Conversation]:
    states = ("queued", "alerting", "connected", "held", "parked", "wrapup")
    query = select(CONVERSATIONS).where(CONVERSATIONS.c.state.in_(states))
    rows = connection.execute(query.order_by(CONVERSATIONS.c.created_at)).mappings()
    return [conversation_from(row) for row in rows]


def _not_responding(connection: Connection) -> list[str]:
    missing = AGENTS.c.routing_status == RoutingStatus.NOT_RESPONDING.value
    return sorted(connection.execute(select(AGENTS.c.id).where(missing)).scalars())

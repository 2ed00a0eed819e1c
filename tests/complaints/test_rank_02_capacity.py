"""Complaint 2: capacity is ignored, or work is given out unevenly.

A burst meets fifty agents who pick up, decline, transfer, park and take up again all at once;
supervisors put more on top. At no commit is anybody over his capacity, and what is on top of it
is counted apart.
"""

import asyncio
import random
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import select

from conversations import commands as c
from conversations.model import Author, ConversationState, Post
from storage import events
from storage.conversation_tables import ConversationRow
from storage.database import Database
from storage.ids import new_id
from storage.setup_tables import AgentRow
from tests.clocks import Clock
from tests.floor import Floor
from tests.history import World, read_history
from tests.invariants import violations_at_any_commit, violations_when_quiet

AGENTS = AgentRow.__table__  # type: ignore[attr-defined]
CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]

TEAM = 50
BURST = 150
PAGE = 30
ROUNDS = 3
WEIGHTS: tuple[dict[str, Any], ...] = (
    {},
    {"social_conversation": {"percent": 34}},
    {"social_conversation": {"percent": 100}},
    {"social_conversation": {"percent": 20, "max": 2}},
)


class Burst:
    """Many customers at once, and agents who do everything that moves load."""

    def __init__(self, floor: Floor, agents: list[str], groups: tuple[str, ...]) -> None:
        self.floor, self.agents, self.groups = floor, agents, groups
        self.draw = random.Random(len(groups))
        self.done: Counter[str] = Counter()

    async def shift(self) -> None:
        """Let everybody look once at what he has, all at once."""
        await asyncio.gather(*(self._work(agent_id) for agent_id in self.agents))

    async def _work(self, agent_id: str) -> None:
        for conversation_id in await self._mine(agent_id):
            conversation = await self.floor.get(conversation_id)
            if conversation.offer_to(agent_id) is not None:
                await self._answer(conversation_id, agent_id)
            elif conversation.state is ConversationState.PARKED:
                await self._say(conversation_id, c.Unpark(c.Actor(agent_id)))
            elif conversation.agent_id == agent_id:
                await self._move_on(conversation_id, agent_id)

    async def _mine(self, agent_id: str) -> list[str]:
        query = select(CONVERSATIONS.c.id, CONVERSATIONS.c.offers, CONVERSATIONS.c.agent_id)
        rows = await self.floor.database.read(
            lambda k: list(k.execute(query.where(CONVERSATIONS.c.ended_at.is_(None))))
        )
        return [
            row.id
            for row in rows
            if row.agent_id == agent_id or agent_id in {o["agent_id"] for o in row.offers}
        ]

    async def _answer(self, conversation_id: str, agent_id: str) -> None:
        if self.draw.random() < 0.8:
            outcome = await self.floor.pick_up(conversation_id, agent_id)
            self.done["pick up"] += outcome.refusal is None
        else:
            await self._say(conversation_id, c.Decline(c.Actor(agent_id), None, None))

    async def _move_on(self, conversation_id: str, agent_id: str) -> None:
        actor, other = c.Actor(agent_id), self.draw.choice(self.agents)
        commands = (
            c.Park(actor, None, None),
            c.TransferToAgent(actor, other, new_id("of"), None),
            c.TransferToAgent(c.SYSTEM, other, new_id("of"), None, override_capacity=True),
            c.TransferToWorkgroup(actor, self.draw.choice(self.groups), None),
            c.Release(c.SYSTEM, "away"),
            c.Disconnect(actor, None),
        )
        await self._say(conversation_id, self.draw.choice(commands))

    async def _say(self, conversation_id: str, command: c.Command) -> None:
        outcome = await self.floor.command(conversation_id, command)
        told = "" if outcome.refusal is None else f" {outcome.refusal.code}"
        self.done[f"{type(command).__name__}{told}"] += 1


async def team(floor: Floor, *groups: str) -> list[str]:
    """Fifty agents: most have the workgroup's weights, some their own, some both workgroups."""
    return [
        await floor.agent(
            *(groups if number % 3 == 0 else groups[:1]),
            own_utilization=WEIGHTS[number % len(WEIGHTS)] if number % 2 else {},
        )
        for number in range(TEAM)
    ]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("offers_at_once", [1, 3])
async def test_in_a_burst_nobody_is_ever_over_capacity(
    database: Database, offers_at_once: int
) -> None:
    floor = Floor(database)
    weight = {"social_conversation": {"percent": 25}}
    here = await floor.workgroup(utilization=weight, offers_at_once=offers_at_once)
    there = await floor.workgroup(utilization={"social_conversation": {"percent": 40}})
    burst = Burst(floor, await team(floor, here, there), (here, there))
    source = await floor.channel(here)
    posts = [Post(f"p{n}", Author(f"customer-{n}"), "hello", n) for n in range(BURST)]

    arriving = [floor.pages.take_in(source, posts[n : n + PAGE]) for n in range(0, BURST, PAGE)]
    await asyncio.gather(*arriving, burst.shift())
    for _ in range(ROUNDS):
        await floor.following.close()
        await burst.shift()
        assert violations_at_any_commit(await database.read(read_history)) == []

    await floor.following.close()
    while await database.write(events.number_events):
        pass
    taken = {(source.account_id, post.external_id) for post in posts}
    assert violations_when_quiet(await database.read(read_history), World(posts=taken)) == []
    assert burst.done["pick up"] > TEAM
    assert {"Park", "Unpark", "TransferToAgent", "TransferToWorkgroup"} <= set(burst.done)


async def test_a_burst_is_shared_evenly(database: Database, clock: Clock) -> None:
    floor = Floor(database)
    weight = {"social_conversation": {"percent": 20}}
    workgroup = await floor.workgroup(utilization=weight)
    for _ in range(TEAM):
        await floor.agent(workgroup)
    source = await floor.channel(workgroup)
    burst = [Post(f"p{n}", Author(f"customer-{n}"), "hello", n) for n in range(2 * TEAM)]

    await floor.pages.take_in(source, burst)
    await floor.following.close()

    query = select(AGENTS.c.utilization)
    assert set(await database.read(lambda k: k.execute(query).scalars().all())) == {40}

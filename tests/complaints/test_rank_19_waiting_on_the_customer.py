"""Complaint 19: waiting on the customer blocks an agent, or overfills him when the answer comes.

Parking frees his room at once. The way back is certain, by date and by answer: to him if he has
room, else to the queue, where he is preferred for a bounded time; never over his capacity.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import select

from conversations import commands as c
from conversations.lifecycle import alarm_at
from conversations.model import Conversation, ConversationState, RoutingStatus
from storage import conversations, events
from storage.database import Database
from storage.setup_tables import AgentRow
from tests.clocks import Clock
from tests.floor import Floor
from tests.history import World, read_history
from tests.invariants import violations_when_quiet

AGENTS = AgentRow.__table__  # type: ignore[attr-defined]
WAIT_S = 30
HOUR_S = 3_600
SETTINGS: dict[str, Any] = {
    "utilization": {"social_conversation": {"percent": 100}},
    "preferred_agent_wait_s": WAIT_S,
}


class Desk:
    """One agent with a parked conversation, and whoever comes meanwhile."""

    def __init__(self, floor: Floor, clock: Clock, source: Any) -> None:
        self.floor, self.clock, self.source = floor, clock, source
        self.agent = self.parked = ""

    async def park(self) -> "Desk":
        self.agent = await self.floor.agent(self.source.workgroup_id)
        self.parked, _ = await self.floor.connect(self.source, "customer")
        until = self.clock.now + HOUR_S * 1000
        await self.say(c.Park(c.Actor(self.agent), until, "the customer looks for the number"))
        return self

    async def say(self, command: c.Command) -> None:
        outcome = await self.floor.command(self.parked, command)
        assert outcome.refusal is None

    async def fill(self) -> str:
        """Give the agent somebody else, which takes all of him."""
        other, _ = await self.floor.connect(self.source, "somebody else")
        return other

    async def now(self) -> Conversation:
        found: Conversation = await self.floor.get(self.parked)
        return found

    async def load(self) -> int:
        query = select(AGENTS.c.utilization).where(AGENTS.c.id == self.agent)
        return await self.floor.database.read(lambda k: k.execute(query).scalar_one())

    async def alarm(self) -> None:
        """Let time come to the conversation's next alarm, and the alarm ring."""
        alarm = alarm_at(await self.now())
        assert alarm is not None, "nothing would ever bring it back"
        self.clock.instant = max(self.clock.now, alarm)
        outcome = await self.floor.database.write(
            lambda k: conversations.let_due_happen(k, self.parked)
        )
        await self.floor.follow(outcome)

    async def answer(self) -> None:
        assert await self.floor.open(self.source, "customer", "Here it is") == self.parked

    async def require_sound(self) -> None:
        while await self.floor.database.write(events.number_events):
            pass
        history = await self.floor.database.read(read_history)
        assert violations_when_quiet(history, World()) == []


@pytest.fixture
async def desk(database: Database, clock: Clock) -> Desk:
    floor = Floor(database)
    source = await floor.channel(await floor.workgroup(**SETTINGS), affinity_window_s=2 * HOUR_S)
    return await Desk(floor, clock, source).park()


async def by_date(desk: Desk) -> None:
    await desk.alarm()


async def by_answer(desk: Desk) -> None:
    await desk.answer()


async def by_hand(desk: Desk) -> None:
    await desk.say(c.Unpark(c.Actor(desk.agent)))


WAYS = pytest.mark.parametrize("way", [by_date, by_answer, by_hand], ids=lambda way: way.__name__)
Way = Callable[[Desk], Awaitable[None]]


async def test_parking_frees_its_room_at_once(desk: Desk) -> None:
    assert await desk.load() == 0
    await desk.fill()
    assert await desk.load() == 100
    await desk.require_sound()


@WAYS
async def test_it_comes_back_to_its_agent_when_he_has_room(desk: Desk, way: Way) -> None:
    await way(desk)

    back = await desk.now()
    assert desk.agent in {back.agent_id, back.offer.agent_id if back.offer else None}
    assert await desk.load() == 100
    await desk.require_sound()


@WAYS
async def test_a_full_agent_is_preferred_and_not_overfilled(desk: Desk, way: Way) -> None:
    other = await desk.fill()
    await desk.floor.agent(desk.source.workgroup_id)

    await way(desk)

    back = await desk.now()
    assert (back.state, back.preferred_agent_id) == (ConversationState.QUEUED, desk.agent)
    assert back.preferred_until == desk.clock.now + WAIT_S * 1000
    assert await desk.load() == 100
    await desk.require_sound()

    await desk.floor.command(other, c.Disconnect(c.Actor(desk.agent), None))

    offer = (await desk.now()).offer
    assert offer is not None
    assert offer.agent_id == desk.agent, "his as soon as he has room"


@WAYS
async def test_whoever_is_free_gets_it_when_its_agent_stays_full(desk: Desk, way: Way) -> None:
    await desk.fill()
    free = await desk.floor.agent(desk.source.workgroup_id)
    await way(desk)

    await desk.alarm()

    offer = (await desk.now()).offer
    assert offer is not None
    assert offer.agent_id == free
    assert await desk.load() == 100
    await desk.require_sound()


@WAYS
async def test_nobody_waits_for_an_agent_who_has_left(desk: Desk, way: Way) -> None:
    await desk.floor.status(desk.agent, RoutingStatus.OFF_QUEUE)
    free = await desk.floor.agent(desk.source.workgroup_id)
    if way is by_hand:
        await desk.say(c.Unpark(c.SYSTEM))
    else:
        await way(desk)

    offer = (await desk.now()).offer
    assert offer is not None
    assert offer.agent_id == free
    await desk.require_sound()


async def test_the_answer_comes_first_and_the_date_does_nothing_more(desk: Desk) -> None:
    await desk.answer()
    before = await desk.now()
    desk.clock.advance(s=HOUR_S)
    outcome = await desk.floor.database.write(
        lambda k: conversations.let_due_happen(k, desk.parked)
    )
    await desk.floor.follow(outcome)

    after = await desk.now()
    assert before.parked_until is None
    assert after.state is not ConversationState.PARKED
    await desk.require_sound()


async def test_without_a_date_the_answer_still_brings_it_back(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    source = await floor.channel(await floor.workgroup(**SETTINGS))
    agent = await floor.agent(source.workgroup_id)
    opened, _ = await floor.connect(source, "customer")
    await floor.command(opened, c.Park(c.Actor(agent), None, None))
    clock.advance(s=2 * HOUR_S)

    assert await floor.open(source, "customer", "At last") == opened, "a parked one never lapses"

    assert (await floor.get(opened)).offer.agent_id == agent

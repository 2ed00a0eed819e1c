"""Complaint 5: the agent does not react, and the conversation rots.

Each timer at its very moment, by a clock that only the test moves.
"""

import pytest

from conversations import commands as c
from conversations.errors import AgentNotEligible
from conversations.lifecycle import OFFER_GRACE_MS, alarm_at
from conversations.model import ConversationState, RoutingStatus
from storage import agents, conversations
from storage.database import Database
from storage.upkeep import DatabaseUpkeep
from tests.clocks import Clock
from tests.floor import Floor

TIMEOUT_S = 20


async def let_due_happen(floor: Floor, conversation_id: str) -> None:
    outcome = await floor.database.write(lambda k: conversations.let_due_happen(k, conversation_id))
    await floor.follow(outcome)


async def status_of(floor: Floor, agent_id: str) -> str:
    row = await floor.database.read(lambda k: agents.get(k, agent_id))
    assert row is not None
    return str(row["routing_status"])


@pytest.mark.parametrize(("after_ms", "is_taken"), [(20_000, True), (20_001, False)])
async def test_an_offer_can_be_taken_until_its_very_deadline(
    database: Database, clock: Clock, after_ms: int, *, is_taken: bool
) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    agent = await floor.agent(workgroup)
    opened = await floor.open(source, "customer")
    offer = (await floor.get(opened)).offer

    clock.advance(ms=after_ms)
    outcome = await floor.command(opened, c.PickUp(c.Actor(agent), offer.id, clock.now))

    assert (outcome.refusal is None) is is_taken
    after = await floor.get(opened)
    assert (after.agent_id == agent) is is_taken


@pytest.mark.parametrize(("before_ms", "is_back"), [(1, False), (0, True)])
async def test_an_offer_not_taken_is_back_at_its_moment_with_its_age(
    database: Database, clock: Clock, before_ms: int, *, is_back: bool
) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    agent = await floor.agent(workgroup)
    opened = await floor.open(source, "customer")
    age = (await floor.get(opened)).queued_at
    assert alarm_at(await floor.get(opened)) == clock.now + TIMEOUT_S * 1000 + OFFER_GRACE_MS

    clock.advance(ms=TIMEOUT_S * 1000 + OFFER_GRACE_MS - before_ms)
    await let_due_happen(floor, opened)

    after = await floor.get(opened)
    assert (after.state is ConversationState.QUEUED, after.queued_at) == (is_back, age)
    expected = RoutingStatus.NOT_RESPONDING if is_back else RoutingStatus.ON_QUEUE
    assert await status_of(floor, agent) == expected


async def test_whoever_did_not_react_is_offered_nothing_until_a_human_says_so(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    agent = await floor.agent(workgroup)
    first, second = [await floor.open(source, f"customer {number}") for number in range(2)]
    clock.advance(ms=TIMEOUT_S * 1000 + OFFER_GRACE_MS)

    await let_due_happen(floor, first)
    third = await floor.open(source, "customer 3")
    waiting = [await floor.get(one) for one in (first, second, third)]
    assert {one.state for one in waiting} == {ConversationState.QUEUED}

    await floor.status(agent, RoutingStatus.ON_QUEUE)
    offered = [(await floor.get(one)).offer for one in (first, second, third)]
    assert [offer.agent_id for offer in offered] == [agent] * 3


async def test_the_order_is_kept_when_an_offer_comes_back(database: Database, clock: Clock) -> None:
    floor = Floor(database)
    whole = {"social_conversation": {"percent": 100}}
    source = await floor.channel(workgroup := await floor.workgroup(utilization=whole))
    await floor.agent(workgroup)
    oldest = await floor.open(source, "oldest")
    clock.advance(s=1)
    await floor.open(source, "younger")
    clock.advance(ms=TIMEOUT_S * 1000)
    await let_due_happen(floor, oldest)

    other = await floor.agent(workgroup)

    assert (await floor.get(oldest)).offer.agent_id == other


async def test_a_workgroup_may_leave_its_agents_on_queue(database: Database, clock: Clock) -> None:
    floor = Floor(database)
    settings = {"offer_timeout_action": "return_to_queue", "decline_backoff_s": 10}
    source = await floor.channel(workgroup := await floor.workgroup(**settings))
    agent = await floor.agent(workgroup)
    opened = await floor.open(source, "customer")
    clock.advance(ms=TIMEOUT_S * 1000 + OFFER_GRACE_MS)

    await let_due_happen(floor, opened)

    assert await status_of(floor, agent) == RoutingStatus.ON_QUEUE
    assert (await floor.get(opened)).offer is None
    clock.advance(s=10)
    await let_due_happen(floor, opened)
    assert (await floor.get(opened)).offer.agent_id == agent


async def test_an_outage_is_nobodys_fault(database: Database, clock: Clock) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    agent = await floor.agent(workgroup)
    opened = await floor.open(source, "customer")

    clock.advance(s=TIMEOUT_S + 6)
    await let_due_happen(floor, opened)

    assert await status_of(floor, agent) == RoutingStatus.ON_QUEUE


@pytest.mark.parametrize("state", [ConversationState.CONNECTED, ConversationState.HELD])
async def test_what_an_agent_took_and_left_behind_does_not_rot(
    database: Database, clock: Clock, state: ConversationState
) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    agent = await floor.agent(workgroup, presence_lease=True)
    opened, _ = await floor.connect(source, "customer")
    if state is ConversationState.HELD:
        await floor.command(opened, c.Hold(c.Actor(agent)))
    other = await floor.agent(workgroup)

    clock.advance(s=60 + 60, ms=1)
    upkeep = DatabaseUpkeep(database, floor.following, frozenset())
    await upkeep.sign_off_agents()
    await upkeep.release_from_lost_agents()

    assert (await floor.get(opened)).offer.agent_id == other


async def test_whoever_let_an_offer_pass_does_not_get_it_from_the_queue_instead(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    agent = await floor.agent(workgroup)
    opened = await floor.open(source, "customer")

    clock.advance(ms=TIMEOUT_S * 1000 + 1)
    outcome = await floor.pick_up(opened, agent)

    assert isinstance(outcome.refusal, AgentNotEligible), "he is not responding by then"
    assert await status_of(floor, agent) == RoutingStatus.NOT_RESPONDING
    assert (await floor.get(opened)).agent_id is None

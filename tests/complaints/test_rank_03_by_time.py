"""Complaint 3, where time frees somebody: each due moment is followed by an offer.

The workflow's timer calls `let_due_happen` at these moments; nothing else is called here.
"""

import pytest

from conversations import commands as c
from conversations.lifecycle import alarm_at
from conversations.model import RoutingStatus
from storage import conversations, presence
from storage.database import Database
from tests.clocks import Clock
from tests.floor import Floor


async def at_its_alarm(floor: Floor, clock: Clock, conversation_id: str) -> None:
    """Let time come to the conversation's next alarm, and the alarm ring."""
    alarm = alarm_at(await floor.get(conversation_id))
    assert alarm is not None
    clock.advance(ms=alarm - clock.now)
    outcome = await floor.database.write(lambda k: conversations.let_due_happen(k, conversation_id))
    await floor.follow(outcome)


async def test_a_ring_step_is_followed_by_an_offer(database: Database, clock: Clock) -> None:
    floor = Floor(database)
    helpers = await floor.workgroup()
    ring = {"after_s": 30, "workgroups": [helpers], "drop_skills": [], "lower_skills": []}
    source = await floor.channel(await floor.workgroup(rings=[ring]))
    helper = await floor.agent(helpers)
    opened = await floor.open(source, "customer")
    assert (await floor.get(opened)).offer is None

    await at_its_alarm(floor, clock, opened)

    assert (await floor.get(opened)).offer.agent_id == helper


async def test_a_preferred_agent_is_waited_for_no_longer_than_the_bound(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    whole = {"social_conversation": {"percent": 100}}
    settings = {"utilization": whole, "preferred_agent_wait_s": 10}
    source = await floor.channel(workgroup := await floor.workgroup(**settings))
    agent = await floor.agent(workgroup)
    first, _ = await floor.connect(source, "customer")
    await floor.command(first, c.Disconnect(c.Actor(agent), None))
    await floor.connect(source, "somebody else")
    other = await floor.agent(workgroup)
    opened = await floor.open(source, "customer")
    assert (await floor.get(opened)).offer is None

    await at_its_alarm(floor, clock, opened)

    assert (await floor.get(opened)).offer.agent_id == other


async def test_the_end_of_a_back_off_is_followed_by_an_offer(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    agent = await floor.agent(workgroup)
    opened = await floor.open(source, "customer")
    await floor.command(opened, c.Decline(c.Actor(agent), None, None))
    assert (await floor.get(opened)).offer is None

    await at_its_alarm(floor, clock, opened)

    assert (await floor.get(opened)).offer.agent_id == agent


async def test_the_end_of_a_wrap_up_is_followed_by_an_offer(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    settings = {
        "utilization": {"social_conversation": {"percent": 100}},
        "wrap_up": {"mode": "timeboxed", "timeout_s": 30},
    }
    source = await floor.channel(workgroup := await floor.workgroup(**settings))
    agent = await floor.agent(workgroup)
    first, _ = await floor.connect(source, "first")
    await floor.command(first, c.Disconnect(c.Actor(agent), None))
    opened = await floor.open(source, "customer")
    assert (await floor.get(opened)).offer is None

    await at_its_alarm(floor, clock, first)

    assert (await floor.get(opened)).offer.agent_id == agent


@pytest.mark.parametrize("is_free", [True, False])
async def test_the_end_of_parking_leads_back_or_to_the_queue(
    database: Database, clock: Clock, *, is_free: bool
) -> None:
    floor = Floor(database)
    settings = {
        "utilization": {"social_conversation": {"percent": 100}},
        "preferred_agent_wait_s": 0,
    }
    source = await floor.channel(workgroup := await floor.workgroup(**settings))
    agent = await floor.agent(workgroup)
    parked, _ = await floor.connect(source, "customer")
    await floor.command(parked, c.Park(c.Actor(agent), clock.now + 600_000, None))
    other = agent
    if not is_free:
        await floor.connect(source, "somebody else")
        other = await floor.agent(workgroup)

    await at_its_alarm(floor, clock, parked)

    after = await floor.get(parked)
    assert (after.agent_id if is_free else after.offer.agent_id) == other


async def test_an_offer_not_taken_goes_to_the_next(database: Database, clock: Clock) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    first = await floor.agent(workgroup)
    opened = await floor.open(source, "customer")
    second = await floor.agent(workgroup)
    assert (await floor.get(opened)).offer.agent_id == first

    await at_its_alarm(floor, clock, opened)

    assert (await floor.get(opened)).offer.agent_id == second


async def test_a_heart_that_beats_again_is_followed_by_an_offer(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    agent = await floor.agent(workgroup, presence_lease=True)
    clock.advance(s=61)
    opened = await floor.open(source, "customer")
    assert (await floor.get(opened)).offer is None

    aftermath = await database.write(lambda k: presence.heartbeat(k, agent))
    await floor.following.follow(aftermath)

    assert (await floor.get(opened)).offer.agent_id == agent
    assert await database.write(lambda k: presence.heartbeat(k, agent)) == type(aftermath)()


async def test_a_late_log_in_of_many_takes_everything_that_waits(database: Database) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    waiting = [await floor.open(source, f"customer {number}") for number in range(12)]
    agents = [await floor.agent(workgroup, on_queue=False) for _ in range(3)]

    for agent in agents:
        await floor.status(agent, RoutingStatus.ON_QUEUE)

    assert all([(await floor.get(one)).offer for one in waiting])

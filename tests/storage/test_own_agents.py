"""Who gets a customer's next conversation: the last agent, the customer's own, or anybody."""

import pytest

from conversations import commands as c
from conversations.model import ConversationState, RoutingStatus
from storage import customers
from storage.database import Database
from tests.clocks import Clock
from tests.floor import Floor

WINDOW_S = 60
WAIT_S = 10
FULL = {"social_conversation": {"percent": 100}}


async def test_the_own_agent_is_preferred_when_nobody_had_the_customer_within_the_window(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup(), affinity_window_s=WINDOW_S)
    last = await floor.agent(workgroup)
    opened, _ = await floor.connect(source, "customer")
    own = await floor.agent(workgroup)
    customer_id = (await floor.get(opened)).customer_id
    await database.write(lambda k: customers.set_own_agent(k, customer_id, own))
    preferred = []
    for wait_ms in (WINDOW_S * 1000, WINDOW_S * 1000 + 1):
        agent = (await floor.get(opened)).agent_id
        await floor.command(opened, c.Disconnect(c.Actor(agent), None))
        clock.advance(ms=wait_ms)
        opened = await floor.open(source, "customer")
        preferred.append((await floor.get(opened)).offer.agent_id)
        await floor.pick_up(opened, preferred[-1])

    assert preferred == [last, own]


@pytest.mark.parametrize("is_busy", [True, False])
async def test_the_own_agent_is_waited_for_when_busy_and_not_when_absent(
    database: Database, clock: Clock, *, is_busy: bool
) -> None:
    floor = Floor(database)
    workgroup = await floor.workgroup(utilization=FULL, preferred_agent_wait_s=WAIT_S)
    source = await floor.channel(workgroup, affinity_window_s=WINDOW_S)
    own = await floor.agent(workgroup)
    known, _ = await floor.connect(source, "customer")
    customer_id = (await floor.get(known)).customer_id
    await floor.command(known, c.Disconnect(c.Actor(own), None))
    clock.advance(s=2 * WINDOW_S)
    await database.write(lambda k: customers.set_own_agent(k, customer_id, own))
    if is_busy:
        await floor.connect(source, "another")
    else:
        await floor.status(own, RoutingStatus.OFF_QUEUE)
    other = await floor.agent(workgroup)

    waiting = await floor.open(source, "customer")
    if is_busy:
        assert (await floor.get(waiting)).state is ConversationState.QUEUED
        clock.advance(s=WAIT_S)
        await floor.command(waiting, c.Reconsider())

    assert (await floor.get(waiting)).offer.agent_id == other


async def test_a_giver_is_free_at_the_commit_and_an_offer_not_taken_goes_to_the_queue(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    workgroup = await floor.workgroup(utilization=FULL, offer_timeout_s=20, decline_backoff_s=600)
    source = await floor.channel(workgroup)
    giver = await floor.agent(workgroup)
    opened, _ = await floor.connect(source, "customer")
    taker = await floor.agent(workgroup)
    waiting = await floor.open(source, "another")
    await floor.command(waiting, c.Decline(c.Actor(taker), None, None))

    transfer = c.TransferToAgent(c.Actor(giver), taker, "of_1", "please")
    given = await floor.command(opened, transfer)

    assert given.conversation is not None
    assert given.conversation.offer is not None
    assert given.conversation.offer.agent_id == taker
    assert (await floor.get(waiting)).offer.agent_id == giver, "the giver's room is free at once"

    clock.advance(s=20, ms=1)
    await floor.command(opened, c.ExpireOffer())
    back = await floor.get(opened)
    assert (back.state, back.workgroup_id) == (ConversationState.QUEUED, workgroup)

"""Draining and scheduled sign-off: nothing new from the moment on, what is there is finished."""

from typing import Any

import pytest

from conversations import commands as c
from conversations.model import RoutingStatus
from storage import agents, conversations, statuses
from storage.database import Database
from storage.log_tables import EventRow
from storage.upkeep import DatabaseUpkeep
from tests.clocks import Clock
from tests.floor import Floor

EVENTS = EventRow.__table__  # type: ignore[attr-defined]
OFF_QUEUE, DRAINING = RoutingStatus.OFF_QUEUE, RoutingStatus.DRAINING


async def row_of(floor: Floor, agent_id: str) -> Any:
    return await floor.database.read(lambda k: agents.get(k, agent_id))


async def sign_off_at(floor: Floor, agent_id: str, moment: int | None) -> None:
    outcome = await floor.database.write(lambda k: statuses.schedule_sign_off(k, agent_id, moment))
    await floor.follow(outcome)


async def sweep(floor: Floor) -> None:
    await DatabaseUpkeep(floor.database, floor.following, frozenset()).sign_off_agents()


async def test_a_draining_agent_loses_offers_and_keeps_conversations(database: Database) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    agent = await floor.agent(workgroup)
    connected, _ = await floor.connect(source, "first")
    offered = await floor.open(source, "second")
    age = (await floor.get(offered)).queued_at

    await floor.status(agent, DRAINING)
    later = await floor.open(source, "third")

    assert (await floor.get(connected)).agent_id == agent
    assert (await floor.get(offered)).offer is None
    assert (await floor.get(offered)).queued_at == age
    assert (await floor.get(later)).offer is None
    assert (await row_of(floor, agent))["routing_status"] == DRAINING


async def test_draining_ends_in_the_commit_of_the_last_disconnect(database: Database) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    agent = await floor.agent(workgroup)
    first, _ = await floor.connect(source, "first")
    second, _ = await floor.connect(source, "second")
    await floor.status(agent, DRAINING)

    await floor.command(first, c.Disconnect(c.Actor(agent), None))
    assert (await row_of(floor, agent))["routing_status"] == DRAINING
    outcome = await database.write(
        lambda k: _disconnected(k, second, agent)  # the commit alone, without what follows
    )

    assert outcome.refusal is None
    row = await row_of(floor, agent)
    assert (row["routing_status"], row["reason"]) == (OFF_QUEUE, "drained")
    changes = EVENTS.select().where(EVENTS.c.type == "agent.status_changed")
    told = await database.read(lambda k: list(k.execute(changes.order_by(EVENTS.c.id))))
    assert [event.detail["routing_status"] for event in told][-2:] == [DRAINING, OFF_QUEUE]


def _disconnected(connection: Any, conversation_id: str, agent_id: str) -> Any:
    return conversations.carry_out(
        connection, conversation_id, lambda *_: c.Disconnect(c.Actor(agent_id), None)
    )


@pytest.mark.parametrize("ending", ["park", "transfer", "release", "wrap-up"])
async def test_draining_ends_however_the_last_one_goes(database: Database, ending: str) -> None:
    floor = Floor(database)
    wrap_up = {"mode": "optional"} if ending == "wrap-up" else {}
    source = await floor.channel(workgroup := await floor.workgroup(wrap_up=wrap_up))
    agent, elsewhere = await floor.agent(workgroup), await floor.workgroup()
    opened, _ = await floor.connect(source, "customer")
    await floor.status(agent, DRAINING)
    actor = c.Actor(agent)

    match ending:
        case "park":
            await floor.command(opened, c.Park(actor, None, None))
        case "transfer":
            await floor.command(opened, c.TransferToWorkgroup(actor, elsewhere, None))
        case "release":
            await floor.command(opened, c.Release(c.SYSTEM, "closing time"))
        case _:
            await floor.command(opened, c.Disconnect(actor, None))
            assert (await row_of(floor, agent))["routing_status"] == DRAINING
            await floor.command(opened, c.FinishWrapUp(actor, None, done=True))

    assert (await row_of(floor, agent))["routing_status"] == OFF_QUEUE


async def test_whoever_drains_with_nothing_at_hand_is_gone_at_once(database: Database) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    idle, alerted = await floor.agent(workgroup), await floor.agent()
    await floor.status(idle, DRAINING)
    assert (await row_of(floor, idle))["routing_status"] == OFF_QUEUE

    alerted = await floor.agent(workgroup)
    opened = await floor.open(source, "customer")
    assert (await floor.get(opened)).offer.agent_id == alerted
    await floor.status(alerted, DRAINING)

    assert (await row_of(floor, alerted))["routing_status"] == OFF_QUEUE
    assert (await floor.get(opened)).offer is None


@pytest.mark.parametrize(("before_ms", "is_offered"), [(1, True), (0, False)])
async def test_a_scheduled_sign_off_holds_from_its_very_moment(
    database: Database, clock: Clock, before_ms: int, *, is_offered: bool
) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    agent = await floor.agent(workgroup)
    await sign_off_at(floor, agent, clock.now + 60_000)

    clock.advance(ms=60_000 - before_ms)
    opened = await floor.open(source, "customer")

    assert ((await floor.get(opened)).offer is not None) is is_offered


async def test_the_sweep_drains_whom_the_schedule_signs_off(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    busy = await floor.agent(workgroup)
    opened, _ = await floor.connect(source, "first")
    idle = await floor.agent(workgroup)
    for agent in (busy, idle):
        await sign_off_at(floor, agent, clock.now + 1_000)
    await sweep(floor)
    assert (await row_of(floor, busy))["routing_status"] == "on_queue"

    clock.advance(s=1)
    await sweep(floor)

    assert (await row_of(floor, busy))["routing_status"] == DRAINING
    assert (await row_of(floor, idle))["routing_status"] == OFF_QUEUE
    await floor.command(opened, c.Disconnect(c.Actor(busy), None))
    row = await row_of(floor, busy)
    assert (row["routing_status"], row["sign_off_at"]) == (OFF_QUEUE, None)


async def test_a_schedule_taken_back_makes_the_agent_free_again_at_once(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    agent = await floor.agent(workgroup)
    await sign_off_at(floor, agent, clock.now)
    opened = await floor.open(source, "customer")
    assert (await floor.get(opened)).offer is None

    await sign_off_at(floor, agent, None)

    assert (await floor.get(opened)).offer.agent_id == agent


async def test_a_new_log_in_ends_a_schedule_that_has_passed(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    agent = await floor.agent(workgroup)
    await sign_off_at(floor, agent, clock.now)
    await floor.status(agent, RoutingStatus.ON_QUEUE)

    opened = await floor.open(source, "customer")

    assert (await floor.get(opened)).offer.agent_id == agent


async def test_not_responding_is_ended_by_people_only(database: Database, clock: Clock) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    agent = await floor.agent(workgroup)
    opened = await floor.open(source, "customer")
    clock.advance(s=21)
    await floor.command(opened, c.ExpireOffer())

    for _ in range(3):
        clock.advance(s=600)
        await sweep(floor)
    assert (await row_of(floor, agent))["routing_status"] == "not_responding"

    await floor.status(agent, RoutingStatus.ON_QUEUE)
    assert (await floor.get(opened)).offer.agent_id == agent

"""Who is away is not offered anything; who stays away loses what he has, to others."""

from typing import Any

import pytest

from conversations import commands as c
from conversations.model import ConversationState, RoutingStatus
from storage import agents, presence, stations, statuses
from storage.database import Database
from storage.setup_tables import AgentRow
from storage.upkeep import DatabaseUpkeep
from tests.clocks import Clock
from tests.floor import Floor

AGENTS = AgentRow.__table__  # type: ignore[attr-defined]
LEASE_S, GRACE_S = 60, 60


def sweeper(floor: Floor) -> DatabaseUpkeep:
    return DatabaseUpkeep(floor.database, floor.following, frozenset(), GRACE_S)


async def sweep(floor: Floor) -> None:
    upkeep = sweeper(floor)
    await upkeep.sign_off_agents()
    await upkeep.release_from_lost_agents()


async def beat(floor: Floor, agent_id: str) -> None:
    aftermath = await floor.database.write(lambda k: presence.heartbeat(k, agent_id))
    await floor.following.follow(aftermath)


async def row_of(floor: Floor, agent_id: str) -> Any:
    return await floor.database.read(lambda k: agents.get(k, agent_id))


@pytest.mark.parametrize(("after_ms", "is_offered"), [(60_000, True), (60_001, False)])
async def test_a_lease_holds_for_exactly_60_seconds(
    database: Database, clock: Clock, after_ms: int, *, is_offered: bool
) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    await floor.agent(workgroup, presence_lease=True)

    clock.advance(ms=after_ms)
    opened = await floor.open(source, "customer")

    assert ((await floor.get(opened)).offer is not None) is is_offered


async def test_whoever_is_heard_of_again_is_offered_what_waited(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    agent = await floor.agent(workgroup, presence_lease=True)
    clock.advance(s=LEASE_S + 1)
    opened = await floor.open(source, "customer")

    await beat(floor, agent)

    assert (await floor.get(opened)).offer.agent_id == agent


@pytest.mark.parametrize("status", ["on_queue", "not_responding", "draining"])
async def test_the_sweep_signs_off_whoever_is_absent(
    database: Database, clock: Clock, status: str
) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    agent = await floor.agent(workgroup, presence_lease=True)
    desk = await database.write(lambda k: stations.create(k, {"name": "desk", "licensed": False}))
    await database.write(
        lambda k: statuses.set_status(k, agent, RoutingStatus.ON_QUEUE, None, station_id=desk)
    )
    await floor.connect(source, "customer")
    await floor.status(agent, RoutingStatus(status))

    clock.advance(s=LEASE_S + 1)
    await sweep(floor)

    row = await row_of(floor, agent)
    assert (row["routing_status"], row["reason"]) == ("off_queue", "presence lost")
    assert row["station_id"] is None, "somebody else can sit there"


@pytest.mark.parametrize(("away_s", "is_kept"), [(LEASE_S + GRACE_S, True), (121, False)])
async def test_conversations_wait_for_the_grace_and_no_longer(
    database: Database, clock: Clock, away_s: int, *, is_kept: bool
) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    agent = await floor.agent(workgroup, presence_lease=True)
    opened, _ = await floor.connect(source, "customer")
    age = (await floor.get(opened)).queued_at

    clock.advance(s=away_s)
    await sweep(floor)

    after = await floor.get(opened)
    if is_kept:
        assert (after.state, after.agent_id) == (ConversationState.CONNECTED, agent)
        return
    assert (after.state, after.agent_id) == (ConversationState.QUEUED, None)
    assert (after.preferred_agent_id, after.queued_at) == (agent, age)
    assert (await row_of(floor, agent))["utilization"] == 0


async def test_whoever_returns_within_the_grace_keeps_everything(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    agent = await floor.agent(workgroup, presence_lease=True)
    opened, _ = await floor.connect(source, "customer")
    clock.advance(s=LEASE_S + 30)
    await sweep(floor)

    await floor.status(agent, RoutingStatus.ON_QUEUE)
    clock.advance(s=LEASE_S)
    await sweep(floor)

    after = await floor.get(opened)
    assert (after.state, after.agent_id) == (ConversationState.CONNECTED, agent)


async def test_a_lost_agent_gives_back_all_but_what_is_parked(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    settings = {"wrap_up": {"mode": "optional"}}
    source = await floor.channel(workgroup := await floor.workgroup(**settings))
    agent = await floor.agent(workgroup, presence_lease=True)
    actor = c.Actor(agent)
    connected, held, parked, wrapped = [
        (await floor.connect(source, f"customer {number}"))[0] for number in range(4)
    ]
    await floor.command(held, c.Hold(actor))
    await floor.command(parked, c.Park(actor, None, None))
    await floor.command(wrapped, c.Disconnect(actor, None))

    clock.advance(s=LEASE_S + GRACE_S + 1)
    await sweep(floor)

    states = await floor.states()
    assert [states[i] for i in (connected, held, parked, wrapped)] == [
        "queued",
        "queued",
        "parked",
        "completed",
    ]
    assert (await row_of(floor, agent))["utilization"] == 0


async def test_what_a_lost_agent_had_is_offered_to_others_at_once(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    lost = await floor.agent(workgroup, presence_lease=True)
    opened, _ = await floor.connect(source, "customer")
    other = await floor.agent(workgroup)

    clock.advance(s=LEASE_S + GRACE_S + 1)
    await sweep(floor)

    assert (await floor.get(opened)).offer.agent_id == other
    assert (await row_of(floor, lost))["routing_status"] == "off_queue"


async def test_whoever_goes_off_queue_himself_finishes_what_he_has(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    agent = await floor.agent(workgroup, presence_lease=True)
    opened, _ = await floor.connect(source, "customer")
    await floor.status(agent, RoutingStatus.OFF_QUEUE)

    for _ in range(5):
        clock.advance(s=30)
        await beat(floor, agent)
        await sweep(floor)

    assert (await floor.get(opened)).agent_id == agent
    assert (await floor.reply(opened, agent)).refusal is None


async def test_nobody_without_a_lease_is_ever_lost(database: Database, clock: Clock) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    agent = await floor.agent(workgroup)
    opened, _ = await floor.connect(source, "customer")

    clock.advance(s=3_500)
    await sweep(floor)

    assert (await floor.get(opened)).agent_id == agent
    assert (await row_of(floor, agent))["routing_status"] == "on_queue"


async def test_whoever_is_disabled_is_signed_off_and_loses_what_he_has(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    agent = await floor.agent(workgroup)
    opened, _ = await floor.connect(source, "customer")
    disabled = AGENTS.update().where(AGENTS.c.id == agent).values(enabled=False)
    await database.write(lambda k: k.execute(disabled))

    clock.advance(s=LEASE_S + GRACE_S + 1)
    await sweep(floor)

    assert (await row_of(floor, agent))["routing_status"] == "off_queue"
    assert (await floor.get(opened)).state is ConversationState.QUEUED

"""Record histories for the replay test: `pytest -m record`, before workflow code changes."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from conversations import commands as c
from conversations.model import ConversationState
from tests.workflows.conftest import World, eventually
from tests.workflows.test_conversation import finished, lifecycle

HISTORIES = Path(__file__).parent.parent / "histories"
PACE_S = 0.3


async def back_to_back(world: World) -> str:
    return await lifecycle(world)


async def at_human_pace(world: World) -> str:
    floor = world.floor
    source = await floor.channel(workgroup := await floor.workgroup())
    agent = c.Actor(await floor.agent(workgroup))
    opened, agent_id = await floor.connect(source, "customer")
    for command in (c.Hold(agent), c.Resume(agent), c.Park(agent, None, None), c.Unpark(agent)):
        await asyncio.sleep(PACE_S)
        await floor.command(opened, command)
    await floor.reply(opened, agent_id)
    await asyncio.sleep(PACE_S)
    await floor.command(opened, c.Disconnect(agent, None))
    await finished(world, opened)
    return opened


async def not_taken_then_transferred(world: World) -> str:
    floor = world.floor
    here, there = await floor.workgroup(offer_timeout_s=1), await floor.workgroup()
    source = await floor.channel(here)
    await floor.agent(here)
    other = await floor.agent(there)
    opened = await floor.open(source, "customer")

    async def is_queued() -> bool:
        return bool((await floor.get(opened)).state is ConversationState.QUEUED)

    await eventually(is_queued, "the offer expires")
    await floor.command(opened, c.TransferToWorkgroup(c.SYSTEM, there, None))
    await floor.pick_up(opened, other)
    await asyncio.sleep(PACE_S)
    await floor.command(opened, c.Disconnect(c.Actor(other), None))
    await finished(world, opened)
    return opened


async def answer_lost_and_looked_up(world: World) -> str:
    world.receiver.fault = lambda _reply_id, attempt: "503" if attempt == 1 else "lost"
    floor = world.floor
    source = await floor.channel(workgroup := await floor.workgroup())
    await floor.agent(workgroup)
    opened, agent = await floor.connect(source, "customer")
    await floor.reply(opened, agent)
    await floor.command(opened, c.Disconnect(c.Actor(agent), None))
    await finished(world, opened)
    return opened


async def cancelled_by_an_operator(world: World) -> str:
    floor = world.floor
    source = await floor.channel(workgroup := await floor.workgroup())
    await floor.agent(workgroup)
    opened, _ = await floor.connect(source, "customer")
    await asyncio.sleep(PACE_S)
    await world.workflow(opened).cancel()
    await finished(world, opened)
    return opened


@pytest.mark.record
@pytest.mark.parametrize(
    "live",
    [
        back_to_back,
        at_human_pace,
        not_taken_then_transferred,
        answer_lost_and_looked_up,
        cancelled_by_an_operator,
    ],
)
async def test_record(world: World, live: Callable[[World], Awaitable[str]]) -> None:
    opened = await live(world)

    history = await world.workflow(opened).fetch_history()

    recorded = re.sub(r'"identity": "[^"]*"', '"identity": "worker"', history.to_json())
    HISTORIES.joinpath(f"{live.__name__}.json").write_text(recorded + "\n")

"""Many at the head of a queue whom nobody can take now hide nobody behind them."""

from typing import Any

import pytest

from conversations import commands as c
from conversations.model import RoutingStatus
from storage import assignment
from storage.database import Database
from tests.clocks import Clock
from tests.floor import Floor

BATCH = 2
SETTINGS: dict[str, Any] = {
    "utilization": {"social_conversation": {"percent": 100}},
    "preferred_agent_wait_s": 600,
    "decline_backoff_s": 3_000,
}


async def test_who_was_declined_is_not_hidden_by_those_who_wait_for_a_full_agent(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assignment, "BATCH", BATCH)
    monkeypatch.setattr(assignment, "FIRST_BATCH", BATCH)
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup(**SETTINGS))
    known = await floor.agent(workgroup)
    customers = [f"customer-{n}" for n in range(BATCH + 1)]
    for customer in customers:
        opened, _ = await floor.connect(source, customer)
        await floor.command(opened, c.Disconnect(c.Actor(known), None))
    await floor.connect(source, "somebody who fills him")
    for customer in customers:
        await floor.open(source, customer)
        clock.advance(s=1)
    behind = await floor.open(source, "behind them all")
    decliner = await floor.agent(workgroup)
    await floor.command(behind, c.Decline(c.Actor(decliner), None, None))
    await floor.status(decliner, RoutingStatus.OFF_QUEUE)

    free = await floor.agent(workgroup)

    assert (await floor.get(behind)).offer.agent_id == free

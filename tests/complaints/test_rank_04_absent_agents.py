"""Complaint 4: assigned to agents who are absent, or may not, or cannot.

Every condition is checked at the offer and again at the pick-up, on the database as it is then.
The matrix of all combinations of reasons is in `tests/acd/test_eligibility.py`.
"""

from typing import Any

import pytest

from conversations import commands as c
from conversations.errors import AgentNotEligible
from conversations.model import ConversationState, RoutingStatus
from storage.database import Database
from storage.setup_tables import AgentRow, MembershipRow
from tests.clocks import Clock
from tests.floor import Floor

AGENTS = AgentRow.__table__  # type: ignore[attr-defined]
MEMBERSHIPS = MembershipRow.__table__  # type: ignore[attr-defined]
GERMAN = [{"skill": "german", "min_proficiency": 50}]

LACKS: dict[str, dict[str, Any]] = {
    "off queue": {"routing_status": "off_queue"},
    "not responding": {"routing_status": "not_responding"},
    "draining": {"routing_status": "draining"},
    "disabled": {"enabled": False},
    "no licence": {"licensed": False},
    "no role": {"roles": ["supervisor"]},
    "no right to the media type": {"media_types": ["social_direct_message"]},
    "no skill": {"skills": {"german": 49}},
    "signed off by schedule": {"sign_off_at": 0},
    "not a member": {},
}


async def lose(floor: Floor, agent_id: str, lack: str) -> None:
    """Take a condition away as if another process had, without a word to anybody."""
    if lack == "not a member":
        gone = MEMBERSHIPS.delete().where(MEMBERSHIPS.c.agent_id == agent_id)
        await floor.database.write(lambda k: k.execute(gone))
        return
    changed = AGENTS.update().where(AGENTS.c.id == agent_id).values(LACKS[lack])
    await floor.database.write(lambda k: k.execute(changed))


async def german_floor(database: Database) -> tuple[Floor, Any, str]:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup(required_skills=GERMAN))
    agent = await floor.agent(workgroup, skills={"german": 50})
    return floor, source, agent


@pytest.mark.parametrize("lack", LACKS)
async def test_nobody_who_lacks_anything_is_offered_a_conversation(
    database: Database, lack: str
) -> None:
    floor, source, agent = await german_floor(database)
    await lose(floor, agent, lack)

    opened = await floor.open(source, "customer")

    assert (await floor.get(opened)).state is ConversationState.QUEUED


@pytest.mark.parametrize("lack", LACKS)
async def test_whoever_lacks_it_at_the_pick_up_does_not_get_it(
    database: Database, lack: str
) -> None:
    floor, source, agent = await german_floor(database)
    opened = await floor.open(source, "customer")
    assert (await floor.get(opened)).offer.agent_id == agent
    await lose(floor, agent, lack)

    outcome = await floor.pick_up(opened, agent)

    assert isinstance(outcome.refusal, AgentNotEligible)
    assert (await floor.get(opened)).agent_id is None


@pytest.mark.parametrize("lack", LACKS)
async def test_a_follow_up_does_not_go_to_an_agent_who_is_away(
    database: Database, lack: str
) -> None:
    floor, source, agent = await german_floor(database)
    first, _ = await floor.connect(source, "customer")
    await floor.command(first, c.Disconnect(c.Actor(agent), None))
    await lose(floor, agent, lack)
    other = await floor.agent(source.workgroup_id, skills={"german": 100})

    follow_up = await floor.open(source, "customer")

    after = await floor.get(follow_up)
    assert after.continues == first
    assert after.offer.agent_id == other, "nobody waits for one who lacks more than room"


async def test_a_follow_up_does_not_wait_for_an_agent_who_was_not_heard_of(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    agent = await floor.agent(workgroup, presence_lease=True)
    first, _ = await floor.connect(source, "customer")
    await floor.command(first, c.Disconnect(c.Actor(agent), None))
    clock.advance(s=61)
    other = await floor.agent(workgroup)

    follow_up = await floor.open(source, "customer")

    assert (await floor.get(follow_up)).offer.agent_id == other


async def test_whoever_logs_in_takes_nothing_that_he_may_not(database: Database) -> None:
    floor, source, agent = await german_floor(database)
    await lose(floor, agent, "no right to the media type")
    public = await floor.open(source, "customer")

    await floor.status(agent, RoutingStatus.ON_QUEUE)

    assert (await floor.get(public)).offer is None

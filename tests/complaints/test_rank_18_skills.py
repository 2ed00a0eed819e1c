"""Complaint 18: skills are missing, or rigid; here with levels, wishes, and rings that relax.

What is asked is met or relaxed step by step, each at its second and never before.
"""

from typing import Any

import pytest
from sqlalchemy import Connection

from api.workgroups import WorkgroupBody, values_of
from conversations import commands as c
from conversations.lifecycle import alarm_at
from storage import conversations, skills, workgroups
from storage.database import Database
from tests.clocks import Clock
from tests.floor import Floor

GERMAN_80 = {"skill": "german", "min_proficiency": 80}
BILLING = {"skill": "billing"}
WHOLE = {"social_conversation": {"percent": 100}}


async def workgroup(floor: Floor, name: str, **settings: Any) -> str:
    """Create a workgroup as the API does."""
    body = WorkgroupBody.model_validate({"name": name, **settings})

    def create(connection: Connection) -> str:
        skills.ensure(connection, ["german", "billing"])
        return workgroups.create(connection, values_of(body))

    return await floor.database.write(create)


async def offered_to(floor: Floor, conversation_id: str) -> list[str]:
    return [offer.agent_id for offer in (await floor.get(conversation_id)).offers]


async def at_second(floor: Floor, clock: Clock, conversation_id: str, second: float) -> None:
    """Let time come to that age of the conversation, and its workflow's alarm ring if it is due."""
    conversation = await floor.get(conversation_id)
    clock.instant = conversation.created_at + int(second * 1000)
    alarm = alarm_at(conversation)
    if alarm is None or alarm > clock.now:
        return
    outcome = await floor.database.write(lambda k: conversations.let_due_happen(k, conversation_id))
    await floor.follow(outcome)


@pytest.mark.parametrize(("level", "is_enough"), [(79, False), (80, True), (100, True)])
async def test_a_minimum_level_is_a_minimum(
    database: Database, *, level: int, is_enough: bool
) -> None:
    floor = Floor(database)
    care = await workgroup(floor, "care", required_skills=[GERMAN_80])
    agent = await floor.agent(care, skills={"german": level})

    opened = await floor.open(await floor.channel(care), "customer")

    assert await offered_to(floor, opened) == ([agent] if is_enough else [])


async def test_whoever_has_more_of_what_is_wished_goes_first_but_nobody_is_kept_out(
    database: Database,
) -> None:
    floor = Floor(database)
    care = await workgroup(floor, "care", preferred_skills=[BILLING], utilization=WHOLE)
    without, some, best = [
        await floor.agent(care, skills={"billing": level} if level else {}) for level in (0, 40, 90)
    ]
    source = await floor.channel(care)

    order = [await offered_to(floor, await floor.open(source, f"c{n}")) for n in range(3)]

    assert order == [[best], [some], [without]]


async def test_each_ring_lowers_drops_and_adds_at_its_second(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    helpers = await workgroup(floor, "helpers", utilization=WHOLE)
    rings = [
        {"after_s": 10, "lower_skills": [{"skill": "german", "min_proficiency": 40}]},
        {"after_s": 20, "drop_skills": ["german"]},
        {"after_s": 30, "workgroups": [helpers], "drop_skills": ["billing"]},
    ]
    care = await workgroup(
        floor, "care", required_skills=[GERMAN_80, BILLING], rings=rings, utilization=WHOLE
    )
    at = {
        10: await floor.agent(care, skills={"german": 40, "billing": 0}),
        20: await floor.agent(care, skills={"billing": 5}),
        30: await floor.agent(helpers),
    }
    source = await floor.channel(care)
    waiting = [await floor.open(source, f"customer-{n}") for n in range(3)]

    for second, agent in at.items():
        opened = waiting.pop(0)
        for each in (opened, *waiting):
            await at_second(floor, clock, each, second - 0.001)
        assert await offered_to(floor, opened) == [], "not before its second"
        for each in (opened, *waiting):
            await at_second(floor, clock, each, second)
        assert await offered_to(floor, opened) == [agent]
        await floor.pick_up(opened, agent)


async def test_relaxing_ends_with_the_wait(database: Database, clock: Clock) -> None:
    """A conversation that comes back waits from the first ring again."""
    floor = Floor(database)
    ring = {"after_s": 10, "drop_skills": ["german"]}
    care = await workgroup(floor, "care", required_skills=[GERMAN_80], rings=[ring])
    agent = await floor.agent(care)
    opened = await floor.open(await floor.channel(care), "customer")
    await at_second(floor, clock, opened, 10)
    await floor.pick_up(opened, agent)

    await floor.command(opened, c.Release(c.SYSTEM, "the wrong one"))

    again = await floor.get(opened)
    assert (again.ring, again.offers) == (0, ())
    assert again.ring_until == clock.now + 10_000


async def test_whom_an_open_ring_reaches_may_be_given_it_by_hand(
    database: Database, clock: Clock
) -> None:
    """The circle stays as wide as it was at the offer; the next ring waits from here."""
    floor = Floor(database)
    helpers = await workgroup(floor, "helpers")
    rings = [{"after_s": 10, "workgroups": [helpers]}, {"after_s": 60, "drop_skills": ["german"]}]
    care = await workgroup(floor, "care", required_skills=[GERMAN_80], rings=rings)
    chosen = await floor.agent(helpers, skills={"german": 90}, utilization=100)
    opened = await floor.open(await floor.channel(care), "customer")
    await at_second(floor, clock, opened, 10)
    assert await offered_to(floor, opened) == []

    override = c.TransferToAgent(c.SYSTEM, chosen, "of_1", None, override_capacity=True)
    await floor.command(opened, override)

    assert (await floor.get(opened)).ring_until == clock.now + 60_000
    picked = await floor.pick_up(opened, chosen)
    assert picked.refusal is None


async def test_an_agent_who_learns_is_asked_at_once(database: Database) -> None:
    floor = Floor(database)
    care = await workgroup(floor, "care", required_skills=[GERMAN_80])
    opened = await floor.open(await floor.channel(care), "customer")
    assert await offered_to(floor, opened) == []

    agent = await floor.agent(care, skills={"german": 80})

    assert await offered_to(floor, opened) == [agent]

"""Complaint 20: nobody can say why a conversation went where it went, or why it waits.

For every offer and for every minute of waiting there is a reason set; evaluated again it comes
out byte for byte, and every single agent is told his own reason.
"""

from typing import Any

import pytest
from sqlalchemy import select

from conversations import commands as c
from conversations.model import RoutingStatus
from storage import explaining
from storage.database import Database
from storage.log_tables import DecisionRow
from tests.api.conftest import Caller, Json
from tests.api.conftest import Floor as Office
from tests.clocks import Clock
from tests.floor import Floor

DECISIONS = DecisionRow.__table__  # type: ignore[attr-defined]
GERMAN = {"skill": "german", "min_proficiency": 50}
MINUTE_MS = 60_000


async def records(database: Database, conversation_id: str) -> list[dict[str, Any]]:
    query = select(DECISIONS.c.record).where(DECISIONS.c.conversation_id == conversation_id)
    query = query.order_by(DECISIONS.c.at, DECISIONS.c.id)
    return await database.read(lambda k: list(k.execute(query).scalars()))


async def require_reproduced(database: Database, record: dict[str, Any]) -> None:
    again = await database.read(lambda k: explaining.evaluate(k, record))
    assert again is not None
    assert explaining.is_reproduced(record, again), record


async def test_every_minute_of_waiting_has_its_reasons(database: Database, clock: Clock) -> None:
    floor = Floor(database)
    care = await floor.workgroup(required_skills=[GERMAN], decline_backoff_s=90)
    opened = await floor.open(await floor.channel(care), "customer")
    told: list[tuple[int, dict[str, int]]] = [(0, {})]

    async def minute(expected: dict[str, int]) -> None:
        told.append((clock.now, expected))
        clock.advance(ms=MINUTE_MS)

    await minute({})
    dumb = await floor.agent(care)
    await minute({"missing_skill": 1})
    away = await floor.agent(care, skills={"german": 70}, on_queue=False)
    await floor.status(dumb, RoutingStatus.OFF_QUEUE)
    await minute({"not_on_queue": 2})
    await floor.status(away, RoutingStatus.ON_QUEUE)
    await floor.command(opened, c.Decline(c.Actor(away), None, "not now"))
    await minute({"not_on_queue": 1, "passed_over": 1})
    await floor.status(away, RoutingStatus.OFF_QUEUE)
    await minute({"not_on_queue": 2})
    await floor.agent(care, skills={"german": 90}, utilization=100)
    await floor.following.ask([care])
    await minute({"capacity": 1, "not_on_queue": 2})

    kept = await records(database, opened)
    for moment, expected in told[1:]:
        newest = [record for record in kept if record["at"] <= moment][-1]
        assert (newest["filtered"], newest["chosen"]) == (expected, None)
        assert sum(expected.values()) == newest["candidates"], "everybody is counted once"
    for record in kept:
        await require_reproduced(database, record)


async def test_what_does_not_change_is_not_told_again(database: Database, clock: Clock) -> None:
    floor = Floor(database)
    care = await floor.workgroup(required_skills=[GERMAN])
    await floor.agent(care)
    opened = await floor.open(await floor.channel(care), "customer")

    for _ in range(10):
        clock.advance(ms=MINUTE_MS)
        await floor.following.ask([care])

    assert len(await records(database, opened)) == 1


async def test_every_offer_of_a_long_life_comes_out_again(database: Database, clock: Clock) -> None:
    """Offered, declined, not taken, given on, parked, returned: each time with its reasons."""
    floor = Floor(database)
    ring = {"after_s": 0, "workgroups": [], "drop_skills": ["german"], "lower_skills": []}
    whole = {"social_conversation": {"percent": 100}}
    settings = {"required_skills": [GERMAN], "utilization": whole, "rings": [ring]}
    care, other = await floor.workgroup(**settings), await floor.workgroup(offers_at_once=3)
    for number in range(4):
        await floor.agent(care, other, skills={"german": 50 + number})
    opened = await floor.open(await floor.channel(care), "customer")

    async def offered() -> c.Actor:
        offer = (await floor.get(opened)).offer
        assert offer is not None
        return c.Actor(offer.agent_id)

    await floor.command(opened, c.Decline(await offered(), None, None))
    clock.advance(s=1)
    owner = await offered()
    await floor.pick_up(opened, owner.agent_id or "")
    await floor.command(opened, c.Park(owner, None, None))
    clock.advance(s=1)
    await floor.command(opened, c.Unpark(owner))
    await floor.command(opened, c.TransferToWorkgroup(owner, other, None))
    clock.advance(s=1)
    await floor.command(opened, c.Release(c.SYSTEM, "lunch"))
    await floor.command(opened, c.Decline(await offered(), None, None))

    made = [record for record in await records(database, opened) if record["chosen"]]
    assert len(made) == 3
    assert len(made[-1]["also_offered"]) == 2
    for record in made:
        await require_reproduced(database, record)


async def id_of(agent: Caller) -> str:
    return str((await agent.ok("GET", "/agents/me"))["id"])


class Case:
    """One conversation of an office, and what its decisions say of whom."""

    def __init__(self, office: Office, opened: str) -> None:
        self.admin, self.path = office.admin, f"/conversations/{opened}/decisions?evaluate=true"

    async def newest(self) -> Json:
        newest: Json = (await self.admin.ok("GET", self.path))["items"][-1]
        return newest

    async def told(self, agent_id: str) -> tuple[str, list[str]]:
        items = (await self.admin.ok("GET", f"{self.path}&agent_id={agent_id}"))["items"]
        evaluated = items[-1]["evaluated"]
        assert evaluated["is_reproduced"]
        return evaluated["agent"]["outcome"], evaluated["agent"]["reasons"]


@pytest.fixture
def office(floor: Office) -> Office:
    return floor


async def test_each_agent_is_told_his_reason_through_the_api(office: Office) -> None:
    await office.admin.ok("PATCH", f"/workgroups/{office.workgroup}", {"required_skills": [GERMAN]})
    names = ("best", "good", "dumb", "away", "unlicensed", "no right", "stranger")
    agents = {
        name: await id_of(await office.agent(on_queue=name != "away", member=name != "stranger"))
        for name in names
    }
    fluent: Json = {"skills": [{"skill": "german", "proficiency": 60}]}
    patches: dict[str, Json] = {name: fluent for name in names if name != "dumb"}
    patches["best"] = {"skills": [{"skill": "german", "proficiency": 90}]}
    patches["unlicensed"] = {**fluent, "licensed": False}
    patches["no right"] = {**fluent, "media_types": []}
    for name, patch in patches.items():
        await office.admin.ok("PATCH", f"/agents/{agents[name]}", patch)

    case = Case(office, await office.open("customer"))

    decision = await case.newest()
    assert decision["chosen"]["agent_id"] == agents["best"]
    assert [ranked["agent_id"] for ranked in decision["runners_up"]] == [agents["good"]]
    assert decision["evaluated"] == {"is_reproduced": True, "agent": None}
    assert {name: await case.told(agent_id) for name, agent_id in agents.items()} == {
        "best": ("chosen", []),
        "good": ("runner_up", []),
        "dumb": ("not_eligible", ["missing_skill"]),
        "away": ("not_eligible", ["not_on_queue"]),
        "unlicensed": ("not_eligible", ["not_licensed"]),
        "no right": ("not_eligible", ["no_right"]),
        "stranger": ("not_eligible", ["not_a_member"]),
    }


async def test_what_changes_afterwards_does_not_change_the_reasons(office: Office) -> None:
    first, second = await office.agent(), await office.agent()
    case = Case(office, await office.open("customer"))
    before = await case.newest()
    ids = [await id_of(first), await id_of(second)]
    outcomes = [await case.told(agent_id) for agent_id in ids]

    await office.admin.ok("PATCH", f"/workgroups/{office.workgroup}", {"agent_order": ["nearest"]})
    for agent in (first, second):
        off: Json = {"routing_status": "off_queue", "reason": "lunch"}
        await agent.ok("PUT", "/agents/me/status", off)
    await office.admin.ok(
        "PATCH", f"/agents/{ids[0]}", {"skills": [{"skill": "german", "proficiency": 1}]}
    )

    items = (await office.admin.ok("GET", case.path))["items"]
    assert before in items
    path = f"{case.path}&agent_id="
    again = [(await office.admin.ok("GET", path + i))["items"][0]["evaluated"] for i in ids]
    assert [(a["agent"]["outcome"], a["agent"]["reasons"]) for a in again] == outcomes
    assert all(each["is_reproduced"] for each in again)

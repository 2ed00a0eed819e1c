"""Complaint 1: assignment races; owners flip, and a router undoes what a human decided.

Of many commands at once one after the other is decided: one wins, the others are told why not.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from typing import Any

import httpx
import pytest
import pytest_asyncio

from storage import events
from storage.database import Database, open_database
from tests.api.conftest import Caller, Floor, Json
from tests.history import History, Row, read_history
from tests.invariants import Violation, violations_when_quiet

COMMANDS = 200
RIVALS = 10
REASONS = {
    "agent_at_capacity",
    "agent_not_eligible",
    "conversation_ended",
    "illegal_transition",
    "not_your_conversation",
    "offer_expired",
}


ROUNDS_UNTIL_QUIET = 50


@pytest_asyncio.fixture
async def beside(database_url: str) -> AsyncIterator[Database]:
    """Open the application's database a second time, to read what happened."""
    opened = open_database(database_url)
    yield opened
    await opened.close()


async def id_of(agent: Caller) -> str:
    return str((await agent.ok("GET", "/agents/me"))["id"])


async def team(floor: Floor, size: int) -> dict[str, Caller]:
    agents = [await floor.agent() for _ in range(size)]
    return {await id_of(agent): agent for agent in agents}


async def look(beside: Database) -> tuple[History, list[Violation]]:
    while await beside.write(events.number_events):
        pass
    history: History = await beside.read(read_history)
    return history, violations_when_quiet(history)


async def what_happened(beside: Database, conversation_id: str) -> list[Row]:
    """Return the conversation's events, once the whole history was found sound."""
    history, violations = await look(beside)
    for _ in range(ROUNDS_UNTIL_QUIET):
        if not violations:
            break
        await asyncio.sleep(0.1)  # what follows the last answer is still on its way
        history, violations = await look(beside)
    assert violations == []
    return history.events_by_conversation[conversation_id]


def named(happened: Sequence[Row], name: str) -> list[Row]:
    return [event for event in happened if event["type"] == f"conversation.{name}"]


def require_told_why(answers: Sequence[httpx.Response]) -> None:
    """Every answer is the conversation, or a 409 with one of the known reasons in words."""
    for answer in answers:
        assert answer.status_code in {200, 409}, answer.text
        if answer.status_code == 409:
            problem = answer.json()
            assert problem["code"] in REASONS, problem
            assert len(problem["detail"]) > len("no."), problem


async def test_of_200_pick_ups_at_once_one_wins(floor: Floor, beside: Database) -> None:
    path = f"/workgroups/{floor.workgroup}"
    await floor.admin.ok("PATCH", path, {"offers_at_once": RIVALS})
    agents = await team(floor, RIVALS)
    opened = await floor.open("customer")

    answers = await asyncio.gather(
        *(
            agent.call("POST", f"/conversations/{opened}/pickup", {})
            for _ in range(COMMANDS // RIVALS)
            for agent in agents.values()
        )
    )

    require_told_why(answers)
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: COMMANDS - 1}
    happened = await what_happened(beside, opened)
    assert len(named(happened, "offered")) == RIVALS
    (connected,) = named(happened, "connected")
    owner = (await floor.admin.ok("GET", f"/conversations/{opened}"))["agent_id"]
    assert connected["agent_id"] == owner
    told = Counter(a.json()["code"] for a in answers if a.status_code == 409)
    assert told == {
        "not_your_conversation": COMMANDS - COMMANDS // RIVALS,
        "illegal_transition": COMMANDS // RIVALS - 1,
    }


class Crowd:
    """Agents and supervisors who all want to say whose one conversation is."""

    def __init__(self, floor: Floor, opened: str, agents: dict[str, Caller]) -> None:
        self.floor, self.path, self.agents = floor, f"/conversations/{opened}", agents

    async def say(self, draw: random.Random) -> httpx.Response:
        agent_id, agent = draw.choice(list(self.agents.items()))
        commands: tuple[tuple[Caller, str, Json], ...] = (
            (agent, "pickup", {}),
            (agent, "pickup", {}),
            (agent, "decline", {}),
            (agent, "transfer", {"workgroup_id": self.floor.workgroup}),
            (agent, "transfer", {"agent_id": draw.choice(list(self.agents))}),
            (self.floor.admin, "transfer", {"agent_id": agent_id}),
            (self.floor.admin, "release", {"reason": "somebody else should"}),
        )
        caller, name, body = draw.choice(commands)
        return await caller.call("POST", f"{self.path}/{name}", body)


@pytest.mark.parametrize("seed", range(2))
async def test_200_commands_at_once_come_to_one_legal_order(
    floor: Floor, beside: Database, seed: int
) -> None:
    draw = random.Random(seed)
    agents = await team(floor, 6)
    opened = await floor.open("customer")
    crowd = Crowd(floor, opened, agents)

    answers = await asyncio.gather(*(crowd.say(draw) for _ in range(COMMANDS)))

    require_told_why(answers)
    happened = await what_happened(beside, opened)
    won = Counter(a.request.url.path.rpartition("/")[2] for a in answers if a.status_code == 200)
    assert won["pickup"] == len(named(happened, "connected")), "no owner but by his own hand"
    assert won["decline"] == len(named(happened, "declined"))
    assert won["transfer"] == len(named(happened, "transferred"))
    assert won["release"] == len(named(happened, "released"))
    versions = [a.json()["version"] for a in answers if a.status_code == 200]
    assert len(set(versions)) == len(versions), "each change is one step of one order"
    require_humans_decide(happened)


def require_humans_decide(happened: Sequence[Row]) -> None:
    """Only from the queue does the router offer: what a human gave or took stays as it is."""
    for before, event in pairwise(happened):
        if event["type"] != "conversation.offered" or "decision_id" not in event["detail"]:
            continue
        state = before["snapshot"]["state"]
        is_beside = before["snapshot"]["version"] == event["snapshot"]["version"]
        assert state == "queued" or is_beside, f"offered while it was {state}"


async def coming_and_going(agents: dict[str, Caller], stopping: asyncio.Event) -> None:
    """Ask for matches again and again, as a lively floor does."""
    statuses: tuple[Json, ...] = ({"routing_status": "off_queue"}, {"routing_status": "on_queue"})
    while not stopping.is_set():
        for status in statuses:
            for agent in agents.values():
                await agent.call("PUT", "/agents/me/status", status)


async def test_the_router_does_not_undo_what_a_human_decided(
    floor: Floor, beside: Database
) -> None:
    chosen = await floor.agent()
    chosen_id = await id_of(chosen)
    others = await team(floor, 4)
    opened = [await floor.open(f"customer-{n}") for n in range(4)]
    stopping = asyncio.Event()
    router = asyncio.create_task(coming_and_going(others, stopping))
    body: dict[str, Any] = {"agent_id": chosen_id, "override_capacity": True}
    for each in opened:
        await floor.admin.ok("POST", f"/conversations/{each}/transfer", body)
    for number in range(8):
        await floor.open(f"another-{number}")
    for each in opened:
        assert (await chosen.call("POST", f"/conversations/{each}/pickup", {})).is_success
    stopping.set()
    await router

    for each in opened:
        happened = await what_happened(beside, each)
        types = [event["type"].removeprefix("conversation.") for event in happened]
        since = types[types.index("transferred") :]
        assert since == ["transferred", "offered", "connected"], "nobody came in between"
        (connected,) = named(happened, "connected")
        assert connected["agent_id"] == chosen_id

"""Complaint 21: the supervisor cannot act; here: who may do what to whom, and that it works."""

from collections.abc import Awaitable, Callable

import pytest

from tests.api.conftest import Caller, Floor, Json

ON, OFF, DRAIN = "on_queue", "off_queue", "draining"
WHO = ("supervisor", "admin", "the agent", "another agent", "integrator")
MAY_COMMAND = {"release", "transfer", "discard", "disconnect", "unpark"}
MAY_THE_AGENT = {"transfer", "discard", "disconnect", "unpark"}


class Scene:
    """A connected agent and everybody who might want to do something about it."""

    def __init__(self, floor: Floor, opened: str, people: dict[str, Caller], agent_id: str) -> None:
        self.floor, self.opened, self.people, self.agent_id = floor, opened, people, agent_id

    async def status(self, who: str, **body: object) -> int:
        path = f"/agents/{self.agent_id}/status"
        return (await self.people[who].call("PUT", path, body)).status_code

    async def command(self, who: str, name: str, body: Json) -> int:
        path = f"/conversations/{self.opened}/{name}"
        return (await self.people[who].call("POST", path, body)).status_code

    async def shown(self) -> Json:
        shown: Json = await self.floor.admin.ok("GET", f"/conversations/{self.opened}")
        return shown

    async def agent(self) -> Json:
        agent: Json = await self.floor.admin.ok("GET", f"/agents/{self.agent_id}")
        return agent


async def scene_on(floor: Floor) -> Scene:
    opened, agent = await floor.connect("customer")
    people = {
        "the agent": agent,
        "supervisor": await floor.agent("supervisor", on_queue=False),
        "another agent": await floor.agent(on_queue=False),
        "integrator": await floor.agent("integrator", on_queue=False),
        "admin": floor.admin,
    }
    return Scene(floor, opened, people, (await agent.ok("GET", "/agents/me"))["id"])


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("status", [ON, OFF, DRAIN])
async def test_who_may_set_whose_status(floor: Floor, who: str, status: str) -> None:
    scene = await scene_on(floor)
    may = who in {"supervisor", "admin"} or (who == "the agent" and status != DRAIN)

    answered = await scene.status(who, routing_status=status, reason="shift is over")

    assert answered == (200 if may else 403)
    assert (await scene.agent())["routing_status"] == (status if may else ON)


@pytest.mark.parametrize("who", WHO)
async def test_who_may_schedule_whose_sign_off(floor: Floor, who: str) -> None:
    scene = await scene_on(floor)

    answered = await scene.status(who, sign_off_at="2100-01-01T00:00:00Z")

    assert answered == (200 if who in {"supervisor", "admin", "the agent"} else 403)


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("command", sorted(MAY_COMMAND))
async def test_who_may_do_what_to_a_conversation_that_another_has(
    floor: Floor, who: str, command: str
) -> None:
    scene = await scene_on(floor)
    if command == "unpark":
        assert await scene.command("the agent", "park", {}) == 200
    bodies: dict[str, Json] = {
        "release": {"reason": "stuck"},
        "transfer": {"workgroup_id": floor.workgroup},
        "discard": {"reason": "spam"},
        "disconnect": {},
        "unpark": {},
    }

    answered = await scene.command(who, command, bodies[command])

    allowed = {"supervisor", "admin"} | ({"the agent"} if command in MAY_THE_AGENT else set())
    if who in allowed:
        assert answered == 200
    else:
        assert answered in {403, 409}
        before = "parked" if command == "unpark" else "connected"
        assert (await scene.shown())["state"] == before


async def drained(scene: Scene) -> None:
    assert await scene.status("supervisor", routing_status=DRAIN) == 200
    assert (await scene.agent())["routing_status"] == DRAIN
    assert await scene.command("the agent", "disconnect", {}) == 200
    assert (await scene.agent())["routing_status"] == OFF


async def reassigned(scene: Scene) -> None:
    other = await scene.floor.agent()
    other_id = (await other.ok("GET", "/agents/me"))["id"]
    assert await scene.command("supervisor", "transfer", {"agent_id": other_id}) == 200
    assert (await scene.shown())["offer"]["agent_id"] == other_id


async def freed_from_not_responding(scene: Scene) -> None:
    assert await scene.status("supervisor", routing_status=OFF, reason="went home") == 200
    agent = await scene.agent()
    assert (agent["routing_status"], agent["reason"]) == (OFF, "went home")
    assert (await scene.shown())["agent_id"] == scene.agent_id, "what he has he finishes"
    assert await scene.status("supervisor", routing_status=ON) == 200


async def released(scene: Scene) -> None:
    assert await scene.command("supervisor", "release", {"reason": "stuck"}) == 200
    shown = await scene.shown()
    assert (shown["state"], shown["agent_id"]) == ("queued", None)
    assert (await scene.agent())["utilization_percent"] == 0


@pytest.mark.parametrize(
    "deed", [drained, reassigned, freed_from_not_responding, released], ids=lambda d: d.__name__
)
async def test_what_a_supervisor_does_has_its_effect(
    floor: Floor, deed: Callable[[Scene], Awaitable[None]]
) -> None:
    await deed(await scene_on(floor))


async def test_being_sent_off_is_no_sign_of_life(floor: Floor) -> None:
    scene = await scene_on(floor)
    beat = await scene.people["the agent"].call("POST", "/agents/me/heartbeat", {})
    assert beat.status_code == 204
    for who in ("supervisor", "admin", "another agent"):
        answer = await scene.people[who].call("POST", f"/agents/{scene.agent_id}/heartbeat", {})
        assert answer.status_code == 403, "a heart beats for itself alone"

"""Complaint 3: stuck in the queue though someone is free.

Whatever could free a match asks for one by itself. Nothing else runs here that could: no worker,
no workflow's timer, no sweeper.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from tests.api.conftest import Caller, Floor, Json

Act = Callable[[], Awaitable[object]]
Waiting = tuple[str, Act]
"""A conversation that nobody can take, and what frees somebody for it."""

STATUS = "/agents/me/status"
ON_QUEUE = {"routing_status": "on_queue"}
WITHIN_S = 5.0
WHOLE = {"utilization": {"social_conversation": {"percent": 100}}}


async def id_of(agent: Caller) -> str:
    return str((await agent.ok("GET", "/agents/me"))["id"])


async def patch(floor: Floor, agent: Caller, **change: object) -> Json:
    changed: Json = await floor.admin.ok("PATCH", f"/agents/{await id_of(agent)}", change)
    return changed


async def log_in(floor: Floor) -> Waiting:
    agent = await floor.agent(on_queue=False)
    return await floor.open("customer"), lambda: agent.ok("PUT", STATUS, ON_QUEUE)


async def end_of_draining_by_the_agent(floor: Floor) -> Waiting:
    _, agent = await floor.connect("first")
    path = f"/agents/{await id_of(agent)}/status"
    await floor.admin.ok("PUT", path, {"routing_status": "draining"})
    return await floor.open("customer"), lambda: agent.ok("PUT", STATUS, ON_QUEUE)


async def supervisor_who_puts_on_queue(floor: Floor) -> Waiting:
    agent = await floor.agent(on_queue=False)
    path = f"/agents/{await id_of(agent)}/status"
    return await floor.open("customer"), lambda: floor.admin.ok("PUT", path, ON_QUEUE)


async def skill(floor: Floor) -> Waiting:
    agent = await floor.agent()
    needs = {"required_skills": [{"skill": "german", "min_proficiency": 50}]}
    await floor.admin.ok("PATCH", f"/channels/{floor.channel}", needs)
    has = [{"skill": "german", "proficiency": 50}]
    return await floor.open("customer"), lambda: patch(floor, agent, skills=has)


async def licence_of_the_user(floor: Floor) -> Waiting:
    agent = await floor.agent()
    await patch(floor, agent, licensed=False)
    return await floor.open("customer"), lambda: patch(floor, agent, licensed=True)


async def unlicensed_at_a_desk(floor: Floor) -> tuple[Caller, str]:
    agent = await floor.agent()
    await patch(floor, agent, licensed=False)
    desk = (await floor.admin.ok("POST", "/stations", {"name": "desk"}))["id"]
    await agent.ok("PUT", STATUS, {**ON_QUEUE, "station_id": desk})
    return agent, f"/stations/{desk}"


async def licence_of_the_station(floor: Floor) -> Waiting:
    _, desk = await unlicensed_at_a_desk(floor)
    opened = await floor.open("customer")
    return opened, lambda: floor.admin.ok("PATCH", desk, {"licensed": True})


async def log_in_at_a_licensed_station(floor: Floor) -> Waiting:
    agent, _ = await unlicensed_at_a_desk(floor)
    licensed = {"name": "licensed desk", "licensed": True}
    desk = (await floor.admin.ok("POST", "/stations", licensed))["id"]
    there = {**ON_QUEUE, "station_id": desk}
    return await floor.open("customer"), lambda: agent.ok("PUT", STATUS, there)


async def licence_count(floor: Floor) -> Waiting:
    agent, desk = await unlicensed_at_a_desk(floor)
    await floor.admin.ok("PATCH", desk, {"licensed": True})
    await patch(floor, agent, licensed=True)
    none_of_users = {"allocation": "concurrent", "count": 0}
    await floor.admin.ok("PATCH", "/licences/user", none_of_users)
    await floor.admin.ok("PATCH", desk, {"licensed": False})
    opened = await floor.open("customer")
    return opened, lambda: floor.admin.ok("PATCH", "/licences/user", {"count": 1})


async def right_to_the_media_type(floor: Floor) -> Waiting:
    agent = await floor.agent()
    await patch(floor, agent, media_types=[])
    public = ["social_conversation"]
    return await floor.open("customer"), lambda: patch(floor, agent, media_types=public)


async def role(floor: Floor) -> Waiting:
    agent = await floor.agent()
    await patch(floor, agent, roles=["supervisor"])
    return await floor.open("customer"), lambda: patch(floor, agent, roles=["agent"])


async def agent_enabled_again(floor: Floor) -> Waiting:
    agent = await floor.agent()
    path = f"/agents/{await id_of(agent)}"
    await floor.admin.ok("PATCH", path, {"enabled": False})
    opened = await floor.open("customer")
    return opened, lambda: floor.admin.ok("PATCH", path, {"enabled": True})


async def membership(floor: Floor) -> Waiting:
    agent = await floor.agent(member=False)
    path = f"/workgroups/{floor.workgroup}/members/{await id_of(agent)}"
    return await floor.open("customer"), lambda: floor.admin.ok("PUT", path)


async def workgroups_of_the_agent(floor: Floor) -> Waiting:
    agent = await floor.agent(member=False)
    mine = [floor.workgroup]
    return await floor.open("customer"), lambda: patch(floor, agent, workgroups=mine)


async def membership_of_a_workgroup_that_a_ring_adds(floor: Floor) -> Waiting:
    agent = await floor.agent(member=False)
    helpers = await floor.admin.ok("POST", "/workgroups", {"name": "helpers"})
    ring = {"after_s": 600, "workgroups": [helpers["id"]], "at_once_if_nobody": True}
    path = f"/workgroups/{floor.workgroup}"
    await floor.admin.ok("PATCH", path, {"rings": [ring]})
    opened = await floor.open("customer")
    member = f"/workgroups/{helpers['id']}/members/{await id_of(agent)}"
    return opened, lambda: floor.admin.ok("PUT", member)


async def full_agent(floor: Floor) -> tuple[str, Caller]:
    await floor.admin.ok("PATCH", f"/workgroups/{floor.workgroup}", WHOLE)
    first, agent = await floor.connect("first")
    return f"/conversations/{first}", agent


async def disconnect(floor: Floor) -> Waiting:
    first, agent = await full_agent(floor)
    return await floor.open("customer"), lambda: agent.ok("POST", f"{first}/disconnect", {})


async def end_of_wrap_up(floor: Floor) -> Waiting:
    path = f"/workgroups/{floor.workgroup}"
    await floor.admin.ok("PATCH", path, {"wrap_up": {"mode": "optional"}})
    first, agent = await full_agent(floor)
    await agent.ok("POST", f"{first}/disconnect", {})
    done = {"done": True}
    return await floor.open("customer"), lambda: agent.ok("POST", f"{first}/wrapup", done)


async def park(floor: Floor) -> Waiting:
    first, agent = await full_agent(floor)
    return await floor.open("customer"), lambda: agent.ok("POST", f"{first}/park", {})


async def transfer(floor: Floor) -> Waiting:
    first, agent = await full_agent(floor)
    there = await floor.admin.ok("POST", "/workgroups", {"name": "elsewhere"})
    to = {"workgroup_id": there["id"]}
    return await floor.open("customer"), lambda: agent.ok("POST", f"{first}/transfer", to)


async def discard(floor: Floor) -> Waiting:
    first, agent = await full_agent(floor)
    spam = {"reason": "spam"}
    return await floor.open("customer"), lambda: agent.ok("POST", f"{first}/discard", spam)


async def release_by_a_supervisor(floor: Floor) -> Waiting:
    first, _ = await full_agent(floor)
    why = {"reason": "shift is over"}
    return await floor.open("customer"), lambda: floor.admin.ok("POST", f"{first}/release", why)


async def decline(floor: Floor) -> Waiting:
    opened = await floor.open("customer")
    agent = await floor.agent()
    other = await floor.agent(on_queue=False)
    await other.ok("PUT", STATUS, ON_QUEUE)
    await offered_within(floor, opened, WITHIN_S)

    async def act() -> None:
        await agent.ok("POST", f"/conversations/{opened}/decline", {})

    return opened, act


async def unpark_while_its_agent_is_full(floor: Floor) -> Waiting:
    path = f"/workgroups/{floor.workgroup}"
    await floor.admin.ok("PATCH", path, {"preferred_agent_wait_s": 0})
    first, agent = await full_agent(floor)
    await agent.ok("POST", f"{first}/park", {})
    await floor.open("second")
    await floor.agent()
    return first.rpartition("/")[2], lambda: agent.ok("POST", f"{first}/unpark", {})


async def own_utilization(floor: Floor) -> Waiting:
    weight = {"social_conversation": {"percent": 60}}
    path = f"/workgroups/{floor.workgroup}"
    await floor.admin.ok("PATCH", path, {"utilization": weight})
    _, agent = await floor.connect("first")
    small = {"social_conversation": {"percent": 40}}
    return await floor.open("customer"), lambda: patch(floor, agent, utilization=small)


async def utilization_of_the_workgroup(floor: Floor) -> Waiting:
    path = f"/workgroups/{floor.workgroup}"
    heavy = {"utilization": {"social_conversation": {"percent": 60}}}
    await floor.admin.ok("PATCH", path, heavy)
    await floor.connect("first")
    light = {"utilization": {"social_conversation": {"percent": 40}}}
    return await floor.open("customer"), lambda: floor.admin.ok("PATCH", path, light)


async def skill_that_a_workgroup_asks_no_longer(floor: Floor) -> Waiting:
    path = f"/workgroups/{floor.workgroup}"
    needs = {"required_skills": [{"skill": "german", "min_proficiency": 50}]}
    await floor.admin.ok("PATCH", path, needs)
    await floor.agent()
    none: Json = {"required_skills": []}
    return await floor.open("customer"), lambda: floor.admin.ok("PATCH", path, none)


async def ring_that_opens_at_once(floor: Floor) -> Waiting:
    helpers = await floor.admin.ok("POST", "/workgroups", {"name": "helpers"})
    agent = await floor.agent(member=False)
    await floor.admin.ok("PUT", f"/workgroups/{helpers['id']}/members/{await id_of(agent)}")
    ring = {"after_s": 600, "workgroups": [helpers["id"]], "at_once_if_nobody": True}
    path = f"/workgroups/{floor.workgroup}"
    opened = await floor.open("customer")
    return opened, lambda: floor.admin.ok("PATCH", path, {"rings": [ring]})


async def preferred_agent_who_leaves(floor: Floor) -> Waiting:
    path = f"/workgroups/{floor.workgroup}"
    await floor.admin.ok("PATCH", path, {**WHOLE, "preferred_agent_wait_s": 600})
    first, agent = await floor.connect("customer")
    await agent.ok("POST", f"/conversations/{first}/disconnect", {})
    second = await floor.open("second")
    await agent.ok("POST", f"/conversations/{second}/pickup", {})
    opened = await floor.open("customer")
    other = await floor.agent()
    assert not (await floor.admin.ok("GET", f"/conversations/{opened}"))["offer"], other
    away = {"routing_status": "off_queue", "reason": "lunch"}
    return opened, lambda: agent.ok("PUT", STATUS, away)


EVENTS = (
    log_in,
    end_of_draining_by_the_agent,
    supervisor_who_puts_on_queue,
    skill,
    licence_of_the_user,
    licence_of_the_station,
    log_in_at_a_licensed_station,
    licence_count,
    right_to_the_media_type,
    role,
    agent_enabled_again,
    membership,
    workgroups_of_the_agent,
    membership_of_a_workgroup_that_a_ring_adds,
    disconnect,
    end_of_wrap_up,
    park,
    transfer,
    discard,
    release_by_a_supervisor,
    unpark_while_its_agent_is_full,
    own_utilization,
    utilization_of_the_workgroup,
    skill_that_a_workgroup_asks_no_longer,
    ring_that_opens_at_once,
    preferred_agent_who_leaves,
)


async def offered_within(floor: Floor, conversation_id: str, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while True:
        shown = await floor.admin.ok("GET", f"/conversations/{conversation_id}")
        if shown["offer"]:
            return True
        if time.monotonic() > until:
            return False
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
async def test_whatever_frees_somebody_is_followed_by_an_offer(
    floor: Floor, event: Callable[[Floor], Awaitable[Waiting]]
) -> None:
    waiting, act = await event(floor)
    shown = await floor.admin.ok("GET", f"/conversations/{waiting}")
    assert not shown["offer"], "somebody could take it before"

    await act()

    assert await offered_within(floor, waiting, WITHIN_S)


async def test_what_one_declines_goes_to_the_next_at_once(floor: Floor) -> None:
    opened, decline_it = await decline(floor)
    path = f"/conversations/{opened}"
    before = (await floor.admin.ok("GET", path))["offer"]["id"]

    await decline_it()

    assert await offered_within(floor, opened, WITHIN_S)
    assert (await floor.admin.ok("GET", path))["offer"]["id"] != before

"""Stations, licences and rights through the API: counted, named, effective at once."""

import pytest

from tests.api.conftest import Caller, Floor, Json

ON_QUEUE, OFF_QUEUE = {"routing_status": "on_queue"}, {"routing_status": "off_queue"}


async def station(admin: Caller, name: str = "desk 1", *, licensed: bool = False) -> str:
    made: Json = await admin.ok("POST", "/stations", {"name": name, "licensed": licensed})
    return str(made["id"])


async def allocate(admin: Caller, kind: str, allocation: str, count: int | None) -> Json:
    body = {"allocation": allocation, "count": count}
    changed: Json = await admin.ok("PATCH", f"/licences/{kind}", body)
    return changed


async def test_a_station_lives_as_set_up_resources_do(admin: Caller) -> None:
    made = await admin.ok("POST", "/stations", {"name": "desk 1"})
    assert (made["name"], made["licensed"], made["agent_id"]) == ("desk 1", False, None)
    path = f"/stations/{made['id']}"

    assert await admin.ok("GET", path) == made
    assert (await admin.ok("GET", "/stations"))["items"] == [made]
    changed = await admin.ok("PATCH", path, {"licensed": True})
    assert (changed["licensed"], changed["version"]) == (True, 2)
    await admin.refused("POST", "/stations", {"name": "desk 1"}, 409, "name_taken")
    await admin.refused("POST", "/stations", {"name": "x", "size": 1}, 422, "invalid_request")
    await admin.ok("DELETE", path)
    await admin.refused("GET", path, None, 404, "not_found")
    await admin.refused("DELETE", path, None, 404, "not_found")


async def test_an_agent_logs_in_at_a_station_and_leaves_it(floor: Floor) -> None:
    admin, agent = floor.admin, await floor.agent(on_queue=False)
    first, second = await station(admin), await station(admin, "desk 2")

    me = await agent.ok("PUT", "/agents/me/status", {**ON_QUEUE, "station_id": first})
    assert me["station_id"] == first
    assert (await admin.ok("GET", f"/stations/{first}"))["agent_id"] == me["id"]
    await admin.refused("DELETE", f"/stations/{first}", None, 409, "in_use")
    again = await agent.ok("PUT", "/agents/me/status", ON_QUEUE)
    assert again["station_id"] == first, "a repeated log-in stays where it is"
    moved = await agent.ok("PUT", "/agents/me/status", {**ON_QUEUE, "station_id": second})
    assert moved["station_id"] == second
    await admin.ok("DELETE", f"/stations/{first}")
    left = await agent.ok("PUT", "/agents/me/status", OFF_QUEUE)
    assert left["station_id"] is None
    await admin.ok("DELETE", f"/stations/{second}")


async def test_a_station_takes_one_agent_at_a_time(floor: Floor) -> None:
    agent, other = await floor.agent(on_queue=False), await floor.agent(on_queue=False)
    desk = {**ON_QUEUE, "station_id": await station(floor.admin)}
    me = await agent.ok("PUT", "/agents/me/status", desk)

    problem = await other.refused("PUT", "/agents/me/status", desk, 409, "station_in_use")

    assert me["id"] in problem["detail"]
    unmoved = await other.ok("GET", "/agents/me")
    assert (unmoved["routing_status"], unmoved["station_id"]) == ("off_queue", None)
    await agent.ok("PUT", "/agents/me/status", OFF_QUEUE)
    assert (await other.ok("PUT", "/agents/me/status", desk))["station_id"] == desk["station_id"]


async def test_an_unknown_station_and_half_a_status_are_422(floor: Floor) -> None:
    agent = await floor.agent(on_queue=False)
    unknown = {**ON_QUEUE, "station_id": "st_none"}

    await agent.refused("PUT", "/agents/me/status", unknown, 422, "unknown_reference")
    for body in ({}, {"reason": "lunch"}, {**OFF_QUEUE, "station_id": "st_none"}):
        await agent.refused("PUT", "/agents/me/status", body, 422, "invalid_request")
    assert (await agent.ok("GET", "/agents/me"))["routing_status"] == "off_queue"


async def test_either_licence_is_enough_and_both_are_effective_at_once(floor: Floor) -> None:
    admin, agent = floor.admin, await floor.agent(on_queue=False)
    desk = await station(admin)
    me = await agent.ok("PUT", "/agents/me/status", {**ON_QUEUE, "station_id": desk})
    await admin.ok("PATCH", f"/agents/{me['id']}", {"licensed": False})
    opened = await floor.open("customer")
    path = f"/conversations/{opened}"
    assert (await admin.ok("GET", path))["state"] == "queued"

    await admin.ok("PATCH", f"/stations/{desk}", {"licensed": True})
    assert (await admin.ok("GET", path))["offer"]["agent_id"] == me["id"]
    await admin.ok("PATCH", f"/stations/{desk}", {"licensed": False})
    await agent.refused("POST", f"{path}/pickup", {}, 409, "agent_not_eligible")
    await admin.ok("PATCH", f"/agents/{me['id']}", {"licensed": True})
    await agent.ok("POST", f"{path}/pickup", {})


async def test_licences_are_listed_with_what_is_in_use(floor: Floor) -> None:
    await floor.agent()
    listed = await floor.admin.ok("GET", "/licences")

    unlimited = {"allocation": "assigned", "count": None, "version": 1}
    assert listed["items"] == [
        {"kind": "station", "in_use": 0, **unlimited},
        {"kind": "user", "in_use": 1, **unlimited},
    ]
    await floor.admin.refused("PATCH", "/licences/site", {}, 404, "not_found")
    for wrong in ({"count": -1}, {"allocation": "shared"}, {"number": 1}):
        await floor.admin.refused("PATCH", "/licences/user", wrong, 422, "invalid_request")


async def test_assigned_licences_run_out_and_the_answer_names_both_numbers(floor: Floor) -> None:
    admin, agent = floor.admin, await floor.agent()
    await allocate(admin, "user", "assigned", 1)
    body = {"username": "second", "name": "second"}

    problem = await admin.refused("POST", "/agents", body, 409, "licences_exhausted")
    assert "1 user licences, 2 would" in problem["detail"]
    second = await admin.ok("POST", "/agents", {**body, "licensed": False})
    path = f"/agents/{second['id']}"
    await admin.refused("PATCH", path, {"licensed": True}, 409, "licences_exhausted")
    await admin.refused("PATCH", "/licences/user", {"count": 0}, 409, "licences_exhausted")
    await allocate(admin, "user", "assigned", 2)
    assert (await admin.ok("PATCH", path, {"licensed": True}))["licensed"] is True
    assert (await agent.ok("GET", "/agents/me"))["routing_status"] == "on_queue"


async def test_a_log_in_without_a_free_licence_is_refused_whole(floor: Floor) -> None:
    admin, first, second = floor.admin, await floor.agent(), await floor.agent(on_queue=False)
    await allocate(admin, "user", "concurrent", 1)
    assert (await first.ok("GET", "/agents/me"))["held_licence"] == "user"

    problem = await second.refused("PUT", "/agents/me/status", ON_QUEUE, 409, "no_licence_free")

    assert "1 of 1 user are taken" in problem["detail"]
    assert (await second.ok("GET", "/agents/me"))["routing_status"] == "off_queue"
    await first.ok("PUT", "/agents/me/status", OFF_QUEUE)
    assert (await second.ok("PUT", "/agents/me/status", ON_QUEUE))["held_licence"] == "user"


@pytest.mark.parametrize(
    "change", [{"media_types": ["social_direct_message"]}, {"roles": ["supervisor"]}]
)
async def test_whoever_has_no_right_gets_nothing(floor: Floor, change: Json) -> None:
    admin, agent = floor.admin, await floor.agent()
    me = await agent.ok("GET", "/agents/me")
    await admin.ok("PATCH", f"/agents/{me['id']}", change)

    opened = await floor.open("customer")

    assert (await admin.ok("GET", f"/conversations/{opened}"))["state"] == "queued"
    back = {"media_types": None, "roles": None}
    await admin.ok("PATCH", f"/agents/{me['id']}", back)
    offered = await admin.ok("GET", f"/conversations/{opened}")
    assert offered["offer"]["agent_id"] == me["id"]


async def test_utilization_names_the_level_that_it_came_from(admin: Caller) -> None:
    weights = {"social_conversation": {"percent": 40, "max": 2}}
    floor = await Floor(admin).set_up(utilization=weights)
    _, agent = await floor.connect("customer")
    me = await agent.ok("GET", "/agents/me")
    told = await agent.ok("GET", "/agents/me/utilization")

    by_workgroup = {"workgroup_id": floor.workgroup, "percent": 40, "max": 2}
    assert (told["utilization_percent"], told["override_percent"]) == (40, 0)
    assert told["media_types"]["social_conversation"] == {
        "conversations": 1,
        "has_right": True,
        "levels": [{"level": "workgroup", **by_workgroup}],
    }
    private = told["media_types"]["social_direct_message"]
    assert private["levels"] == [
        {"level": "default", "workgroup_id": None, "percent": 25, "max": None}
    ]
    own = {"utilization": {"social_conversation": {"percent": 10}}}
    await admin.ok("PATCH", f"/agents/{me['id']}", own)
    again = await admin.ok("GET", f"/agents/{me['id']}/utilization")
    (level,) = again["media_types"]["social_conversation"]["levels"]
    assert (level["level"], level["percent"], level["workgroup_id"]) == ("agent", 10, None)
    assert again["utilization_percent"] == 40, "weights are fixed at the offer"
    await admin.refused("GET", "/agents/none/utilization", None, 404, "not_found")


async def test_a_sign_off_is_scheduled_and_taken_back(floor: Floor) -> None:
    agent = await floor.agent()
    schedule = {"sign_off_at": "2100-01-01T00:00:00.000Z"}
    path = "/agents/me/status"

    me = await agent.ok("PUT", path, schedule)
    assert (me["routing_status"], me["sign_off_at"]) == ("on_queue", schedule["sign_off_at"])
    assert (await agent.ok("PUT", path, ON_QUEUE))["sign_off_at"] == schedule["sign_off_at"]
    assert (await agent.ok("PUT", path, {"sign_off_at": None}))["sign_off_at"] is None
    past = await agent.ok("PUT", path, {"sign_off_at": "2020-01-01T00:00:00Z"})
    opened = await floor.open("customer")
    shown = await floor.admin.ok("GET", f"/conversations/{opened}")
    assert (past["routing_status"], shown["state"]) == ("on_queue", "queued")
    stranger = await floor.agent()
    await stranger.refused("PUT", f"/agents/{me['id']}/status", schedule, 403, "forbidden")

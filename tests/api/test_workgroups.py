"""Routing settings over HTTP: what cannot be meant is refused, and the answer says why."""

from typing import Any

import pytest

from storage.ids import new_id
from tests.api.conftest import Caller, Floor, Json

WHOLE = {"utilization": {"social_conversation": {"percent": 100}}}


async def workgroup(admin: Caller, **fields: Any) -> str:
    created = await admin.ok("POST", "/workgroups", {"name": new_id("name"), **fields})
    return str(created["id"])


def ring(after_s: int = 30, **fields: Any) -> Json:
    return {"after_s": after_s, **fields}


CONTRADICTIONS: dict[str, tuple[Json, str]] = {
    "two accept what one can have": (
        {"auto_accept": True, "offers_at_once": 2},
        "auto_accept connects one agent",
    ),
    "no time counts": (
        {"score_weights": {"priority": 5, "time_in_queue": 0, "time_in_system": 0}},
        "waits for ever",
    ),
    "a key of the order twice": (
        {"agent_order": ["longest_idle", "round_robin", "longest_idle"]},
        "names a key twice",
    ),
    "no order": ({"agent_order": []}, "at least 1"),
    "an unknown key of the order": ({"agent_order": ["nicest"]}, "round_robin"),
    "offers to nobody": ({"offers_at_once": 0}, "greater than or equal to 1"),
    "after_s falls": (
        {"rings": [ring(30, drop_skills=["german"]), ring(29, drop_skills=["billing"])]},
        "must not fall",
    ),
    "seven rings": (
        {"rings": [ring(n, lower_skills=[{"skill": "german"}]) for n in range(7)]},
        "at most 6",
    ),
    "a ring that does nothing": ({"rings": [ring()]}, "adds workgroups, drops skills or lowers"),
    "a ring that drops what it lowers": (
        {"rings": [ring(drop_skills=["german"], lower_skills=[{"skill": "german"}])]},
        "either drops a skill or lowers it",
    ),
    "two rings that add the same": (
        {"rings": [ring(1, workgroups=["wg_x"]), ring(2, workgroups=["wg_x"])]},
        "named by one ring only",
    ),
    "a ring before the beginning": ({"rings": [ring(-1, drop_skills=["german"])]}, "greater than"),
    "an unknown time-out action": ({"offer_timeout_action": "dismiss"}, "return_to_queue"),
    "a box without a time": ({"wrap_up": {"mode": "timeboxed"}}, "needs timeout_s"),
    "more than all of an agent": (
        {"utilization": {"social_conversation": {"percent": 101}}},
        "less than or equal to 100",
    ),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
async def test_settings_that_contradict_themselves_are_refused(admin: Caller, name: str) -> None:
    settings, reason = CONTRADICTIONS[name]
    teaching = {"required_skills": [{"skill": "german"}, {"skill": "billing"}]}
    kept = await workgroup(admin, **teaching)

    for method, path in (("POST", "/workgroups"), ("PATCH", f"/workgroups/{kept}")):
        body = {"name": "wrong", **settings} if method == "POST" else settings
        problem = await admin.refused(method, path, body, 422, "invalid_request")
        assert reason in problem["detail"], problem["detail"]

    shown = await admin.ok("GET", f"/workgroups/{kept}")
    assert shown["version"] == 1, "nothing was written"
    listed = (await admin.ok("GET", "/workgroups"))["items"]
    assert "wrong" not in {each["name"] for each in listed}


async def test_a_patch_that_contradicts_what_is_there_is_refused(admin: Caller) -> None:
    path = f"/workgroups/{await workgroup(admin, offers_at_once=3)}"

    problem = await admin.refused("PATCH", path, {"auto_accept": True}, 422, "invalid_request")

    assert "offers_at_once must be 1" in problem["detail"]


async def test_a_ring_does_not_add_its_own_workgroup(admin: Caller) -> None:
    own = await workgroup(admin)
    body = {"rings": [ring(workgroups=[own])]}

    problem = await admin.refused("PATCH", f"/workgroups/{own}", body, 422, "ring_of_itself")

    assert problem["errors"][0]["loc"] == ["body", "rings.0"]
    assert (await admin.ok("GET", f"/workgroups/{own}"))["rings"] == []


async def test_rings_may_add_each_others_workgroups_and_nothing_goes_round(
    floor: Floor,
) -> None:
    """A ring adds members, it moves nobody: two that help each other are no circle."""
    admin = floor.admin
    other = await workgroup(admin, rings=[ring(0, workgroups=[floor.workgroup])])
    mutual = {"rings": [ring(0, workgroups=[other], at_once_if_nobody=True)]}
    await admin.ok("PATCH", f"/workgroups/{floor.workgroup}", mutual)
    agent = await floor.agent(member=False)
    me = (await agent.ok("GET", "/agents/me"))["id"]
    await admin.ok("PUT", f"/workgroups/{other}/members/{me}")

    opened = await floor.open("customer")

    shown = await admin.ok("GET", f"/conversations/{opened}")
    assert shown["offer"]["agent_id"] == me
    assert shown["workgroup_id"] == floor.workgroup


@pytest.mark.parametrize(
    "fields", [{"drop_skills": ["klingon"]}, {"lower_skills": [{"skill": "klingon"}]}]
)
async def test_a_ring_names_only_skills_that_exist(admin: Caller, fields: Json) -> None:
    body = {"name": "care", "rings": [ring(1, drop_skills=["german"]), ring(2, **fields)]}
    await workgroup(admin, required_skills=[{"skill": "german"}])

    problem = await admin.refused("POST", "/workgroups", body, 422, "unknown_reference")

    assert problem["errors"][0]["loc"] == ["body", "rings.1"]
    assert "klingon" in problem["detail"]


async def test_a_ring_names_only_workgroups_that_exist(admin: Caller) -> None:
    body = {"name": "care", "rings": [ring(workgroups=["wg_nowhere"])]}

    problem = await admin.refused("POST", "/workgroups", body, 422, "unknown_reference")

    assert "wg_nowhere" in problem["detail"]


async def used_by_a_ring(admin: Caller, unused: str) -> str:
    await workgroup(admin, rings=[ring(workgroups=[unused])])
    return "rings"


async def used_by_a_rule(admin: Caller, unused: str) -> str:
    to_it = {"action": "set_workgroup", "workgroup_id": unused}
    condition = {"fact": "post.text", "contains_any": ["refund"]}
    rule = {"name": "refunds", "when": condition, "then": [to_it]}
    await admin.ok("POST", "/rules", {"trigger": "arrival", "rules": [rule]})
    return "routing rules"


async def used_by_an_overflow(admin: Caller, unused: str) -> str:
    limit = {"when_estimate_exceeds_s": 600, "workgroup_id": unused}
    await workgroup(admin, overflow=limit)
    return "workgroups that overflow to it"


async def used_by_a_member(admin: Caller, unused: str) -> str:
    name = new_id("user")
    await admin.ok("POST", "/agents", {"username": name, "name": name, "workgroups": [unused]})
    return "members"


@pytest.mark.parametrize(
    "use",
    [used_by_a_ring, used_by_a_rule, used_by_an_overflow, used_by_a_member],
    ids=lambda use: use.__name__,
)
async def test_a_workgroup_that_something_names_is_not_deleted(admin: Caller, use: Any) -> None:
    path = f"/workgroups/{(named := await workgroup(admin))}"
    by = await use(admin, named)

    problem = await admin.refused("DELETE", path, None, 409, "in_use")

    assert f"{by} refer to it" in problem["detail"]
    await admin.ok("GET", path)


async def test_a_workgroup_under_waiting_conversations_is_not_deleted(floor: Floor) -> None:
    admin, path = floor.admin, f"/workgroups/{floor.workgroup}"
    opened = await floor.open("customer")
    other = await workgroup(admin)
    moved = {"workgroup_id": other}
    await admin.ok("PATCH", f"/channels/{floor.channel}", moved)

    problem = await admin.refused("DELETE", path, None, 409, "in_use")

    assert "conversations refer to it" in problem["detail"]
    shown = await admin.ok("GET", f"/conversations/{opened}")
    assert (shown["state"], shown["workgroup_id"]) == ("queued", floor.workgroup)
    await admin.ok("POST", f"/conversations/{opened}/transfer", moved)
    assert (await admin.ok("GET", f"/conversations/{opened}"))["workgroup_id"] == other


async def test_a_workgroup_that_nothing_names_any_more_is_deleted(admin: Caller) -> None:
    unused = await workgroup(admin)
    user = await workgroup(admin, rings=[ring(workgroups=[unused])])
    await admin.ok("PATCH", f"/workgroups/{user}", {"rings": []})

    await admin.ok("DELETE", f"/workgroups/{unused}")

    await admin.refused("GET", f"/workgroups/{unused}", None, 404, "not_found")


async def full_agent(floor: Floor) -> tuple[Caller, str, str]:
    """Return an agent without room, his id, and a conversation that waits."""
    await floor.admin.ok("PATCH", f"/workgroups/{floor.workgroup}", WHOLE)
    _, agent = await floor.connect("first")
    agent_id = (await agent.ok("GET", "/agents/me"))["id"]
    return agent, agent_id, await floor.open("customer")


async def test_only_a_supervisor_overrides_capacity(floor: Floor) -> None:
    agent, agent_id, opened = await full_agent(floor)
    path, to = f"/conversations/{opened}/transfer", {"agent_id": agent_id}
    override = {**to, "override_capacity": True}

    await agent.refused("POST", path, override, 403, "forbidden")
    await floor.admin.refused("POST", path, to, 409, "agent_at_capacity")
    given = await floor.admin.ok("POST", path, override)

    assert given["offer"]["agent_id"] == agent_id
    timeline = await floor.admin.ok("GET", f"/conversations/{opened}/timeline?limit=200")
    transfers = [e["event"] for e in timeline["items"] if e["kind"] == "event"]
    (told,) = [e for e in transfers if e["type"] == "conversation.transferred"]
    assert told["detail"]["override_capacity"] is True, "it stands in the audit"


@pytest.mark.parametrize("to", [{"workgroup_id": "wg_x"}, {}])
async def test_an_override_names_an_agent(floor: Floor, to: Json) -> None:
    opened = await floor.open("customer")
    body = {**to, "override_capacity": True}
    path = f"/conversations/{opened}/transfer"

    await floor.admin.refused("POST", path, body, 422, "invalid_request")

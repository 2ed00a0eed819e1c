"""Dispositions: set up, offered, refused where only they may be given, counted."""

from typing import Any

import pytest
from pydantic import SecretStr

from api.dispositions import DispositionBody
from settings import Settings
from tests.api.conftest import Caller, Floor, Json
from tests.test_routing_documentation import API, section

PERIOD = "from=2000-01-01T00:00:00Z&to=2199-01-01T00:00:00Z"


@pytest.fixture
def settings(settings: Settings, database_url: str) -> Settings:
    return settings.model_copy(update={"database_url": SecretStr(database_url)})


async def made(admin: Caller, code: str, **fields: Any) -> Json:
    body = {"code": code, "name": code.title(), **fields}
    answer: Json = await admin.ok("POST", "/dispositions", body)
    return answer


async def codes(caller: Caller, query: str = "") -> list[str]:
    listed = await caller.ok("GET", f"/dispositions{query}")
    return [one["code"] for one in listed["items"]]


async def ended_with(floor: Floor, code: str | None) -> tuple[str, Caller]:
    opened, agent = await floor.connect(f"customer of {code}")
    body = {} if code is None else {"wrap_up_code": code}
    await agent.ok("POST", f"/conversations/{opened}/disconnect", body)
    await agent.ok("PUT", "/agents/me/status", {"routing_status": "off_queue"})
    return opened, agent


async def test_a_disposition_lives_as_set_up_resources_do(floor: Floor) -> None:
    admin = floor.admin
    body = {"code": "refund", "name": "Refund", "workgroups": [floor.workgroup], "position": 2}
    answer = await admin.call("POST", "/dispositions", body, key="once")
    again = await admin.call("POST", "/dispositions", body, key="once")
    assert (answer.status_code, again.json()) == (201, answer.json())
    one = answer.json()
    path = f"/dispositions/{one['id']}"
    assert (await admin.call("GET", path)).headers["etag"] == '"1"'

    changed = await admin.ok("PATCH", path, {"name": "Money back", "active": False})
    assert changed == one | {"name": "Money back", "active": False, "version": 2}
    headers = {"Authorization": f"Bearer {admin.key}", "If-Match": '"1"'}
    late = await admin.http.patch(f"/api/v1{path}", json={"name": "x"}, headers=headers)
    assert (late.status_code, late.json()["code"]) == (412, "version_mismatch")
    await admin.refused("PATCH", path, {"code": "other"}, 422, "never_changes")

    await admin.ok("DELETE", path)
    await admin.refused("GET", path, None, 404, "not_found")


@pytest.mark.parametrize(
    ("field", "value"),
    [("code", ""), ("code", " "), ("name", ""), ("position", -1), ("active", "yes"), ("x", 1)],
)
async def test_a_mistake_is_told_at_its_field(admin: Caller, field: str, value: object) -> None:
    body = {"code": "refund", "name": "Refund", field: value}
    problem = await admin.refused("POST", "/dispositions", body, 422, "invalid_request")
    assert problem["errors"][0]["loc"] == ["body", field]


async def test_a_code_is_taken_once_and_workgroups_have_to_exist(admin: Caller) -> None:
    await made(admin, "refund")
    body = {"code": "refund", "name": "Other"}
    await admin.refused("POST", "/dispositions", body, 409, "name_taken")
    lost: Json = {"code": "new", "name": "New", "workgroups": ["wg_none"]}
    await admin.refused("POST", "/dispositions", lost, 422, "unknown_reference")
    assert await codes(admin) == ["refund"]


async def test_agents_read_their_workgroups_and_everybodys_in_order(floor: Floor) -> None:
    other = await Floor(floor.admin).set_up()
    await made(floor.admin, "z-first", position=0, workgroups=[floor.workgroup])
    await made(floor.admin, "a-second", position=1)
    await made(floor.admin, "gone", position=2, active=False)
    theirs = await made(floor.admin, "theirs", position=3, workgroups=[other.workgroup])
    agent = await floor.agent()

    assert await codes(agent) == ["z-first", "a-second", "gone"]
    assert await codes(agent, "?active=true") == ["z-first", "a-second"]
    there = f"?workgroup_id={other.workgroup}"
    assert await codes(floor.admin, there) == ["a-second", "gone", "theirs"]
    first = await agent.ok("GET", "/dispositions?limit=2")
    rest = await agent.ok("GET", f"/dispositions?limit=2&cursor={first['next_cursor']}")
    assert [one["code"] for one in rest["items"]] == ["gone"]
    await agent.refused("GET", f"/dispositions/{theirs['id']}", None, 404, "not_found")
    await agent.refused("POST", "/dispositions", {}, 403, "forbidden")


async def test_only_what_is_offered_may_be_given_where_the_workgroup_says_so(admin: Caller) -> None:
    wrap_up = {"mode": "mandatory", "only_offered": True, "codes": ["listed"]}
    floor = await Floor(admin).set_up(wrap_up=wrap_up)
    other = await Floor(admin).set_up()
    await made(admin, "general")
    await made(admin, "own", workgroups=[floor.workgroup])
    await made(admin, "theirs", workgroups=[other.workgroup])
    await made(admin, "old", active=False)
    opened, agent = await ended_with(floor, None)

    path = f"/conversations/{opened}/wrapup"
    for code in ("theirs", "old", "made up"):
        body = {"wrap_up_code": code, "done": True}
        problem = await agent.refused("POST", path, body, 409, "unknown_wrap_up_code")
        assert "listed, general, own" in problem["detail"]
    missing = await agent.refused("POST", path, {"done": True}, 409, "wrap_up_code_required")
    assert "listed, general, own" in missing["detail"]
    done = await agent.ok("POST", path, {"wrap_up_code": "own", "done": True})
    assert done["wrap_up_code"] == "own"


async def test_any_code_may_be_given_where_nothing_is_offered(admin: Caller) -> None:
    floor = await Floor(admin).set_up(wrap_up={"mode": "mandatory", "only_offered": True})
    opened, _ = await ended_with(floor, "made up")
    conversation = await admin.ok("GET", f"/conversations/{opened}")
    assert (conversation["state"], conversation["wrap_up_code"]) == ("completed", "made up")


async def test_what_conversations_ended_with_is_switched_off_and_not_deleted(floor: Floor) -> None:
    one = await made(floor.admin, "refund")
    await ended_with(floor, "refund")

    path = f"/dispositions/{one['id']}"
    problem = await floor.admin.refused("DELETE", path, None, 409, "in_use")
    assert "conversations that ended with it" in problem["detail"]
    assert not (await floor.admin.ok("PATCH", path, {"active": False}))["active"]


async def test_a_workgroup_with_dispositions_is_in_use(admin: Caller) -> None:
    group = await admin.ok("POST", "/workgroups", {"name": "Returns"})
    one = await made(admin, "refund", workgroups=[group["id"]])

    path = f"/workgroups/{group['id']}"
    problem = await admin.refused("DELETE", path, None, 409, "in_use")
    assert "dispositions" in problem["detail"]
    await admin.ok("DELETE", f"/dispositions/{one['id']}")
    await admin.ok("DELETE", path)


async def test_ends_are_counted_by_code_and_seen_by_whom_they_concern(floor: Floor) -> None:
    other = await Floor(floor.admin).set_up()
    for code in ("refund", "late"):
        await made(floor.admin, code)
    for place, code in ((floor, "refund"), (floor, "no disposition"), (other, "late")):
        await ended_with(place, code)
    await ended_with(floor, "refund")
    agent = await floor.agent(on_queue=False)

    told = await agent.ok("GET", f"/statistics/dispositions?{PERIOD}")
    ours = {"workgroup_id": floor.workgroup, "code": "refund", "conversations": 2}
    assert told["items"] == [ours]
    everywhere = await floor.admin.ok("GET", f"/statistics/dispositions?{PERIOD}")
    assert [one["conversations"] for one in everywhere["items"] if one["code"] == "late"] == [1]
    asked = f"/statistics/dispositions?workgroup_id={other.workgroup}&{PERIOD}"
    await agent.refused("GET", asked, None, 404, "not_found")
    empty = "from=2030-01-01T00:00:00Z&to=2030-01-01T00:00:00Z"
    await agent.refused("GET", f"/statistics/dispositions?{empty}", None, 422, "period_empty")
    early = "from=2000-01-01T00:00:00Z&to=2001-01-01T00:00:00Z"
    assert (await agent.ok("GET", f"/statistics/dispositions?{early}"))["items"] == []


def test_the_documentation_names_every_field() -> None:
    told = section("Dispositions", API)
    assert [name for name in DispositionBody.model_fields if f"`{name}`" not in told] == []

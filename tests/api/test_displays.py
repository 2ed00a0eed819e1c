"""Displays: a token for a screen reads figures of its workgroups, and nothing else."""

import asyncio

import pytest
from pydantic import SecretStr

from api.policy import ANYBODY, POLICY, Role
from settings import Settings
from storage import displays, principals
from storage.database import Database
from tests.api.conftest import Caller, Floor, Json
from tests.api.test_rights import some_path
from tests.clocks import Clock

FIGURES = ("/statistics/now", "/statistics/agents")


@pytest.fixture
def settings(settings: Settings, database_url: str) -> Settings:
    return settings.model_copy(update={"database_url": SecretStr(database_url)})


async def display(floor: Floor, **fields: object) -> tuple[Json, Caller]:
    made = await floor.admin.ok("POST", "/displays", {"name": "hall", **fields})
    return made, Caller(floor.admin.http, made["token"])


async def test_a_display_reads_the_figures_of_its_workgroups_without_names(floor: Floor) -> None:
    other = await Floor(floor.admin).set_up()
    await floor.agent()
    await other.agent()
    await floor.open("customer")
    made, screen = await display(floor, workgroups=[floor.workgroup])

    (now,) = (await screen.ok("GET", "/statistics/now"))["items"]
    assert (now["workgroup_id"], now["alerting"]) == (floor.workgroup, 1)
    (agent,) = (await screen.ok("GET", "/statistics/agents"))["items"]
    assert (agent["name"], agent["reason"], agent["routing_status"]) == (None, None, "on_queue")
    assert agent["workgroups"] == [floor.workgroup]
    period = "from=2030-01-01T00:00:00Z&to=2030-01-01T00:15:00Z"
    told = await screen.ok("GET", f"/statistics/intervals?{period}")
    assert {item["workgroup_id"] for item in told["items"]} == {floor.workgroup}
    for asked in (other.workgroup, "nothing"):
        path = f"/statistics/intervals?{period}&workgroup_id={asked}"
        await screen.refused("GET", path, None, 404, "not_found")
    assert "token" not in (await floor.admin.ok("GET", "/displays"))["items"][0]
    assert made["workgroups"] == [floor.workgroup]


async def test_it_shows_agents_only_where_that_is_wanted(floor: Floor) -> None:
    agent = await floor.agent(on_queue=False)
    off = {"routing_status": "off_queue", "reason": "Lunch"}
    await agent.ok("PUT", "/agents/me/status", {"routing_status": "on_queue"})
    await agent.ok("PUT", "/agents/me/status", off)
    _, screen = await display(floor, shows_agents=True)
    (seen,) = (await screen.ok("GET", "/statistics/agents"))["items"]
    assert (seen["name"], seen["reason"]) == (
        (await agent.ok("GET", "/agents/me"))["name"],
        "Lunch",
    )
    (own,) = (await agent.ok("GET", "/statistics/agents"))["items"]
    assert own == seen


async def test_a_display_may_do_nothing_else(floor: Floor) -> None:
    _, screen = await display(floor)
    for route in sorted(POLICY):
        if POLICY[route] == ANYBODY or Role.DISPLAY in POLICY[route]:
            continue
        method, path = some_path(route)
        body: Json | None = None if method in {"GET", "DELETE"} else {}
        await screen.refused(method, path, body, 403, "forbidden")
    assert {route for route in POLICY if Role.DISPLAY in POLICY[route]} == {
        "GET /session",
        "GET /statistics/now",
        "GET /statistics/agents",
        "GET /statistics/intervals",
    }


async def test_a_token_that_was_taken_back_opens_nothing(floor: Floor) -> None:
    made, screen = await display(floor)
    for path in FIGURES:
        await screen.ok("GET", path)

    await floor.admin.ok("DELETE", f"/displays/{made['id']}")

    for path in FIGURES:
        await screen.refused("GET", path, None, 401, "unauthenticated")
    await floor.admin.refused("DELETE", f"/displays/{made['id']}", None, 404, "not_found")


async def test_a_token_whose_time_is_over_is_nobodys(database: Database, clock: Clock) -> None:
    ends = clock.now + 60_000
    wanted = displays.Wanted("hall", (), shows_agents=False, expires_at=ends, created_by="x")
    _, token = await database.write(lambda k: displays.create(k, wanted))
    clock.advance(ms=59_999)
    known = await database.read(lambda k: principals.by_key(k, token))
    assert known is not None
    assert known.roles == {"display"}
    clock.advance(ms=1)
    assert await database.read(lambda k: principals.by_key(k, token)) is None


async def test_its_last_use_is_told(floor: Floor) -> None:
    await display(floor)
    _, screen = await display(floor)
    await screen.ok("GET", "/statistics/now")
    uses: list[str | None] = [None, None]
    for _ in range(40):
        uses = [row["last_used_at"] for row in (await floor.admin.ok("GET", "/displays"))["items"]]
        if uses[1]:
            break
        await asyncio.sleep(0.05)
    assert uses[0] is None
    assert uses[1] is not None


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"name": ""}, "invalid_request", "name"),
        ({"workgroups": ["nothing"]}, "unknown_reference", "workgroups"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "invalid_request", "expires_at"),
        ({"expires_at": "2199-01-01T00:00:00Z"}, "invalid_request", "expires_at"),
    ],
)
async def test_what_makes_no_display_says_where(
    floor: Floor, fields: Json, code: str, field: str
) -> None:
    problem = await floor.admin.refused("POST", "/displays", {"name": "x"} | fields, 422, code)
    assert field in str(problem["errors"])


async def test_nobody_is_given_the_role_of_a_display(floor: Floor) -> None:
    body = {"username": "screen", "name": "screen", "roles": ["display"]}
    await floor.admin.refused("POST", "/agents", body, 422, "invalid_request")
    agent = await floor.agent()
    await agent.refused("POST", "/displays", {"name": "x"}, 403, "forbidden")

"""Who may call what: every route, nobody and every wrong role."""

import pytest

from api.main import PREFIX, create_app
from api.policy import ANYBODY, POLICY, Role, effective
from settings import Settings
from tests.api.conftest import Caller, Floor, Json

ROUTES = sorted(POLICY)
GUARDED = [route for route in ROUTES if POLICY[route] != ANYBODY]


def some_path(route: str) -> tuple[str, str]:
    method, path = route.split(" ")
    filled = [part if not part.startswith("{") else "none" for part in path.split("/")]
    return method, "/".join(filled)


def test_every_route_of_the_application_is_in_the_policy(settings: Settings) -> None:
    described = create_app(settings).openapi()["paths"]
    routes = {
        f"{method.upper()} {path.removeprefix(PREFIX)}"
        for path, methods in described.items()
        for method in methods
    }

    assert routes == set(POLICY)


async def test_nobody_without_a_key_gets_anywhere(nobody: Caller) -> None:
    for route in GUARDED:
        method, path = some_path(route)
        body: Json | None = None if method in {"GET", "DELETE"} else {}
        await nobody.refused(method, path, body, 401, "unauthenticated")


async def test_a_wrong_key_gets_nowhere(nobody: Caller) -> None:
    stranger = Caller(nobody.http, "wrong")

    await stranger.refused("GET", "/conversations", None, 401, "unauthenticated")


@pytest.mark.parametrize("role", [Role.AGENT, Role.SUPERVISOR, Role.INTEGRATOR])
async def test_a_missing_right_is_403_on_every_route(floor: Floor, role: Role) -> None:
    caller = await floor.agent(role, on_queue=False)
    may = effective(frozenset({role}))

    for route in GUARDED:
        if POLICY[route] & may:
            continue
        method, path = some_path(route)
        body: Json | None = None if method in {"GET", "DELETE"} else {}
        await caller.refused(method, path, body, 403, "forbidden")


async def test_an_agent_sees_its_workgroups_and_its_past_and_nothing_else(floor: Floor) -> None:
    opened, agent = await floor.connect("customer")
    stranger = await floor.agent(member=False)

    assert (await agent.ok("GET", f"/conversations/{opened}"))["id"] == opened
    for path in ("", "/timeline", "/decisions"):
        await stranger.refused("GET", f"/conversations/{opened}{path}", None, 404, "not_found")
    assert (await stranger.ok("GET", "/conversations"))["items"] == []
    await stranger.refused("POST", f"/conversations/{opened}/hold", {}, 404, "not_found")


async def test_a_revoked_key_opens_nothing(floor: Floor) -> None:
    agent = await floor.agent()
    me = await agent.ok("GET", "/agents/me")
    made = await floor.admin.ok("POST", f"/agents/{me['id']}/keys", {})
    other = Caller(floor.admin.http, made["key"])
    await other.ok("GET", "/agents/me")

    await floor.admin.ok("DELETE", f"/keys/{made['id']}")

    await other.refused("GET", "/agents/me", None, 401, "unauthenticated")
    await agent.ok("GET", "/agents/me")


async def test_a_session_is_for_parleys_own_pages_only(floor: Floor) -> None:
    agent = await floor.agent(on_queue=False)
    opened = await agent.http.post("/api/v1/session", json={"key": agent.key})
    assert opened.status_code == 204
    cookie = opened.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    by_cookie = Caller(agent.http, None)
    assert (await by_cookie.ok("GET", "/session"))["agent_id"] is not None

    body = {"routing_status": "on_queue"}
    await by_cookie.refused("PUT", "/agents/me/status", body, 403, "cross_site_request")
    ours = {"Origin": "http://parley.test"}
    answer = await agent.http.put("/api/v1/agents/me/status", json=body, headers=ours)
    assert answer.status_code == 200

    await agent.http.delete("/api/v1/session", headers=ours)
    agent.http.cookies.clear()
    await by_cookie.refused("GET", "/session", None, 401, "unauthenticated")

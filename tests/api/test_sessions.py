"""Sessions: how they are kept by browsers, what renews them, what ends them, who may send them."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import select

from api.main import create_app
from settings import Settings
from storage import sessions
from storage.database import open_database
from storage.principals import IDLE_MS, LONGEST_SESSION_MS, hash_of
from storage.sessions import SESSIONS
from tests.api.browsers import GOOD, HOST, OTHER, Browser, browser_of
from tests.api.conftest import ADMIN_KEY, Caller, Floor, Json
from tests.api.streaming import Served, served  # noqa: F401 - a fixture
from tests.clocks import Clock

CLOSES_WITHIN_S = 5


@pytest_asyncio.fixture
async def agent(floor: Floor) -> Json:
    agent_id, username = await floor.somebody()
    return {"id": agent_id, "username": username}


@pytest_asyncio.fixture
async def signed_in(agent: Json, browser: Browser) -> Browser:
    assert (await browser.sign_in(agent["username"], GOOD)).status_code == 204
    return browser


async def test_asvs_7_2_3_a_token_is_256_random_bits_and_only_its_hash_is_stored(
    signed_in: Browser, app: FastAPI
) -> None:
    token = str(signed_in.token)
    stored = await app.state.context.database.read(
        lambda k: k.execute(select(SESSIONS)).mappings().one()
    )

    assert len(token.removeprefix("ps_")) == 43
    assert stored["token_hash"] == hash_of(token)
    assert token not in str(dict(stored))


async def test_asvs_3_3_1_the_cookie_is_for_https_for_the_host_and_for_no_script(
    settings: Settings,
) -> None:
    secure = settings.model_copy(update={"public_url": "https://parley.test"})
    app = create_app(secure)
    async with app.router.lifespan_context(app):
        browser = browser_of(app, host="https://parley.test")
        key = {"key": ADMIN_KEY}
        origin = {"Origin": "https://parley.test"}
        opened = await browser.call("POST", "/session", key, **origin)
        left = await browser.call("DELETE", "/session", **origin)

    for answer in (opened, left):
        said = answer.headers["set-cookie"]
        assert said.startswith("__Host-parley_session=")
        assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= set(said.split("; "))
        assert "Domain" not in said
        assert answer.headers["cache-control"] == "no-store"
    assert left.headers["clear-site-data"] == '"storage"'


async def test_asvs_7_2_4_signing_in_again_ends_what_the_browser_had(
    signed_in: Browser, agent: Json
) -> None:
    before = signed_in.token
    assert (await signed_in.sign_in(agent["username"], GOOD)).status_code == 204

    assert signed_in.token != before
    assert len(await signed_in.sessions()) == 1


SITES: list[dict[str, str]] = [
    {"Origin": "https://evil.test", "Sec_Fetch_Site": "cross-site"},
    {"Origin": "null", "Sec_Fetch_Site": "cross-site"},
    {"Origin": "null"},
    {"Origin": HOST, "Sec_Fetch_Site": "same-site"},
    {"Origin": "http://parley.test.evil.test"},
    {"Origin": "http://parley.test:81"},
]


async def test_asvs_3_5_1_no_other_site_signs_in_or_out_or_does_anything(
    signed_in: Browser, agent: Json
) -> None:
    name = {"username": agent["username"], "password": GOOD}
    calls: list[tuple[str, str, Json | None]] = [
        ("POST", "/session", name),
        ("DELETE", "/session", None),
        ("DELETE", "/sessions", None),
        ("PUT", "/session/password", {"current": GOOD, "new": OTHER}),
        ("PUT", "/agents/me/status", {"routing_status": "on_queue"}),
    ]
    before = signed_in.token

    for site, (method, path, body) in itertools.product(SITES, calls):
        answer = await signed_in.call(method, path, body, **site)
        said = (answer.status_code, answer.json()["code"])
        assert said == (403, "cross_site_request"), (site, path)
        assert "access-control-allow-origin" not in answer.headers
    assert signed_in.token == before
    assert len(await signed_in.sessions()) == 1


async def test_asvs_3_5_2_a_form_and_a_call_without_cors_are_no_json(signed_in: Browser) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        headers = {"Content-Type": kind, "Sec-Fetch-Site": "cross-site"}
        answer = await signed_in.http.post(
            "/api/v1/session", content='{"key": "k"}', headers=headers
        )
        assert answer.status_code in {403, 415}
        answer = await signed_in.http.put(
            "/api/v1/agents/me/status", content='{"routing_status": "on_queue"}', headers=headers
        )
        assert answer.status_code == 403
    without = await signed_in.http.put(
        "/api/v1/agents/me/status", json={"routing_status": "on_queue"}
    )
    assert without.status_code == 403


async def test_asvs_7_5_2_one_sees_ones_own_sessions_and_ends_them(
    signed_in: Browser, agent: Json, floor: Floor, app: FastAPI
) -> None:
    elsewhere = browser_of(app)
    elsewhere.http.headers["User-Agent"] = "a browser of the tests"
    await elsewhere.sign_in(agent["username"], GOOD)
    other = await floor.agent(on_queue=False)
    await other.http.post("/api/v1/session", json={"key": other.key})

    here, there = await signed_in.sessions()
    assert (here["is_this"], there["is_this"]) == (True, False)
    assert (there["browser"], there["opened_by"]) == ("a browser of the tests", "password")
    assert await signed_in.status("DELETE", "/sessions/none") == 404
    assert await signed_in.status("DELETE", f"/sessions/{there['id']}") == 204
    assert await elsewhere.status("GET", "/session") == 401

    await elsewhere.sign_in(agent["username"], GOOD)
    left = await signed_in.call("DELETE", "/sessions")
    assert left.headers["clear-site-data"] == '"storage"'
    assert signed_in.token is None
    assert await elsewhere.status("GET", "/session") == 401
    assert (await other.call("GET", "/sessions")).json()["items"] != []


async def test_asvs_7_4_5_an_administrator_ends_an_agents_sessions(
    signed_in: Browser, agent: Json, floor: Floor
) -> None:
    await floor.admin.ok("DELETE", f"/agents/{agent['id']}/sessions")
    assert await signed_in.status("GET", "/session") == 401
    await floor.admin.refused("DELETE", "/agents/none/sessions", None, 404, "not_found")


async def test_asvs_7_4_2_a_session_does_not_come_back_with_the_account(
    signed_in: Browser, agent: Json, floor: Floor
) -> None:
    path = f"/agents/{agent['id']}"
    await floor.admin.ok("PATCH", path, {"enabled": False})
    assert await signed_in.status("GET", "/session") == 401
    await floor.admin.ok("PATCH", path, {"enabled": True})
    assert await signed_in.status("GET", "/session") == 401


Ending = Callable[[Floor, Browser, str], Awaitable[object]]


async def _out(_: Floor, browser: Browser, __: str) -> None:
    assert await browser.status("DELETE", "/session") == 204


async def _change(_: Floor, browser: Browser, __: str) -> None:
    body = {"current": GOOD, "new": OTHER}
    assert await browser.status("PUT", "/session/password", body) == 204


async def _disable(floor: Floor, _: Browser, agent_id: str) -> None:
    await floor.admin.ok("PATCH", f"/agents/{agent_id}", {"enabled": False})


async def _delete(floor: Floor, _: Browser, agent_id: str) -> None:
    await floor.admin.ok("DELETE", f"/agents/{agent_id}")


async def _end(floor: Floor, _: Browser, agent_id: str) -> None:
    await floor.admin.ok("DELETE", f"/agents/{agent_id}/sessions")


@pytest.mark.parametrize("ending", [_out, _change, _disable, _delete, _end])
async def test_asvs_7_4_1_an_open_stream_closes_within_five_seconds(
    served: Served,  # noqa: F811
    ending: Ending,
) -> None:
    await closes_a_stream(served, ending)


async def closes_a_stream(served: Served, ending: Ending) -> None:  # noqa: F811
    """Open a stream by a session, end the session, and wait until the stream has closed."""
    agent_id, username = await served.floor.somebody()
    async with httpx.AsyncClient(base_url=served.url) as http:
        browser = Browser(http, served.url)
        assert (await browser.sign_in(username, GOOD)).status_code == 204
        async with http.stream("GET", "/api/v1/events", timeout=20) as stream:
            assert stream.status_code == 200
            lines = stream.aiter_lines()
            assert (await anext(lines)).startswith("retry")
            await ending(served.floor, browser, agent_id)
            async with asyncio.timeout(CLOSES_WITHIN_S):
                async for _ in lines:
                    pass


async def test_a_session_that_another_process_ended_closes_its_stream_too(
    served: Served,  # noqa: F811
    settings: Settings,
) -> None:
    async def end_there(_: Floor, __: Browser, agent_id: str) -> None:
        elsewhere = open_database(settings.database_url.get_secret_value())
        await elsewhere.write(lambda k: sessions.end_all_of_agent(k, agent_id))
        await elsewhere.close()

    await closes_a_stream(served, end_there)


class Aged:
    """A browser that is signed in on a server whose time the test makes pass."""

    def __init__(self, browser: Browser, clock: Clock) -> None:
        self.browser, self.clock = browser, clock

    async def is_in(self) -> bool:
        """Look without being a use; what the server remembers of a moment ago does not count."""
        context = self.browser.app.state.context
        context.doorkeeper.forget()
        return await self.browser.status("GET", "/session", Parley_Attended="no") == 200

    async def last_used_at(self) -> int:
        context = self.browser.app.state.context
        await asyncio.gather(*context.doorkeeper._writing)
        query = select(SESSIONS.c.last_used_at)
        return int(await context.database.read(lambda k: k.execute(query).scalar_one()))


@pytest_asyncio.fixture
async def aged(
    settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Aged]:
    monkeypatch.setattr("api.main.open_database", lambda url: open_database(url, clock))
    monkeypatch.setattr("api.doorkeeper.NOTED_EVERY_S", 0.0)
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        http = browser_of(app).http
        key = await (await Floor(Caller(http, ADMIN_KEY)).set_up()).agent(on_queue=False)
        browser = browser_of(app)
        assert await browser.status("POST", "/session", {"key": key.key}) == 204
        yield Aged(browser, clock)


async def test_asvs_7_3_1_a_session_ends_after_half_an_hour_without_use(aged: Aged) -> None:
    aged.clock.advance(ms=IDLE_MS - 1)
    assert await aged.is_in()
    aged.clock.advance(ms=1)
    assert not await aged.is_in()


async def test_asvs_7_3_2_a_session_ends_after_twelve_hours_however_it_is_used(aged: Aged) -> None:
    ends_at = (await aged.browser.call("GET", "/session")).json()["ends_at"]
    for _ in range(LONGEST_SESSION_MS // IDLE_MS * 2 - 1):
        aged.clock.advance(ms=IDLE_MS // 2)
        assert await aged.browser.status("GET", "/agents/me") == 200
        await aged.last_used_at()
    said = (await aged.browser.call("GET", "/session")).json()
    assert said["expires_at"] == said["ends_at"] == ends_at
    aged.clock.advance(ms=IDLE_MS // 2)
    assert not await aged.is_in()


async def test_what_a_page_does_by_itself_keeps_no_session_alive(aged: Aged) -> None:
    opened_at = await aged.last_used_at()
    aged.clock.advance(s=600)
    await aged.browser.status("POST", "/agents/me/heartbeat")
    await aged.browser.status("POST", "/conversations/none/presence", {"activity": "looking"})
    await aged.browser.status("GET", "/agents/me", Parley_Attended="no")
    await aged.browser.status("GET", "/events?after=x")
    assert await aged.last_used_at() == opened_at

    await aged.browser.status("GET", "/session")
    assert await aged.last_used_at() == aged.clock.now


async def test_a_use_is_written_once_a_minute_at_most(
    aged: Aged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.doorkeeper.NOTED_EVERY_S", 60.0)
    await aged.browser.status("GET", "/agents/me")
    first = await aged.last_used_at()
    aged.clock.advance(s=10)
    for _ in range(5):
        await aged.browser.status("GET", "/agents/me")
    assert await aged.last_used_at() == first

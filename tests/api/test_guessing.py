"""Guessing passwords: who tries too often waits, on every process, and learns nothing."""

from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import update

from api.main import create_app
from api.sign_in import _network_of
from settings import Settings
from storage.sign_in_attempts import ATTEMPTS
from tests.api.browsers import GOOD, OTHER, Browser, browser_of
from tests.api.conftest import Floor

FREE = 6


async def fail(browser: Browser, username: str, times: int = FREE) -> list[int]:
    return [(await browser.sign_in(username, "a wrong one")).status_code for _ in range(times)]


async def time_passes(app: FastAPI) -> None:
    """Let every pause be over."""
    over = update(ATTEMPTS).values(blocked_until=0)
    await app.state.context.database.write(lambda k: k.execute(over))


def said(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json()["code"]


async def test_asvs_6_3_1_the_right_password_waits_too_and_nobody_is_told(
    floor: Floor, browser: Browser, app: FastAPI
) -> None:
    _, username = await floor.somebody()
    assert await fail(browser, username) == [401] * FREE

    right = await browser.sign_in(username, GOOD)
    wrong = await browser.sign_in(username, OTHER)

    assert said(right) == said(wrong) == (429, "too_many_attempts")
    assert right.json()["detail"] == wrong.json()["detail"]
    assert int(right.headers["retry-after"]) == 1
    assert browser.token is None
    await time_passes(app)
    assert (await browser.sign_in(username, GOOD)).status_code == 204
    assert await fail(browser, username) == [401] * FREE


async def test_a_name_that_nobody_has_waits_as_one_that_somebody_has(browser: Browser) -> None:
    assert await fail(browser, "nobody", FREE + 1) == [401] * FREE + [429]


async def test_it_counts_on_every_process_and_after_a_restart(
    floor: Floor, browser: Browser, settings: Settings
) -> None:
    _, username = await floor.somebody()
    await fail(browser, username)

    other = create_app(settings)
    async with other.router.lifespan_context(other):
        answer = await browser_of(other, "198.51.100.9").sign_in(username, GOOD)
    assert answer.status_code == 429


async def test_keys_and_open_sessions_go_on_meanwhile(
    floor: Floor, browser: Browser, app: FastAPI
) -> None:
    agent_id, username = await floor.somebody()
    await browser.sign_in(username, GOOD)
    await fail(browser_of(app, "198.51.100.9"), username)

    assert await browser.status("GET", "/agents/me") == 200
    made = await floor.admin.ok("POST", f"/agents/{agent_id}/keys", {})
    assert await browser.status("POST", "/session", {"key": made["key"]}) == 204


async def test_the_present_password_cannot_be_guessed_from_a_session_that_was_left_open(
    floor: Floor, browser: Browser
) -> None:
    _, username = await floor.somebody()
    await browser.sign_in(username, GOOD)
    body = {"current": OTHER, "new": "something quite else"}

    tried = [await browser.status("PUT", "/session/password", body) for _ in range(FREE + 1)]

    assert tried == [409] * FREE + [429]
    body["current"] = GOOD
    assert await browser.status("PUT", "/session/password", body) == 429


async def test_too_many_comparisons_at_once_are_put_off(
    floor: Floor, browser: Browser, app: FastAPI
) -> None:
    _, username = await floor.somebody()
    hashing = app.state.context.passwords
    hashing._waiting = 32
    assert said(await browser.sign_in(username, GOOD)) == (429, "too_many_attempts")
    hashing._waiting = 0
    assert (await browser.sign_in(username, GOOD)).status_code == 204


def test_all_addresses_of_an_ipv6_network_count_as_one() -> None:
    def network(host: str) -> str:
        request: Any = type("Request", (), {"client": type("Client", (), {"host": host})})
        return _network_of(request)

    assert network("2001:db8:1:2::7") == network("2001:db8:1:2:ffff::1") == "2001:db8:1:2::/64"
    assert network("2001:db8:1:3::7") != network("2001:db8:1:2::7")
    assert network("192.0.2.7") == "192.0.2.7"
    assert network("::ffff:192.0.2.7") == "192.0.2.7"
    assert network("fe80::7%eth0") == "fe80::/64"
    assert network("testclient") == "testclient"

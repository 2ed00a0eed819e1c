"""Passwords: given, chosen, changed, and refused when everybody would guess them."""

import asyncio
from typing import Any, Literal

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY
from fastapi import FastAPI
from sqlalchemy import Connection, select, update

from api.hashing import PasswordHashing
from api.password_rules import is_guessed_first
from storage.passwords import PASSWORDS
from tests.api.browsers import GOOD, OTHER, Browser, browser_of
from tests.api.conftest import Caller, Floor


class Noting(PasswordHasher):
    """Remembers what it compared with."""

    def __init__(self) -> None:
        super().__init__()
        self.compared: list[str] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
        self.compared.append(str(hash))
        return super().verify(hash, password)


def test_asvs_6_2_4_common_passwords_and_ones_own_name_are_refused() -> None:
    for common in ("password", "PassWord", "12345678", "qwertyuiop", "iloveyou", "agent-7"):
        assert is_guessed_first(common, ("agent-7", "Seven")), common
    for good in ("seven green lamps", "correct horse battery", "agent-7 has a lamp"):
        assert not is_guessed_first(good, ("agent-7", "Seven")), good


async def test_asvs_6_2_1_the_shortest_password_has_eight_characters(
    floor: Floor, browser: Browser
) -> None:
    agent_id, username = await floor.somebody(None)
    path = f"/agents/{agent_id}/password"

    refused = await floor.admin.refused(
        "PUT", path, {"password": "7 lamps"}, 422, "invalid_request"
    )
    assert refused["errors"][0]["loc"] == ["body", "password"]
    assert "7 lamps" not in str(refused)
    common = {"password": "Password1"}
    await floor.admin.refused("PUT", path, common, 422, "password_too_common")
    await floor.admin.ok("PUT", path, {"password": "8 lampsé"})
    assert (await browser.sign_in(username, "8 lampsé")).status_code == 204


async def test_asvs_6_2_5_and_6_2_9_long_ones_of_any_characters_are_taken_as_they_are(
    floor: Floor, browser: Browser
) -> None:
    agent_id, username = await floor.somebody(None)
    long = " ß漢字🪔 " * 32

    await floor.admin.ok("PUT", f"/agents/{agent_id}/password", {"password": long})

    assert (await browser.sign_in(username, long[:-1])).status_code == 401
    assert (await browser.sign_in(username, long.strip())).status_code == 401
    assert (await browser.sign_in(username, long)).status_code == 204


async def test_asvs_11_4_2_what_is_stored_is_argon2id_and_follows_its_parameters(
    floor: Floor, browser: Browser, app: FastAPI
) -> None:
    _, username = await floor.somebody()
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(GOOD)
    database = app.state.context.database
    await database.write(lambda k: k.execute(update(PASSWORDS).values(hash=weak)))

    assert (await browser.sign_in(username, GOOD)).status_code == 204

    def stored(connection: Connection) -> str:
        return str(connection.execute(select(PASSWORDS.c.hash)).scalar_one())

    hashed = await database.read(stored)
    assert hashed.startswith("$argon2id$")
    assert extract_parameters(hashed) == RFC_9106_LOW_MEMORY
    assert (await browser.sign_in(username, GOOD)).status_code == 204


async def test_nobody_is_compared_as_long_as_somebody_and_beside_the_event_loop() -> None:
    hashing = PasswordHashing()
    hashed = await hashing.hash(GOOD)
    noting = Noting()
    hashing._hasher = noting
    beats = 0
    asking = asyncio.gather(hashing.verify(hashed, GOOD), hashing.verify(None, GOOD))
    while not asking.done():
        beats += 1
        await asyncio.sleep(0.001)

    right, nobody = asking.result()
    assert (right.is_right, nobody.is_right) == (True, False)
    assert beats > 10
    assert len(noting.compared) == 2
    assert len({str(extract_parameters(one)) for one in noting.compared}) == 1
    assert not (await hashing.verify("no hash at all", GOOD)).is_right
    await hashing.close()


async def test_asvs_6_3_8_whoever_may_not_in_is_told_the_same(
    floor: Floor, browser: Browser
) -> None:
    _, known = await floor.somebody()
    _, without = await floor.somebody(None)
    disabled_id, disabled = await floor.somebody()
    await floor.admin.ok("PATCH", f"/agents/{disabled_id}", {"enabled": False})

    said = set()
    for username in (known, without, "nobody"):
        answer = await browser.sign_in(username, "wrong, certainly")
        said.add((answer.status_code, answer.json()["code"], answer.json()["detail"]))
    answer = await browser.sign_in(disabled, GOOD)
    said.add((answer.status_code, answer.json()["code"], answer.json()["detail"]))

    assert said == {(401, "unauthenticated", "there is nobody with this username and password")}
    assert browser.token is None


async def test_an_administrator_gives_the_first_one_and_its_owner_chooses_another(
    floor: Floor, browser: Browser, app: FastAPI
) -> None:
    agent_id, username = await floor.somebody()
    elsewhere = browser_of(app)
    for each in (browser, elsewhere):
        assert (await each.sign_in(username, GOOD)).status_code == 204
    assert (await browser.call("GET", "/session")).json()["password"] == "initial"
    before = browser.token

    wrong = {"current": OTHER, "new": OTHER}
    answer = await browser.call("PUT", "/session/password", wrong)
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_password")
    body = {"current": GOOD, "new": OTHER}
    assert await browser.status("PUT", "/session/password", body) == 204

    assert browser.token not in {None, before}
    assert (await browser.call("GET", "/session")).json()["password"] == "own"
    assert await elsewhere.status("GET", "/session") == 401
    old = browser_of(app)
    old.http.cookies.set("parley_session", str(before))
    assert await old.status("GET", "/session") == 401
    assert (await elsewhere.sign_in(username, GOOD)).status_code == 401
    assert (await elsewhere.sign_in(username, OTHER)).status_code == 204
    state = await floor.admin.ok("GET", f"/agents/{agent_id}/password")
    assert state["state"] == "own"


async def test_who_has_none_chooses_it_with_a_key(admin: Caller, app: FastAPI) -> None:
    assert (await admin.ok("GET", "/session"))["username"] == "administrator"
    await admin.ok("PUT", "/session/password", {"new": GOOD})
    await admin.refused("PUT", "/session/password", {"new": OTHER}, 409, "wrong_password")

    browser = browser_of(app)
    assert (await browser.sign_in("administrator", GOOD)).status_code == 204
    assert (await browser.call("GET", "/session")).json()["principal"]["roles"] == ["admin"]


async def test_an_agent_with_the_administrators_name_comes_first(
    floor: Floor, admin: Caller, browser: Browser
) -> None:
    await admin.ok("PUT", "/session/password", {"new": GOOD})
    body = {"username": "administrator", "name": "Somebody", "workgroups": [floor.workgroup]}
    agent = await admin.ok("POST", "/agents", body)
    await admin.ok("PUT", f"/agents/{agent['id']}/password", {"password": OTHER})

    assert (await browser.sign_in("administrator", GOOD)).status_code == 401
    assert (await browser.sign_in("administrator", OTHER)).status_code == 204
    assert (await browser.call("GET", "/session")).json()["agent_id"] == agent["id"]
    await admin.ok("PUT", "/session/password", {"current": GOOD, "new": "yet another one"})


async def test_an_administrators_own_password_needs_the_present_one(
    floor: Floor, browser: Browser
) -> None:
    agent_id, username = await floor.somebody(GOOD, "admin")
    await browser.sign_in(username, GOOD)

    answer = await browser.call("PUT", f"/agents/{agent_id}/password", {"password": OTHER})

    assert (answer.status_code, answer.json()["code"]) == (409, "own_password")


async def test_a_password_that_is_taken_or_given_ends_all_sessions(
    floor: Floor, browser: Browser
) -> None:
    agent_id, username = await floor.somebody()
    path = f"/agents/{agent_id}/password"
    await browser.sign_in(username, GOOD)
    await floor.admin.ok("PUT", path, {"password": OTHER})
    assert await browser.status("GET", "/session") == 401

    await browser.sign_in(username, OTHER)
    await floor.admin.ok("DELETE", path)
    assert await browser.status("GET", "/session") == 401
    assert (await browser.sign_in(username, OTHER)).status_code == 401
    assert (await floor.admin.ok("GET", path))["state"] == "none"
    await floor.admin.refused("DELETE", path, None, 404, "not_found")
    await floor.admin.refused("GET", "/agents/none/password", None, 404, "not_found")
    await floor.admin.ok("DELETE", f"/agents/{agent_id}")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"key": None},
        {"username": "a"},
        {"password": "b"},
        {"key": "k", "username": "a", "password": "b"},
        {"key": "k", "password": "b"},
    ],
)
async def test_a_key_or_a_name_with_a_password_and_nothing_else(
    nobody: Caller, body: dict[str, Any]
) -> None:
    await nobody.refused("POST", "/session", body, 422, "invalid_request")

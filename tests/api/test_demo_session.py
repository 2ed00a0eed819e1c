"""The demonstration's door: one click on its own machine, nothing at all anywhere else."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from fastapi import FastAPI

from settings import Settings
from tests.api.browsers import Browser, browser_of
from tests.api.conftest import Floor

HOME = "http://127.0.0.1:8000"
PEOPLE = ("agent-7", "supervisor", "administrator", "nobody")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"demo_usernames": PEOPLE})


@pytest_asyncio.fixture
async def here(app: FastAPI, floor: Floor) -> AsyncIterator[Browser]:
    """Return a browser on the demonstration's machine, whose people are made."""
    for username, role in (("agent-7", "agent"), ("supervisor", "supervisor"), ("other", "agent")):
        body = {"username": username, "name": username, "roles": [role]}
        await floor.admin.ok("POST", "/agents", body)
    yield browser_of(app, "127.0.0.1", HOME)


async def test_one_click_signs_in_as_each_of_its_people(here: Browser) -> None:
    shown = (await here.call("GET", "/session/demo")).json()["items"]
    assert [(one["username"], one["role"]) for one in shown] == [
        ("agent-7", "agent"),
        ("supervisor", "supervisor"),
        ("administrator", "admin"),
    ]

    for one in shown:
        assert await here.status("POST", "/session/demo", {"username": one["username"]}) == 204
        who = (await here.call("GET", "/session")).json()
        assert who["username"] == one["username"]
        assert one["role"] in who["principal"]["roles"]
    assert len(await here.sessions()) == 1


async def test_nobody_else_is_let_in(here: Browser) -> None:
    for username in ("other", "nobody", "agent-8"):
        assert await here.status("POST", "/session/demo", {"username": username}) == 404
    assert here.token is None


@pytest.mark.parametrize(
    ("address", "host", "header"),
    [
        ("192.0.2.7", HOME, {}),
        ("127.0.0.1", "http://parley.test", {}),
        ("127.0.0.1", "http://127.0.0.1.evil.test:8000", {}),
        ("127.0.0.1", HOME, {"X_Forwarded_For": "192.0.2.7"}),
        ("127.0.0.1", HOME, {"Forwarded": "for=192.0.2.7"}),
        ("127.0.0.1", HOME, {"Via": "1.1 proxy"}),
    ],
)
async def test_from_elsewhere_there_is_no_door(
    here: Browser, address: str, host: str, header: dict[str, str]
) -> None:
    browser = browser_of(here.app, address, host)
    body = {"username": "administrator"}

    assert await browser.status("GET", "/session/demo", **header) == 404
    assert await browser.status("POST", "/session/demo", body, **header) == 404
    assert browser.token is None


async def test_another_sites_page_on_the_same_machine_does_not_open_it(here: Browser) -> None:
    body = {"username": "administrator"}
    for origin in ("https://evil.test", "null", "http://127.0.0.1:9000"):
        assert await here.status("POST", "/session/demo", body, Origin=origin) == 403
    assert here.token is None


class TestWithoutDemonstration:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"demo_usernames": ()})

    async def test_asvs_6_3_2_there_is_no_default_account_and_no_door(self, here: Browser) -> None:
        assert await here.status("GET", "/session/demo") == 404
        for username in PEOPLE:
            assert await here.status("POST", "/session/demo", {"username": username}) == 404
            assert (await here.sign_in(username, "password")).status_code == 401

"""Accounts: what is secret goes in by any door and comes out by none."""

import json
import sqlite3
from typing import Any

import pytest

from settings import Settings
from storage.secrets import Seal
from tests.api.conftest import Caller, Json

CANARY = "canary-3f9a-secret"


def body(network: str = "simulated", **more: Any) -> Json:
    return {"network": network, "name": "brand", "settings": {}, "credentials": {}} | more


def rows(settings: Settings) -> sqlite3.Connection:
    path = settings.database_url.get_secret_value().removeprefix("sqlite:///")
    return sqlite3.connect(path)


@pytest.mark.parametrize(
    ("network", "name"),
    [
        ("simulated", "webhook_secret"),
        ("webhook", "secret"),
        ("simulated", "token"),
        ("unknown-network", "password"),
        ("unknown-network", "access_token"),
        ("unknown-network", "apiKey"),
        ("unknown-network", "client_secret"),
        ("simulated", "PRIVATE_KEY"),
    ],
)
async def test_a_secret_among_the_settings_is_sealed(
    admin: Caller, settings: Settings, network: str, name: str
) -> None:
    made = await admin.ok("POST", "/accounts", body(network, settings={name: CANARY, "shown": "x"}))

    assert made["settings"] == {"shown": "x"}
    assert made["secrets_set"] == [name]
    stored = list(rows(settings).execute("SELECT settings, secrets FROM accounts"))
    assert CANARY not in json.dumps(stored)


async def test_a_secret_stored_in_the_clear_before_it_was_known_as_one_is_not_shown(
    admin: Caller, settings: Settings
) -> None:
    made = await admin.ok("POST", "/accounts", body())
    with rows(settings) as connection:
        kept = json.dumps({"url": "http://n/", "webhook_secret": CANARY})
        connection.execute("UPDATE accounts SET settings = ?", [kept])

    shown = await admin.ok("GET", f"/accounts/{made['id']}")

    assert CANARY not in json.dumps(shown)
    assert shown["secrets_set"] == ["webhook_secret"]
    await admin.ok("PATCH", f"/accounts/{made['id']}", {"name": "other"})
    assert CANARY not in str(list(rows(settings).execute("SELECT * FROM accounts")))


async def test_a_secret_is_replaced_and_removed_by_the_door_it_came_in(
    admin: Caller, settings: Settings
) -> None:
    given = {"secret": "of yesterday", "shown": "x"}
    made = await admin.ok("POST", "/accounts", body("webhook", settings=given))
    path = f"/accounts/{made['id']}"

    await admin.ok("PATCH", path, {"settings": {"secret": CANARY}})

    ((sealed,),) = rows(settings).execute("SELECT secrets FROM accounts")
    assert Seal(settings.secret_keys[0]).open(made["id"], sealed) == {"secret": CANARY}
    removed = await admin.ok("PATCH", path, {"settings": {"secret": None}})
    assert (removed["secrets_set"], removed["settings"]) == ([], {"shown": "x"})


async def test_what_is_missing_is_named_and_not_refused(admin: Caller) -> None:
    made = await admin.ok("POST", "/accounts", body(settings={"handle": "acme"}))
    assert made["missing_settings"] == ["url", "token"]

    patch = {"settings": {"url": "http://n/"}, "credentials": {"token": "t", "webhook_secret": "w"}}
    changed = await admin.ok("PATCH", f"/accounts/{made['id']}", patch)

    assert changed["missing_settings"] == []
    assert changed["secrets_set"] == ["token", "webhook_secret"]


async def test_a_network_without_a_connector_needs_nothing(admin: Caller) -> None:
    made = await admin.ok("POST", "/accounts", body("carrier-pigeon"))

    assert made["missing_settings"] == []


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"settings": {"url": 7}}, ["settings", "url"]),
        ({"settings": {"url": "no address"}}, ["settings", "url"]),
        ({"settings": {"url": f"https://user:{CANARY}@n.example/"}}, ["settings", "url"]),
        ({"settings": {"feed": f"https://{CANARY}@n.example/"}}, ["settings", "feed"]),
        ({"settings": {"handle": {"a": 1}}}, ["settings", "handle"]),
        ({"credentials": {"token": {"a": CANARY}}}, ["credentials", "token"]),
        ({"credentials": {"token": 7}}, ["credentials", "token"]),
        ({"settings": {"token": [CANARY]}}, ["settings", "token"]),
    ],
)
async def test_a_value_of_a_wrong_type_is_refused_without_repeating_it(
    admin: Caller, more: Json, place: list[str]
) -> None:
    problem = await admin.refused("POST", "/accounts", body(**more), 422, "wrong_setting")

    assert problem["errors"][0]["loc"] == ["body", *place]
    assert CANARY not in json.dumps(problem)


async def test_secrets_that_no_key_opens_are_named_and_entered_again(
    admin: Caller, settings: Settings
) -> None:
    made = await admin.ok("POST", "/accounts", body(credentials={"token": CANARY}))
    other = await admin.ok("POST", "/accounts", body(credentials={"token": "of the other"}))
    with rows(settings) as connection:
        ((theirs,),) = connection.execute(
            "SELECT secrets FROM accounts WHERE id = ?", [other["id"]]
        )
        connection.execute("UPDATE accounts SET secrets = ? WHERE id = ?", [theirs, made["id"]])

    listed = (await admin.ok("GET", "/accounts"))["items"]
    assert made["id"] in listed[0]["secrets_trouble"]
    assert "enter the credentials again" in listed[0]["secrets_trouble"]
    assert listed[1]["secrets_trouble"] is None

    path = f"/accounts/{made['id']}"
    entered = await admin.ok("PATCH", path, {"credentials": {"token": CANARY}})
    assert (entered["secrets_set"], entered["secrets_trouble"]) == (["token"], None)

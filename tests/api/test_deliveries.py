"""Webhooks of a network: what it signed is committed before it is answered, all else is nothing."""

import json
import time

import httpx
import pytest
import pytest_asyncio

from connectors import standard_webhooks
from storage.ids import new_id
from tests.api.conftest import Caller, Floor, Json

SECRET = "whsec_" + "c2VjcmV0LW9mLXRoZS10ZXN0cw=="


def post(external_id: str, text: str = "@acme hello", **fields: object) -> Json:
    author = {"id": "9", "handle": "customer_1", "kind": "person"}
    return {
        "id": external_id,
        "author": author,
        "text": text,
        "visibility": "public",
        "created_at": "2026-01-02T03:04:05.678Z",
        **fields,
    }


def page(*posts: object) -> bytes:
    return json.dumps({"account": "acme", "posts": posts}).encode()


class Door:
    """A channel's door for its network."""

    def __init__(self, admin: Caller, channel_id: str) -> None:
        self.admin = admin
        self.channel_id = channel_id

    async def bring(self, body: bytes, *, secret: str = SECRET) -> httpx.Response:
        headers = standard_webhooks.headers(secret, "wh_1", int(time.time()), body)
        path = f"/api/v1/channels/{self.channel_id}/deliveries"
        headers["content-type"] = "application/json"
        return await self.admin.http.post(path, content=body, headers=headers)

    async def texts(self) -> list[str]:
        path = f"/conversations?channel_id={self.channel_id}"
        texts = []
        for conversation in (await self.admin.ok("GET", path))["items"]:
            told = await self.admin.ok("GET", f"/conversations/{conversation['id']}/timeline")
            texts += [e["post"]["text"] for e in told["items"] if e["kind"] == "post"]
        return texts


@pytest_asyncio.fixture
async def door(floor: Floor) -> Door:
    account = {
        "network": "simulated",
        "name": new_id("name"),
        "settings": {"url": "http://127.0.0.1:9", "handle": "acme", "delivery": "webhook"},
        "credentials": {"token": "t", "webhook_secret": SECRET},
    }
    account_id = (await floor.admin.ok("POST", "/accounts", account))["id"]
    channel = {"name": new_id("name"), "account_id": account_id, "workgroup_id": floor.workgroup}
    made = await floor.admin.ok("POST", "/channels", channel)
    return Door(floor.admin, made["id"])


async def test_what_is_signed_is_taken_in_without_a_key_and_once(door: Door) -> None:
    body = page(post("1"), post("2", "@acme again"))

    first, again = await door.bring(body), await door.bring(body)

    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == {"posts": 2, "unreadable": 0}
    assert await door.texts() == ["@acme hello", "@acme again"]


async def test_what_another_signed_is_refused_and_nothing_of_it_stored(door: Door) -> None:
    answer = await door.bring(page(post("1")), secret="whsec_Zm9yZ2VkLWZvcmdlZC1mb3JnZWQ=")

    assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")
    assert answer.headers["content-type"] == "application/problem+json"
    assert await door.texts() == []
    assert (await door.admin.ok("GET", "/quarantine"))["items"] == []


async def test_a_key_is_no_signature(door: Door) -> None:
    path = f"/channels/{door.channel_id}/deliveries"

    await door.admin.refused("POST", path, {"posts": []}, 401, "bad_signature")


async def test_what_cannot_be_understood_is_quarantined_and_its_neighbours_go_on(
    door: Door,
) -> None:
    answer = await door.bring(page(post("1"), post("2", visibility="friends"), 7))

    assert answer.json() == {"posts": 1, "unreadable": 2}
    assert await door.texts() == ["@acme hello"]
    held = (await door.admin.ok("GET", "/quarantine"))["items"]
    assert {piece["code"] for piece in held} == {"unknown_visibility", "not_an_object"}


async def test_what_cannot_be_understood_is_quarantined_once_for_all_channels(door: Door) -> None:
    called = await door.admin.ok("GET", f"/channels/{door.channel_id}")
    another = {name: called[name] for name in ("account_id", "workgroup_id")}
    await door.admin.ok("POST", "/channels", {"name": new_id("name"), **another})

    await door.bring(page(post("1"), 7))

    assert len((await door.admin.ok("GET", "/quarantine"))["items"]) == 1


async def test_signed_bytes_that_are_no_page_are_quarantined(door: Door) -> None:
    assert (await door.bring(b'{"posts": [{"id": "12\xff')).status_code == 200

    (piece,) = (await door.admin.ok("GET", "/quarantine"))["items"]
    assert piece["code"] == "not_a_page"


@pytest.mark.parametrize("change", [{"enabled": False}, {"keywords": ["parcel"]}])
async def test_a_channel_takes_what_it_is_set_up_for(door: Door, change: Json) -> None:
    await door.admin.ok("PATCH", f"/channels/{door.channel_id}", change)

    answer = await door.bring(page(post("1")))

    assert answer.status_code == (404 if "enabled" in change else 200)
    assert await door.texts() == []

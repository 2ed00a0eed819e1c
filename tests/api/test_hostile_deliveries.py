"""Deliveries by strangers, to the door of each network that signs: nothing of them is stored."""

import json
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from api.main import create_app
from api.surroundings import DELIVERY_LIMIT_BYTES
from connectors.guard import STRICT
from connectors.registry import connectors
from settings import Settings
from storage.ids import new_id
from tests.api.conftest import Caller, Floor, Json
from tests.api.signed_deliveries import FORM, SECRET, SIGNED, Signing

NETWORKS = [name for name, signing in SIGNED.items() if signing.is_there]
OTHER_SECRET = "whsec_Zm9yZ2VkLWZvcmdlZC1mb3JnZWQ="


@pytest_asyncio.fixture
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    """Open the application with every network that signs, whether it is registered yet or not."""
    made = create_app(settings)
    async with made.router.lifespan_context(made), httpx.AsyncClient() as client:
        context = made.state.context
        for name in NETWORKS:
            context.connectors.setdefault(name, SIGNED[name].connector_class(client, STRICT))
        yield made


@pytest_asyncio.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://parley.test") as client:
        yield client


class Door:
    """A channel's door, its network's way to sign, and what stands behind it."""

    def __init__(self, admin: Caller, signing: Signing, channel_id: str, public_url: str) -> None:
        self.admin = admin
        self.signing = signing
        self.path = f"/api/v1/channels/{channel_id}/deliveries"
        self._url = public_url + self.path
        self._channel_id = channel_id

    def signed(
        self, body: bytes, secret: str = SECRET, at_s: float | None = None
    ) -> dict[str, str]:
        moment = int(time.time() if at_s is None else at_s)
        return self.signing.headers(secret, body, self._url, moment)

    async def bring(self, body: bytes, headers: Json) -> httpx.Response:
        given = {"content-type": self.signing.content_type} | headers
        raw = [(name.encode(), str(value).encode("latin-1")) for name, value in given.items()]
        return await self.admin.http.post(self.path, content=body, headers=raw)

    async def texts(self) -> list[str]:
        path = f"/conversations?channel_id={self._channel_id}"
        texts = []
        for conversation in (await self.admin.ok("GET", path))["items"]:
            told = await self.admin.ok("GET", f"/conversations/{conversation['id']}/timeline")
            texts += [e["post"]["text"] for e in told["items"] if e["kind"] == "post"]
        return texts

    async def held(self) -> int:
        return len((await self.admin.ok("GET", "/quarantine"))["items"])


@pytest_asyncio.fixture(params=NETWORKS)
async def door(request: pytest.FixtureRequest, admin: Caller, settings: Settings) -> Door:
    floor, network = await Floor(admin).set_up(), request.param
    signing = SIGNED[network]
    account = {
        "network": network,
        "name": new_id("name"),
        "settings": signing.settings,
        "credentials": {signing.secret_name: SECRET, "verify_token": "ask-me"},
    }
    account_id = (await admin.ok("POST", "/accounts", account))["id"]
    channel = {"name": new_id("name"), "account_id": account_id, "workgroup_id": floor.workgroup}
    made = await admin.ok("POST", "/channels", channel)
    return Door(admin, signing, made["id"], settings.public_url)


def test_it_is_known_how_each_network_signs() -> None:
    spoken = connectors(httpx.AsyncClient(), STRICT)
    signing = {name for name, one in spoken.items() if one.signing_setting is not None}

    assert signing <= set(SIGNED), "say in tests/api/signed_deliveries.py how it signs"


async def test_what_the_network_signed_is_taken_once_however_often_it_comes(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = door.signing.delivery(1)
    headers, began_at = door.signed(body), time.time()

    assert (await door.bring(body, headers)).status_code == 200
    (text,) = await door.texts()
    for later_s, refuses in (
        (1, False),
        (600, door.signing.has_time),
        (86_400, door.signing.has_time),
    ):
        monkeypatch.setattr(time, "time", lambda later_s=later_s: began_at + later_s)
        again = await door.bring(body, headers)
        assert again.status_code == (401 if refuses else 200)
        assert await door.texts() == [text]
        assert await door.held() == 0


def _flipped(at: float) -> Callable[[Door, bytes], tuple[bytes, Json]]:
    def flip(door: Door, body: bytes) -> tuple[bytes, Json]:
        place = int(at * (len(body) - 1))
        return body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :], door.signed(body)

    return flip


def _with(value: str) -> Callable[[Door, bytes], tuple[bytes, Json]]:
    return lambda door, body: (body, dict.fromkeys(door.signed(body), value))


def _reserialised(door: Door, body: bytes) -> tuple[bytes, Json]:
    if door.signing.content_type == FORM:
        return body + b"&Extra=1", door.signed(body)
    return json.dumps(json.loads(body), indent=1).encode(), door.signed(body)


FORGED: dict[str, Callable[[Door, bytes], tuple[bytes, Json]]] = {
    "nothing": lambda _, body: (body, {}),
    "another secret": lambda door, body: (body, door.signed(body, OTHER_SECRET)),
    "the empty secret": lambda door, body: (body, door.signed(body, "")),
    "the first bit": _flipped(0),
    "a bit in the middle": _flipped(0.5),
    "the last bit": _flipped(1),
    "written anew": _reserialised,
    "cut": lambda door, body: (body[:-1], door.signed(body)),
    "longer": lambda door, body: (body + b" ", door.signed(body)),
    "no body": lambda door, body: (b"", door.signed(body)),
    "another body": lambda door, body: (body, door.signed(door.signing.delivery(2))),
    "empty headers": _with(""),
    "no ASCII": _with("ü²"),
    "a long header": _with("A" * 8_000),
    "a prefix alone": _with("sha256="),
    "a version alone": _with("v1,"),
    "null": _with("null"),
    "a list": lambda door, body: (
        body,
        {n: f"{v[:-2]} {v[:-1]}" for n, v in door.signed(body).items()},
    ),
    "a header cut": lambda door, body: (body, {n: v[:-1] for n, v in door.signed(body).items()}),
    "turned letters": lambda door, body: (
        body,
        {n: v.swapcase() for n, v in door.signed(body).items()},
    ),
}


async def test_what_the_network_did_not_sign_is_refused_and_leaves_nothing(door: Door) -> None:
    for form, forged in FORGED.items():
        body, headers = forged(door, door.signing.delivery(1))
        if not door.signing.signs_body and headers == door.signed(body):
            continue
        answer = await door.bring(body, headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature"), form
        assert answer.headers["content-type"] == "application/problem+json", form
        assert SECRET not in answer.text, form
    assert await door.texts() == []
    assert await door.held() == 0


NONSENSE = {
    "no UTF-8": b'{"posts": [{"id": "12\xff\xfe',
    "nothing": b"",
    "null": b"null",
    "a number": b"7",
    "a long number": b"9" * 5_000,
    "a list": b"[]",
    "an object": b"{}",
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 50_000,
    "a NUL": b'{"posts": ["\\u0000"], "entry": ["\\u0000"], "data": "\\u0000"}',
    "half a pair": b'{"posts": ["\\ud800"], "entry": ["\\ud800"], "data": "\\ud800"}',
    "wrong kinds": b'{"posts": {"a": 1}, "entry": 7, "data": [], "object": "page", "account": []}',
    "not a number": b'{"posts": [NaN, Infinity], "entry": [NaN], "data": {"payload": NaN}}',
}


async def test_signed_nonsense_is_no_fault(door: Door) -> None:
    for what, body in NONSENSE.items():
        answer = await door.bring(body, door.signed(body))
        assert answer.status_code in {200, 401}, f"{what}: {answer.text}"
    assert await door.texts() == []
    good = door.signing.delivery(1)
    assert (await door.bring(good, door.signed(good))).status_code == 200
    assert len(await door.texts()) == 1


async def test_deliveries_may_be_larger_than_other_bodies_but_not_endless(door: Door) -> None:
    large = b" " * (2 * 1024 * 1024)
    assert (await door.bring(large, door.signed(large, OTHER_SECRET))).status_code == 401

    huge = b" " * (DELIVERY_LIMIT_BYTES + 1)
    answer = await door.bring(huge, door.signed(b""))
    assert (answer.status_code, answer.json()["code"]) == (413, "content_too_large")

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(6):
            yield b" " * 1024 * 1024

    streamed = await door.admin.http.post(door.path, content=endless())
    assert streamed.status_code == 413


async def test_other_bodies_keep_their_limit(admin: Caller) -> None:
    for path in ("/api/v1/accounts", "/api/v1/channels/ch_x/posts"):
        answer = await admin.http.post(path, content=b" " * (1024 * 1024 + 1))
        assert answer.status_code == 413


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_unknown_channel_looks_like_a_wrong_path(floor: Floor, method: str) -> None:
    none = {"network": "carrier-pigeon", "name": new_id("name")}
    account_id = (await floor.admin.ok("POST", "/accounts", none))["id"]
    channel = {"name": new_id("name"), "account_id": account_id, "workgroup_id": floor.workgroup}
    unsigned = (await floor.admin.ok("POST", "/channels", channel))["id"]
    paths = (
        "/channels/ch_none/deliveries",
        f"/channels/{unsigned}/deliveries",
        f"/channels/{'c' * 500}/deliveries",
        "/channels/%00/deliveries",
        "/channels/ch_none/deliverie",
        "/nothing/at/all",
    )

    seen = set()
    for path in paths:
        answer = await floor.admin.http.request(method, f"/api/v1{path}", content=b"{}")
        body = {**answer.json(), "instance": ""}
        headers = {n: v for n, v in answer.headers.items() if n != "x-request-id"}
        seen.add(json.dumps([answer.status_code, body, headers], sort_keys=True))

    assert len(seen) == 1
    assert '"status": 404' in seen.pop()


@contextmanager
def without_posts(settings: Settings) -> Iterator[None]:
    """Take the table away that a commit needs, as a database that is half restored."""
    path = settings.database_url.get_secret_value().removeprefix("sqlite:///")
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE identities RENAME TO identities_away")
    yield
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE identities_away RENAME TO identities")


async def test_200_is_said_only_after_the_commit(door: Door, settings: Settings) -> None:
    body = door.signing.delivery(1)
    with without_posts(settings):
        answer = await door.bring(body, door.signed(body))
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        assert "retry-after" in answer.headers

    assert (await door.bring(body, door.signed(body))).status_code == 200
    assert len(await door.texts()) == 1


async def test_the_handshake_signs_nothing_that_would_be_a_delivery(door: Door) -> None:
    """Whoever may ask for a signature of words of their own could have a delivery signed."""
    body = door.signing.delivery(1).decode()
    names = ("crc_token", "hub.challenge", "challenge", "validationToken", "echostr")

    for words in (body, f" {body}", body.replace('"', "'"), "{}", "[]", '{"data": 1}'):
        query = dict.fromkeys(names, words) | {"hub.mode": "subscribe", "hub.verify_token": "x"}
        answer = await door.admin.http.get(door.path, params=query)
        for value in door.signed(words.encode()).values():
            assert value not in answer.text
    assert await door.texts() == []

"""Hostile and clumsy input on both databases: a clear problem, neighbours unharmed."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr

from api.main import create_app
from settings import LogSettings, Settings
from storage.ids import new_id
from tests.api.conftest import ADMIN_KEY, Caller, Floor
from tests.ports import free_port


@pytest_asyncio.fixture
async def http(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{free_port()}")
    app = create_app(
        Settings(
            secret_key=SecretStr("a secret of the tests, long enough"),
            database_url=SecretStr(database_url),
            bootstrap_admin_key=SecretStr(ADMIN_KEY),
            log=LogSettings(level="error"),
        )
    )
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://parley.test") as client:
            yield client


@pytest.mark.parametrize(
    "path",
    [
        "/workgroups/%00",
        "/agents/%00",
        "/conversations/a%00b",
        "/conversations/%00/timeline",
        "/replies/%00",
        "/channels/%00",
    ],
)
async def test_a_nul_in_a_path_names_nothing(admin: Caller, path: str) -> None:
    await admin.refused("GET", path, None, 404, "not_found")


@pytest.mark.parametrize("query", ["workgroup_id", "agent_id", "customer_id", "channel_id"])
async def test_a_nul_in_a_query_is_refused(admin: Caller, query: str) -> None:
    path = f"/conversations?{query}=%00"

    await admin.refused("GET", path, None, 422, "nul_character")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'{"name": "a\\u0000b"}', "a text has a NUL character"),
        (b'{"name": "\\ud83d"}', "a text has half of a surrogate pair"),
        (b'{"name": NaN}', "NaN is not JSON"),
        (b'{"name": "\xff"}', "the body is not UTF-8"),
        (b"[" * 50_000, "the body is nested too deeply"),
        (b'{"a":' * 60 + b"1" + b"}" * 60, "the body is nested too deeply"),
        (b'{"offer_timeout_s": ' + b"9" * 5_000 + b"}", "a number has too many digits"),
    ],
)
async def test_json_that_cannot_be_kept_is_told_why(
    http: httpx.AsyncClient, raw: bytes, reason: str
) -> None:
    headers = {"Authorization": f"Bearer {ADMIN_KEY}", "Content-Type": "application/json"}

    answer = await http.post("/api/v1/workgroups", content=raw, headers=headers)

    assert answer.status_code == 422
    assert answer.json()["code"] == "unreadable_body"
    assert reason in answer.json()["detail"]


@pytest.mark.parametrize("told", ["9999-12-31T23:59:59.999Z", "2999-01-01T00:00:00+14:00"])
async def test_a_post_from_the_future_does_not_put_later_ones_behind_it(
    floor: Floor, told: str
) -> None:
    opened = await floor.open("customer", "from the future", created_at=told)
    await floor.open("customer", "and now")

    timeline = await floor.admin.ok("GET", f"/conversations/{opened}/timeline")
    posts = [entry["post"] for entry in timeline["items"] if entry["kind"] == "post"]
    assert [post["text"] for post in posts] == ["from the future", "and now"]
    assert not any(post["is_late"] for post in posts)


@pytest.mark.parametrize("told", ["1970-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"])
async def test_a_post_from_long_ago_is_taken_with_its_time(floor: Floor, told: str) -> None:
    opened = await floor.open("customer", "long ago", created_at=told)

    timeline = await floor.admin.ok("GET", f"/conversations/{opened}/timeline")
    assert timeline["items"][0]["at"] in {"1970-01-01T00:00:00.000Z", "0001-01-01T00:00:00.000Z"}


async def test_text_of_every_kind_is_kept_as_it_is(floor: Floor) -> None:
    texts = [
        "\u202eabc",
        "\u200b\u200d\ufeff",
        "\U0001f469\u200d\U0001f4bb",
        "@someone " * 10_000,
        "\r\n\t",
        "\U0001d518\x7f",
    ]

    opened = await floor.open("customer", *texts)

    path = f"/conversations/{opened}/timeline?limit=200"
    timeline = await floor.admin.ok("GET", path)
    kept = {entry["post"]["text"] for entry in timeline["items"] if entry["kind"] == "post"}
    assert kept == set(texts)


async def test_pages_go_on_behind_an_id_that_cannot_be_printed(floor: Floor) -> None:
    for number in range(4):
        external_id = f"\u200b\u202e{number}{new_id('p')}"
        await floor.open("customer", f"text {number}", external_id=external_id)
    opened = await floor.open("customer", "the last")

    texts: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        path = f"/conversations/{opened}/timeline?limit=1&cursor={cursor}"
        page = await floor.admin.ok("GET", path)
        texts += [e["post"]["text"] for e in page["items"] if e["kind"] == "post"]
        cursor = page["next_cursor"]

    assert sorted(texts) == ["text 0", "text 1", "text 2", "text 3", "the last"]


async def test_an_agent_switched_off_opens_nothing_and_comes_back(floor: Floor) -> None:
    agent = await floor.agent(on_queue=False)
    me = await agent.ok("GET", "/agents/me")

    await floor.admin.ok("PATCH", f"/agents/{me['id']}", {"enabled": False})
    await agent.refused("GET", "/agents/me", None, 401, "unauthenticated")
    await floor.admin.ok("PATCH", f"/agents/{me['id']}", {"enabled": None})

    assert (await agent.ok("GET", "/agents/me"))["enabled"]


async def test_who_is_no_agent_does_not_go_on_queue(floor: Floor) -> None:
    supervisor = await floor.agent("supervisor", on_queue=False)
    body = {"routing_status": "on_queue"}

    await supervisor.refused("PUT", "/agents/me/status", body, 409, "agent_not_eligible")


async def test_one_key_at_once_is_one_command(floor: Floor) -> None:
    opened, agent = await floor.connect("customer")
    key, path = new_id("key"), f"/conversations/{opened}/replies"

    answers = await asyncio.gather(
        *(agent.call("POST", path, {"text": "once"}, key) for _ in range(20))
    )

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    again = await agent.call("POST", path, {"text": "twice"}, key)
    assert (again.status_code, again.json()["code"]) == (422, "idempotency_key_reused")

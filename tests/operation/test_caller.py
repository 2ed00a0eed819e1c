"""A caller that outlives a server's restart, repeats under one key, and says what was refused."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
import respx

from operation import caller
from operation.caller import Away, Caller, Refused, new_client

URL = "http://127.0.0.1:1/api"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caller, "FIRST_PAUSE_S", 0.001)


@pytest_asyncio.fixture
async def api() -> AsyncIterator[Caller]:
    async with new_client() as client:
        yield Caller(client, URL, "key-of-the-test", patience_s=0.05)


@respx.mock
async def test_a_call_is_repeated_under_the_same_key_until_it_is_answered(api: Caller) -> None:
    in_progress = httpx.Response(409, json={"code": "command_in_progress"})
    route = respx.post(f"{URL}/things").mock(
        side_effect=[
            httpx.ConnectError("gone"),
            httpx.ReadError("torn"),
            httpx.Response(503),
            in_progress,
            httpx.Response(201, json={"id": "t"}),
        ]
    )

    assert await api.post("/things", {"a": 1}) == {"id": "t"}
    keys = {call.request.headers["idempotency-key"] for call in route.calls}
    assert len(keys) == 1
    assert route.calls.last.request.headers["authorization"] == "Bearer key-of-the-test"


@respx.mock
async def test_two_calls_have_two_keys_and_what_must_not_be_remembered_has_none(
    api: Caller,
) -> None:
    route = respx.post(f"{URL}/things").respond(201, json={})

    await api.post("/things")
    await api.post("/things")
    await api.call("POST", "/things", is_repeated=False, json={})

    keys = [call.request.headers.get("idempotency-key") for call in route.calls]
    assert keys[2] is None
    assert keys[0] != keys[1]


@respx.mock
async def test_a_refusal_is_told_with_its_code_at_once(api: Caller) -> None:
    problem = {"code": "conversation_ended", "detail": "it has ended"}
    route = respx.post(f"{URL}/things").respond(409, json=problem)

    with pytest.raises(Refused, match="it has ended") as refused:
        await api.post("/things")

    assert (refused.value.status, refused.value.code) == (409, "conversation_ended")
    assert route.call_count == 1


@respx.mock
async def test_patience_ends(api: Caller) -> None:
    respx.get(f"{URL}/things").mock(side_effect=httpx.ConnectError("gone"))

    with pytest.raises(Away, match="ConnectError") as away:
        await api.get("/things")

    assert "key-of-the-test" not in str(away.value)


@respx.mock
async def test_a_list_is_read_to_its_end_and_a_name_is_found_or_made(api: Caller) -> None:
    pages = {
        None: {"items": [{"name": "a"}], "next_cursor": "c"},
        "c": {"items": [{"name": "b"}], "next_cursor": None},
    }
    respx.get(f"{URL}/things").mock(
        side_effect=lambda request: httpx.Response(
            200, json=pages[request.url.params.get("cursor")]
        )
    )
    made = respx.post(f"{URL}/things").respond(201, json={"name": "c"})

    assert await api.all("/things") == [{"name": "a"}, {"name": "b"}]
    assert await api.found_or_made("/things", "name", {"name": "b"}) == {"name": "b"}
    assert not made.called
    assert await api.found_or_made("/things", "name", {"name": "c"}) == {"name": "c"}

"""The event stream: in one sequence, resumed without gap or repeat, within a viewer's rights."""

import asyncio
import json
from typing import Any

import httpx

from tests.api.conftest import Caller
from tests.api.streaming import Served, served  # noqa: F401 - a fixture


async def read(
    client: Served, caller: Caller, query: str = "", *, until: int, cursor: str | None = None
) -> list[dict[str, Any]]:
    """Return the first `until` events of a stream."""
    headers = {"Authorization": f"Bearer {caller.key}"}
    if cursor is not None:
        headers["Last-Event-ID"] = cursor
    found: list[dict[str, Any]] = []
    url = f"{client.url}/api/v1/events{query}"
    async with (
        asyncio.timeout(10),
        httpx.AsyncClient() as http,
        http.stream("GET", url, headers=headers, timeout=10) as stream,
    ):
        assert stream.status_code == 200
        async for line in stream.aiter_lines():
            if line.startswith("data: "):
                found.append(json.loads(line.removeprefix("data: ")))
            if len(found) == until:
                return found
    return found


async def test_a_cut_stream_goes_on_where_it_was(served: Served) -> None:  # noqa: F811
    floor = served.floor
    opened, agent = await floor.connect("customer")
    first = await read(served, floor.admin, "?after=0", until=3)
    for command in ("hold", "resume", "disconnect"):
        await agent.ok("POST", f"/conversations/{opened}/{command}", {})

    rest = await read(served, floor.admin, until=5, cursor=str(first[-1]["seq"]))

    together = first + rest
    assert [event["seq"] for event in together] == list(range(1, 9))
    types = [event["type"] for event in together if event["conversation_id"] == opened]
    assert types == [
        "conversation.created",
        "conversation.offered",
        "conversation.connected",
        "conversation.held",
        "conversation.resumed",
        "conversation.disconnected",
        "conversation.completed",
    ]
    assert rest[-1]["conversation"]["state"] == "completed"


async def test_live_events_come_at_once_and_as_get_shows_them(served: Served) -> None:  # noqa: F811
    floor = served.floor
    reading = asyncio.create_task(read(served, floor.admin, until=1))
    await asyncio.sleep(0.5)

    opened = await floor.open("customer")

    (event,) = await reading
    shown = await floor.admin.ok("GET", f"/conversations/{opened}")
    assert event["type"] == "conversation.created"
    assert event["conversation"] == shown


async def test_filters_leave_holes_and_types_alone(served: Served) -> None:  # noqa: F811
    floor = served.floor
    opened, agent = await floor.connect("customer")
    await agent.ok("POST", f"/conversations/{opened}/disconnect", {})

    wanted = "?after=0&types=conversation.connected,conversation.completed"
    found = await read(served, floor.admin, wanted, until=2)

    assert [event["type"] for event in found] == [
        "conversation.connected",
        "conversation.completed",
    ]


async def test_a_viewer_sees_what_its_rights_allow(served: Served) -> None:  # noqa: F811
    floor = served.floor
    stranger = await floor.agent(member=False)
    await floor.connect("customer")

    found = await read(served, stranger, "?after=0", until=2)

    assert {event["type"] for event in found} == {"agent.status_changed"}


async def test_a_stream_of_a_revoked_key_ends(served: Served) -> None:  # noqa: F811
    floor = served.floor
    agent = await floor.agent()
    me = await agent.ok("GET", "/agents/me")
    made = await floor.admin.ok("POST", f"/agents/{me['id']}/keys", {})
    stream = asyncio.create_task(read(served, Caller(floor.admin.http, made["key"]), until=1_000))
    await asyncio.sleep(0.5)

    await floor.admin.ok("DELETE", f"/keys/{made['id']}")

    async with asyncio.timeout(5):
        assert await stream == []

"""Figures of the floor over HTTP: now, and by intervals."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from tests.api.conftest import Caller, Floor, Json

ZERO = {"on_queue": 0, "off_queue": 0, "not_responding": 0, "draining": 0}


async def now_of(caller: Caller, workgroup_id: str) -> Json:
    items = (await caller.ok("GET", "/statistics/now"))["items"]
    (found,) = [item for item in items if item["workgroup_id"] == workgroup_id]
    return dict(found)


def around_now(hours: int = 1) -> str:
    at = datetime.now(UTC)
    begin, end = at - timedelta(hours=hours), at + timedelta(hours=hours)
    return f"from={quote(begin.isoformat())}&to={quote(end.isoformat())}"


async def test_an_empty_workgroup_has_nothing_and_no_percentages(floor: Floor) -> None:
    now = await now_of(floor.admin, floor.workgroup)

    assert now["agents"] == ZERO
    assert (now["waiting"], now["alerting"], now["active_social_conversations"]) == (0, 0, 0)
    assert (now["longest_waiting_s"], now["longest_social_conversation_s"]) == (0, 0)
    assert (now["utilization_percent"], now["service_level_percent"]) == (None, None)


async def test_who_waits_who_is_asked_and_who_talks_is_counted_at_once(floor: Floor) -> None:
    _, owner = await floor.connect("customer-1")
    await floor.agent(on_queue=False)
    await owner.ok("PUT", "/agents/me/status", {"routing_status": "off_queue"})
    await floor.open("customer-2")

    now = await _fresh(floor, "waiting", 1)

    assert now["agents"] == ZERO | {"off_queue": 2}
    assert (now["waiting"], now["alerting"], now["active_social_conversations"]) == (1, 0, 1)
    assert now["utilization_percent"] is None
    assert now["service_level_percent"] == 100.0
    assert now["service_level"]["social_conversation"]["answered"] == 1


async def test_utilization_is_the_mean_of_those_who_are_logged_in(floor: Floor) -> None:
    await floor.connect("customer-1")
    await floor.agent()

    now = await _fresh(floor, "utilization_percent", 12.5)

    assert now["agents"]["on_queue"] == 2


async def test_an_agent_sees_its_own_workgroups_only(floor: Floor) -> None:
    agent = await floor.agent()
    other = await Floor(floor.admin).set_up()

    items = (await agent.ok("GET", "/statistics/now"))["items"]

    assert [item["workgroup_id"] for item in items] == [floor.workgroup]
    path = f"/statistics/intervals?workgroup_id={other.workgroup}&{around_now()}"
    await agent.refused("GET", path, None, 404, "not_found")


async def test_intervals_add_up_to_what_happened(floor: Floor) -> None:
    await floor.connect("customer-1")
    waiting = Floor(floor.admin)
    waiting.workgroup, waiting.channel = floor.workgroup, floor.channel
    for number in range(3):
        await floor.open(f"waiting-{number}")

    path = f"/statistics/intervals?workgroup_id={floor.workgroup}&{around_now()}&width_s=600"
    items: list[Any] = (await floor.admin.ok("GET", path))["items"]

    assert len(items) == 12
    assert sum(item["offered"] for item in items) == 4
    assert sum(item["answered"] for item in items) == 1
    for item in items:
        of_offered = item["of_offered"]
        parts = (of_offered[name] for name in ("answered", "abandoned", "flowed_out", "waiting"))
        assert of_offered["offered"] == sum(parts)
    (answered,) = [item for item in items if item["answered"]]
    assert answered["service_level_percent"] == 100.0
    assert answered["average_speed_of_answer_s"] == answered["longest_wait_s"]


async def test_handle_time_is_connected_held_and_wrapping_up(floor: Floor) -> None:
    patch = {"wrap_up": {"mode": "mandatory", "timeout_s": 60}}
    await floor.admin.ok("PATCH", f"/workgroups/{floor.workgroup}", patch)
    conversation, agent = await floor.connect("customer-1")
    for step in ("hold", "resume", "disconnect", "wrapup"):
        await asyncio.sleep(0.05)
        body = {"wrap_up_code": "done", "done": True} if step == "wrapup" else {}
        await agent.ok("POST", f"/conversations/{conversation}/{step}", body)

    path = f"/statistics/intervals?workgroup_id={floor.workgroup}&{around_now()}"
    items: list[Any] = (await floor.admin.ok("GET", path))["items"]

    (done,) = [item for item in items if item["handled"]]
    assert done["average_hold_time_s"] >= 0.05
    assert done["average_wrap_up_time_s"] >= 0.05
    assert done["average_handle_time_s"] >= 0.2


async def test_offers_are_counted_by_what_became_of_them(floor: Floor) -> None:
    _, agent = await floor.connect("customer-1")
    offered = await floor.open("customer-2")
    await agent.ok("POST", f"/conversations/{offered}/decline", {"reason": "not mine"})

    path = f"/statistics/intervals?workgroup_id={floor.workgroup}&{around_now()}&width_s=7200"
    (item,) = (await floor.admin.ok("GET", path))["items"]

    assert item["offers"] == {"accepted": 1, "declined": 1, "timed_out": 0, "rescinded": 0}
    assert (item["first_replies"], item["average_first_response_time_s"]) == (0, None)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("from=2026-01-01T00:00:00Z&to=2026-01-01T00:00:00Z", "period_empty"),
        ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "period_empty"),
        ("from=2026-01-01T00:00:00&to=2026-01-02T00:00:00Z", "time_zone_missing"),
        ("from=2016-01-01T00:00:00Z&to=2026-01-01T00:00:00Z&width_s=60", "too_many_intervals"),
        ("from=yesterday&to=2026-01-01T00:00:00Z", "invalid_request"),
        ("from=2026-01-01T00:00:00Z", "invalid_request"),
        ("from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z&width_s=1", "invalid_request"),
        ("from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z&wide=1", "invalid_request"),
    ],
)
async def test_a_period_that_makes_no_report_is_refused(
    floor: Floor, query: str, code: str
) -> None:
    await floor.admin.refused("GET", f"/statistics/intervals?{query}", None, 422, code)


async def _fresh(floor: Floor, name: str, value: Any) -> Json:
    """Read until the shared reading has it: it is half a second old at most."""
    deadline = datetime.now(UTC) + timedelta(seconds=3)
    while (now := await now_of(floor.admin, floor.workgroup))[name] != value:
        assert datetime.now(UTC) < deadline, now
    return now

"""Business hours, overflow and service level over HTTP, and how the queues stand."""

from typing import Any

import pytest

from storage.ids import new_id
from tests.api.conftest import Caller, Floor, Json

NEVER_NOW = {
    "weekly": {},
    "holidays": [{"date": "2001-01-01", "intervals": [{"from": "00:00", "to": "01:00"}]}],
}
"""Hours that were open once, long ago."""
ALWAYS = {
    day: [{"from": "00:00", "to": "24:00"}]
    for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
}


def hours(**fields: Any) -> Json:
    return {
        "time_zone": "Europe/Berlin",
        "weekly": {"mon": [{"from": "09:00", "to": "17:00"}]},
    } | fields


async def workgroup(admin: Caller, **fields: Any) -> Json:
    created: Json = await admin.ok("POST", "/workgroups", {"name": new_id("name"), **fields})
    return created


async def test_settings_come_back_as_they_were_set(admin: Caller) -> None:
    other = (await workgroup(admin))["id"]
    given = hours(
        holidays=[{"date": "2026-12-24", "intervals": [{"from": "10:00", "to": "12:00"}]}],
        when_closed="automatic_reply",
        automatic_reply_text="We are closed.",
        service_level_clock="stops",
    )
    level: Json = {"target_s": 120, "percent": 90}
    level |= {"media_types": {"social_direct_message": {"target_s": 60, "percent": 95}}}
    overflow = {"when_estimate_exceeds_s": 600, "workgroup_id": other}
    created = await workgroup(admin, business_hours=given, service_level=level, overflow=overflow)
    read = await admin.ok("GET", f"/workgroups/{created['id']}")

    for body in (created, read):
        kept = body["business_hours"]
        assert kept["weekly"]["mon"] == [{"from": "09:00", "to": "17:00"}]
        assert kept["weekly"]["tue"] == []
        assert kept["holidays"] == given["holidays"]
        assert (kept["when_closed"], kept["service_level_clock"]) == ("automatic_reply", "stops")
        assert body["service_level"]["media_types"] == level["media_types"]
        assert body["overflow"] == overflow


async def test_a_workgroup_has_a_location_to_be_found_by(admin: Caller) -> None:
    vienna = {"country": "AT", "place": "Vienna", "lat": 48.2, "lon": 16.4}
    created = await workgroup(admin, location=vienna)
    assert created["location"] == {"region": None, **vienna}
    path = f"/workgroups/{created['id']}"
    half = {"location": {"lon": None}}
    problem = await admin.refused("PATCH", path, half, 422, "invalid_request")
    assert "lat and lon come together" in problem["detail"]
    assert (await admin.ok("PATCH", path, {"location": None}))["location"] is None


async def test_a_patch_changes_parts_and_null_resets(admin: Caller) -> None:
    path = f"/workgroups/{(await workgroup(admin, business_hours=hours()))['id']}"
    patch = {"business_hours": {"weekly": {"tue": [{"from": "08:00", "to": "12:00"}]}}}
    weekly = (await admin.ok("PATCH", path, patch))["business_hours"]["weekly"]
    assert weekly["mon"] == [{"from": "09:00", "to": "17:00"}]
    assert weekly["tue"] == [{"from": "08:00", "to": "12:00"}]

    assert (await admin.ok("PATCH", path, {"business_hours": None}))["business_hours"] is None


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (hours(time_zone="Europe/Atlantis"), "IANA"),
        (hours(time_zone="localtime"), "IANA"),
        (hours(weekly={}), "never open"),
        (hours(weekly={"mon": [{"from": "9", "to": "17:00"}]}), "pattern"),
        (hours(weekly={"mon": [{"from": "09:00", "to": "24:30"}]}), "pattern"),
        (hours(weekly={"mon": [{"from": "09:00", "to": "09:00"}]}), "empty"),
        (hours(weekly={"mon": [{"from": "24:00", "to": "09:00"}]}), "before 24:00"),
        (
            hours(
                weekly={"mon": [{"from": "12:00", "to": "14:00"}, {"from": "09:00", "to": "13:00"}]}
            ),
            "of mon are not in order",
        ),
        (
            hours(
                weekly={
                    "mon": [{"from": "22:00", "to": "06:00"}],
                    "tue": [{"from": "05:00", "to": "06:00"}],
                }
            ),
            "last interval of mon",
        ),
        (hours(weekly={"monday": []}), "Extra inputs"),
        (hours(holidays=[{"date": "2026-02-30"}]), "day"),
        (hours(holidays=[{"date": "24.12.2026"}]), "pattern"),
        (hours(holidays=[{"date": "2026-12-24"}] * 2), "named twice"),
        (hours(when_closed="overflow"), "needs overflow_workgroup_id"),
        (hours(when_closed="automatic_reply"), "needs automatic_reply_text"),
        (hours(when_closed="music"), "Input should be"),
        ({"weekly": {}}, "Field required"),
    ],
)
async def test_hours_that_cannot_be_meant_are_refused_with_the_reason(
    admin: Caller, wrong: Json, reason: str
) -> None:
    body = {"name": new_id("name"), "business_hours": wrong}
    problem = await admin.refused("POST", "/workgroups", body, 422, "invalid_request")
    assert reason in problem["detail"]


async def test_overflow_goes_to_a_known_workgroup_and_never_round(admin: Caller) -> None:
    first, second, third = [await workgroup(admin) for _ in range(3)]

    def to(target: str) -> Json:
        return {"overflow": {"when_estimate_exceeds_s": 60, "workgroup_id": target}}

    def closed_to(target: str) -> Json:
        return {"business_hours": hours(when_closed="overflow", overflow_workgroup_id=target)}

    path = f"/workgroups/{first['id']}"
    await admin.refused("PATCH", path, to("wg_none"), 422, "unknown_reference")
    await admin.refused("PATCH", path, closed_to("wg_none"), 422, "unknown_reference")
    problem = await admin.refused("PATCH", path, to(first["id"]), 422, "overflow_in_a_circle")
    assert problem["errors"][0]["loc"] == ["body", "overflow.workgroup_id"]

    await admin.ok("PATCH", path, to(second["id"]))
    await admin.ok("PATCH", f"/workgroups/{second['id']}", closed_to(third["id"]))
    problem = await admin.refused(
        "PATCH", f"/workgroups/{third['id']}", to(first["id"]), 422, "overflow_in_a_circle"
    )
    way = " → ".join(group["name"] for group in (third, first, second, third))
    assert way in problem["detail"]


async def test_a_workgroup_that_others_overflow_to_is_not_deleted(admin: Caller) -> None:
    target = await workgroup(admin)
    overflow = {"when_estimate_exceeds_s": 60, "workgroup_id": target["id"]}
    source = await workgroup(admin, overflow=overflow)
    await admin.refused("DELETE", f"/workgroups/{target['id']}", None, 409, "in_use")

    await admin.ok("PATCH", f"/workgroups/{source['id']}", {"overflow": None})
    await admin.ok("DELETE", f"/workgroups/{target['id']}")


async def test_a_queue_tells_how_it_stands(floor: Floor) -> None:
    await floor.open("first")
    await floor.open("second", visibility="private")
    queue = await floor.admin.ok("GET", f"/workgroups/{floor.workgroup}/queue")

    assert (queue["waiting"], queue["alerting"], queue["estimated_wait_s"]) == (2, 0, None)
    assert (queue["is_open"], queue["next_change_at"]) == (True, None)
    assert set(queue["service_level"]) == {"social_conversation", "social_direct_message"}
    agent = await floor.agent()
    await agent.ok("POST", f"/conversations/{await floor.open('third')}/pickup", {})
    queue = await agent.ok("GET", f"/workgroups/{floor.workgroup}/queue")
    reached = queue["service_level"]["social_conversation"]
    assert (reached["answered"], reached["answered_in_time"]) == (1, 1)
    assert (reached["reached_percent"], reached["waiting_late"]) == (100.0, 0)


async def test_a_closed_queue_says_when_it_opens(admin: Caller) -> None:
    hours_now = {"time_zone": "UTC", "weekly": ALWAYS, "holidays": [{"date": "2199-01-01"}]}
    group = await workgroup(admin, business_hours=hours_now)
    queue = await admin.ok("GET", f"/workgroups/{group['id']}/queue")
    assert (queue["is_open"], queue["next_change_at"]) == (True, "2199-01-01T00:00:00.000Z")


async def test_a_queue_is_for_its_agents_and_for_supervisors(floor: Floor) -> None:
    path = f"/workgroups/{floor.workgroup}/queue"
    member, stranger = await floor.agent(), await floor.agent(member=False)
    supervisor = await floor.agent("supervisor", member=False, on_queue=False)
    await member.ok("GET", path)
    await supervisor.ok("GET", path)
    await stranger.refused("GET", path, None, 403, "forbidden")
    await supervisor.refused("GET", "/workgroups/wg_none/queue", None, 404, "not_found")

    opened = await floor.open("customer")
    await stranger.refused("GET", f"/conversations/{opened}/queue", None, 404, "not_found")


async def test_a_conversation_has_its_place_until_it_is_picked_up(floor: Floor) -> None:
    first, second = await floor.open("first"), await floor.open("second")
    for opened, position in ((first, 1), (second, 2)):
        place = await floor.admin.ok("GET", f"/conversations/{opened}/queue")
        assert place["queue_position"] == position
        assert place["workgroup_id"] == floor.workgroup
        assert place["estimated_wait_s"] is None
        assert place["waited_s"] is not None

    agent = await floor.agent()
    await agent.ok("POST", f"/conversations/{first}/pickup", {})
    place = await agent.ok("GET", f"/conversations/{first}/queue")
    assert (place["queue_position"], place["waited_s"]) == (None, None)


async def test_an_automatic_reply_has_no_agent(admin: Caller) -> None:
    when_closed = {"when_closed": "automatic_reply", "automatic_reply_text": "We are closed."}
    floor = await Floor(admin).set_up(
        business_hours={"time_zone": "UTC", **NEVER_NOW, **when_closed}
    )
    opened = await floor.open("customer", "Hello?", "Anybody there?")
    entries = (await admin.ok("GET", f"/conversations/{opened}/timeline"))["items"]

    (reply,) = [entry["reply"] for entry in entries if entry["kind"] == "reply"]
    assert (reply["agent_id"], reply["text"]) == (None, "We are closed.")
    assert (await admin.ok("GET", f"/replies/{reply['id']}"))["agent_id"] is None
    conversation = await admin.ok("GET", f"/conversations/{opened}")
    assert (conversation["state"], conversation["unanswered_count"]) == ("queued", 2)

"""What could not be accepted is tried again, corrected or thrown away; who did it is written."""

from typing import Any

from tests.api.conftest import Floor, Json

WRONG = {"external_id": "p-wrong", "author": {"external_id": "c-1"}, "text": ""}


async def quarantined(floor: Floor, piece: Any) -> Json:
    await floor.admin.ok("POST", f"/channels/{floor.channel}/posts", {"posts": [piece]})
    listed = await floor.admin.ok("GET", f"/quarantine?channel_id={floor.channel}")
    newest: Json = listed["items"][0]
    return newest


async def audited(floor: Floor, kind: str) -> list[Json]:
    """Return the timeline's entries of that kind, over all conversations."""
    conversations = await floor.admin.ok("GET", "/conversations")
    found = []
    for one in conversations["items"]:
        told = await floor.admin.ok("GET", f"/conversations/{one['id']}/timeline")
        found += [entry["event"] for entry in told["items"] if entry["kind"] == "event"]
    return [event for event in found if event["type"] == kind]


async def test_a_piece_says_where_it_came_from_and_whether_it_can_be_read(floor: Floor) -> None:
    piece = await quarantined(floor, WRONG)

    assert (piece["network"], piece["workgroup_id"]) == ("webhook", floor.workgroup)
    assert (piece["code"], piece["external_id"], piece["is_readable"]) == (
        "empty_post",
        "p-wrong",
        True,
    )
    cut = await quarantined(floor, {"text": "x" * 20_000})
    assert not cut["is_readable"]


async def test_what_is_still_wrong_stays_with_both_facts(floor: Floor) -> None:
    piece = await quarantined(floor, WRONG)
    path = f"/quarantine/{piece['id']}/retry"

    problem = await floor.admin.refused("POST", path, {}, 409, "still_not_accepted")
    assert "may be empty only with media" in problem["detail"]
    empty = {"post": {**WRONG, "text": ""}}
    await floor.admin.refused("POST", path, empty, 409, "still_not_accepted")
    await floor.admin.refused("POST", path, {"post": {"text": "x"}}, 422, "invalid_request")
    assert (await floor.admin.ok("GET", "/quarantine"))["items"][0]["id"] == piece["id"]


async def test_a_corrected_post_is_taken_once_and_who_did_it_is_told(floor: Floor) -> None:
    piece = await quarantined(floor, WRONG)
    supervisor = await floor.agent("supervisor", on_queue=False)
    path, body = f"/quarantine/{piece['id']}/retry", {"post": {**WRONG, "text": "Where is it?"}}

    first = await supervisor.call("POST", path, body, key="once")
    again = await supervisor.call("POST", path, body, key="once")
    assert first.status_code == 200
    assert first.json() == again.json()
    taken = first.json()
    (opened,) = taken["conversation_ids"].values()
    assert (taken["accepted"], taken["rejected"]) == (1, [])
    assert (await floor.admin.ok("GET", "/quarantine"))["items"] == []
    (told,) = await audited(floor, "conversation.taken_from_quarantine")
    assert told["detail"]["quarantined"] == "empty_post"
    me = await supervisor.ok("GET", "/session")
    assert told["by_name"] == me["principal"]["name"]
    assert (await floor.admin.ok("GET", f"/conversations/{opened}"))["preview"] == "Where is it?"
    await supervisor.refused("POST", path, body, 404, "not_found")


async def test_thrown_away_is_gone_and_only_supervisors_may(floor: Floor) -> None:
    piece = await quarantined(floor, WRONG)
    agent = await floor.agent()
    path = f"/quarantine/{piece['id']}"

    await agent.refused("DELETE", path, None, 403, "forbidden")
    await agent.refused("POST", f"{path}/retry", {}, 403, "forbidden")
    await floor.admin.ok("DELETE", path)
    await floor.admin.refused("DELETE", path, None, 404, "not_found")
    assert (await floor.admin.ok("GET", "/quarantine"))["items"] == []

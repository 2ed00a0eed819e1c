"""The generic door for edits and deletions, and how a timeline and a channel show what is."""

from typing import Any

import pytest

from tests.api.conftest import Floor, Json


async def post(floor: Floor, external_id: str, **author: Any) -> Json:
    body = {
        "external_id": external_id,
        "author": {"external_id": "c", **author},
        "text": "first words",
    }
    taken: Json = await floor.admin.ok(
        "POST", f"/channels/{floor.channel}/posts", {"posts": [body]}
    )
    return taken


async def change(floor: Floor, *changes: Json) -> Json:
    path = f"/channels/{floor.channel}/post-changes"
    followed: Json = await floor.admin.ok("POST", path, {"changes": list(changes)})
    return followed


async def shown(floor: Floor, conversation_id: str) -> Json:
    timeline = await floor.admin.ok("GET", f"/conversations/{conversation_id}/timeline")
    found: Json = next(entry["post"] for entry in timeline["items"] if entry["kind"] == "post")
    return found


async def test_a_timeline_shows_the_newest_words_and_the_earlier(floor: Floor) -> None:
    taken = await post(floor, "p", created_at="2024-01-01T00:00:00Z")
    at = "2025-01-01T00:00:00.000Z"

    followed = await change(
        floor, {"external_id": "p", "kind": "edited", "at": at, "text": "second words"}
    )

    entry = await shown(floor, taken["conversation_ids"]["p"])
    assert followed == {"applied": 1, "waiting": 0}
    assert (entry["text"], entry["edited_at"], entry["deleted_at"]) == ("second words", at, None)
    assert entry["earlier_texts"] == [{"text": "first words", "until": at}]
    assert entry["author"]["created_at"] == "2024-01-01T00:00:00.000Z"
    assert entry["kind"] == "post"


async def test_a_deletion_before_its_post_withdraws_it(floor: Floor) -> None:
    followed = await change(floor, {"external_id": "p", "kind": "deleted"})

    taken = await post(floor, "p")

    assert followed == {"applied": 0, "waiting": 1}
    assert (taken["accepted"], taken["withdrawn"], taken["conversation_ids"]) == (0, 1, {})


async def test_a_deletion_ends_what_nobody_has(floor: Floor) -> None:
    conversation_id = (await post(floor, "p"))["conversation_ids"]["p"]

    await change(floor, {"external_id": "p", "kind": "deleted"})

    conversation = await floor.admin.ok("GET", f"/conversations/{conversation_id}")
    assert (conversation["state"], conversation["ended_by"]) == ("abandoned", "posts_deleted")
    assert (await shown(floor, conversation_id))["text"] == ""


@pytest.mark.parametrize(
    "odd",
    [
        {"external_id": "p", "kind": "edited"},
        {"external_id": "p", "kind": "deleted", "text": "words"},
        {"external_id": "p", "kind": "moved"},
        {"kind": "deleted"},
    ],
)
async def test_a_change_that_makes_no_sense_is_refused(floor: Floor, odd: Json) -> None:
    path = f"/channels/{floor.channel}/post-changes"
    response = await floor.admin.call("POST", path, {"changes": [odd]})
    assert response.status_code == 422


async def test_a_channel_says_what_it_is_for_and_how_it_is(floor: Floor) -> None:
    path = f"/channels/{floor.channel}"
    before = await floor.admin.ok("GET", path)

    wanted = {"purpose": "competitor", "include": ["likes"], "backfill_s": 0}
    changed = await floor.admin.ok("PATCH", path, wanted)

    assert (before["purpose"], before["include"], before["backfill_s"]) == (
        "brand",
        ["quotes"],
        3_600,
    )
    assert (before["health"], before["left_out"], before["caught_up_at"]) == ("healthy", 0, None)
    assert {name: changed[name] for name in wanted} == wanted
    for wrong in ({"purpose": "friend"}, {"include": ["shares"]}, {"backfill_s": 604_801}):
        response = await floor.admin.call("PATCH", path, wrong)
        assert response.status_code == 422

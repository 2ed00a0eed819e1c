"""The generic door: what it takes, what it puts aside, and that nothing is lost."""

import asyncio
import time
from typing import Any

import pytest

from storage import idempotency, ingest
from tests.api.conftest import Caller, Floor, Json


def post(external_id: str, **fields: object) -> Json:
    return {"external_id": external_id, "author": {"external_id": "c"}, "text": "x"} | fields


@pytest.mark.parametrize(
    "odd",
    [
        {"text": "\u202eabc \u200b\u200d \U0001f469\u200d\U0001f4bb"},
        {"created_at": "1970-01-01T00:00:00.000Z"},
        {"created_at": "9999-12-31T23:59:59.999Z"},
        {"created_at": "0001-01-01T00:00:00Z"},
        {"text": " ".join(f"@u{n}" for n in range(10_000))},
        {"text": "", "media": [{"kind": "photo", "url": "https://x.example/1.png"}]},
        {"author": {"external_id": "c", "handle": "<script>alert(1)</script>"}},
    ],
)
async def test_odd_posts_are_taken(floor: Floor, odd: Json) -> None:
    path = f"/channels/{floor.channel}/posts"
    taken = await floor.admin.ok("POST", path, {"posts": [post("odd", **odd)]})

    assert (taken["accepted"], taken["rejected"]) == (1, [])
    conversation = await floor.admin.ok("GET", f"/conversations/{taken['conversation_ids']['odd']}")
    assert conversation["post_count"] == 1


@pytest.mark.parametrize(
    "bad",
    [
        "not a post",
        None,
        {},
        {"external_id": "bad", "author": {}, "text": "no author"},
        post("bad", text=7),
        post("bad", text="NUL \x00"),
        post("bad", text="\ud800 half a pair"),
        post("bad", visibility="secret"),
        post("bad", created_at="yesterday"),
        post("bad", text=""),
        post("bad", colour="red"),
        post("x" * 256),
        post("bad", location={"lat": 91}),
    ],
)
async def test_a_bad_post_is_quarantined_and_its_neighbours_go_on(
    floor: Floor, bad: object
) -> None:
    path = f"/channels/{floor.channel}/posts"
    page = {"posts": [post("first"), bad, post("last")]}

    taken = await floor.admin.ok("POST", path, page)

    assert (taken["accepted"], [r["index"] for r in taken["rejected"]]) == (2, [1])
    (kept,) = (await floor.admin.ok("GET", "/quarantine"))["items"]
    assert (kept["code"], kept["detail"]) == (
        taken["rejected"][0]["code"],
        taken["rejected"][0]["detail"],
    )


async def test_a_repeated_page_answers_the_same_conversations(floor: Floor) -> None:
    page = {"posts": [post("one"), post("two")]}
    path = f"/channels/{floor.channel}/posts"

    first = await floor.admin.ok("POST", path, page)
    again = await floor.admin.ok("POST", path, page)

    assert (again["accepted"], again["duplicates"]) == (0, 2)
    assert again["conversation_ids"] == first["conversation_ids"]


@pytest.mark.parametrize("body", [{}, {"posts": []}, {"posts": [{}] * 501}, {"posts": {}}, []])
async def test_a_malformed_envelope_is_422(floor: Floor, body: object) -> None:
    answer = await floor.admin.call("POST", f"/channels/{floor.channel}/posts", body)

    assert answer.status_code == 422


async def test_an_unknown_channel_is_404(admin: Caller) -> None:
    await admin.refused("POST", "/channels/none/posts", {"posts": [{}]}, 404, "not_found")


KEY = "the-page's-key"


async def test_a_page_and_its_answer_are_one_commit(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What dies before it has remembered its answer has taken nothing, quarantined nothing."""
    path = f"/channels/{floor.channel}/posts"
    page = {"posts": [post("one"), "not a post", post("two")]}

    def die(*_: object) -> None:
        raise OSError("the process dies here")

    with monkeypatch.context() as patch:
        patch.setattr(idempotency, "remember", die)
        assert (await floor.admin.call("POST", path, page, KEY)).status_code == 500
    assert (await floor.admin.ok("GET", "/quarantine"))["items"] == []
    assert (await floor.admin.ok("GET", "/conversations"))["items"] == []

    answer = await floor.admin.call("POST", path, page, KEY)

    assert (answer.status_code, answer.json()["accepted"]) == (202, 2)
    assert "idempotency-replayed" not in answer.headers


@pytest.mark.parametrize("posts", [2, 30])
async def test_repeats_at_the_same_time_take_a_page_once(floor: Floor, posts: int) -> None:
    path = f"/channels/{floor.channel}/posts"
    page = {"posts": ["not a post", *(post(f"p{n}") for n in range(posts))]}

    answers = await asyncio.gather(
        *(floor.admin.call("POST", path, page, KEY) for _ in range(5)),
    )

    assert [answer.status_code for answer in answers] == [202] * 5
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json()["accepted"] == posts
    replayed = [answer for answer in answers if "idempotency-replayed" in answer.headers]
    assert len(replayed) == 4
    assert len((await floor.admin.ok("GET", "/quarantine"))["items"]) == 1


async def test_a_repeat_waits_only_so_long(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.turns.LONGEST_WAIT_S", 0.05)
    take_in = ingest.take_in

    def take_long(*what: Any) -> Any:
        time.sleep(0.5)
        return take_in(*what)

    monkeypatch.setattr(ingest, "take_in", take_long)
    path = f"/channels/{floor.channel}/posts"
    page = {"posts": [post("one")]}

    answers = await asyncio.gather(*(floor.admin.call("POST", path, page, KEY) for _ in range(2)))

    (waited,) = [answer for answer in answers if answer.status_code != 202]
    assert (waited.status_code, waited.json()["code"]) == (409, "command_in_progress")
    assert waited.headers["retry-after"] == "1"


async def test_a_refused_page_does_not_use_its_key_up(floor: Floor) -> None:
    page = {"posts": [post("one")]}
    unknown = await floor.admin.call("POST", "/channels/none/posts", page, KEY)
    assert unknown.status_code == 404

    answer = await floor.admin.call("POST", f"/channels/{floor.channel}/posts", page, KEY)

    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)


async def test_a_small_page_has_found_its_agent_when_it_is_answered(floor: Floor) -> None:
    await floor.agent()

    answer = await floor.admin.call(
        "POST", f"/channels/{floor.channel}/posts", {"posts": [post("one")]}, KEY
    )

    (conversation_id,) = answer.json()["conversation_ids"].values()
    conversation = await floor.admin.ok("GET", f"/conversations/{conversation_id}")
    assert conversation["state"] == "alerting"

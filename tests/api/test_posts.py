"""The generic door: what it takes, what it puts aside, and that nothing is lost."""

import pytest

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

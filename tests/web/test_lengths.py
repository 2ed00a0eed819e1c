"""The desk counts as the server does, and says what a long text becomes before it is sent."""

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from tests.web.scenes import small_floor
from tests.web.test_desk import LogIn, Serve, connected, open_row

TABLE: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "connectors" / "lengths.json").read_text(encoding="utf-8")
)
COUNT = """async (cases) => {
  const { lengthOf } = await import('/web/core/count.js');
  return cases.map(({ text, times, ...rule }) => lengthOf(text.repeat(times ?? 1), rule));
}"""
ROOM = """async ([text, rule]) => {
  const { roomLeft } = await import('/web/core/count.js');
  return roomLeft(text, rule);
}"""


def test_a_text_is_as_long_as_on_the_server(serve: Serve, open_page: LogIn) -> None:
    page = open_page(serve(small_floor()), allowed=("/api/v1/session",))

    counted = page.evaluate(COUNT, TABLE)

    wrong = [
        (case["unit"], case["text"], count)
        for case, count in zip(TABLE, counted, strict=True)
        if count != case["length"]
    ]
    assert wrong == []


def test_bytes_are_a_limit_of_their_own(serve: Serve, open_page: LogIn) -> None:
    page = open_page(serve(small_floor()), allowed=("/api/v1/session",))
    rule = {"unit": "graphemes", "limit": 300, "link_length": 0, "limit_bytes": 3_000}

    assert page.evaluate(ROOM, ["👨‍👩‍👧‍👦" * 120, rule]) == 0
    assert page.evaluate(ROOM, ["👨‍👩‍👧‍👦é", rule]) == 298


def test_the_counter_says_what_is_left_and_into_how_many_posts_it_goes(
    serve: Serve, log_in: LogIn
) -> None:
    world = small_floor()
    connected(world)
    page = log_in(serve(world), allowed=("/replies/preview",))
    open_row(page, "@ferry42")
    field, send = page.get_by_label("Your reply"), page.get_by_role("button", name="Send")
    counter = page.locator(".counter")

    field.fill("a" * 270 + " https://example.com/a/long/path")
    expect(counter).to_have_text("14 too many")
    field.fill("a" * 281)
    expect(counter).to_have_text("goes out as 2 posts")
    expect(send).to_be_enabled()
    field.fill("a" * 600)
    expect(send).to_be_disabled()
    expect(counter).to_have_text("320 too many")
    field.fill("hello")
    expect(counter).to_have_text("275")

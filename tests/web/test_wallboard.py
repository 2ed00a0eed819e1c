"""The wallboard in a real browser: right numbers, honest age, nobody's name."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.web.fake_world import World
from tests.web.scenes import busy_floor

Serve = Callable[[World], str]
LogIn = Callable[..., Page]


def test_the_board_counts_what_is_there_and_follows_the_events(serve: Serve, log_in: LogIn) -> None:
    world = busy_floor()
    url = serve(world)
    page = log_in(url, key="supervisor-key")
    expect(page.get_by_role("search")).to_be_visible()
    page.goto(f"{url}/wallboard")
    waiting = page.get_by_role("region", name="Waiting", exact=True)
    expect(waiting).to_contain_text("7")
    expect(waiting).to_contain_text("1 alerting")
    expect(page.get_by_role("region", name="Longest waiting")).to_contain_text("late")
    expect(page.get_by_role("region", name="With agents")).to_contain_text("4")
    expect(page.get_by_role("region", name="Agents on queue")).to_contain_text("of 3")
    world.add_conversation("new_1", ["Hi"], workgroup_id="w-refunds")
    expect(waiting).to_contain_text("8")
    expect(page.get_by_role("region", name="Refunds")).to_contain_text("on time")
    text = page.locator("body").inner_text()
    assert "ferry42" not in text
    assert "Agent one" not in text


def test_the_clock_turns_red_when_the_data_is_old(serve: Serve, log_in: LogIn) -> None:
    world = busy_floor()
    url = serve(world)
    page = log_in(url, key="supervisor-key", allowed=("/api/v1/events", "ERR_", "503"))
    expect(page.get_by_role("search")).to_be_visible()
    page.goto(f"{url}/wallboard")
    clock = page.get_by_role("status")
    expect(clock).to_contain_text(re.compile(r"data as of \d"))
    expect(clock).not_to_contain_text("old")
    with world.streams_refused():
        expect(clock).to_contain_text("old", timeout=9000)
    expect(clock).not_to_contain_text("old", timeout=8000)


def test_without_a_log_in_the_board_says_where_to_log_in(serve: Serve, open_page: LogIn) -> None:
    page = open_page(f"{serve(busy_floor())}/wallboard", allowed=("/api/v1/session",))
    expect(page.get_by_role("link", name="Log in at the desk")).to_be_visible()

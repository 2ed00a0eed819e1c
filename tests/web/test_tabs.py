"""Many tabs of one browser: one stream, moved without a gap, and room left for commands."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.web.fake_world import Row, World
from tests.web.scenes import small_floor

Serve = Callable[[World], str]
LogIn = Callable[..., Page]
TABS = 8
UNREACHABLE = ("net::ERR", "Failed to fetch", "Failed to load")


def connected(world: World) -> Row:
    return world.add_conversation(
        "ferry42", ["My order never came"], state="connected", agent_id="agent-1"
    )


def test_eight_tabs_share_one_stream_and_their_commands_go(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    row = connected(world)
    url = serve(world)
    first = log_in(url)
    expect(first.get_by_role("link", name="@ferry42")).to_be_visible()
    others = [first.context.new_page() for _ in range(TABS - 1)]
    for page in others:
        page.goto(f"{url}/#/mine/{row['id']}")
    world.add_post(row, "to all of them")
    for page in others:
        expect(page.locator(".log").get_by_text("to all of them")).to_have_count(1)
    assert len(world.streams_opened) == 1
    others[-1].locator(".thread").focus()
    others[-1].keyboard.press("h")
    expect(others[0].get_by_role("button", name="Resume")).to_be_visible()
    first.close()
    world.add_post(row, "while nobody led")
    for page in others:
        expect(page.locator(".log").get_by_text("while nobody led")).to_have_count(1)
    assert len(world.streams_opened) == 2
    assert world.streams_opened[1] is not None


def test_without_a_line_commands_fail_loudly_and_nothing_is_missed(
    serve: Serve, log_in: LogIn
) -> None:
    world = small_floor()
    row = connected(world)
    page = log_in(serve(world), allowed=UNREACHABLE)
    page.get_by_role("link", name="@ferry42").click()
    page.get_by_role("button", name="Hold").wait_for()
    page.context.set_offline(offline=True)
    world.stream_epoch += 1
    expect(page.get_by_text("No live connection.")).to_be_visible(timeout=5000)
    page.get_by_role("button", name="Hold").click()
    expect(page.get_by_text("not done, the server does not answer")).to_be_visible()
    world.add_post(row, "said meanwhile")
    page.context.set_offline(offline=False)
    expect(page.locator(".log").get_by_text("said meanwhile")).to_have_count(1)
    expect(page.get_by_text("No live connection.")).to_be_hidden()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    assert int(world.streams_opened[-1] or 0) >= 1

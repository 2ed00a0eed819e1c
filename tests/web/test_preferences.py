"""What a browser prefers, everything by name, and keys of one's own."""

import json
import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.axe import violations
from tests.web.fake_world import World
from tests.web.scenes import busy_floor

Serve = Callable[[World], str]
LogIn = Callable[..., Page]


def open_by_name(page: Page, words: str) -> None:
    page.keyboard.press("Control+k")
    page.keyboard.type(words)
    page.keyboard.press("Enter")


def test_preferences_count_at_once_and_stay_in_the_browser(serve: Serve, log_in: LogIn) -> None:
    world = busy_floor()
    page = log_in(serve(world), timezone_id="UTC")
    page.get_by_role("link", name="@ferry42").click()
    shown = page.locator(".log .post time").first
    before = shown.inner_text()
    asked = len(world.requests)
    open_by_name(page, "preferences")
    dialog = page.get_by_role("dialog", name="Preferences")
    dialog.get_by_label("Time zone").select_option("Asia/Tokyo")
    expect(shown).not_to_have_text(before)
    dialog.get_by_label("Movement").select_option("none")
    dialog.get_by_label("Lines").select_option("compact")
    expect(page.locator("html[data-motion=none][data-density=compact]")).to_have_count(1)
    for scheme in ("light", "dark"):
        dialog.get_by_label("Theme").select_option(scheme)
        assert violations(page) == []
    kept = json.loads(page.evaluate("localStorage['parley.preferences']"))
    assert kept["timeZone"] == "Asia/Tokyo"
    assert len(world.requests) == asked


def test_people_and_workgroups_are_found_by_name_the_last_chosen_first(
    serve: Serve, log_in: LogIn
) -> None:
    page = log_in(serve(busy_floor()), key="supervisor-key")
    expect(page.get_by_role("link", name="@lock_5")).to_be_visible()
    open_by_name(page, "agsvn")
    expect(page).to_have_url(re.compile(r"#/floor\?agent_id=agent-7$"))
    open_by_name(page, "refunds")
    expect(page).to_have_url(re.compile(r"#/floor\?workgroup_id=w-refunds$"))
    page.keyboard.press("Control+k")
    found = page.get_by_role("listbox", name="Found")
    expect(found.get_by_role("option").first).to_contain_text("Refunds")
    page.keyboard.press("ArrowDown")
    expect(found.get_by_role("option", selected=True)).to_contain_text("Agent seven")
    page.keyboard.type("no such thing")
    expect(page.get_by_text("Nothing by that name.")).to_be_visible()


def test_a_key_is_given_away_and_letters_rest_in_dialogs(serve: Serve, log_in: LogIn) -> None:
    world = busy_floor()
    page = log_in(serve(world))
    page.get_by_role("link", name="@ferry42").click()
    expect(page.get_by_role("button", name="Hold")).to_be_visible()
    page.locator("body").press("?")
    sheet = page.get_by_role("dialog", name="Keys")
    sheet.get_by_role("button", name="Change the key of: Hold or resume").click()
    page.keyboard.press("o")
    page.keyboard.press("p")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    assert world.requests == []
    page.locator(".thread").focus()
    page.keyboard.press("h")
    page.keyboard.press("o")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    assert [path.rsplit("/", 1)[1] for _key, path, _body in world.requests] == ["hold"]

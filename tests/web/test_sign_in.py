"""Signing in at the page: three ways in, what it says when it may not be, and what is kept."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.web.fake_world import World
from tests.web.scenes import busy_floor, small_floor
from tests.web.test_accessible import Judge
from tests.web.test_desk import open_row

Serve = Callable[[World], str]
Opener = Callable[..., Page]
SESSION = "/api/v1/session"
GOOD = "seven green lamps"
DEMO = [
    {"username": "agent-1", "name": "agent-1", "role": "agent"},
    {"username": "supervisor-1", "name": "supervisor-1", "role": "supervisor"},
]


def fill_in(page: Page, password: str, username: str = "agent-1") -> None:
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in").click()


def test_asvs_6_2_7_names_and_passwords_are_pasted_kept_by_managers_and_shown(
    serve: Serve, open_page: Opener
) -> None:
    page = open_page(serve(small_floor()), allowed=(SESSION,))
    username = page.get_by_label("Username")
    password = page.get_by_label("Password", exact=True)
    expect(username).to_have_attribute("autocomplete", "username")
    expect(password).to_have_attribute("autocomplete", "current-password")
    username.fill("agent-1")
    username.press("Control+a")
    username.press("Control+c")
    password.press("Control+v")
    expect(password).to_have_value("agent-1")
    expect(password).to_have_attribute("type", "password")

    page.get_by_role("button", name="Show password").click()
    expect(password).to_have_attribute("type", "text")
    expect(password).to_be_focused()
    fill_in(page, GOOD)
    expect(page.get_by_text("You are on queue")).to_be_visible()


def test_what_is_refused_says_why_and_what_to_do(serve: Serve, open_page: Opener) -> None:
    world = small_floor()
    page = open_page(serve(world), allowed=(SESSION,))
    problem = page.locator(".login .problem")
    fill_in(page, "another one")
    expect(problem).to_contain_text("do not go together")
    expect(page.get_by_label("Password", exact=True)).to_be_focused()

    world.door.throttled_s = 1
    fill_in(page, GOOD)
    expect(problem).to_contain_text("Too many attempts")
    expect(page.get_by_role("button", name="Wait 1 s")).to_be_disabled()
    world.door.throttled_s = 0
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("You are on queue")).to_be_visible()


def test_the_demonstration_is_one_click_and_has_the_other_ways(
    serve: Serve, open_page: Opener
) -> None:
    world = small_floor()
    world.door.people = DEMO
    page = open_page(serve(world), allowed=(SESSION,))
    agent = page.get_by_role("button", name=re.compile("agent-1"))
    expect(agent).to_be_focused()
    judge = Judge(page)
    judge.look("demonstration")
    page.get_by_role("button", name="Use a password").click()
    expect(page.get_by_label("Username")).to_be_focused()
    page.get_by_role("button", name="One click").click()

    page.get_by_role("button", name=re.compile("supervisor-1")).click()
    expect(page.get_by_role("link", name="Floor")).to_be_visible()
    judge.assert_content()


def test_a_session_that_ended_says_so_and_one_is_where_one_was(
    serve: Serve, log_in: Opener
) -> None:
    world = busy_floor()
    page = log_in(serve(world), allowed=("401",))
    open_row(page, "@ferry42")
    page.get_by_label("Your reply").fill("words that are not sent")
    where = page.url
    world.door.left_s = 0.0
    page.evaluate("() => fetch('/api/v1/session')")
    world.door.is_shut = True
    world.stream_epoch += 1
    expect(page.locator(".notice")).to_contain_text("has ended")
    expect(page.locator(".notice")).to_contain_text("drafts are kept")
    assert page.url == where

    world.door.left_s = 1_800
    fill_in(page, GOOD)
    expect(page.get_by_role("heading", name="@ferry42").first).to_be_visible()
    expect(page.get_by_label("Your reply")).to_have_value("words that are not sent")


def test_whoever_comes_next_finds_nothing_of_the_one_before(serve: Serve, log_in: Opener) -> None:
    world = busy_floor()
    world.refuse_drafts = True
    page = log_in(serve(world), allowed=("401", "/draft"))
    open_row(page, "@ferry42")
    page.get_by_label("Your reply").fill("words of the first one")
    world.door.is_shut = True
    world.stream_epoch += 1
    expect(page.locator(".notice")).to_be_visible()

    page.get_by_role("button", name="Use an API key").click()
    page.get_by_label("Your key", exact=True).fill("supervisor-key")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("link", name="Floor")).to_be_visible()
    assert "ferry" not in page.url
    assert "words of the first one" not in page.evaluate("() => JSON.stringify(sessionStorage)")


def test_a_session_that_is_about_to_end_is_kept_by_a_sign_of_somebody(
    serve: Serve, open_page: Opener
) -> None:
    world = small_floor()
    world.door.left_s = 90
    page = open_page("about:blank", allowed=(SESSION,))
    page.clock.install()
    page.goto(serve(world))
    fill_in(page, GOOD)
    warning = page.get_by_text("There was no sign of you")
    expect(warning).to_be_visible()
    page.clock.run_for(120_000)
    used = len(world.door.uses)
    page.clock.run_for(60_000)
    expect(warning).to_be_visible()
    assert len(world.door.uses) == used, "what the page asks by itself is no use"

    world.door.left_s = 1_800
    page.get_by_role("button", name="I am here").click()
    expect(warning).to_be_hidden()
    assert len(world.door.uses) == used + 1


def test_a_password_is_changed_and_a_given_one_is_asked_about(
    serve: Serve, open_page: Opener
) -> None:
    world = small_floor()
    world.door.state = "initial"
    page = open_page(serve(world), allowed=(SESSION,))
    fill_in(page, GOOD)
    dialog = page.get_by_role("dialog", name="Change password")
    expect(dialog).to_contain_text("Somebody else has chosen")
    judge = Judge(page)
    judge.look("change password")
    for present, chosen, said in (
        ("a wrong one", "a porch with a light", "present password is another"),
        (GOOD, "password", "tried first"),
    ):
        dialog.get_by_label("Present password", exact=True).fill(present)
        dialog.get_by_label("New password", exact=True).fill(chosen)
        dialog.get_by_role("button", name="Change password").click()
        expect(dialog.get_by_role("alert")).to_contain_text(said)
    dialog.get_by_label("New password", exact=True).fill("a porch with a light")
    dialog.get_by_role("button", name="Change password").click()

    expect(page.get_by_text("Your password is changed")).to_be_visible()
    assert world.door.passwords == {"agent-1": "a porch with a light"}
    page.get_by_role("button", name="Account").click()
    page.get_by_role("menuitem", name="Change password").click()
    expect(dialog.get_by_label("Present password", exact=True)).to_be_focused()
    judge.assert_content()

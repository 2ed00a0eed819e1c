"""What is typed and not sent is kept on the server, and is there on the next machine."""

from typing import Any

from playwright.sync_api import Page, expect

from tests.web.fake_world import World
from tests.web.scenes import small_floor
from tests.web.test_desk import LogIn, Serve, connected, open_row, sent, until

NOTHING_KEPT = "() => Object.keys(localStorage).filter((name) => name !== 'parley.preferences')"


def kept(world: World, row: dict[str, Any]) -> str:
    return str(world.drafts.get(row["id"], {}).get("text", ""))


def type_reply(page: Page, text: str) -> None:
    page.get_by_label("Your reply").fill(text)


def test_a_draft_is_there_on_another_machine(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    row = connected(world)
    url = serve(world)
    page = log_in(url)
    open_row(page, "@ferry42")
    page.locator(".entry.post").hover()
    page.get_by_role("button", name="answer this one").click()
    type_reply(page, "half a sentence")
    until(page, lambda: kept(world, row) == "half a sentence")
    assert page.evaluate(NOTHING_KEPT) == []

    other = log_in(url)
    open_row(other, "@ferry42")
    expect(other.get_by_label("Your reply")).to_have_value("half a sentence")
    expect(other.locator(".quote")).to_contain_text("Where is it?")


def test_a_sent_reply_takes_its_draft_along(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    row = connected(world)
    page = log_in(serve(world))
    open_row(page, "@ferry42")
    type_reply(page, "on its way")
    until(page, lambda: kept(world, row) == "on its way")
    page.get_by_role("button", name="Send").click()
    expect(sent(page)).to_be_visible()
    assert row["id"] not in world.drafts
    type_reply(page, "one more word")
    until(page, lambda: kept(world, row) == "one more word")
    page.reload()
    open_row(page, "@ferry42")
    expect(page.get_by_label("Your reply")).to_have_value("one more word")


def test_a_draft_that_is_not_saved_is_said(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    row = connected(world)
    page = log_in(serve(world), allowed=("/draft",))
    open_row(page, "@ferry42")
    world.refuse_drafts = True
    type_reply(page, "hold on to this")
    trouble = page.get_by_text("Not saved: the server did not take the draft.")
    expect(trouble).to_be_visible()
    expect(page.get_by_label("Your reply")).to_have_value("hold on to this")
    world.refuse_drafts = False
    expect(trouble).to_have_count(0)
    assert kept(world, row) == "hold on to this"


def test_two_windows_do_not_overwrite_each_other(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    row = connected(world)
    page = log_in(serve(world), allowed=("/draft",))
    open_row(page, "@ferry42")
    type_reply(page, "mine")
    until(page, lambda: kept(world, row) == "mine")
    world.drafts[row["id"]] |= {"text": "theirs", "version": next(world.draft_versions)}

    type_reply(page, "mine, longer")
    expect(page.get_by_text("Another window has a different draft:")).to_be_visible()
    assert kept(world, row) == "theirs"
    page.get_by_role("button", name="Keep what is here").click()
    until(page, lambda: kept(world, row) == "mine, longer")
    world.drafts[row["id"]] |= {"text": "theirs again", "version": next(world.draft_versions)}
    type_reply(page, "mine, longer still")
    page.get_by_role("button", name="Take that one").click()
    expect(page.get_by_label("Your reply")).to_have_value("theirs again")

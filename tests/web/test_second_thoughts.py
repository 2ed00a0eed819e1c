"""What was said is taken back, edited, deleted; what customers change is told."""

from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.web.fake_world import World
from tests.web.scenes import small_floor
from tests.web.test_desk import LogIn, Serve, connected, open_row, said


def said_there(world: World, network: str = "mastodon", **options: Any) -> dict[str, Any]:
    """Leave one sent reply in a conversation, and return the reply."""
    row = connected(world, network=network, **options)
    visibility = "private" if options.get("private") else "public"
    return world.reply(row, {"text": "It is lsot", "visibility": visibility}, "agent-1")


def shown_reply(page: Page) -> Locator:
    return said(page).locator(".entry.reply")


def press(page: Page, name: str) -> None:
    """Press a button that comes with the pointer."""
    shown_reply(page).hover()
    page.get_by_role("button", name=name, exact=True).click()


def test_a_reply_is_taken_back_while_it_waits(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    world.undo_window_s = 20
    connected(world)
    page = log_in(serve(world))
    open_row(page, "@ferry42")
    page.get_by_label("Your reply").fill("too hasty")
    page.get_by_role("button", name="Send").click()
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_contain_text("s left")

    undo.click()

    expect(said(page)).to_contain_text("It was taken back before it left.")
    expect(undo).to_have_count(0)
    page.get_by_role("button", name="Edit and try again").click()
    expect(page.get_by_label("Your reply")).to_have_value("too hasty")


def test_a_sent_reply_is_edited_and_the_way_there_is_told(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    reply = said_there(world)
    page = log_in(serve(world))
    open_row(page, "@ferry42")
    edit = page.get_by_role("button", name="Edit", exact=True)
    press(page, "Edit")
    page.get_by_label("What it is to say instead").fill("It is lost")
    page.get_by_role("button", name="Change it", exact=True).click()

    expect(shown_reply(page)).to_contain_text("an edit is on its way")
    expect(shown_reply(page)).to_contain_text("It is to say: It is lost")
    expect(edit).to_have_count(0)
    world.settle_change(reply["id"], "refused", "too late for an edit")
    expect(shown_reply(page)).to_contain_text("the edit was refused: too late for an edit")
    world.ask_change(reply["id"], "edit", "It is lost")
    world.settle_change(reply["id"], "done")
    expect(shown_reply(page).locator("> .words")).to_have_text("It is lost")
    expect(edit).to_have_count(1)


def test_a_refused_edit_keeps_its_words(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    said_there(world)
    world.change_refusal = "it would make another number of posts"
    page = log_in(serve(world), allowed=("/edit",))
    open_row(page, "@ferry42")
    press(page, "Edit")
    field = page.get_by_label("What it is to say instead")
    field.fill("A very long story")
    page.get_by_role("button", name="Change it", exact=True).click()

    expect(page.get_by_role("alert").filter(has_text="another number of posts")).to_be_visible()
    expect(field).to_have_value("A very long story")


def test_a_sent_reply_is_deleted(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    reply = said_there(world)
    page = log_in(serve(world))
    open_row(page, "@ferry42")
    press(page, "Delete")
    expect(page.get_by_role("dialog")).to_contain_text("taken off Mastodon for everybody")
    page.get_by_role("button", name="Delete it there").click()
    expect(shown_reply(page)).to_contain_text("a deletion is on its way")
    world.settle_change(reply["id"], "done")
    expect(shown_reply(page)).to_contain_text("deleted on the network")
    expect(page.get_by_role("button", name="Delete", exact=True)).to_have_count(0)


def test_only_what_the_network_can_is_offered(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    said_there(world, network="x")
    said_there(world, network="x", handle="mole77", private=True)
    page = log_in(serve(world))
    open_row(page, "@ferry42")
    expect(page.get_by_role("button", name="Delete", exact=True)).to_have_count(1)
    expect(page.get_by_role("button", name="Edit", exact=True)).to_have_count(0)
    open_row(page, "@mole77")
    expect(shown_reply(page)).to_contain_text("sent")
    expect(page.get_by_role("button", name="Delete", exact=True)).to_have_count(0)


def test_a_long_reply_shows_how_far_its_posts_are(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    reply = said_there(world)
    part = {"external_id": None, "url": None}
    reply = world.replies[reply["id"]]
    reply["parts"] = [
        {"text": "First (1/2)", "state": "sent", **part, "url": "https://x.example/1"},
        {"text": "Second (2/2)", "state": "needs_human", **part},
    ]
    reply["state"] = "needs_human"
    page = log_in(serve(world))
    open_row(page, "@ferry42")

    parts = shown_reply(page).locator(".parts")
    expect(parts).to_contain_text("1 of 2 posts sent")
    expect(parts.get_by_text("Second (2/2)")).to_be_visible()
    expect(parts.locator(".delivery.needs_human")).to_be_visible()
    expect(shown_reply(page)).to_contain_text("whether post 2 of 2 arrived")


def test_what_the_customer_changed_is_told(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    row = connected(world)
    page = log_in(serve(world))
    open_row(page, "@ferry42")
    world.change_post(row, "Where is my parcel?")

    post = said(page).locator(".entry.post")
    expect(post).to_contain_text("Where is my parcel?")
    expect(post).to_contain_text("edited")
    expect(said(page)).to_contain_text("the customer edited a post")
    earlier = post.get_by_text("Where is it?")
    expect(earlier).to_be_hidden()
    post.get_by_text("What it said before").click()
    expect(earlier).to_be_visible()

    world.change_post(row)
    expect(post).to_contain_text("The customer deleted this post. Its words are gone.")
    expect(earlier).to_have_count(0)
    expect(said(page)).to_contain_text("the customer deleted a post")

"""Which post is answered, what is not allowed, and colleagues named in notes."""

from typing import Any

from playwright.sync_api import Page, expect

from tests.web.fake_world import Row, World
from tests.web.scenes import small_floor
from tests.web.test_desk import LogIn, Serve, connected, open_row, until


def threaded(world: World) -> tuple[Row, list[Row]]:
    """Let a customer answer the brand's answer to his own post."""
    row = connected(world)
    reply = world.reply(row, {"text": "Which one?"}, "agent-1")
    world.add_post(row, "The blue one")
    posts = [entry["post"] for entry in world.entries[row["id"]] if entry["kind"] == "post"]
    world.replies[reply["id"]] |= {"external_id": "x-ours", "in_reply_to": posts[0]["external_id"]}
    posts[1]["in_reply_to"] = "x-ours"
    return row, posts


def body_of(world: World, name: str) -> dict[str, Any]:
    return next(dict(body) for _, path, body in world.requests if path.endswith(name))


def test_any_post_is_answered_by_keys_and_the_words_stay(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    row, posts = threaded(world)
    page = log_in(serve(world))
    open_row(page, "@ferry42")
    quote, field = page.locator(".quote"), page.get_by_label("Your reply")
    expect(quote).to_contain_text("Answers the newest post")
    expect(page.locator(".entry.post").nth(1)).to_contain_text("level 3, answers you")

    page.locator(".thread").focus()
    page.keyboard.press("[")
    expect(quote).to_contain_text("The blue one")
    expect(quote).to_contain_text("level 3")
    expect(page.locator(".entry.is-target")).to_contain_text("you answer this one")
    page.keyboard.press("r")
    page.keyboard.type("It is on its way")
    page.keyboard.press("Alt+ArrowUp")
    expect(quote).to_contain_text("Where is it?")
    expect(quote).to_contain_text("begins a thread")
    expect(field).to_have_value("It is on its way")
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.press("Alt+ArrowDown")
    expect(quote).to_contain_text("Answers the newest post")
    page.locator(".entry.post").first.hover()
    page.get_by_role("button", name="answer this one").first.click()
    expect(field).to_be_focused()
    page.keyboard.press("Control+Enter")
    until(page, lambda: any(path.endswith("/replies") for _, path, _ in world.requests))
    assert body_of(world, "/replies")["in_reply_to"] == posts[0]["external_id"]
    assert row["id"]
    expect(quote).to_contain_text("Answers the newest post")


def test_what_the_network_does_not_allow_is_said_before_it_is_written(
    serve: Serve, log_in: LogIn
) -> None:
    world = small_floor()
    why = {"code": "cannot_initiate_direct_message", "detail": "never wrote in private"}
    world.refused_audiences = {"private": why}
    row, _ = threaded(world)
    kept = {"text": "psst", "visibility": "private", "in_reply_to": None, "version": 7}
    page = log_in(serve(world), allowed=("/replies/preview",))
    open_row(page, "@ferry42")
    select = page.get_by_label("Audience")
    expect(select.locator("option[value=private]")).to_be_disabled()
    select.focus()
    expect(page.locator("#not-allowed")).to_contain_text("does not allow the first private")

    world.drafts[row["id"]] = kept
    page.reload()
    expect(page.get_by_label("Your reply")).to_have_value("psst")
    expect(page.locator(".forbidden")).to_contain_text("Not possible in private")
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    select.select_option("public")
    expect(page.get_by_role("button", name="Send")).to_be_enabled()
    page.get_by_label("Your reply").fill("word " * 100)
    page.locator(".split summary").click()
    expect(page.locator(".split li")).to_have_count(2)


def test_a_colleague_is_named_by_the_keyboard(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    connected(world)
    page = log_in(serve(world))
    open_row(page, "@ferry42")
    page.locator(".thread").focus()
    page.keyboard.press("n")
    page.keyboard.type("ask @ag")
    options = page.get_by_role("listbox", name="Colleagues").get_by_role("option")
    expect(options).to_have_count(2)
    expect(options.first).to_contain_text("On queue")
    page.keyboard.press("Enter")
    field = page.get_by_label("Your note")
    expect(field).to_have_value("ask @Agent seven ")
    expect(page.locator(".composer .named")).to_contain_text("Agent seven")
    page.keyboard.type("and not @Agent seventy, mail@agent-9")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".entry.note .named")).to_have_text("told: Agent seven, Agent nine")
    assert body_of(world, "/notes")["mentions"] == ["agent-7", "agent-9"]


def test_who_is_named_is_told_until_it_is_read(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    row = connected(world)
    other = world.add_conversation("quay_9", ["Hi"], state="connected", agent_id="agent-7")
    page = log_in(serve(world))
    open_row(page, "@ferry42")
    page.get_by_label("Your reply").focus()
    world.note(other, {"text": "@Agent one, look", "mentions": ["agent-1"]}, "agent-7")

    named = page.get_by_role("region", name="You are named")
    expect(named).to_contain_text("@Agent one, look")
    expect(page.get_by_text("Agent seven names you in a note")).to_be_visible()
    expect(page.get_by_label("Your reply")).to_be_focused()
    expect(page.get_by_role("button", name="1 note names you")).to_be_visible()
    named.get_by_role("link").click()
    expect(page.get_by_role("heading", name="@quay_9").first).to_be_visible()
    expect(named).to_have_count(0)
    until(page, lambda: world.mentions[0]["read_at"] is not None)
    palette(page, "Notes that name")
    expect(page.get_by_role("dialog", name="You are named")).to_contain_text("look")
    assert row["id"]


def palette(page: Page, words: str) -> None:
    page.keyboard.press("Control+k")
    page.keyboard.type(words)
    page.get_by_role("option", name=words).first.click()

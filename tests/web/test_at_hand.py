"""Canned replies at the slash, and who else is at a conversation."""

from playwright.sync_api import expect

from tests.web.corpus import HOSTILE
from tests.web.fake_desk import onlooker
from tests.web.fake_world import World
from tests.web.scenes import small_floor
from tests.web.test_desk import LogIn, Serve, connected, open_row, until


def with_canned(world: World) -> None:
    texts = {
        "late": "Hello {customer_name}, it is late. We are sorry.",
        "later": "We come back to you later.",
        "thanks": "Thank you!",
    }
    world.canned_replies = [
        {"id": f"cr-{shortcut}", "shortcut": shortcut, "text": text}
        for shortcut, text in texts.items()
    ]


def test_a_canned_reply_is_written_with_the_keyboard(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    with_canned(world)
    connected(world, name="Ferry")
    page = log_in(serve(world))
    open_row(page, "@ferry42")
    field = page.get_by_label("Your reply")
    field.focus()
    press = page.keyboard.press
    page.keyboard.type("Good day. /")
    options = page.get_by_role("listbox", name="Canned replies").get_by_role("option")
    expect(options).to_have_count(3)
    page.keyboard.type("la")
    expect(options).to_have_count(2)
    expect(options.first).to_have_attribute("aria-selected", "true")
    press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", "canned-1")
    press("ArrowDown")
    press("Enter")
    expect(field).to_have_value("Good day. Hello Ferry, it is late. We are sorry.")
    expect(options).to_have_count(0)
    expect(field).to_be_focused()
    page.keyboard.type(" Bye")
    expect(field).to_have_value("Good day. Hello Ferry, it is late. We are sorry. Bye")


def test_a_slash_within_words_and_escape_leave_the_text_alone(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    with_canned(world)
    connected(world)
    page = log_in(serve(world))
    open_row(page, "@ferry42")
    field = page.get_by_label("Your reply")
    field.focus()
    options = page.get_by_role("listbox", name="Canned replies").get_by_role("option")
    page.keyboard.type("and/or")
    page.wait_for_timeout(300)
    expect(options).to_have_count(0)
    page.keyboard.type(" /la")
    expect(options).to_have_count(2)
    page.keyboard.press("Escape")
    expect(options).to_have_count(0)
    expect(field).to_be_focused()
    expect(field).to_have_value("and/or /la")
    field.fill("")
    page.keyboard.type("/late")
    options.first.click()
    expect(field).to_have_value("Hello , it is late. We are sorry.")
    expect(page.get_by_text("Nothing is known for customer name")).to_be_visible()


def test_who_else_is_there_is_seen_and_one_is_seen(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    row = connected(world)
    other = connected(world, "quay_9")
    world.onlookers[row["id"]] = [onlooker("agent-7", "Agent seven", "looking")]
    page = log_in(serve(world))
    open_row(page, "@ferry42")
    seen = page.locator(".onlookers")
    expect(seen).to_contain_text("Agent seven looks at this too")
    until(page, lambda: (row["id"], "looking") in world.presence)
    page.get_by_label("Your reply").fill("I am")
    until(page, lambda: (row["id"], "typing") in world.presence)

    both = [onlooker("agent-7", "Agent seven", "typing"), onlooker("", "a reader", "looking")]
    world.tell_live("conversation.presence", conversation_id=row["id"], onlookers=both)
    expect(seen).to_have_text("Agent seven is typing here")
    world.tell_live("conversation.presence", conversation_id=row["id"], onlookers=[])
    expect(seen).to_have_text("")

    open_row(page, "@quay_9")
    until(page, lambda: (row["id"], "gone") in world.presence)
    until(page, lambda: world.presence[-1] == (other["id"], "looking"))


def test_enter_before_the_answer_takes_what_was_typed(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    with_canned(world)
    connected(world)
    page = log_in(serve(world))
    open_row(page, "@ferry42")
    field = page.get_by_label("Your reply")
    field.focus()
    page.keyboard.type("/")
    expect(page.get_by_role("listbox", name="Canned replies")).to_be_visible()
    page.keyboard.type("th")
    page.keyboard.press("Enter")
    expect(field).to_have_value("Thank you!")


def test_hostile_words_stay_words_here_too(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    row = connected(world)
    world.canned_replies = [
        {"id": f"cr-{index}", "shortcut": f"x{index}", "text": text}
        for index, text in enumerate(HOSTILE[:8])
    ]
    world.onlookers[row["id"]] = [onlooker("", HOSTILE[0], "looking")]
    for text in HOSTILE[:30]:
        world.change_post(row, text)
    page = log_in(serve(world))
    open_row(page, "@ferry42")
    page.get_by_text("What it said before").click()
    expect(page.locator(".earlier li")).to_have_count(30)
    expect(page.locator(".onlookers")).to_contain_text(HOSTILE[0].strip())
    page.get_by_label("Your reply").focus()
    page.keyboard.type("/x0")
    page.get_by_role("listbox", name="Canned replies").get_by_role("option").first.click()
    expect(page.get_by_label("Your reply")).to_have_value(HOSTILE[0])
    assert page.locator(".thread img, .thread script, .thread iframe").count() == 0

"""The agent's desk in a real browser, under the strict content security policy."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.web.corpus import HOSTILE
from tests.web.fake_world import World
from tests.web.scenes import busy_floor, small_floor

Serve = Callable[[World], str]
LogIn = Callable[..., Page]
STREAM_ERRORS = ("/api/v1/events", "ERR_", "503")


def offered(world: World, handle: str = "buoy8", **options: Any) -> dict[str, Any]:
    row = world.add_conversation(handle, ["My parcel arrived broken"], age_s=12, **options)
    world.offer(row, "agent-1")
    return row


def connected(world: World, handle: str = "ferry42", **options: Any) -> dict[str, Any]:
    return world.add_conversation(
        handle, ["Where is it?"], state="connected", agent_id="agent-1", **options
    )


def open_row(page: Page, handle: str) -> None:
    page.get_by_role("link", name=handle).first.click()
    expect(page.get_by_role("log")).to_be_visible()


def said(page: Page) -> Locator:
    return page.get_by_role("log")


def sent(page: Page) -> Locator:
    return page.locator(".delivery.sent")


def until(page: Page, is_so: Callable[[], bool]) -> None:
    for _ in range(60):
        if is_so():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it did not come true within 3 s")


def test_an_agent_works_a_conversation_with_the_mouse(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    page = log_in(serve(world))
    expect(page.get_by_text("You are on queue. The next conversation comes")).to_be_visible()
    row = offered(world)
    offer = page.get_by_role("region", name="Offer: @buoy8")
    expect(offer).to_contain_text("My parcel arrived broken")
    expect(page).to_have_title(re.compile("Offer"))
    offer.get_by_role("button", name="Pick up").click()
    expect(page.get_by_role("heading", name="@buoy8").first).to_be_visible()
    expect(page.get_by_text("Went to you: of 12 agents 7 were busy")).to_be_visible()
    page.get_by_label("Your reply").fill("We send a new one today.")
    page.get_by_role("button", name="Send").click()
    expect(sent(page)).to_be_visible()
    page.get_by_role("button", name="Hold").click()
    expect(page.get_by_text("It is on hold. Resume it to reply.")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("button", name="Disconnect").click()
    expect(page.get_by_text("Ended by you")).to_be_visible()
    assert row["state"] == "completed"
    keys = [key for key, _path, _body in world.requests]
    assert len(keys) == len(set(keys)) == 5


def log_in_by_keyboard(page: Page) -> None:
    expect(page.get_by_label("Username")).to_be_focused()
    page.keyboard.type("agent-1")
    page.keyboard.press("Tab")
    page.keyboard.type("seven green lamps")
    page.keyboard.press("Enter")
    expect(page.get_by_text("You are on queue")).to_be_visible()


def test_an_agent_works_a_conversation_with_the_keyboard_only(
    serve: Serve, open_page: LogIn
) -> None:
    world = small_floor()
    world.wrap_up = True
    page = open_page(serve(world), allowed=("/api/v1/session",))
    press = page.keyboard.press
    log_in_by_keyboard(page)
    row = offered(world)
    expect(page.get_by_role("region", name="Offer: @buoy8")).to_be_visible()
    press("a")
    expect(page.get_by_role("heading", name="@buoy8").first).to_be_visible()
    press("r")
    expect(page.get_by_label("Your reply")).to_be_focused()
    page.keyboard.type("has a j, an h and an x")
    press("Control+Enter")
    expect(sent(page)).to_be_visible()
    press("Escape")
    press("n")
    page.keyboard.type("Box was open")
    press("Control+Enter")
    expect(said(page).get_by_text("Box was open")).to_be_visible()
    press("Escape")
    press("h")
    expect(page.get_by_text("on hold")).to_be_visible()
    press("h")
    expect(page.get_by_role("button", name="Hold")).to_be_visible()
    press("x")
    expect(page.get_by_label("Wrap-up")).to_be_visible()
    assert row["state"] == "wrapup"
    assert [reply["text"] for reply in world.replies.values()] == ["has a j, an h and an x"]


def test_everything_is_found_by_name_and_letters_rest_while_typing(
    serve: Serve, log_in: LogIn
) -> None:
    world = small_floor()
    connected(world)
    other = connected(world, "quay_9")
    page = log_in(serve(world))
    open_row(page, "@ferry42")
    press = page.keyboard.press
    press("Control+k")
    page.keyboard.type("quay")
    press("Enter")
    expect(page.get_by_role("heading", name="@quay_9").first).to_be_visible()
    press("t")
    page.keyboard.type("Refunds")
    press("Enter")
    expect(page.get_by_text("transferred by you to Refunds")).to_be_visible()
    press("s")
    expect(page.get_by_role("button", name="Status: Off queue")).to_be_visible()
    assert other["workgroup_id"] == "w-refunds"


def test_hostile_words_stay_words(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    world.add_workgroup("w-x", HOSTILE[0])
    world.agents["agent-7"]["name"] = HOSTILE[1]
    row = connected(world)
    for words in HOSTILE:
        media = [{"kind": words, "url": words, "alt_text": words}]
        world.add_post(row, words, handle=words, name=words, media=media)
        world.add_conversation(words, [words], name=words)
    offered(world, HOSTILE[2], name=HOSTILE[3])
    page = log_in(serve(world))
    open_row(page, "@ferry42")
    expect(said(page).get_by_text(HOSTILE[0], exact=True).first).to_be_visible()
    assert page.locator(".log script, .log img, .log iframe, .log svg svg").count() == 0
    hrefs = page.locator("a[target=_blank]").evaluate_all("links => links.map(a => a.protocol)")
    assert set(hrefs) <= {"http:", "https:"}
    page.get_by_role("link", name="Waiting").first.click()
    page.keyboard.press("j")
    expect(said(page)).to_be_visible()


def test_the_stream_resumes_after_a_cut_without_gap_or_repeat(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    row = connected(world)
    page = log_in(serve(world), allowed=STREAM_ERRORS)
    open_row(page, "@ferry42")
    world.add_post(row, "before the cut")
    expect(said(page).get_by_text("before the cut")).to_have_count(1)
    with world.streams_refused():
        expect(page.get_by_text("No live connection.")).to_be_visible(timeout=5000)
        world.add_post(row, "during the cut")
    expect(said(page).get_by_text("during the cut")).to_have_count(1)
    expect(page.get_by_text("No live connection.")).to_be_hidden()
    assert world.streams_opened[0] is None
    assert int(world.streams_opened[-1] or 0) >= len(world.events) - 1


def test_a_reply_whose_answer_was_lost_is_said_once(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    row = connected(world)
    page = log_in(serve(world), allowed=("503",))
    open_row(page, "@ferry42")
    world.away = 1
    page.get_by_label("Your reply").fill("Only once, please")
    page.keyboard.press("Control+Enter")
    expect(sent(page)).to_be_visible()
    expect(said(page).get_by_text("Only once, please")).to_have_count(1)
    assert len(world.replies) == 1
    until(page, lambda: len(world.requests) == 2)
    assert {path for _key, path, _body in world.requests} == {
        f"/api/v1/conversations/{row['id']}/replies"
    }
    assert len({key for key, _path, _body in world.requests}) == 1


def test_delivery_is_told_as_it_is(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    connected(world)
    world.next_reply_state = "unknown"
    page = log_in(serve(world))
    open_row(page, "@ferry42")
    page.get_by_label("Your reply").fill("First")
    page.keyboard.press("Control+Enter")
    expect(said(page).get_by_text("checking whether it arrived…")).to_be_visible()
    reply_id = next(iter(world.replies))
    world.settle(reply_id, "needs_human")
    page.get_by_role("button", name="It is there").click()
    expect(sent(page)).to_be_visible()
    world.settle(reply_id, "rejected")
    expect(said(page).get_by_text("The customer has blocked you")).to_be_visible()
    page.get_by_role("button", name="Edit and try again").click()
    expect(page.get_by_label("Your reply")).to_have_value("First")


def test_what_happened_by_itself_is_told_with_its_cause(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    row = connected(world)
    ways = {"from_workgroup_id": "w-parcels", "to_workgroup_id": "w-parcels"}
    world.tell("conversation.transferred", row, cause="closed", **ways)
    world.reply(row, {"text": "We open at nine."}, "agent-1")
    next(iter(world.replies.values()))["agent_id"] = None
    page = log_in(serve(world))
    open_row(page, "@ferry42")
    expect(
        said(page).get_by_text("transferred by the system to Parcels: Parcels is closed")
    ).to_be_visible()
    expect(said(page).get_by_text("automatic reply")).to_be_visible()


def test_a_private_conversation_is_never_answered_in_public_by_mistake(
    serve: Serve, log_in: LogIn
) -> None:
    world = small_floor()
    connected(world, private=True)
    page = log_in(serve(world))
    open_row(page, "@ferry42")
    audience = page.get_by_label("Audience")
    expect(audience).to_have_value("private")
    audience.select_option("public")
    page.get_by_label("Your reply").fill("Said in public")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("dialog", name="Answer in public?")).to_be_visible()
    assert world.replies == {}
    page.get_by_role("button", name="Say it in public").click()
    expect(said(page).get_by_text("Said in public")).to_be_visible()
    assert next(iter(world.replies.values()))["confirm_public"] is True


def test_two_tabs_share_one_stream(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    row = connected(world)
    url = serve(world)
    first = log_in(url)
    expect(first.get_by_role("link", name="@ferry42")).to_be_visible()
    second = first.context.new_page()
    second.goto(f"{url}/#/mine/{row['id']}")
    world.add_post(row, "to both tabs")
    expect(said(second).get_by_text("to both tabs")).to_be_visible()
    assert len(world.streams_opened) == 1
    first.close()
    world.add_post(row, "to the heir")
    expect(said(second).get_by_text("to the heir")).to_be_visible()
    assert len(world.streams_opened) == 2
    assert world.streams_opened[1] is not None


def test_a_draft_outlives_a_reload_and_another_conversation(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    connected(world)
    connected(world, "quay_9")
    page = log_in(serve(world))
    open_row(page, "@ferry42")
    page.get_by_label("Your reply").fill("half a sen")
    page.get_by_role("link", name="@quay_9").click()
    expect(page.get_by_label("Your reply")).to_have_value("")
    page.reload()
    open_row(page, "@ferry42")
    expect(page.get_by_label("Your reply")).to_have_value("half a sen")


def test_a_missed_offer_is_said_and_the_way_back_is_one_click(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    world.agents["agent-1"]["routing_status"] = "not_responding"
    page = log_in(serve(world))
    page.get_by_role("button", name="Back on queue").click()
    expect(page.get_by_role("button", name="Status: On queue")).to_be_visible()
    assert world.agents["agent-1"]["routing_status"] == "on_queue"
    until(page, lambda: bool(world.heartbeats))
    assert world.heartbeats == ["agent-1"]


def test_a_supervisor_filters_the_floor_and_releases_a_conversation(
    serve: Serve, log_in: LogIn
) -> None:
    world = busy_floor()
    page = log_in(serve(world), key="supervisor-key")
    page.get_by_label("state").select_option("connected")
    expect(page).to_have_url(re.compile("state=connected"))
    expect(page.get_by_text("3 of 13")).to_be_visible()
    page.get_by_role("link", name="@lock_5").click()
    page.get_by_role("button", name="Release to queue").click()
    page.get_by_role("button", name="agent is away").click()
    page.get_by_role("button", name="Release", exact=True).click()
    expect(page.get_by_text("2 of 13")).to_be_visible()
    page.reload()
    expect(page.get_by_text("2 of 13")).to_be_visible()


def test_on_a_phone_list_thread_and_person_are_pages(serve: Serve, log_in: LogIn) -> None:
    world = busy_floor()
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    page = log_in(serve(world), **phone)
    expect(page.get_by_role("button", name="Pick up")).to_be_visible()
    expect(page.get_by_label("Your reply")).to_be_hidden()
    page.get_by_role("link", name="@ferry42").tap()
    expect(page.get_by_label("Your reply")).to_be_in_viewport()
    expect(page.get_by_role("button", name="Disconnect")).to_be_in_viewport()
    expect(page.get_by_role("button", name="Pick up")).to_be_hidden()
    page.get_by_role("button", name="About the customer").tap()
    expect(page.get_by_role("heading", name="History")).to_be_visible()
    width = page.evaluate("() => document.documentElement.scrollWidth")
    assert width == 390


CONTRASTS = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
  const rgb = (color, under) => {
    canvas.fillStyle = `rgb(${under})`; canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return Array.from(canvas.getImageData(0, 0, 1, 1).data.slice(0, 3));
  };
  const light = (c) => c.map((v) => v / 255)
    .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => element
    ? rgb(getComputedStyle(element).backgroundColor, ground(element.parentElement))
    : [255, 255, 255];
  const bad = [];
  for (const element of document.querySelectorAll('#app *')) {
    const hasText = Array.from(element.childNodes).some((n) => n.nodeType === 3 && n.data.trim());
    if (!hasText || element.closest(':disabled, kbd, select, .unseen')) continue;
    const under = ground(element);
    const [a, b] = [light(rgb(getComputedStyle(element).color, under)), light(under)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) bad.push(`${element.className || element.tagName} ${ratio.toFixed(2)}`);
  }
  return bad;
}"""


def test_both_themes_can_be_read(serve: Serve, log_in: LogIn) -> None:
    page = log_in(serve(busy_floor()), color_scheme="light")
    open_row(page, "@mole77")
    expect(page.get_by_label("Your reply")).to_be_visible()
    page.wait_for_timeout(200)
    assert page.evaluate(CONTRASTS) == []
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(CONTRASTS) == []
    page.get_by_role("button", name="Theme: as the system. Change it").click()
    ground = "() => getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Theme: light. Change it").click()
    assert page.evaluate(ground) != light


def test_media_are_named_and_lead_to_our_own_address(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    row = connected(world)
    media = [
        {"kind": "image", "url": "https://pictures.example/1.png", "alt_text": "a torn parcel"},
        {"kind": "file", "url": "javascript:alert(1)"},
    ]
    world.add_post(row, "look", media=media)
    page = log_in(serve(world))
    called: list[str] = []
    page.on("request", lambda request: called.append(request.url))
    open_row(page, "@ferry42")

    shown = page.locator(".media li")
    expect(shown.first).to_contain_text("a torn parcel")
    expect(shown.first).to_contain_text("pictures.example")
    hrefs = page.locator(".media a").evaluate_all("links => links.map(a => a.getAttribute('href'))")
    assert [href.startswith("/api/v1/posts/") and href.endswith("/media/0") for href in hrefs] == [
        True
    ]
    assert not [url for url in called if "pictures.example" in url]

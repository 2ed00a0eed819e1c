"""Lists of a thousand, several offers at once, the customer in full, and a flat memory."""

from playwright.sync_api import Page, expect

from tests.web.fake_world import Row, at
from tests.web.scenes import small_floor
from tests.web.test_desk import LogIn, Serve, connected, offered, open_row, until

MANY = 1_100
MOST_DRAWN = 80
PRESSES_AT_ONCE = """() => new MutationObserver((_, observer) => {
  if (document.querySelectorAll('.offer').length < 2) return;
  observer.disconnect();
  document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'a', bubbles: true }));
}).observe(document.body, { childList: true, subtree: true })"""
"""A finger that is on its way when another offer comes on top."""

LIVE = """async (events) => {
  const [live, store, timelines] = await Promise.all(
    ['live', 'store', 'timelines'].map((name) => import(`/web/state/${name}.js`)));
  store.workgroups.put({ id: 'w' });
  const STATES = ['queued', 'connected', 'connected', 'held', 'completed'];
  const counts = [];
  const kept = timelines.watchTimeline('c-0');
  for (let number = 0; number < events; number += 1) {
    const step = number % STATES.length;
    const id = `c-${(number - step) / STATES.length}`;
    const ended_at = step === STATES.length - 1 ? new Date(1e12 + number).toISOString() : null;
    const whose = { agent_id: 'x', workgroup_id: 'w' };
    const conversation = { id, version: step + 1, state: STATES[step], ended_at, ...whose };
    live.apply({ type: 'conversation.held', conversation_id: id, conversation, ...whose });
    if (number % 100 === 0) timelines.timelineOf(id);
    if ((number + 1) % 1000) continue;
    counts.push([store.conversations.rows.size, timelines.keptTimelines()]);
  }
  return { counts, isWatchedKept: store.conversations.rows.has('c-0') };
}"""


def drawn(page: Page) -> int:
    return page.locator(".rows-frame .row").count()


def test_of_a_thousand_that_wait_those_in_sight_are_drawn(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    for number in range(MANY):
        world.add_conversation(f"dock{number}", [], age_s=MANY - number)
    page = log_in(serve(world))
    page.get_by_role("link", name="Waiting").first.click()
    frame = page.locator(".rows-frame")
    expect(frame.get_by_role("link", name="@dock0", exact=False).first).to_be_visible()
    assert drawn(page) < MOST_DRAWN
    expect(page.locator(".left h2 .count")).to_have_text(str(MANY))
    expect(frame.locator(".wait.late .word").first).to_have_text("late")

    frame.evaluate("(element) => { element.scrollTop = element.scrollHeight; }")
    last = frame.locator("li").last
    expect(last).to_have_attribute("aria-posinset", str(MANY))
    expect(last).to_contain_text(f"@dock{MANY - 1}")
    assert drawn(page) < MOST_DRAWN
    page.locator("body").press("k")
    expect(last.locator(".row")).to_have_attribute("aria-current", "true")
    expect(last.locator(".row")).to_be_in_viewport()


def test_of_several_offers_keys_mean_the_one_that_shows_them(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    mine = connected(world)
    first = offered(world, "buoy8")
    page = log_in(serve(world))
    open_row(page, "@ferry42")
    cards = page.locator(".offer")
    expect(cards).to_have_count(1)
    page.get_by_label("Your reply").focus()
    second = world.add_conversation("harbor", ["Quick"], age_s=5)
    world.offer(second, "agent-1", 9)
    expect(cards).to_have_count(2)
    expect(cards.first).to_contain_text("@harbor")
    page.keyboard.type("a")
    expect(page.get_by_label("Your reply")).to_have_value("a")
    page.keyboard.press("Escape")
    expect(cards.first.locator("kbd").first).to_be_visible(timeout=3000)
    expect(cards.nth(1).locator("kbd")).to_have_count(0)
    page.keyboard.press("d")
    until(page, lambda: second["state"] == "queued")
    expect(cards).to_have_count(1)
    page.evaluate(PRESSES_AT_ONCE)
    third = world.add_conversation("lock_5", ["Quicker"], age_s=5)
    world.offer(third, "agent-1", 9)
    until(page, lambda: first["state"] == "connected")
    assert (mine["state"], third["state"]) == ("connected", "alerting")


def test_what_came_since_is_new_until_it_is_opened(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    connected(world)
    other = connected(world, "quay_9")
    page = log_in(serve(world))
    row = page.locator(".rows-frame li", has_text="@quay_9")
    expect(row.locator(".unread")).to_have_text("1 new")
    open_row(page, "@quay_9")
    expect(row.locator(".unread")).to_have_count(0)
    open_row(page, "@ferry42")
    page.go_back()
    expect(page.get_by_role("heading", name="@quay_9").first).to_be_visible()
    page.go_forward()
    expect(page.get_by_role("heading", name="@ferry42").first).to_be_visible()
    expect(row.locator(".unread")).to_have_count(0)
    world.add_post(other, "Hello?")
    world.add_post(other, "Anybody?")
    expect(row.locator(".unread")).to_have_text("2 new")


def test_the_customer_in_full_and_found_by_name(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    mine = connected(world, name="Ferry")
    for number in range(13):
        was = world.add_conversation("ferry42", [], state="completed", age_s=86_400 + number)
        was |= {"preview": f"an earlier matter {number}", "ended_at": at(-80_000)}
    also = world.add_conversation("ferry42", ["by the way"], network="mastodon")
    also["preview"] = "by the way"
    face: Row = {"network": "x", "external_id": "1", "handle": "ferry42", "name": "Ferry"}
    face |= {"followers": 1204, "language": "en", "location": "Lisbon", "avatar_url": None}
    faces = [face, face | {"network": "mastodon", "handle": "ferry@sea.example"}]
    world.cards[mine["customer"]["id"]] = {"identities": faces, "tags": ["press"]}
    page = log_in(serve(world))
    open_row(page, "@ferry42")

    person = page.get_by_role("region", name="About the customer")
    expect(person).to_contain_text("One person with 2 accounts")
    for words in ("1,204 followers", "Lisbon", "ferry@sea.example", "press"):
        expect(person).to_contain_text(words)
    expect(person.locator(".history").first).to_contain_text("by the way")
    expect(person.locator(".history li")).to_have_count(9)
    person.get_by_role("button", name="Older ones").click()
    expect(person.locator(".history li")).to_have_count(14)
    person.get_by_role("link", name="an earlier matter 12").click()
    expect(page.locator(".ending")).to_contain_text("Ended")
    expect(page.get_by_label("Your reply")).to_have_count(0)

    page.evaluate("location.hash = '#/mine'")
    page.keyboard.press("Control+k")
    page.keyboard.type("sea.example")
    page.get_by_role("option", name="@ferry42").click()
    expect(page.get_by_role("heading", name="@ferry42").first).to_be_visible()


def test_ten_thousand_events_leave_no_more_behind_than_a_thousand(
    serve: Serve, open_page: LogIn
) -> None:
    page = open_page(serve(small_floor()), allowed=("/api/v1/",))

    told = page.evaluate(LIVE, 10_000)

    rows, timelines = zip(*told["counts"], strict=True)
    assert told["isWatchedKept"]
    assert max(rows[1:]) <= max(rows[0], 160)
    assert max(timelines) <= 31

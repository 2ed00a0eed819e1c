"""Two hundred hostile texts wherever somebody else's words are shown: they stay words.

Each view is drawn twice, with harmless words and with hostile ones. It must be made of the same
elements both times (links apart, which are checked by themselves), ask nobody else for anything,
and keep the console silent: dialogs, policy violations and errors fail in `open_page`.
"""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.web.fake_desk import onlooker
from tests.web.fake_supervisor import quarantined
from tests.web.fake_world import Row, World
from tests.web.payloads import CLASSES, PAYLOADS
from tests.web.scenes import small_floor
from tests.web.test_desk import connected, open_row

Serve = Callable[[World], str]
LogIn = Callable[..., Page]
View = Callable[[Page, str], None]

ELSEWHERE = ".words a, .words > span, .figures, .floor-table tr:nth-child(n+12)"
"""Links, what grows with the time, and rows that are drawn only where there is room."""

COUNT = """(elsewhere) => {
  const counts = {};
  for (const element of document.querySelectorAll('*')) {
    if (element.closest(elsewhere)) continue;
    counts[element.localName] = (counts[element.localName] ?? 0) + 1;
  }
  return counts;
}"""
LINKS = """() => Array.from(document.querySelectorAll('a[target=_blank]'), (link) => {
  const origin = `${link.protocol}//${link.host}`;
  const shown = link.textContent;
  const rest = shown.slice(origin.length);
  const isAsWritten = shown.toLowerCase().startsWith(origin) && /^($|[/?#])/.test(rest);
  return [link.href, shown, link.rel, isAsWritten || shown.endsWith(`(${link.host})`)];
})"""
STRANGERS = ".log, .offer, .right h1, .rows .who, .floor-table td:first-child"
LONGEST_NAME = 200
OVERRIDES = "\u202d\u202e"


def harmless(texts: tuple[str, ...]) -> list[str]:
    """Return words that are as many, and as different from each other."""
    return [f"word {number}" for number, _ in enumerate(texts)]


def spoken_world(texts: list[str]) -> World:
    """Let everybody who can say something say it: customers, agents, networks, who sets it up."""
    world = small_floor()
    row = connected(world)
    for text in texts:
        media = [{"kind": text, "url": "https://pictures.example/1", "alt_text": text}]
        author: Row = {"handle": text, "name": text, "location": text, "language": text}
        world.add_post(row, text, media=media, **author)
        world.tell("conversation.transferred", row, agent_id="agent-7", comment=text)
        world.note(row, {"text": text, "mentions": ["agent-1"]}, "agent-9")
    world.next_reply_state = "rejected"
    world.reply(row, {"text": texts[0]}, "agent-1")
    next(iter(world.replies.values()))["reason"] = texts[1]
    world.onlookers[row["id"]] = [onlooker("", texts[2], "looking")]
    with_past(world, row["customer"]["id"], texts)
    world.canned_replies = [
        {"id": f"cr-{n}", "shortcut": text, "text": text} for n, text in enumerate(texts)
    ]
    return world


def with_past(world: World, customer_id: str, texts: list[str]) -> None:
    """Give the customer faces, tags and a past of these words."""
    named = ("external_id", "handle", "name", "language", "location")
    face: Row = {"network": "x", "avatar_url": None, "followers": 1}
    faces = [face | dict.fromkeys(named, text) for text in texts]
    world.cards[customer_id] = {"identities": faces, "tags": texts}
    for text in texts[:8]:
        past = world.add_conversation("ferry42", [], state="completed", age_s=86_400)
        past |= {"preview": text, "wrap_up_code": text, "network": text}


def named_world(texts: list[str]) -> World:
    """Name everything after the texts: customers, agents, workgroups, channels, reasons."""
    world = small_floor()
    for number, text in enumerate(texts):
        group, agent, name = f"w-{number}", f"a-{number}", text[:LONGEST_NAME]
        world.add_workgroup(group, name)
        world.add_agent(agent, name)["reason"] = text
        world.add_channel(f"ch-{number}", name, network=text)
        world.tell_health(f"ch-{number}", "down", text)
        row = world.add_conversation(text, [text], name=text, workgroup_id=group, network=text)
        row["wrap_up_code"] = text
        told = {"code": text, "detail": text, "raw": text, "external_id": name}
        world.quarantine.append(quarantined(number, channel_id=f"ch-{number}", **told))
    world.agents["agent-1"]["workgroups"] = list(world.workgroups)
    offered = world.add_conversation(texts[0], [texts[0]], name=texts[0])
    world.offer(offered, "agent-1", 600)
    held = world.add_conversation(
        "ferry42", ["Where?"], name=texts[1], state="connected", agent_id="agent-1"
    )
    held["required_skills"] = [{"skill": text, "min_proficiency": 1} for text in texts]
    return world


def thread(page: Page, _: str) -> None:
    open_row(page, "@ferry42")
    expect(page.locator(".entry.note").last).to_be_visible()
    page.get_by_label("Your reply").focus()
    page.keyboard.type("/")
    expect(page.get_by_role("listbox", name="Canned replies")).to_be_visible()


def colleagues(page: Page, _: str) -> None:
    open_row(page, "@ferry42")
    expect(page.locator(".identities li").nth(20)).to_be_visible()
    expect(page.locator(".history li").nth(7)).to_be_visible()
    page.get_by_role("tab", name="Note").click()
    page.keyboard.type("@")
    expect(page.get_by_role("listbox", name="Colleagues")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("Notes that name")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").locator(".row").nth(20)).to_be_visible()


def lists(page: Page, _: str) -> None:
    page.get_by_role("link", name="Waiting").first.click()
    expect(page.locator(".rows .row").nth(20)).to_be_visible()
    page.evaluate("location.hash = '#/mine'")
    open_row(page, "@ferry42")
    expect(page.locator(".identities li")).to_be_visible()
    page.get_by_role("button", name="Transfer").click()
    expect(page.get_by_role("dialog").locator(".choice").nth(20)).to_be_visible()


def floor(page: Page, _: str) -> None:
    expect(page.get_by_role("search")).to_be_visible()
    page.get_by_role("tab", name="Channels").click()
    expect(page.locator(".floor-table tbody tr").nth(10)).to_be_visible()
    page.get_by_role("searchbox").fill("ferry42")
    open_row(page, "@ferry42")
    expect(page.locator(".identities li")).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".floor-table tbody tr").nth(10)).to_be_visible()


def queues(page: Page, _: str) -> None:
    page.get_by_role("tab", name="Queues").click()
    read = page.locator("#below tbody .c-estimate:not(:empty)")
    expect(read.nth(len(PAYLOADS))).to_be_attached(timeout=15_000)


def quarantine(page: Page, _: str) -> None:
    page.get_by_role("tab", name="Quarantine").click()
    page.locator("#below").get_by_role("button", name="Look").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()


def wallboard(page: Page, url: str) -> None:
    expect(page.get_by_role("search")).to_be_visible()
    page.goto(f"{url}/wallboard")
    expect(page.locator(".tile").nth(20)).to_be_visible()
    expect(page.get_by_role("button", name="Displays")).to_be_visible()


class Looked:
    """What was seen of one view in one world."""

    def __init__(self, page: Page, url: str, view: View) -> None:
        called: list[str] = []
        page.on("request", lambda request: called.append(request.url))
        view(page, url)
        self.elements: dict[str, int] = page.evaluate(COUNT, ELSEWHERE)
        self.links: list[Any] = page.evaluate(LINKS)
        self.words = "".join(page.locator(STRANGERS).all_inner_texts())
        self.title = page.title()
        self.is_taken = page.evaluate("() => 'taken' in window")
        self.strangers = [one for one in called if not one.startswith(url)]
        size = "() => document.documentElement"
        self.is_wider = page.evaluate(f"{size}.scrollWidth > innerWidth")


@pytest.mark.parametrize(
    ("view", "key", "world_of"),
    [
        (thread, "agent-key", spoken_world),
        (colleagues, "agent-key", spoken_world),
        (lists, "agent-key", named_world),
        (floor, "supervisor-key", named_world),
        (queues, "supervisor-key", named_world),
        (quarantine, "supervisor-key", named_world),
        (wallboard, "supervisor-key", named_world),
    ],
)
def test_hostile_texts_are_drawn_as_harmless_ones_are(
    serve: Serve, log_in: LogIn, view: View, key: str, world_of: Callable[[list[str]], World]
) -> None:
    looked = []
    for texts in (harmless(PAYLOADS), list(PAYLOADS)):
        url = serve(world_of(texts))
        looked.append(Looked(log_in(url, key=key), url, view))
    as_ever, seen = looked

    assert len(PAYLOADS) >= 200
    assert len(set(PAYLOADS)) == len(PAYLOADS)
    assert seen.elements == as_ever.elements
    assert [link for link in seen.links if link[0].split(":")[0] not in ("http", "https")] == []
    assert [link for link in seen.links if "noopener" not in link[2]] == []
    assert not set(OVERRIDES) & set(seen.words)
    assert (seen.is_taken, seen.strangers, seen.is_wider) == (False, [], False)
    assert seen.title == as_ever.title


def test_a_link_shows_where_it_leads(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    row: Row = connected(world)
    for text in (*CLASSES["lookalikes"], *CLASSES["addresses"]):
        world.add_post(row, f"see {text} there")
    page = log_in(serve(world))
    open_row(page, "@ferry42")
    expect(page.locator(".entry.post")).to_have_count(1 + 50)
    links = page.locator(".words a").count()
    told = [link for link in page.evaluate(LINKS) if link[1] != "original"]
    assert links == len(told) > 20
    assert [link for link in told if not link[3]] == []

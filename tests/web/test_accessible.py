"""No view breaks a rule of WCAG 2.2 AA, in either theme: judged by axe-core, in the browser."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.axe import violations
from tests.web.fake_desk import onlooker
from tests.web.fake_supervisor import quarantined
from tests.web.fake_world import Row, World
from tests.web.scenes import busy_floor, small_floor
from tests.web.test_desk import connected, offered, open_row

Serve = Callable[[World], str]
LogIn = Callable[..., Page]
DELIVERIES = ("accepted", "sent", "unknown", "rejected", "needs_human")


class Judge:
    """Looks at a page in both themes and remembers what was wrong where."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.found: dict[str, list[str]] = {}

    def look(self, view: str) -> None:
        for theme in ("light", "dark"):
            self.page.emulate_media(color_scheme="light" if theme == "light" else "dark")
            for sentence in violations(self.page):
                self.found.setdefault(sentence, []).append(f"{view}, {theme}")

    def assert_content(self) -> None:
        """Fail with each sentence once, and where it is so."""
        assert not self.found, "\n".join(f"{what} IN {where}" for what, where in self.found.items())

    def look_at_dialog(self, button: str, title: str) -> None:
        self.page.get_by_role("button", name=button).first.click()
        dialog = self.page.get_by_role("dialog", name=title)
        expect(dialog).to_be_visible()
        self.look(f"dialog {title}")
        self.page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()


def with_everything_said(world: World, row: Row) -> None:
    """Fill a thread: each state of a delivery, a note, a file, an edit, what was taken back."""
    world.add_post(row, "see https://track.example/1", media=[picture()])
    world.change_post(row, "see https://track.example/12")
    for state in DELIVERIES:
        world.undo_window_s = 60 if state == "accepted" else 0
        world.next_reply_state = state
        world.reply(row, {"text": f"a reply that is {state}"}, "agent-1")
    world.note(row, {"text": "Carrier confirms: lost."}, "agent-7")
    world.add_post(row, "soon gone")
    world.change_post(row)
    world.tell("conversation.held", row, agent_id="agent-1")


def picture() -> dict[str, Any]:
    return {"kind": "image", "url": "https://pictures.example/1.png", "alt_text": "a torn parcel"}


def test_the_log_in_and_an_empty_desk(serve: Serve, open_page: LogIn) -> None:
    page = open_page(serve(small_floor()), allowed=("/api/v1/session",))
    judge = Judge(page)
    expect(page.get_by_label("Username")).to_be_focused()
    judge.look("log in")
    page.get_by_role("button", name="Use an API key").click()
    judge.look("log in with a key")
    page.get_by_label("Your key", exact=True).fill("agent-key")
    page.keyboard.press("Enter")
    expect(page.get_by_text("You are on queue")).to_be_visible()
    judge.look("empty desk")
    judge.assert_content()


def test_a_desk_with_an_offer_and_a_thread(serve: Serve, log_in: LogIn) -> None:
    world = busy_floor()
    row = connected(world, "pilot6", name="Pilot")
    with_everything_said(world, row)
    offered(world, "float2")
    world.onlookers[row["id"]] = [onlooker("agent-7", "Agent seven", "typing")]
    world.canned_replies = [{"id": "cr-1", "shortcut": "late", "text": "It is late, sorry."}]
    page = log_in(serve(world))
    judge = Judge(page)
    open_row(page, "@pilot6")
    expect(page.locator(".onlookers")).to_contain_text("Agent seven")
    judge.look("thread and offer")
    page.get_by_label("Your reply").focus()
    page.keyboard.type("https://a.example ✓ /")
    expect(page.get_by_role("listbox", name="Canned replies")).to_be_visible()
    judge.look("composer with canned replies")
    page.keyboard.press("Escape")
    open_row(page, "@mole77")
    judge.look("private thread")
    open_row(page, "@quay_9")
    judge.look("held thread")
    page.get_by_role("link", name="Waiting").first.click()
    expect(page.get_by_role("link", name="@dock3")).to_be_visible()
    judge.look("waiting")
    judge.assert_content()


def with_company(world: World) -> None:
    """Give a customer faces and a past, and the agent more offers and a colleague's question."""
    row = connected(world, "pilot6", name="Pilot")
    world.add_post(row, "and another thing", in_reply_to="x-elsewhere")
    world.refused_audiences = {"private": {"code": "visibility_not_spoken", "detail": "never"}}
    face: Row = {"network": "x", "external_id": "1", "handle": "pilot6", "name": None}
    face |= {"followers": 12, "language": "en", "location": "Lisbon", "avatar_url": None}
    faces = [face, face | {"network": "mastodon"}]
    world.cards["cu-pilot6"] = {"identities": faces, "tags": ["press"], "own_agent_id": "agent-7"}
    world.add_conversation("pilot6", ["before"], state="completed", age_s=86_400)
    offered(world, "float2")
    other = next(iter(world.conversations.values()))
    world.note(other, {"text": "@Agent one, look", "mentions": ["agent-1"]}, "agent-7")


def test_answers_at_any_level_colleagues_and_the_customer(serve: Serve, log_in: LogIn) -> None:
    world = busy_floor()
    with_company(world)
    page = log_in(serve(world), allowed=("/replies/preview",))
    judge = Judge(page)
    open_row(page, "@pilot6")
    expect(page.locator(".identities li")).to_have_count(2)
    page.locator(".thread").focus()
    page.keyboard.press("[")
    page.get_by_label("Your reply").fill("word " * 80)
    page.locator(".split summary").click()
    page.get_by_label("Audience").focus()
    expect(page.locator("#not-allowed")).to_be_visible()
    judge.look("an answer to a post, in several posts")
    page.get_by_role("tab", name="Note").click()
    page.keyboard.type("@Agent seven @a")
    expect(page.get_by_role("listbox", name="Colleagues")).to_be_visible()
    judge.look("a note that names somebody")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("Notes that name")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="You are named")).to_contain_text("look")
    judge.look("notes that name one")
    judge.assert_content()


def test_dialogs_menus_and_banners(serve: Serve, log_in: LogIn) -> None:
    world = busy_floor()
    world.agents["agent-1"]["routing_status"] = "not_responding"
    page = log_in(serve(world))
    judge = Judge(page)
    open_row(page, "@ferry42")
    judge.look_at_dialog("Transfer", "Transfer")
    judge.look_at_dialog("Park", "Park")
    judge.look_at_dialog("Search, commands", "Commands")
    judge.look_at_dialog("Keys", "Keys")
    page.get_by_role("button", name="Account").click()
    judge.look("menu, and the banner of a missed offer")
    judge.assert_content()


def test_a_phone(serve: Serve, log_in: LogIn) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    page = log_in(serve(busy_floor()), **phone)
    judge = Judge(page)
    expect(page.get_by_role("button", name="Pick up")).to_be_visible()
    judge.look("list")
    page.get_by_role("link", name="@ferry42").tap()
    expect(page.get_by_label("Your reply")).to_be_visible()
    judge.look("thread")
    judge.assert_content()


def test_the_floor_and_the_wallboard(serve: Serve, log_in: LogIn) -> None:
    world = busy_floor()
    world.tell_health("ch-1", "unauthorised", "the token was revoked")
    world.quarantine.append(quarantined(1))
    url = serve(world)
    page = log_in(url, key="supervisor-key")
    judge = Judge(page)
    expect(page.get_by_role("search")).to_be_visible()
    judge.look("floor")
    for tab in ("Queues", "Channels", "Quarantine"):
        page.get_by_role("tab", name=tab).click()
        expect(page.locator("#below tbody tr").first).to_be_visible()
        judge.look(tab)
    judge.look_at_dialog("Look", "In quarantine")
    page.get_by_role("link", name="@buoy8").click()
    expect(page.get_by_text("Went to Agent one").first).to_be_visible()
    judge.look("floor with a conversation and its decision")
    page.get_by_role("button", name="History").click()
    judge.look("history")
    page.goto(f"{url}/wallboard")
    expect(page.get_by_role("region", name="Waiting", exact=True)).to_contain_text("7")
    judge.look("wallboard")
    judge.assert_content()

"""Files with a reply, in a real browser on the real API: chosen, dropped, described, sent."""

from typing import Any

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.web.conftest import PageOpener
from tests.web.office import Office
from tests.web.payloads import PAYLOADS
from tests.web.served import Served

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 30
DROP = """([kind, name]) => {
  const transfer = new DataTransfer();
  const bytes = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1]);
  transfer.items.add(new File([bytes], name, { type: 'image/png' }));
  const field = document.querySelector('.composer textarea');
  const what = { bubbles: true, cancelable: true };
  field.dispatchEvent(kind === 'paste'
    ? new ClipboardEvent('paste', { ...what, clipboardData: transfer })
    : new DragEvent('drop', { ...what, dataTransfer: transfer }));
}"""


class Desk:
    """An agent's desk with one connected conversation."""

    def __init__(self, served: Served, open_page: PageOpener, **options: Any) -> None:
        self.served = served
        self.office = Office(served)
        _, self.key = self.office.agent("ines")
        (self.conversation,) = self.office.post("ana", "What does it look like?")
        self.office.pick_up(self.conversation, self.key)
        self.page = open_page("about:blank", allowed=("/api/v1/", "ERR_"), **options)
        served.sign_in(self.page.context, self.key)
        self.open()

    def open(self) -> None:
        self.page.goto(f"{self.served.url}/#/mine/{self.conversation}")
        expect(self.page.get_by_label("Your reply")).to_be_visible()

    def attach(self, *files: FilePayload) -> None:
        expect(self.page.get_by_role("button", name="Attach")).to_be_visible()
        self.page.locator(".composer input[type=file]").set_input_files(list(files))

    @property
    def send(self) -> Any:
        return self.page.get_by_role("button", name="Send", exact=True)

    def replies(self) -> list[dict[str, Any]]:
        path = f"/conversations/{self.conversation}/timeline"
        items = self.served.call("GET", path, key=self.key)["items"]
        return [one["reply"] for one in items if one["kind"] == "reply"]

    def draft(self) -> Any:
        return self.served.call("GET", f"/conversations/{self.conversation}/draft", key=self.key)


@pytest.fixture
def desk(parley: Served, open_page: PageOpener) -> Desk:
    return Desk(parley, open_page)


def png(name: str) -> FilePayload:
    return {"name": name, "mimeType": "image/png", "buffer": PNG}


def attached(page: Page) -> Any:
    return page.locator(".attachments li")


def test_a_file_is_attached_described_kept_and_sent(desk: Desk) -> None:
    page = desk.page
    desk.attach(png("a cat.png"))
    expect(attached(page)).to_have_count(1)
    expect(attached(page)).to_contain_text("a cat.png")
    expect(page.locator(".composer .forbidden")).to_have_text("A file goes with words: write some.")
    expect(desk.send).to_be_disabled()
    page.get_by_label("What a cat.png shows").fill("a cat that sleeps")
    page.get_by_label("Your reply").fill("Like this.")
    page.wait_for_function(
        "async (path) => (await (await fetch(path)).json()).text === 'Like this.'",
        arg=f"/api/v1/conversations/{desk.conversation}/draft",
    )

    desk.open()
    page.reload()

    expect(page.get_by_label("What a cat.png shows")).to_have_value("a cat that sleeps")
    desk.send.click()
    said = page.locator(".entry.reply")
    expect(said.get_by_role("link", name="a cat.png")).to_be_visible()
    expect(said).to_contain_text("a cat that sleeps")
    expect(attached(page)).to_have_count(0)
    (reply,) = desk.replies()
    (file,) = reply["attachments"]
    assert (file["name"], file["alt_text"]) == ("a cat.png", "a cat that sleeps")
    link = said.get_by_role("link", name="a cat.png").get_attribute("href")
    shown = page.context.request.get(f"{desk.served.url}{link}")
    assert (shown.status, shown.body()) == (200, PNG)
    assert desk.draft()["attachments"] == []


@pytest.mark.parametrize("how", ["drop", "paste"])
def test_a_file_can_be_dropped_and_pasted(desk: Desk, how: str) -> None:
    expect(desk.page.get_by_role("button", name="Attach")).to_be_visible()
    desk.page.evaluate(DROP, [how, "dropped.png"])

    expect(attached(desk.page)).to_contain_text("dropped.png")
    expect(desk.page.get_by_label("Your reply")).to_have_value("")


def test_what_is_no_known_file_is_refused_and_the_words_stay(desk: Desk) -> None:
    page = desk.page
    page.get_by_label("Your reply").fill("See for yourself.")
    desk.attach({"name": "page.html", "mimeType": "text/html", "buffer": b"<html>"})

    expect(attached(page)).to_contain_text("Only pictures")
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)
    expect(desk.send).to_be_disabled()
    page.get_by_role("button", name="Remove page.html").click()
    expect(attached(page)).to_have_count(0)
    expect(desk.send).to_be_enabled()
    expect(page.get_by_label("Your reply")).to_have_value("See for yourself.")


def test_what_is_too_large_is_said_without_bringing_it(desk: Desk) -> None:
    brought: list[str] = []
    desk.page.on("request", lambda one: brought.append(one.url))
    desk.attach({"name": "huge.png", "mimeType": "image/png", "buffer": PNG + b"\0" * 3_000_000})

    expect(attached(desk.page)).to_contain_text("It has 3.0 MB, the network takes 2.1 MB.")
    assert [url for url in brought if "/attachments" in url] == []
    expect(desk.page.get_by_role("button", name="Try again")).to_have_count(0)


def test_more_than_the_network_takes_cannot_be_sent(desk: Desk) -> None:
    page = desk.page
    page.get_by_label("Your reply").fill("All of them.")
    desk.attach(*[png(f"{number}.png") for number in range(5)])

    expect(attached(page)).to_have_count(5)
    expect(page.locator(".composer .forbidden")).to_have_text("webhook takes 4 files at most.")
    expect(desk.send).to_be_disabled()
    page.get_by_role("button", name="Remove 3.png").click()
    desk.send.click()
    expect(page.locator(".entry.reply .media li")).to_have_count(4)


def test_a_file_whose_line_breaks_is_brought_again(desk: Desk) -> None:
    page = desk.page
    page.route("**/attachments?*", lambda route: route.abort())
    page.get_by_label("Your reply").fill("Here.")
    desk.attach(png("cat.png"))
    again = page.get_by_role("button", name="Try again")
    expect(again).to_be_visible(timeout=10_000)
    expect(desk.send).to_be_disabled()

    page.unroute("**/attachments?*")
    again.click()

    expect(page.get_by_label("What cat.png shows")).to_be_visible()
    expect(desk.send).to_be_enabled()


def test_where_every_picture_is_to_be_described_none_goes_without(
    parley: Served, open_page: PageOpener
) -> None:
    desk = Desk(parley, open_page)
    name = f"Account {desk.office.number}"
    accounts = parley.call("GET", "/accounts?limit=200")["items"]
    (account,) = [one for one in accounts if one["name"] == name]
    version = {"settings": {"needs_alt_text": True}}
    parley.call("PATCH", f"/accounts/{account['id']}", version)
    desk.page.reload()
    desk.page.get_by_label("Your reply").fill("Here.")
    desk.attach(png("cat.png"))

    expect(desk.page.locator(".composer .forbidden")).to_contain_text("Say what cat.png shows")
    expect(desk.send).to_be_disabled()
    desk.page.get_by_label("What cat.png shows").fill("a cat")
    expect(desk.send).to_be_enabled()


def test_hostile_names_and_descriptions_stay_words(desk: Desk) -> None:
    page = desk.page
    for number, payload in enumerate([one for one in PAYLOADS if one.strip()][:12]):
        name = payload[:120]
        desk.attach(png(name))
        expect(attached(page)).to_have_count(1)
        page.locator(".attachments input[type=text]").fill(payload)
        page.get_by_label("Your reply").fill(f"number {number}")
        desk.send.click()
        expect(page.locator(".entry.reply .media li")).to_have_count(number + 1)
        expect(page.locator(".entry.unsent")).to_have_count(0)
    assert len(desk.replies()) == 12
    assert page.locator(".entry.reply .media script, .entry.reply .media img").count() == 0


def test_on_a_phone_files_stay_within_the_screen(parley: Served, open_page: PageOpener) -> None:
    desk = Desk(parley, open_page, viewport={"width": 390, "height": 800})
    desk.attach(png("a-very-long-name-without-any-blank-in-it-" * 3 + ".png"))
    expect(attached(desk.page)).to_have_count(1)

    wide = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert desk.page.evaluate(wide) is False

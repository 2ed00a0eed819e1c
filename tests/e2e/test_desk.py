"""The desk on the real system: two agents and a supervisor at once, and what goes wrong there."""

import os
import re
import signal
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, Playwright, Route, expect, sync_playwright

from connectors.html_text import text_of
from tests.e2e.hands import Hands, Keys, Mouse, has_state, offer_of
from tests.e2e.office import AWAY, Office, Person, Seat
from tests.e2e.running import ApiFloor, Running, eventually
from tests.simulated_network.network import Network
from tests.web.payloads import CLASSES, PAYLOADS

CHROMIUM = Path("/usr/bin/chromium")
SWITCHES = ["--no-sandbox", "--disable-gpu"]
pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def parley(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    if not CHROMIUM.exists():
        pytest.skip("no Chromium on this machine")
    running = Running(tmp_path_factory.mktemp("parley")).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    network = Network(tmp_path_factory.mktemp("network"))
    network.start()
    yield network
    network.stop()


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    launched = playwright.chromium.launch(executable_path=str(CHROMIUM), args=SWITCHES)
    yield launched
    launched.close()


@pytest.fixture
def office(parley: Running, network: Network) -> Iterator[Office]:
    opened = Office(parley, network, f"brand_{uuid.uuid4().hex[:6]}")
    yield opened
    opened.close()


@pytest.fixture
def seat(browser: Browser, office: Office) -> Iterator[Seat]:
    """Return how to open a browser profile for a key; a word on a console fails the test."""
    people: list[Person] = []

    def sit_down(key: str) -> Person:
        people.append(Person(browser, office, key))
        return people[-1]

    yield sit_down
    for person in people:
        person.context.close()
    assert [error for person in people for error in person.errors] == []


def said(page: Page, text: str) -> None:
    expect(page.get_by_role("log").get_by_text(text)).to_have_count(1, timeout=15_000)


def is_offered(page: Page, customer: str) -> None:
    expect(offer_of(page, customer)).to_be_visible(timeout=15_000)


def show(page: Page, where: str, conversation_id: str) -> None:
    """Follow a link to the conversation, as a colleague sends it."""
    page.evaluate("hash => { location.hash = hash; }", f"#/{where}/{conversation_id}")


def open_row(page: Page, customer: str) -> None:
    page.get_by_role("link", name=f"@{customer}").first.click()
    expect(page.get_by_role("log")).to_be_visible()


def settled(office: Office) -> None:
    """Wait until everything has ended and was said."""
    ended = {"completed", "discarded"}
    eventually(
        lambda: all(one["state"] in ended for one in office.conversations()), "all has ended", 20
    )


@pytest.mark.parametrize(
    "hands", [Mouse(), pytest.param(Keys(), marks=pytest.mark.long)], ids=["mouse", "keyboard"]
)
def test_two_agents_and_a_supervisor_work_one_conversation(
    office: Office, seat: Seat, hands: Hands
) -> None:
    one, two, supervisor = (seat(key) for key in (office.one, office.two, office.supervisor))
    hands.go_on_queue(one.page)
    office.says("ferry42", "where is my parcel?")
    is_offered(one.page, "ferry42")
    expect(supervisor.page.get_by_role("row").filter(has_text="@ferry42")).to_contain_text(
        re.compile("alerting|offered", re.IGNORECASE)
    )
    hands.pick_up(one.page, "ferry42")
    said(one.page, "where is my parcel?")
    office.says("ferry42", "it is number 1234")
    said(one.page, "it is number 1234")
    hands.reply(one.page, "It is in the depot.")
    expect(one.page.locator(".delivery.sent")).to_be_visible(timeout=15_000)
    reads_why(supervisor.page, "ferry42", f"Went to one-of-{office.tag}")

    hands.go_on_queue(two.page)
    hands.transfer(one.page, f"two-of-{office.tag}")
    is_offered(two.page, "ferry42")
    hands.pick_up(two.page, "ferry42")
    said(two.page, "It is in the depot.")
    consults(office, one.page, two.page, hands)
    hands.hold(two.page)
    has_state(supervisor.page, "held")
    hands.resume(two.page)
    has_state(supervisor.page, "connected")
    hands.disconnect(two.page, "solved")
    has_state(supervisor.page, "completed")
    settled(office)
    assert [post["text"] for post in office.published()[-1:]] == ["It is in the depot."]
    office.was_lawful()


def consults(office: Office, asked: Page, asking: Page, hands: Hands) -> None:
    with office.consultation(asking=office.two, asked=office.one) as conversation_id:
        show(asked, "mine", conversation_id)
        said(asked, "It is in the depot.")
        hands.note(asked, "Look on the second shelf.")
        said(asking, "Look on the second shelf.")


def reads_why(page: Page, customer: str, sentence: str) -> None:
    open_row(page, customer)
    expect(page.get_by_text(sentence).first).to_be_visible()


class Killable:
    """A browser of its own process group, on a profile that stays when it is killed."""

    def __init__(self, playwright: Playwright, profile: Path) -> None:
        told = profile / "DevToolsActivePort"
        told.unlink(missing_ok=True)
        command = [str(CHROMIUM), "--headless", *SWITCHES, "--remote-debugging-port=0"]
        command += [f"--user-data-dir={profile}", "--no-first-run", "about:blank"]
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(command, stderr=quiet, start_new_session=True)
        eventually(lambda: told.exists() and len(told.read_text().split()) == 2, "a browser", 30)
        port, path = told.read_text().split()
        self.browser = playwright.chromium.connect_over_cdp(f"ws://127.0.0.1:{port}{path}")
        self.profile = self.browser.contexts[0]

    def kill(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


@pytest.fixture
def killable(playwright: Playwright, tmp_path: Path) -> Iterator[Callable[[], Killable]]:
    """Return how to start a browser that can be killed; each is on the same profile."""
    started: list[Killable] = []

    def start() -> Killable:
        started.append(Killable(playwright, tmp_path))
        return started[-1]

    yield start
    for browser in started:
        browser.kill()


def test_a_killed_browser_loses_no_word(office: Office, killable: Callable[[], Killable]) -> None:
    first = killable()
    page = Person(first.profile, office, office.one).page
    Mouse().go_on_queue(page)
    office.says("quay_9", "where is my refund?")
    is_offered(page, "quay_9")
    Mouse().pick_up(page, "quay_9")
    page.get_by_label("Your reply").fill("half a sen")
    (conversation,) = office.conversations()
    draft = f"/conversations/{conversation['id']}/draft"
    agent = office.agent(office.one)
    eventually(lambda: agent.ok("GET", draft)["text"] == "half a sen", "the draft is kept")
    first.kill()
    office.says("quay_9", "hello? it is number 77")

    second = killable()
    page = Person(second.profile, office, office.one).page
    open_row(page, "quay_9")
    said(page, "hello? it is number 77")
    expect(page.get_by_label("Your reply")).to_have_value("half a sen")
    page.get_by_label("Your reply").fill("half a sentence, now whole")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".delivery.sent")).to_be_visible(timeout=15_000)
    agent.ok("POST", f"/conversations/{conversation['id']}/disconnect", {"wrap_up_code": "solved"})
    settled(office)
    office.was_lawful()


def test_the_api_dies_under_the_page_and_nothing_is_missed_or_said_twice(
    office: Office, parley: Running, seat: Seat
) -> None:
    one = seat(office.one)
    page = one.page
    Mouse().go_on_queue(page)
    office.says("mole77", "first")
    is_offered(page, "mole77")
    Mouse().pick_up(page, "mole77")
    said(page, "first")
    one.allowed = AWAY
    banner = page.get_by_text("No live connection.")
    while not banner.is_visible():  # as often as it is started again before the page minds
        parley.kill("api")
        page.wait_for_timeout(700)
    office.says("mole77", "second, meanwhile")
    page.get_by_label("Your reply").fill("Said into the gap.")
    page.get_by_role("button", name="Send").click()
    expect(banner).to_be_hidden(timeout=30_000)
    said(page, "second, meanwhile")
    again = page.get_by_role("button", name="Try again")
    sent = page.locator(".delivery.sent")
    expect(sent.or_(again).first).to_be_visible(timeout=30_000)
    if again.count():
        again.first.click()
    expect(sent).to_be_visible(timeout=30_000)
    said(page, "Said into the gap.")
    texts = [post["text"] for post in office.published()]
    assert texts.count("Said into the gap.") == 1
    one.allowed = ()
    Mouse().disconnect(page, "answered")
    settled(office)
    office.was_lawful()


def test_who_loses_the_race_for_a_conversation_is_told(office: Office, seat: Seat) -> None:
    office.admin.ok("PATCH", f"/workgroups/{office.parcels}", {"offers_at_once": 2})
    one, two = seat(office.one), seat(office.two)
    two.allowed = ("409",)
    held: list[Route] = []
    two.page.route("**/pickup", lambda route: held.append(route))  # noqa: PLW0108 - it is marked
    for person in (one, two):
        Mouse().go_on_queue(person.page)
    office.says("pier_3", "can I change the address?")
    for person in (one, two):
        is_offered(person.page, "pier_3")
    Mouse().pick_up(two.page, "pier_3")
    while not held:
        two.page.wait_for_timeout(20)
    Mouse().pick_up(one.page, "pier_3")
    has_state(one.page, "connected")
    held[0].continue_()
    messages = two.page.get_by_role("list", name="Messages").get_by_role("listitem")
    told = messages.filter(has_text="This offer is over.")
    expect(told).to_contain_text(f"one-of-{office.tag} has it now.")
    expect(offer_of(two.page, "pier_3")).to_be_hidden()
    expect(two.page.get_by_text("You are on queue.")).to_be_visible()
    Mouse().disconnect(one.page, "solved")
    settled(office)
    office.was_lawful()


def test_a_session_that_has_ended_takes_no_words_with_it(office: Office, seat: Seat) -> None:
    one = seat(office.one)
    page = one.page
    Mouse().go_on_queue(page)
    office.says("buoy8", "is anybody there?")
    is_offered(page, "buoy8")
    Mouse().pick_up(page, "buoy8")
    said(page, "is anybody there?")
    page.get_by_label("Your reply").fill("Yes, I am here.")
    (conversation,) = office.conversations()
    draft, agent = f"/conversations/{conversation['id']}/draft", office.agent(office.one)
    eventually(lambda: agent.ok("GET", draft)["text"] == "Yes, I am here.", "the draft is kept")
    one.allowed = ("401", "404")
    one.context.clear_cookies()
    # The page may have noticed by itself before anybody presses it.
    page.evaluate("() => document.querySelector('.composer button[type=submit]')?.click()")
    expect(page.get_by_text("Your session has ended")).to_be_visible()

    one.sign_in(office.one)
    one.page.on("dialog", lambda asked: asked.accept())  # a word has not left this screen
    page.reload()
    open_row(page, "buoy8")
    expect(page.get_by_label("Your reply")).to_have_value("Yes, I am here.")
    one.allowed = ()
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".delivery.sent")).to_be_visible(timeout=15_000)
    Mouse().disconnect(page, "solved")
    settled(office)
    office.was_lawful()


def test_a_picture_goes_out_with_a_reply(office: Office, seat: Seat, network: Network) -> None:
    page = seat(office.one).page
    hands = Mouse()
    hands.go_on_queue(page)
    office.says("kite9", "what does it look like?")
    is_offered(page, "kite9")
    hands.pick_up(page, "kite9")
    said(page, "what does it look like?")
    picture = b"\x89PNG\r\n\x1a\n" + bytes(1_000)
    field = page.locator(".composer input[type=file]")
    field.set_input_files({"name": "switch.png", "mimeType": "image/png", "buffer": picture})
    page.get_by_label("What switch.png shows").fill("a switch that is on")
    hands.reply(page, "Like this.")

    expect(page.locator(".delivery.sent")).to_be_visible(timeout=15_000)
    (post,) = [one for one in office.published() if one["text"] == "Like this."]
    (shown,) = post["media"]
    assert (shown["kind"], shown["alt_text"]) == ("image", "a switch that is on")
    path = httpx.URL(shown["url"]).path
    assert httpx.get(network.url + path, trust_env=False).content == picture
    hands.disconnect(page, "solved")
    settled(office)
    office.was_lawful()


def test_hostile_texts_are_kept_as_they_were_and_stay_words(
    parley: Running, office: Office, seat: Seat
) -> None:
    floor = ApiFloor(parley)
    texts = [text for text in PAYLOADS if "\0" not in text]
    mailed = [found for text in texts if (found := text_of(f"<p>{text}</p> as a mail"))]
    said_by = [(text, text[:100]) for text in texts] + [(text, "by mail") for text in mailed]
    posts = [
        {"external_id": f"h-{n:03}", "text": text, "author": {"external_id": "h", "handle": handle}}
        for n, (text, handle) in enumerate(said_by)
    ]
    for page in (posts[:200], posts[200:]):
        taken = floor.admin.ok("POST", f"/channels/{floor.channel}/posts", {"posts": page})
        assert taken["rejected"] == []
    (conversation,) = floor.conversations()
    path = f"/conversations/{conversation['id']}"
    for words in CLASSES.values():
        floor.admin.ok("POST", f"{path}/notes", {"text": words[-1]})

    read = floor.timeline(path)
    assert [e["post"]["text"] for e in read if e["kind"] == "post"] == [text for text, _ in said_by]
    supervisor = seat(office.supervisor).page
    show(supervisor, "floor", conversation["id"])
    log = supervisor.get_by_role("log")
    expect(log.locator(".entry.note")).to_have_count(len(CLASSES), timeout=15_000)
    assert log.locator(".entry.post").count() == len(said_by)
    assert log.locator("img, script, iframe, style, form, input, svg svg").count() == 0
    assert supervisor.evaluate("() => 'taken' in window") is False

"""The wallboard in a real browser on the real API: true numbers, honest age, nobody's name."""

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.web.conftest import PageOpener
from tests.web.office import Office
from tests.web.served import ADMIN_KEY, Served, serving
from tests.web.test_accessible import Judge

Board = Callable[..., Page]
TARGET_S = 3600
SUMS = """async () => {
  const [until, from] = [0, -86_400_000].map((by) => new Date(Date.now() + by).toISOString());
  const query = `from=${from}&to=${until}&width_s=86400`;
  const answer = await (await fetch(`/api/v1/statistics/intervals?${query}`)).json();
  const { columnsOf } = await import('/web/wallboard/day.js');
  const { offered, answered, percent } = columnsOf(answer.items);
  return [offered[0], answered[0], percent[0]];
}"""
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def parley(sqlite_template: Path, tmp_path: Path) -> Iterator[Served]:
    """Serve an application to each test: what it counts is its own."""
    with serving(sqlite_template, tmp_path) as served:
        yield served


@pytest.fixture
def board(parley: Served, open_page: PageOpener) -> Board:
    def start(key: str | None = ADMIN_KEY, address: str = "", **options: Any) -> Page:
        page = open_page("about:blank", allowed=("/api/v1/", "ERR_"), **options)
        if key:
            parley.sign_in(page.context, key)
        page.goto(f"{parley.url}/wallboard{address}")
        return page

    return start


@dataclass
class Told:
    """The floor as the events tell it, without a look at any other table."""

    state: dict[str, str] = field(default_factory=dict)
    group: dict[str, str] = field(default_factory=dict)
    waits_since: dict[str, int] = field(default_factory=dict)
    status: dict[str, str] = field(default_factory=dict)
    answered_after_ms: dict[str, list[int]] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)

    def hear(self, event: dict[str, Any]) -> None:
        kind, at, conversation = event["type"], event["at"], event["conversation_id"]
        if kind == "agent.status_changed":
            self.status[event["agent_id"]] = event["detail"]["routing_status"]
        if conversation is None:
            return
        name = kind.removeprefix("conversation.")
        moves = {"offered": "alerting", "held": "held", "resumed": "connected"}
        moves |= {
            "declined": "queued",
            "offer_expired": "queued",
            "disconnected": "ended",
            "discarded": "ended",
        }
        if name in ("created", "transferred"):
            self.state[conversation] = "queued"
            to = event["detail"].get("to_workgroup_id", event["workgroup_id"])
            if name == "created" or to != self.group[conversation]:
                self.waits_since[conversation] = at
            self.group[conversation] = to
        if name == "connected":
            self.state[conversation] = "connected"
            waited = at - self.waits_since[conversation]
            self.answered_after_ms.setdefault(self.group[conversation], []).append(waited)
        if name == "discarded" and self.state[conversation] in ("queued", "alerting"):
            self.left[self.group[conversation]] = self.left.get(self.group[conversation], 0) + 1
        self.state[conversation] = moves.get(name, self.state.get(conversation, ""))

    def count(self, *states: str) -> int:
        return sum(state in states for state in self.state.values())


def told_by(database: Path) -> Told:
    told = Told()
    with sqlite3.connect(database) as connection:
        connection.row_factory = sqlite3.Row
        for row in connection.execute("SELECT * FROM events ORDER BY id"):
            told.hear(dict(row) | {"detail": json.loads(row["detail"])})
    return told


def a_morning(office: Office, other: Office) -> None:
    """Let a little of everything happen, in two workgroups."""
    keys = [office.agent(f"agent_{n}")[1] for n in range(2)]
    talks = [office.post(f"customer_{n}", "Where is it?")[0] for n in range(9)]
    call = office.served.call
    for conversation_id, key in zip(talks, [*keys, *keys, keys[0]], strict=False):
        office.pick_up(conversation_id, key)
    call("POST", f"/conversations/{talks[0]}/hold", {}, key=keys[0])
    call("POST", f"/conversations/{talks[1]}/disconnect", {}, key=keys[1])
    body = {"workgroup_id": other.workgroup}
    call("POST", f"/conversations/{talks[3]}/transfer", body, key=keys[1])
    call("POST", f"/conversations/{talks[8]}/discard", {"reason": "spam"})
    call("PUT", "/agents/me/status", {"routing_status": "off_queue"}, key=keys[1])


def figure(page: Page, name: str) -> str:
    return page.get_by_role("region", name=name, exact=True).inner_text()


def test_the_numbers_are_what_the_events_tell(parley: Served, board: Board, tmp_path: Path) -> None:
    level = {"target_s": TARGET_S, "percent": 80, "counts_flow_outs": True}
    office, other = (Office(parley, service_level=level) for _ in range(2))
    a_morning(office, other)
    page = board()
    expect(page.get_by_role("region", name="Waiting", exact=True)).to_be_visible()
    told = told_by(tmp_path / "parley.db")

    assert re.search(rf"^{told.count('queued')}$", figure(page, "Waiting"), re.MULTILINE)
    assert f"{told.count('alerting')} alerting" in figure(page, "Waiting")
    active = figure(page, "Conversations with agents")
    assert re.search(rf"^{told.count('connected', 'held')}$", active, re.MULTILINE)
    waits = [wait for answered in told.answered_after_ms.values() for wait in answered]
    counted = len(waits) + sum(told.left.values())
    in_time = sum(wait <= TARGET_S * 1000 for wait in waits)
    service = figure(page, "Service level today")
    assert f"{round(100 * in_time / counted)} %" in service
    assert f"of {counted} waits" in service
    on_queue = list(told.status.values()).count("on_queue")
    assert re.search(rf"^{on_queue}$", figure(page, "Agents on queue"), re.MULTILINE)
    for one in (office, other):
        theirs = [c for c, group in told.group.items() if group == one.workgroup]
        tile = figure(page, f"Office {one.number}").split("\n")
        facts = dict(zip(tile[2::2], tile[3::2], strict=True))
        waiting = [told.state[c] for c in theirs].count("queued")
        alerting = [told.state[c] for c in theirs].count("alerting")
        assert facts["waiting"] == (f"{waiting} + {alerting}" if alerting else str(waiting))
        assert facts["with agents"] == str(
            sum(told.state[c] in ("connected", "held") for c in theirs)
        )
    expect(page.get_by_role("img", name=re.compile(r"came \d+, picked up \d+"))).to_be_visible()
    transferred_in = 1
    sums = page.evaluate(SUMS)
    assert sums == [len(told.state) + transferred_in, len(waits), in_time / len(waits) * 100]


def test_data_that_are_old_say_so_and_why(parley: Served, board: Board) -> None:
    Office(parley)
    page = board()
    clock = page.locator(".clock")
    expect(clock).to_contain_text(re.compile(r"data as of \d"))
    expect(clock).not_to_contain_text("old")
    page.route("**/statistics/*", lambda route: route.abort())
    expect(clock).to_contain_text("old", timeout=9000)
    expect(clock).to_contain_text("The server does not answer.")
    page.unroute("**/statistics/*")
    expect(clock).not_to_contain_text("old", timeout=5000)


def test_a_screen_shows_its_workgroups_with_a_token_alone(parley: Served, board: Board) -> None:
    office, other = Office(parley), Office(parley)
    parley.call("PATCH", f"/workgroups/{office.workgroup}", {"name": HOSTILE})
    office.agent("agent_secret")
    page = board()
    page.get_by_role("button", name="Displays").click()
    dialog = page.get_by_role("dialog", name="Displays")
    dialog.get_by_label("Name", exact=True).fill(HOSTILE)
    dialog.get_by_label(HOSTILE, exact=True).check()
    dialog.get_by_role("button", name="Make a token").click()
    address = dialog.get_by_label("Address").input_value()

    screen = board(None, address.removeprefix(f"{parley.url}/wallboard"))
    expect(screen.get_by_role("region", name=HOSTILE)).to_be_visible()
    expect(screen.get_by_role("region", name=f"Office {other.number}")).to_have_count(0)
    expect(screen.get_by_role("region", name="Agents", exact=True)).to_contain_text("Agent 1")
    assert "agent_secret" not in screen.content()
    expect(screen.get_by_role("button", name="Displays")).to_have_count(0)

    page.reload()
    page.get_by_role("button", name="Displays").click()
    dialog.get_by_role("button", name=re.compile("^End")).click()
    expect(dialog).to_contain_text("No screen has a token")
    expect(screen.locator(".clock")).to_contain_text("The token or the session has ended")
    page.keyboard.press("Escape")
    assert parley.call("GET", "/displays")["items"] == []


def test_without_a_log_in_or_with_a_wrong_token_it_says_what_to_do(
    board: Board,
) -> None:
    expect(board(None).get_by_role("link", name="Log in at the desk")).to_be_visible()
    expect(board(None, "#token=nobodys").get_by_role("alert").first).to_contain_text(
        "makes a new one"
    )


def crowd(route: Route) -> None:
    agent: dict[str, Any] = {"name": None, "routing_status": "on_queue", "reason": None}
    agent |= {"since": "2026-01-01T00:00:00.000Z", "utilization_percent": 50}
    agent |= {"active_social_conversations": 2, "workgroups": []}
    route.fulfill(json={"as_of": "x", "items": [agent | {"id": f"a{n}"} for n in range(500)]})


def test_it_can_be_read_by_everybody_on_every_screen(parley: Served, board: Board) -> None:
    page = board(viewport={"width": 390, "height": 844})
    judge = Judge(page)
    expect(page.get_by_text("No workgroup yet.")).to_be_visible()
    judge.look("empty board")
    office = Office(parley)
    office.post("customer", "Hello")
    page.route("**/statistics/agents", crowd)
    expect(page.locator(".member")).to_have_count(80)
    expect(page.get_by_text("420 more")).to_be_visible()
    expect(page.get_by_role("region", name="The last 24 hours")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    judge.look("board")
    page.get_by_role("button", name="Displays").click()
    expect(page.get_by_role("dialog")).to_contain_text("No screen has a token")
    judge.look("displays")
    judge.assert_content()

"""What agents do with conversations beside answering, in a real browser against the real API."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.web.conftest import PageOpener
from tests.web.office import Office
from tests.web.served import Served
from tests.web.test_accessible import Judge

Desk = Callable[..., Page]


@pytest.fixture
def desk(parley: Served, open_page: PageOpener) -> Desk:
    """Open the desk at a conversation, signed in with a key."""

    def start(key: str, conversation_id: str = "", **options: object) -> Page:
        page = open_page("about:blank", allowed=("/api/v1/",), **options)
        parley.sign_in(page.context, key)
        page.goto(f"{parley.url}/#/mine/{conversation_id}")
        return page

    return start


def more(page: Page, choice: str) -> None:
    page.get_by_role("toolbar").get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name=choice).click()


def consult(page: Page, judge: Judge, whom: str) -> None:
    """Look for who is not there, then ask somebody who is, with the keyboard alone."""
    page.keyboard.press("c")
    dialog = page.get_by_role("dialog", name="Consult")
    page.keyboard.type("absent")
    expect(dialog).to_contain_text("only who is on queue can be asked")
    expect(dialog.get_by_role("button", name="Consult")).to_be_disabled()
    judge.look("consult")
    dialog.get_by_label("Whom").first.fill(whom)
    page.keyboard.press("ArrowDown")
    dialog.get_by_label("What you want to know").fill("Can we still get it?")
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile("You ask expert"))).to_be_visible()


def test_a_colleague_is_consulted_and_gets_the_conversation(parley: Served, desk: Desk) -> None:
    office = Office(parley)
    _, owner = office.agent("owner")
    office.agent("absent", on_queue=False)
    (opened,) = office.post("buoy8", "Is this part still made?")
    office.pick_up(opened, owner)
    expert_id, expert = office.agent("expert")
    mine, theirs = desk(owner, opened), desk(expert)
    judge = Judge(mine)

    expect(mine.get_by_role("log")).to_contain_text("still made")
    consult(mine, judge, f"expert {office.number}")

    theirs.get_by_role("link", name=re.compile("@buoy8.*by owner", re.DOTALL)).click()
    expect(theirs.get_by_text(re.compile("owner .* asks you"))).to_be_visible()
    theirs.get_by_label("Your note").fill("Yes, until spring.")
    theirs.get_by_role("button", name="Save note").click()
    expect(mine.get_by_role("log")).to_contain_text("until spring")
    judge.look("consultation")
    mine.get_by_role("button", name="Transfer to them").click()
    expect(theirs.get_by_label("Your reply")).to_be_visible()
    given = office.conversation(opened)
    assert (given["agent_id"], given["consulted_agent_id"]) == (expert_id, None)
    judge.assert_content()


def test_conversations_are_merged_taken_apart_and_split(parley: Served, desk: Desk) -> None:
    office = Office(parley, threading="post")
    _, key = office.agent("owner")
    (first,) = office.post("ferry42", "My parcel is late")
    office.pick_up(first, key)
    parley.call("PUT", "/agents/me/status", {"routing_status": "off_queue"}, key=key)
    (second,) = office.post("ferry42", "Here is the number: 1234")
    page = desk(key, first)
    judge = Judge(page)

    more(page, "Merge")
    dialog = page.get_by_role("dialog", name="Merge")
    expect(dialog).to_contain_text("Its posts come into this conversation.")
    judge.look("merge")
    dialog.get_by_role("button", name="Merge").click()
    expect(page.get_by_role("log")).to_contain_text("1234")
    assert office.conversation(second)["merged_into"] == first

    more(page, "Split")
    dialog = page.get_by_role("dialog", name="Split")
    split = dialog.get_by_role("button", name="Split")
    for box in dialog.get_by_role("checkbox").all():
        box.check()
    expect(dialog).to_contain_text("At least one post has to stay.")
    expect(split).to_be_disabled()
    judge.look("split")
    page.keyboard.press("Escape")

    page.goto(f"{parley.url}/#/mine/{second}")
    page.get_by_role("button", name="Take the merge back").click()
    expect(page.get_by_role("button", name="Go on queue and pick up")).to_be_visible()
    assert office.conversation(second)["state"] == "queued"
    page.get_by_role("button", name="Go on queue and pick up").click()
    expect(page.get_by_label("Your reply")).to_be_visible()
    judge.assert_content()


def test_what_one_has_is_forwarded_to_who_has_the_other(parley: Served, desk: Desk) -> None:
    office = Office(parley, threading="post")
    _, colleague = office.agent("colleague")
    (theirs,) = office.post("quay_9", "Where is my refund?")
    office.pick_up(theirs, colleague)
    parley.call("PUT", "/agents/me/status", {"routing_status": "off_queue"}, key=colleague)
    _, key = office.agent("owner")
    (opened,) = office.post("quay_9", "It was order 77")
    office.pick_up(opened, key)
    page = desk(key, opened)

    expect(page.get_by_role("log")).to_contain_text("order 77")
    page.keyboard.press("m")
    dialog = page.get_by_role("dialog", name="Merge")
    expect(dialog).to_contain_text(re.compile("go to colleague .*, who has the other one"))
    dialog.get_by_role("button", name="Forward").click()
    expect(page.get_by_role("log")).to_contain_text("refund")
    assert office.conversation(opened)["merged_into"] == theirs


def test_how_it_ended_is_chosen_from_what_the_workgroup_offers(parley: Served, desk: Desk) -> None:
    office = Office(parley, wrap_up={"mode": "mandatory", "codes": ["late", "own"]})
    late = {"code": f"late-{office.number}", "name": "Came too late"}
    parley.call("PATCH", f"/workgroups/{office.workgroup}", {"wrap_up": {"codes": [late["code"]]}})
    parley.call("POST", "/dispositions", late | {"workgroups": [office.workgroup]})
    _, key = office.agent("owner")
    (opened,) = office.post("mole77", "Thank you!")
    office.pick_up(opened, key)
    page = desk(key, opened)

    page.get_by_role("button", name="Disconnect").first.click()
    done = page.get_by_role("button", name="Done")
    expect(done).to_be_disabled()
    expect(page.get_by_text("Choose how it ended first.")).to_be_visible()
    page.get_by_role("radio", name="Came too late").check()
    done.click()
    expect(page.get_by_text("Ended by you")).to_be_visible()
    assert office.conversation(opened)["wrap_up_code"] == late["code"]


def test_it_is_parked_until_a_moment_of_the_chosen_zone(parley: Served, desk: Desk) -> None:
    office = Office(parley)
    _, key = office.agent("owner")
    (opened,) = office.post("pier_3", "Ask me again in spring")
    office.pick_up(opened, key)
    page = desk(key, opened, timezone_id="Europe/Berlin")

    page.get_by_role("button", name="Park").click()
    dialog = page.get_by_role("dialog", name="Park")
    dialog.get_by_label("Until…").check()
    dialog.get_by_label("Date and time").fill("2026-01-05T10:00")
    expect(dialog.get_by_role("alert")).to_contain_text("That moment is past")
    dialog.get_by_label("Date and time").fill("2031-03-30T03:30")
    dialog.get_by_role("button", name="Park").click()
    expect(page.get_by_role("button", name="Take back")).to_be_visible()
    assert office.conversation(opened)["parked_until"] == "2031-03-30T01:30:00.000Z"

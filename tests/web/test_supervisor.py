"""A supervisor finds, judges and moves conversations, in a real browser."""

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.web.fake_supervisor import quarantined
from tests.web.fake_world import Row, World, at
from tests.web.scenes import busy_floor, small_floor
from tests.web.test_desk import LogIn, Serve

SUPERVISOR = "supervisor-key"
MINUS = "\N{MINUS SIGN}"
OVERFLOW = "document.documentElement.scrollWidth - innerWidth"


def table(page: Page) -> Locator:
    return page.get_by_role("region", name="Open conversations")


def rows(page: Page) -> Locator:
    return table(page).locator("tbody tr[data-index]")


def sent(world: World, command: str) -> list[Any]:
    return [body for _, path, body in world.requests if path.endswith(f"/{command}")]


def test_a_view_is_an_address_that_can_be_sent(serve: Serve, log_in: LogIn) -> None:
    world = busy_floor()
    world.conversations[next(iter(world.conversations))]["preview"] = "the lamp is broken"
    page = log_in(f"{serve(world)}/#/floor?state=connected&network=x", key=SUPERVISOR)

    expect(rows(page)).to_have_count(2)
    expect(rows(page).filter(has_text="@ferry42")).to_contain_text("the lamp is broken")
    page.get_by_label("kind").select_option("social_direct_message")
    expect(rows(page)).to_have_count(1)
    expect(page).to_have_url(re.compile("media_type=social_direct_message"))
    page.get_by_role("button", name="Clear").click()
    page.get_by_label("service level").select_option("late")
    expect(rows(page).first).to_contain_text("late")
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("button", name="customer").click()
    expect(rows(page).first).to_contain_text("@buoy8")
    page.get_by_role("button", name="customer").click()
    expect(rows(page).first).to_contain_text("@quay_9")
    page.get_by_label("handle, name or words").fill("lamp")
    expect(rows(page)).to_have_count(1)
    page.reload()
    expect(rows(page)).to_have_count(1)
    expect(page.get_by_label("handle, name or words")).to_have_value("lamp")


def test_a_thousand_rows_are_a_window_that_keys_walk(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    for number in range(1_000):
        world.add_conversation(f"c{number:03}", [], age_s=2_000 - number)
    page = log_in(f"{serve(world)}/#/floor", key=SUPERVISOR)

    expect(page.get_by_text("1000 open conversations")).to_be_visible()
    assert rows(page).count() < 100
    rows(page).first.get_by_role("link").focus()
    for _ in range(30):
        page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="@c030")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.get_by_label("Choose @c030")).to_be_checked()
    table(page).evaluate("frame => { frame.scrollTop = frame.scrollHeight; }")
    expect(rows(page).last).to_contain_text("@c999")
    page.get_by_role("link", name="@c999").press("Enter")
    expect(page.get_by_role("heading", name="@c999").first).to_be_visible()
    page.get_by_role("button", name="Close the conversation").click()
    expect(page.get_by_role("heading", name="@c999")).to_have_count(0)


def test_several_are_released_and_each_outcome_is_told(serve: Serve, log_in: LogIn) -> None:
    world = busy_floor()
    page = log_in(f"{serve(world)}/#/floor", key=SUPERVISOR, allowed=("/release",))
    for handle in ("@ferry42", "@lock_5", "@dock3"):
        page.get_by_label(f"Choose {handle}").check()
    bar = page.get_by_role("toolbar", name="With the chosen conversations")
    expect(bar).to_contain_text("3 chosen")
    page.get_by_label("state").select_option("queued")
    expect(bar).to_contain_text("2 of them not shown by the filters")
    bar.get_by_role("button", name="Release").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("2 conversations")
    expect(dialog).to_contain_text("@dock3 is left out: it is queued")
    expect(dialog.get_by_role("button", name="Release")).to_be_disabled()
    dialog.get_by_role("button", name="rebalancing").click()
    lost = next(r for r in world.conversations.values() if r["customer"]["handle"] == "lock_5")
    lost["state"] = "completed"
    dialog.get_by_role("button", name="Release").click()

    expect(dialog).to_contain_text("1 of 2 done.")
    outcomes = dialog.get_by_role("listitem")
    expect(outcomes.first).to_contain_text("release while completed")
    expect(outcomes.last).to_contain_text("@ferry42")
    dialog.get_by_role("button", name="Close").click()
    expect(bar).to_contain_text("1 chosen")
    assert sent(world, "release") == [{"reason": "rebalancing"}] * 2


def test_what_a_supervisor_did_is_told_as_such(serve: Serve, log_in: LogIn) -> None:
    world = busy_floor()
    row = next(r for r in world.conversations.values() if r["customer"]["handle"] == "lock_5")
    told: Row = {
        "type": "conversation.transferred",
        "agent_id": "agent-7",
        "by_name": "supervisor-1",
    }
    told |= {"detail": {"to_agent_id": "agent-9", "override_capacity": True, "by": "pr-2"}}
    world.entries[row["id"]].append({"kind": "event", "at": at(), "event": told})
    page = log_in(f"{serve(world)}/#/floor", key=SUPERVISOR)
    page.get_by_role("link", name="@lock_5").click()

    said = "transferred by supervisor-1 to Agent nine, from Agent seven, over the limit"
    expect(page.get_by_role("log")).to_contain_text(said)


def test_over_the_limit_needs_a_reason(serve: Serve, log_in: LogIn) -> None:
    world = busy_floor()
    page = log_in(f"{serve(world)}/#/floor", key=SUPERVISOR)
    page.get_by_role("link", name="@lock_5").click()
    page.get_by_role("button", name="Transfer").click()
    dialog = page.get_by_role("dialog", name="Reassign")
    page.keyboard.type("Agent nine")
    dialog.get_by_label("Give it also when there is no room").check()
    submit = dialog.get_by_role("button", name="Reassign")
    expect(submit).to_be_disabled()
    dialog.get_by_label("Why over the limit").fill("nobody else speaks Dutch")
    submit.click()
    expect(dialog).to_contain_text("All 1 done.")
    assert sent(world, "transfer") == [
        {"agent_id": "agent-9", "comment": "nobody else speaks Dutch", "override_capacity": True}
    ]


def test_an_agent_is_sent_off_by_the_keyboard(serve: Serve, log_in: LogIn) -> None:
    world = busy_floor()
    page = log_in(f"{serve(world)}/#/floor", key=SUPERVISOR)
    change = page.get_by_role("button", name="Change the status of Agent seven")
    change.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Drain")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(dialog).to_contain_text("Open offers are taken back")
    dialog.get_by_label("Reason").fill("fire drill")
    page.keyboard.press("Enter")
    staff = page.get_by_role("region", name="Agents")
    expect(staff.locator("tr").filter(has_text="Agent seven")).to_contain_text("fire drill")
    expect(change).to_be_focused()

    page.get_by_role("button", name="Change the status of Agent one").click()
    dialog.get_by_label("Sign off later").check()
    dialog.get_by_role("button", name="Change it").click()
    expect(staff).to_contain_text("signs off")
    assert [list(body) for body in sent(world, "status")] == [
        ["routing_status", "reason"],
        ["sign_off_at"],
    ]


def test_why_this_agent_and_why_not_another(serve: Serve, log_in: LogIn) -> None:
    world = busy_floor()
    page = log_in(f"{serve(world)}/#/floor", key=SUPERVISOR)
    page.get_by_role("link", name="@buoy8").click()
    why = page.locator(".why")
    sentence = "Went to Agent one: of 12 agents 7 were busy and 3 lacked parcel; Agent one was idle"
    expect(why).to_contain_text(sentence)
    steps = why.get_by_role("list", name="How the choice came down to one").get_by_role("listitem")
    expect(steps).to_have_text(
        [
            "12looked at",
            f"{MINUS}3lacked parcel",
            f"{MINUS}7were busy",
            "1Agent one, 2 could take it",
        ]
    )
    expect(why.locator("th.deciding")).to_contain_text("idledecided")
    expect(why.locator("td.deciding")).to_have_text(["04:00", "01:00"])
    why.get_by_label("Why not this agent").select_option("agent-9")
    expect(why.get_by_text("Agent nine was not on queue.")).to_be_visible()
    why.get_by_label("Why not this agent").select_option("agent-7")
    expect(why.get_by_text("load: 50 % against 25 %")).to_be_visible()


def test_quarantine_is_put_right_or_thrown_away(serve: Serve, log_in: LogIn) -> None:
    world = small_floor()
    world.quarantine = [quarantined(1), quarantined(2, raw="<cut", is_readable=False)]
    page = log_in(f"{serve(world)}/#/floor?below=quarantine", key=SUPERVISOR, allowed=("/retry",))
    expect(page.get_by_role("tab", name="Quarantine")).to_contain_text("2 to look at")
    page.get_by_role("button", name="Look at").first.click()
    dialog = page.get_by_role("dialog", name="In quarantine")
    dialog.get_by_role("button", name="Try again as it is").click()
    expect(dialog.get_by_role("alert")).to_contain_text("not now either")
    dialog.get_by_text("Put it right by hand").click()
    expect(dialog.get_by_label("What was written")).to_have_value("Where?")
    dialog.get_by_label(re.compile("id there")).fill("77")
    dialog.get_by_role("button", name="Take it in").click()
    expect(page.get_by_role("heading", name="@ferry").first).to_be_visible()

    expect(page.get_by_role("button", name="Look at")).to_have_count(1)
    page.get_by_role("button", name="Look at").click()
    expect(dialog.get_by_role("button", name="Try again")).to_have_count(0)
    dialog.get_by_role("button", name="Throw it away").click()
    dialog.get_by_role("button", name="Really throw it away").click()
    expect(page.get_by_text("Nothing lies in quarantine")).to_be_visible()
    assert world.quarantine == []


def test_queues_and_history(serve: Serve, log_in: LogIn) -> None:
    world = busy_floor()
    ended = world.add_conversation("ended_1", ["long ago"], state="completed")
    page = log_in(f"{serve(world)}/#/floor?below=queues", key=SUPERVISOR)
    page.get_by_role("button", name="Parcels").click()
    places = page.get_by_role("region", name="Who waits in Parcels, in order").get_by_role(
        "listitem"
    )
    expect(places.first).to_contain_text("1.@dock6")
    expect(places).to_have_count(8)

    page.get_by_role("button", name="History").click()
    page.get_by_label("state").select_option("completed")
    page.get_by_role("link", name="@ended_1").click()
    expect(page.get_by_role("heading", name="@ended_1").first).to_be_visible()
    expect(page).to_have_url(re.compile(f"{ended['id']}.*view=history"))


def test_a_search_says_how_far_back_it_looked(serve: Serve, log_in: LogIn) -> None:
    world = busy_floor()
    world.add_conversation("ended_1", ["long ago"], state="completed")
    world.empty_looks = 12
    page = log_in(f"{serve(world)}/#/floor?view=history&q=ended_1&period=ever", key=SUPERVISOR)

    expect(page.get_by_text("Nothing was found back to")).to_be_visible()
    further = page.get_by_role("button", name="Look further back")
    expect(further).to_be_visible()
    assert world.empty_looks == 2
    further.click()
    expect(page.get_by_role("link", name="@ended_1")).to_be_visible()
    expect(page.get_by_text("1 found")).to_be_visible()
    expect(further).to_have_count(0)


def test_a_phone_and_right_to_left_show_no_sideways_scroll(serve: Serve, log_in: LogIn) -> None:
    page = log_in(
        f"{serve(busy_floor())}/#/floor",
        key=SUPERVISOR,
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
    )
    expect(page.get_by_role("link", name="@ferry42")).to_be_visible()
    assert page.evaluate(OVERFLOW) == 0
    page.get_by_role("tab", name="Agents").tap()
    expect(page.get_by_role("button", name="Change the status of Agent one")).to_be_visible()
    page.evaluate("document.documentElement.dir = 'rtl'")
    assert page.evaluate(OVERFLOW) == 0
    page.get_by_role("tab", name="Agents").tap()
    page.get_by_role("link", name="@ferry42").tap()
    expect(page.get_by_role("button", name="Transfer")).to_be_visible()

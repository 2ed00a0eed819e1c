"""No view of a supervisor breaks a rule of WCAG 2.2 AA, in either theme."""

from playwright.sync_api import expect

from tests.web.fake_supervisor import quarantined
from tests.web.scenes import busy_floor
from tests.web.test_accessible import Judge
from tests.web.test_desk import LogIn, Serve

SUPERVISOR = "supervisor-key"


def test_dialogs_and_what_is_open_in_a_list(serve: Serve, log_in: LogIn) -> None:
    world = busy_floor()
    world.quarantine = [quarantined(1)]
    page = log_in(f"{serve(world)}/#/floor", key=SUPERVISOR)
    judge = Judge(page)
    judge.look_at_dialog("Change the status of Agent seven", "Change the status of Agent seven")
    page.get_by_label("Choose @lock_5").check()
    page.get_by_label("Choose @dock3").check()
    judge.look_at_dialog("Reassign", "Reassign")
    judge.look_at_dialog("Release", "Release to the queue")
    page.get_by_role("tab", name="Queues").click()
    page.get_by_role("button", name="Refunds").click()
    expect(page.get_by_role("region", name="Who waits in Refunds")).to_be_visible()
    judge.look("two chosen, a queue in order")
    page.get_by_role("tab", name="Quarantine").click()
    judge.look_at_dialog("Look at", "In quarantine")
    judge.assert_content()

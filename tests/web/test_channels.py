"""A supervisor sees which channels hear, and is told when one no longer does."""

from playwright.sync_api import expect

from tests.web.scenes import busy_floor
from tests.web.test_desk import CONTRASTS, LogIn, Serve


def test_a_channel_in_trouble_is_seen_at_once_and_told_in_full(serve: Serve, log_in: LogIn) -> None:
    world = busy_floor()
    world.add_channel("ch-2", "@care", "mastodon", workgroup_id="w-refunds", account_id="ac-2")
    world.add_channel("ch-3", "old mailbox", "email", enabled=False, health="down")
    page = log_in(serve(world), key="supervisor-key")
    tab = page.get_by_role("tab", name="Channels")
    expect(tab).to_contain_text("2 healthy")
    expect(page.get_by_role("region", name="Agents")).to_contain_text("Agent seven")

    world.tell_health("ch-2", "unauthorised", "401 invalid token")
    expect(tab).to_contain_text("1 in trouble")
    tab.click()
    rows = page.get_by_role("region", name="Channels").locator("tbody tr")
    expect(rows.first).to_contain_text("@care")
    expect(rows.first).to_contain_text("credentials refused")
    expect(rows.first).to_contain_text("401 invalid token")
    expect(rows.first).to_contain_text("00:0")
    expect(rows.first).to_contain_text("An administrator gives its account new credentials")
    expect(rows.first.get_by_role("img", name="40 percent")).to_be_visible()
    expect(rows.nth(1)).to_contain_text("healthy")
    expect(rows.nth(2)).to_contain_text("switched off")
    assert page.evaluate(CONTRASTS) == []
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(CONTRASTS) == []

    world.tell_health("ch-2", "healthy", None)
    expect(rows.filter(has_text="credentials refused")).to_have_count(0)
    expect(tab).not_to_contain_text("trouble")


def test_channels_are_the_supervisors(serve: Serve, log_in: LogIn) -> None:
    page = log_in(serve(busy_floor()))
    expect(page.get_by_role("link", name="@ferry42")).to_be_visible()
    expect(page.get_by_role("tab", name="Channels")).to_have_count(0)

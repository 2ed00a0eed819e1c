"""The same work at the desk, once with the mouse and once without."""

import re
from typing import Protocol

from playwright.sync_api import Locator, Page, expect

TABS_AT_MOST = 60


class Hands(Protocol):
    """What an agent does at the desk."""

    def go_on_queue(self, page: Page) -> None: ...
    def pick_up(self, page: Page, customer: str) -> None: ...
    def reply(self, page: Page, text: str) -> None: ...
    def note(self, page: Page, text: str) -> None: ...
    def transfer(self, page: Page, to: str) -> None: ...
    def hold(self, page: Page) -> None: ...
    def resume(self, page: Page) -> None: ...
    def disconnect(self, page: Page, code: str) -> None: ...


def offer_of(page: Page, customer: str) -> Locator:
    return page.get_by_role("region", name=f"Offer: @{customer}")


class Mouse:
    """Clicks whatever can be clicked, and types only words."""

    def go_on_queue(self, page: Page) -> None:
        page.get_by_role("button", name="Status: Off queue").click()
        page.get_by_role("menuitemcheckbox", name="On queue", exact=True).click()
        expect(page.get_by_role("button", name="Status: On queue")).to_be_visible()

    def pick_up(self, page: Page, customer: str) -> None:
        offer_of(page, customer).get_by_role("button", name="Pick up").click()

    def reply(self, page: Page, text: str) -> None:
        page.get_by_label("Your reply").fill(text)
        page.get_by_role("button", name="Send").click()

    def note(self, page: Page, text: str) -> None:
        page.get_by_role("tab", name="Note").click()
        page.get_by_label("Your note").fill(text)
        page.get_by_role("button", name="Save note").click()

    def transfer(self, page: Page, to: str) -> None:
        page.get_by_role("button", name="Transfer").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_text(to).click()
        dialog.get_by_role("button", name="Transfer").click()

    def hold(self, page: Page) -> None:
        page.get_by_role("button", name="Hold").click()

    def resume(self, page: Page) -> None:
        page.get_by_role("button", name="Resume").click()

    def disconnect(self, page: Page, code: str) -> None:
        page.get_by_role("button", name="Disconnect").click()
        page.get_by_role("radio", name=code).check()
        page.get_by_role("button", name="Done").click()


class Keys:
    """Never touches the mouse."""

    def go_on_queue(self, page: Page) -> None:
        page.keyboard.press("s")
        expect(page.get_by_role("button", name="Status: On queue")).to_be_visible()

    def pick_up(self, page: Page, customer: str) -> None:
        page.keyboard.press("a")

    def reply(self, page: Page, text: str) -> None:
        self._write(page, "r", "Your reply", text)

    def note(self, page: Page, text: str) -> None:
        self._write(page, "n", "Your note", text)

    @staticmethod
    def _write(page: Page, key: str, label: str, text: str) -> None:
        page.keyboard.press(key)
        expect(page.get_by_label(label)).to_be_focused()
        page.keyboard.type(text)
        page.keyboard.press("Control+Enter")
        page.keyboard.press("Escape")

    def transfer(self, page: Page, to: str) -> None:
        page.keyboard.press("t")
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.type(to)
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_be_hidden()

    def hold(self, page: Page) -> None:
        page.keyboard.press("h")

    def resume(self, page: Page) -> None:
        page.keyboard.press("h")

    def disconnect(self, page: Page, code: str) -> None:
        page.keyboard.press("x")
        codes = page.get_by_role("group", name="Wrap-up").get_by_role("radio")
        expect(codes.first).to_be_visible()
        for _ in range(TABS_AT_MOST):
            if codes.first.evaluate("field => field === document.activeElement"):
                break
            page.keyboard.press("Tab")
        page.keyboard.press("Space")
        for _ in range(codes.count()):
            if page.get_by_role("radio", name=code).is_checked():
                break
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")


def has_state(page: Page, state: str) -> None:
    """Wait until the open conversation says that it is in this state."""
    expect(page.locator(".thread-facts .state")).to_have_text(re.compile(state, re.IGNORECASE))

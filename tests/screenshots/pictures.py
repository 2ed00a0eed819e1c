"""How each picture is taken: who looks, at what, in which theme and width."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.screenshots.stage import CARE, LONG_REPLY, Stage

DESKTOP: Any = {"width": 1440, "height": 900}
PHONE: Any = {
    "viewport": {"width": 390, "height": 780},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
}
AGENT, SUPERVISOR, ADMIN = "agent-7", "supervisor", "admin"


class Studio:
    """Opens pages as somebody, and writes what they show."""

    def __init__(self, browser: Browser, stage: Stage, folder: Path) -> None:
        self.browser, self.stage, self.folder = browser, stage, folder
        self.url = stage.running.run["desk_url"]
        self.keys = {**stage.keys, ADMIN: stage.running.run["keys"]["admin"]}

    def opened(self, who: str | None, where: str = "", *, dark: bool = False, **how: Any) -> Page:
        theme: Any = "dark" if dark else "light"
        options = {"viewport": DESKTOP, "color_scheme": theme, "locale": "en-GB", **how}
        context = self.browser.new_context(reduced_motion="reduce", **options)
        if who is not None:
            answer = context.request.post(f"{self.url}api/v1/session", data={"key": self.keys[who]})
            assert answer.ok, answer.text()
        page = context.new_page()
        page.goto(f"{self.url}{where}")
        return page

    def take(self, name: str, page: Page, **how: Any) -> None:
        page.wait_for_timeout(600)  # what is read after the first paint is on the picture
        page.screenshot(path=self.folder / f"{name}.png", **how)
        page.context.close()

    @staticmethod
    def leave(page: Page) -> None:
        """Close the page when it has told the server what was typed."""
        page.wait_for_timeout(1_500)
        page.context.close()


def opened_talk(studio: Studio, handle: str, **how: Any) -> Page:
    page = studio.opened(AGENT, **how)
    page.get_by_role("link", name=f"@{handle}").first.click()
    expect(page.get_by_role("log")).to_be_visible()
    return page


def desk(studio: Studio) -> None:
    page = opened_talk(studio, "ferry42")
    studio.take("desk", page)


def desk_dark(studio: Studio) -> None:
    studio.take("desk-dark", opened_talk(studio, "ferry42", dark=True))


def offer(studio: Studio) -> None:
    page = studio.opened(AGENT)
    card = page.get_by_role("region", name="Offer: @green_lamp_21")
    expect(card).to_contain_text("order 4711")
    studio.take("offer", page, clip={"x": 0, "y": 0, "width": 760, "height": 480})


def composer(studio: Studio) -> None:
    page = opened_talk(studio, "ferry42")
    page.get_by_label("Your reply").fill("\n\n".join([LONG_REPLY] * 10))
    page.wait_for_timeout(1_500)
    page.locator(".composer").screenshot(path=studio.folder / "composer.png")
    page.get_by_label("Your reply").fill("")
    studio.leave(page)


def floor(studio: Studio) -> None:
    page = studio.opened(SUPERVISOR, "#/floor")
    expect(page.get_by_role("link", name="@ferry42")).to_be_visible()
    studio.take("floor", page)


def decision(studio: Studio) -> None:
    page = studio.opened(SUPERVISOR, "#/floor")
    page.get_by_role("link", name="@ferry42").click()
    expect(page.get_by_text("Went to agent-7").first).to_be_visible()
    studio.take("decision", page)


def wallboard(studio: Studio) -> None:
    studio.take("wallboard", studio.opened(SUPERVISOR, "wallboard", dark=True))


def administration(studio: Studio) -> None:
    page = studio.opened(ADMIN, "administration#/workgroups")
    page.get_by_role("link", name=CARE).click()
    expect(page.get_by_label("Picked up within")).to_be_visible()
    studio.take("administration", page)


def sign_in(studio: Studio) -> None:
    page = studio.opened(None, viewport={"width": 640, "height": 460})
    studio.take("sign-in", page)


def phone(studio: Studio) -> None:
    studio.take("phone", opened_talk(studio, "ferry42", **PHONE))


TAKEN = (
    offer,
    desk,
    desk_dark,
    composer,
    floor,
    decision,
    wallboard,
    administration,
    sign_in,
    phone,
)
PICTURES: dict[str, Callable[[Studio], None]] = {taken.__name__: taken for taken in TAKEN}

"""The guide for agents and supervisors says what the pages say."""

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.web.fake_world import World
from tests.web.scenes import small_floor

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "desk.md"
ROWS = """() => Array.from(document.querySelectorAll('.keys li'), (row) => [
  Array.from(row.querySelectorAll('kbd'), (key) => key.textContent).join(' '),
  row.querySelector('span').textContent,
])"""


def test_the_guide_lists_the_keys_as_the_page_does(
    serve: Callable[[World], str], log_in: Callable[..., Page]
) -> None:
    page = log_in(serve(small_floor()))
    expect(page.get_by_role("button", name="Keys")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()

    told = re.findall(r"^\| `(\S.*)` \| (.+) \|$", GUIDE.read_text(), re.MULTILINE)

    assert [list(row) for row in told] == page.evaluate(ROWS)


def test_every_picture_of_the_guide_is_taken_by_the_command() -> None:
    pictures = (ROOT / "tests" / "screenshots" / "pictures.py").read_text()
    names = re.findall(r"images/([\w-]+)\.png", GUIDE.read_text())
    functions = {f"def {name.replace('-', '_')}(" for name in names}

    assert functions
    assert {function for function in functions if function not in pictures} == set()

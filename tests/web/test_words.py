"""All words lie in web/texts; another language may be written from right to left."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.web.conftest import PageOpener
from tests.web.fake_world import World
from tests.web.scenes import busy_floor

WEB = Path(__file__).resolve().parents[2] / "web"
SAID = re.compile(
    r"\b(?:aria-label|title|placeholder|alt|label|submit|what|none)=(?:\"([^\"]*)\"|\$\{['`]([^'`$]*)['`]\})"
)
SAME_IN_EVERY_LANGUAGE = re.compile(r"Parley|run\.json|Ctrl|\b(?:km|min|ms)\b|<kbd.*?</kbd>")
PHYSICAL = re.compile(
    r"(?<![\w-])(?:(?:margin|padding|border|scroll-margin|scroll-padding)-(?:left|right)"
    r"|left|right)(?:-[a-z]+)?\s*:|(?:text-align|float)\s*:\s*(?:left|right)"
)


def templates(text: str) -> Iterator[str]:
    """Every html`…` of a module, with what is put in as a gap; those within are told apart."""
    at = text.find("html`")
    while at >= 0:
        yield from _template(text, at + 5)[1]
        at = text.find("html`", _template(text, at + 5)[0])


def _template(text: str, at: int) -> tuple[int, list[str]]:
    own, within = [], []
    while at < len(text) and text[at] != "`":
        if text.startswith("${", at):
            end, found = _hole(text, at + 2)
            own.append("\0")
            within += found
            at = end
        else:
            own.append(text[at])
            at += 1
    return at + 1, ["".join(own), *within]


def _hole(text: str, at: int) -> tuple[int, list[str]]:
    depth, within = 1, []
    while depth:
        if text[at] == "`":
            at, found = _template(text, at + 1)
            if text[: at - len(found[0]) - 1].endswith("html") or "<" in found[0]:
                within += found
            continue
        if text[at] in "'\"":
            at = text.index(text[at], at + 1) + 1
            continue
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        at += 1
    return at, within


def english_in(text: str) -> list[str]:
    found = [double or single for double, single in SAID.findall(text)]
    for template in templates(text):
        bare = SAME_IN_EVERY_LANGUAGE.sub("", template)
        found += re.sub(r"<[^>]*>", "\n", bare).replace("\0", "\n").split("\n")
    return [words.strip() for words in found if re.search(r"[A-Za-z]{2}", words)]


def modules() -> list[Path]:
    return [path for path in WEB.rglob("*.js") if path.parent.name not in {"texts", "vendor"}]


def test_no_template_holds_english() -> None:
    found = {
        str(path.relative_to(WEB)): said
        for path in modules()
        if (said := english_in(path.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_the_reader_of_templates_finds_what_it_is_to_find() -> None:
    text = "html`<p title=\"Hello you\">Some words ${a ? html`<b>inside</b>` : 'x'} ${T.a}</p>`"
    assert english_in(text) == ["Hello you", "Some words", "inside"]
    assert english_in("html`<p class=${one} title=${T.b}>${T.c('much')}<kbd>Esc</kbd></p>`") == []


def test_sheets_know_no_left_and_right() -> None:
    for path in (WEB / "style").glob("*.css"):
        assert PHYSICAL.findall(path.read_text(encoding="utf-8")) == [], path


@pytest.mark.parametrize(("language", "way"), [("xx", "ltr"), ("xr", "rtl")])
def test_a_language_is_laid_over_all_words(
    serve: Callable[[World], str], open_page: PageOpener, language: str, way: str
) -> None:
    url = serve(busy_floor())
    page = open_page(url, allowed=("/api/v1/session",))
    page.evaluate(f"localStorage.setItem('parley.preferences', '{{\"language\":\"{language}\"}}')")
    page.context.add_cookies([{"name": "parley_session", "value": "agent-key", "url": url}])
    page.goto(url)
    page.locator(".topbar").wait_for()
    assert page.locator("html").get_attribute("dir") == way
    assert page.locator(".places a").first.inner_text().startswith("⟦Minē⟧")
    left = page.locator(".left").bounding_box()
    assert left
    assert (left["x"] > 700) is (way == "rtl")


def test_times_are_those_of_the_chosen_zone(
    serve: Callable[[World], str], open_page: PageOpener
) -> None:
    url = serve(World())
    page = open_page(url, allowed=("/api/v1/session",), timezone_id="Europe/Berlin")
    read = """async (timeZone) => {
      localStorage.setItem('parley.preferences', JSON.stringify({ timeZone }));
      const { clockTime, dayAt, dayKey } = await import(`/web/core/format.js`);
      const at = '2026-03-28T23:30:00.000Z';
      const fromMs = Date.parse(at);
      const nextNine = new Date(dayAt({ hour: 9, days: 1, fromMs }));
      return [clockTime(at), dayKey(at), nextNine.toISOString()];
    }"""
    assert page.evaluate(read, "Asia/Tokyo")[0] == "08:30"
    page.reload()
    assert page.evaluate(read, "") == ["00:30", "03/29/2026", "2026-03-30T07:00:00.000Z"]

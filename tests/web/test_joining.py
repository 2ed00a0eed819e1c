"""The pages are few requests: modules are written so that they can be joined when served."""

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page
from starlette.applications import Starlette
from starlette.testclient import TestClient

from api import pages
from api.bundles import JoinError, join_scripts, modules_of, read_module
from tests.web.conftest import PageOpener
from tests.web.fake_world import World

WEB = pages.WEB
MOST_REQUESTS = 12
MOST_BYTES = 100_000
SPEAKERS = {
    "texts/en.js": "core/language.js",
    "texts/en_floor.js": "supervisor/language.js",
    "texts/en_wallboard.js": "wallboard/language.js",
    "texts/en_administration.js": "administration/language.js",
}
"""Who lays the chosen language over a file of words."""


def own_modules() -> list[str]:
    found = [str(path.relative_to(WEB)) for path in WEB.rglob("*.js")]
    return [path for path in found if not path.startswith("vendor/")]


def entries() -> dict[str, str]:
    found = {}
    for name in pages.PAGES.values():
        source = WEB / f"{name}.html"
        if source.exists():
            match = re.search(r'type="module" src="/web/([^"]+)"', source.read_text())
            assert match, source
            found[name] = match[1]
    return found


def every_entry() -> list[str]:
    """Each page's first module, and those that come later."""
    first = list(entries().values())
    later = {path for entry in first for module in modules_of(WEB, entry) for path in module.later}
    return [*first, *sorted(later)]


def test_every_page_can_be_joined_and_each_module_comes_once() -> None:
    for entry in every_entry():
        paths = [module.path for module in modules_of(WEB, entry)]
        assert len(paths) == len(set(paths))
        assert paths[-1] == entry


def test_the_language_is_chosen_before_any_word_is_read() -> None:
    for entry in entries().values():
        first = modules_of(WEB, entry)
        here = {module.path for module in first}
        later = {path for module in first for path in module.later}
        parts = [[m for m in modules_of(WEB, path) if m.path not in here] for path in later]
        for modules in (first, *parts):
            for text, speaker in SPEAKERS.items():
                if modules is not first and text in here:
                    continue
                readers = [module.path for module in modules if text in module.takes]
                assert readers[:1] in ([], [speaker]), entry


def test_every_module_belongs_to_a_page() -> None:
    joined = {module.path for entry in every_entry() for module in modules_of(WEB, entry)}
    apart = {"core/theme.js", "core/ticker-worker.js"}
    assert set(own_modules()) - joined - apart == set()


def test_nothing_is_exported_that_nobody_takes() -> None:
    modules = [read_module(WEB, path) for path in own_modules()]
    taken: dict[str, set[str]] = {}
    for module in modules:
        for path, names in module.takes.items():
            taken.setdefault(path, set()).update(names)
    later = {path for module in modules for path in module.later}
    unused = {
        f"{module.path}: {name}"
        for module in modules
        for name in module.gives - taken.get(module.path, set())
        if "*" not in taken.get(module.path, set()) and module.path not in later
    }
    of_tests = {
        "core/count.js: lengthOf",
        "state/live.js: apply",
        "state/timelines.js: keptTimelines",
    }
    assert unused == of_tests, "tests take these"


@pytest.mark.parametrize(
    "source",
    [
        "export default 3;",
        "export let changing = 1;",
        "const later = (path) => import(path);",
        "import { b } from './b.js';\nexport const later = () => import('./b.js');",
        "export const later = () => import('./c.js');",
        "await Promise.resolve();",
        "import { a } from 'elsewhere';",
        "import { missing } from './b.js';",
        "import { loop } from './a.js';\nexport const loop = 1;",
        "import { a } from '../../out.js';",
    ],
)
def test_other_forms_are_refused(tmp_path: Path, source: str) -> None:
    (tmp_path / "a.js").write_text(source)
    (tmp_path / "b.js").write_text("export const b = 1;\n")
    (tmp_path / "c.js").write_text("export const c = () => import('./b.js');\n")
    with pytest.raises(JoinError):
        join_scripts(tmp_path, "a.js")


def test_a_changed_file_is_seen_at_the_next_load_under_another_address(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text('<script type="module" src="/web/main.js"></script>')
    (tmp_path / "main.js").write_text("export const a = 1;\n")
    client = TestClient(Starlette(routes=pages.routes(tmp_path)))
    before = address_of(client.get("/").text)
    (tmp_path / "main.js").write_text("export const longer = 2;\n")
    after = address_of(client.get("/").text)
    assert before != after
    assert "immutable" in client.get(after).headers["Cache-Control"]
    old = client.get(before)
    assert "longer" in old.text
    assert old.headers["Cache-Control"] == "no-cache"


def test_parts_are_packed_kept_and_known_again() -> None:
    client = TestClient(Starlette(routes=pages.routes()))
    html = client.get("/", headers={"Accept-Encoding": "identity"})
    assert html.headers["Cache-Control"] == "no-cache"
    addresses = re.findall(r'(?:src|href)="([^"]+)"', html.text)
    assert all(address.startswith("/web/joined/") for address in addresses)
    for address in addresses:
        plain = client.get(address, headers={"Accept-Encoding": "identity"})
        packed = client.get(address, headers={"Accept-Encoding": "gzip"})
        assert packed.headers["Content-Encoding"] == "gzip"
        assert packed.content == plain.content
        assert "immutable" in packed.headers["Cache-Control"]
        assert "trusted-types" in packed.headers["Content-Security-Policy"]
        known = {"If-None-Match": packed.headers["ETag"], "Accept-Encoding": "gzip"}
        assert client.get(address, headers=known).status_code == 304
    assert client.get("/web/joined/none-00.js").status_code == 404


def bytes_of(page: Page, url: str) -> tuple[int, int]:
    """Load the page with nothing kept; answer its requests and what they weigh, packed."""
    sizes: list[int] = []
    page.on("requestfinished", lambda request: sizes.append(weigh(request)))
    page.goto(url)
    page.wait_for_load_state("load")
    return len(sizes), sum(sizes)


def weigh(request: object) -> int:
    sizes = request.sizes()  # type: ignore[attr-defined]
    return int(sizes["responseBodySize"]) + int(sizes["responseHeadersSize"])


def address_of(html: str) -> str:
    match = re.search(r'src="(/web/joined/[^"]+)"', html)
    assert match
    return match[1]


def test_the_first_page_is_few_requests_and_few_bytes(serve: object, open_page: PageOpener) -> None:
    url = serve(World())  # type: ignore[operator]
    page = open_page("about:blank", allowed=("/api/v1/session", "/api/v1/"))
    for path in [at for at, name in pages.PAGES.items() if name in entries()]:
        requests, size = bytes_of(page.context.new_page(), f"{url}{path}")
        assert requests <= MOST_REQUESTS, path
        assert size < MOST_BYTES, path


def test_a_part_comes_when_it_is_wanted_and_with_its_own_version_only() -> None:
    client = TestClient(Starlette(routes=pages.routes()))
    first = re.search(r'src="(/web/joined/desk-[^"]+)"', client.get("/").text)
    assert first
    script = client.get(first[1]).text
    address = re.search(r"import\('([^']+)'\)", script)
    assert address
    assert "texts/en_floor.js" not in script
    part = client.get(address[1])
    assert "immutable" in part.headers["Cache-Control"]
    assert part.text.startswith("export const join = ")
    assert client.get(re.sub(r"-\w+\.js$", "-00.js", address[1])).status_code == 404


def test_a_part_that_does_not_come_says_so_and_is_asked_for_again(
    serve: Callable[[World], str], open_page: PageOpener
) -> None:
    url = serve(World())
    page = open_page("about:blank", allowed=("desk-later",))
    page.route("**/desk-later-*", lambda route: route.fulfill(status=404))
    page.context.add_cookies([{"name": "parley_session", "value": "supervisor-key", "url": url}])
    page.goto(f"{url}/#/floor")
    page.get_by_text("could not be loaded").wait_for()
    page.unroute("**/desk-later-*")
    page.get_by_role("button", name="Load the page again").click()
    page.get_by_role("region", name="The floor").wait_for()


def test_joined_scripts_stay_readable() -> None:
    script = join_scripts(WEB, entries()["index"]).text
    assert "// core/format.js" in script
    assert "const $core_format = " in script
    assert len(gzip.compress(script.encode())) < MOST_BYTES

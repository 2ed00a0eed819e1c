"""What lies in web/: vendored files as they were, pages that need nothing from elsewhere."""

import hashlib
import re
from pathlib import Path

from api.bundles import read_module

WEB = Path(__file__).resolve().parents[2] / "web"
OWN = [path for path in WEB.rglob("*.*") if "vendor" not in path.parts]


def test_vendored_files_match_their_hashes() -> None:
    lines = (WEB / "vendor" / "SHA256SUMS").read_text().splitlines()
    listed = {name: digest for digest, name in (line.split() for line in lines)}
    present = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (WEB / "vendor").iterdir()
        if path.suffix in (".js", ".css", ".txt")
    }
    assert listed == present


def test_modules_are_imported_by_relative_path_and_exist() -> None:
    for path in WEB.rglob("*.js"):
        name = path.relative_to(WEB).as_posix()
        for taken in read_module(WEB, name).takes:
            assert (WEB / taken).is_file(), f"{name}: {taken}"


def test_pages_load_only_their_own_files_and_nothing_inline() -> None:
    for page in WEB.glob("*.html"):
        html = page.read_text()
        for address in re.findall(r"(?:src|href)=\"([^\"]+)\"", html):
            assert address.startswith("/web/"), address
            assert (WEB / address.removeprefix("/web/")).is_file(), address
        assert not re.search(r"<style|style=|\son\w+=|<script>", html)


def test_no_module_makes_markup_from_text() -> None:
    banned = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|Function\("
    )
    for path in OWN:
        if path.suffix == ".js":
            assert not banned.search(path.read_text()), path


def test_modules_stay_small() -> None:
    texts = [path for path in OWN if path.parent.name == "texts"]
    assert texts, "a language is one file for each page, however much the page says"
    for path in set(OWN) - set(texts):
        assert len(path.read_text().splitlines()) <= 400, path

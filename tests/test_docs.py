import re
from pathlib import Path

import pytest

from settings import known_names
from tests.markdown import DOCUMENTS, ROOT, anchors, exists, links, named_paths
from workflows.addresses import SEARCH_ATTRIBUTES

OPERATING = ROOT / "docs" / "operating.md"
GUARANTEES = ROOT / "docs" / "guarantees.md"
DECISIONS = sorted((ROOT / "docs" / "adr").glob("*.md"))


def name_of(document: Path) -> str:
    return str(document.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_link_leads_somewhere(document: Path) -> None:
    for target in links(document):
        path, _, anchor = target.partition("#")
        there = (document.parent / path) if path else document
        assert there.exists(), f"{name_of(document)} links to {target}"
        if anchor and there.suffix == ".md":
            assert anchor in anchors(there), f"{name_of(document)} links to {target}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_file_that_is_named_exists(document: Path) -> None:
    missing = [path for path in named_paths(document) if not exists(path)]

    assert missing == []


def test_every_test_and_checker_that_a_guarantee_names_exists() -> None:
    named = set(
        re.findall(
            r"`((?:test_|no_|every_|loads_|ownership_|posts_|the_|one_|what_|events_)"
            r"\w+|nothing_\w+)`",
            GUARANTEES.read_text(),
        )
    )
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))

    assert {name for name in named if f"def {name}(" not in tests} == set()
    assert len(named) > 15


def test_every_invariant_has_its_line() -> None:
    lines = re.findall(r"^\| I(\d+) \|", GUARANTEES.read_text(), re.MULTILINE)

    assert [int(number) for number in lines] == list(range(1, 14))


def test_the_settings_table_is_that_of_the_settings() -> None:
    told = set(re.findall(r"^\| `(PARLEY_\w+)` \|", OPERATING.read_text(), re.MULTILINE))
    nested = {name.partition("__")[0] for name in known_names() if "__" in name}
    files = {name for name in known_names() if name.endswith("_FILE")}

    assert told == known_names() - files - nested


def test_operators_are_told_every_search_attribute() -> None:
    text = OPERATING.read_text()

    assert [name for name in SEARCH_ATTRIBUTES if f"`{name}`" not in text] == []


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_is_one_page_of_four_parts(decision: Path) -> None:
    text = decision.read_text()
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)

    assert headings[0].startswith(f"{int(decision.name[:4])}. ")
    assert headings[1:] == ["Context", "Decision", "Consequences", "Rejected"]
    assert len(text.split()) <= 320

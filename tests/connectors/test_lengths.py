"""How long texts are to each network; the desk is held to the same table (`tests/web`)."""

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.lengths import atoms, fits, length_of
from conversations.capabilities import CountingUnit, LengthRule

TABLE: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "lengths.json").read_text(encoding="utf-8")
)
X = LengthRule(CountingUnit.X_WEIGHTED, 280, link_length=23)


def name_of(case: dict[str, Any]) -> str:
    return f"{case['unit']}: {ascii(case['text'])[:40]} x {case.get('times', 1)}"


@pytest.mark.parametrize("case", TABLE, ids=name_of)
def test_a_text_is_as_long_as_its_network_says(case: dict[str, Any]) -> None:
    rule = LengthRule(CountingUnit(case["unit"]), 280, case.get("link_length", 0))

    assert length_of(case["text"] * case.get("times", 1), rule) == case["length"]


def test_the_table_has_every_unit() -> None:
    assert {case["unit"] for case in TABLE} == set(CountingUnit)


@pytest.mark.parametrize(
    ("text", "is_fitting"),
    [("a" * 280, True), ("a" * 281, False), ("日" * 140, True), ("日" * 141, False)],
)
def test_the_limit_itself_fits(text: str, *, is_fitting: bool) -> None:
    assert fits(text, X) is is_fitting


def test_bytes_are_a_limit_of_their_own() -> None:
    rule = LengthRule(CountingUnit.GRAPHEMES, 300, most_bytes=3_000)

    assert fits("👨‍👩‍👧‍👦" * 120, rule)
    assert not fits("👨‍👩‍👧‍👦" * 121, rule)


def test_a_text_is_the_sum_of_its_pieces() -> None:
    text = "Hi @some.body@x.example, see https://example.com/a(b) or b.org: 👨‍👩‍👧!"
    pieces = list(atoms(text))

    assert "".join(pieces) == text
    assert {"@some.body@x.example", "https://example.com/a(b)", "b.org", "👨‍👩‍👧"} <= set(pieces)


@pytest.mark.parametrize("piece", ["a", "a.", "é.", "(", "http://", "x.com/", "@a", "-a", "a@"])
def test_no_text_takes_long_to_count(piece: str) -> None:
    text = piece * (20_000 // len(piece))

    assert length_of(text, X) > 0
    assert "".join(atoms(text)) == text

from typing import Any

import pytest

from acd.rule_trace import as_record
from tests.acd.rule_samples import POST, ROUTING, ask, when, written


def test_the_record_shows_what_was_seen_and_found() -> None:
    both = {
        "all": [
            {"fact": "post.text", "contains_any": ["late", "lost"]},
            {"fact": "post.language", "equals": "de"},
        ]
    }

    record = as_record(ask(when(both)), ROUTING)

    assert record["rules"][0]["when"] == {
        "all": [
            {
                "fact": "post.text",
                "contains_any": ["late", "lost"],
                "seen": POST.text,
                "matched": ["late"],
                "result": True,
            },
            {"fact": "post.language", "equals": "de", "seen": "de", "result": True},
        ],
        "result": True,
    }


def test_a_record_is_no_second_copy_of_a_long_text() -> None:
    record = as_record(
        ask(when({"fact": "post.text", "starts_with": "x"}), seen=written("x" * 9_000)), ROUTING
    )

    assert len(str(record)) < 1_000


def test_a_record_stays_small_whatever_the_rules_are() -> None:
    leaves = [{"fact": "author.followers", "at_least": 5_000}] * 63
    rules = [when({"any": leaves}, name=f"rule {n}") for n in range(100)]

    record = as_record(ask(*rules), ROUTING)

    assert len(str(record)) < 100_000
    assert record["rules"][99]["when"] == {"left_out": True}
    assert [rule["name"] for rule in record["rules"]] == [f"rule {n}" for n in range(100)]


@pytest.mark.parametrize(
    ("pattern", "text", "matched"),
    [
        (r"L\w+", "too Late now", ["Late"]),
        (r"\C", "ä", ["\ufffd"]),
        ("late", "\ud800 late", ["late"]),
    ],
)
def test_the_record_shows_the_piece_that_matched(
    pattern: str, text: str, matched: list[str]
) -> None:
    verdict = ask(when({"fact": "post.text", "matches": pattern}), seen=written(text))

    assert as_record(verdict, ROUTING)["rules"][0]["when"]["matched"] == matched


def test_what_does_not_match_has_no_piece() -> None:
    record = as_record(ask(when({"fact": "post.text", "matches": "zebra"})), ROUTING)

    assert "matched" not in record["rules"][0]["when"]


def test_a_record_shows_ten_of_many_words_and_how_many_there_are() -> None:
    words = [f"w{n}" for n in range(11)]
    shown = [
        as_record(ask(when({"fact": "post.text", "contains_any": some})), ROUTING)
        for some in (words[:10], words)
    ]

    assert shown[0]["rules"][0]["when"]["contains_any"] == words[:10]
    assert shown[1]["rules"][0]["when"]["contains_any"] == [*words[:10], "… 11 in all"]


@pytest.mark.parametrize(("length", "shown"), [(80, "x" * 80), (81, "x" * 80 + "…")])
def test_a_record_shows_eighty_characters(length: int, shown: str) -> None:
    condition = {"fact": "post.text", "starts_with": "x" * length}

    told = as_record(ask(when(condition), seen=written("x" * length)), ROUTING)["rules"][0]["when"]

    assert (told["starts_with"], told["seen"]) == (shown, shown)


def test_a_record_shows_what_a_fact_was_asked_beside() -> None:
    point = {"lat": 48.2, "lon": 16.37}
    near = {"fact": "location.distance_km", "from": point, "at_most": 5}
    day = {"fact": "time.weekday", "time_zone": "UTC", "one_of": ["monday"]}

    told = as_record(ask(when({"all": [near, day]})), ROUTING)["rules"][0]["when"]["all"]

    assert (told[0]["from"], told[0]["seen"]) == (point, 0.954)
    assert (told[1]["time_zone"], told[1]["one_of"], told[1]["seen"]) == (
        "UTC",
        ["monday"],
        "monday",
    )


def big(name: str, at_least: int) -> dict[str, Any]:
    """Return a rule of 64 nodes; it holds for whom at most so many follow."""
    leaves = [{"fact": "author.followers", "at_least": at_least}] * 63
    return when({"any": leaves}, name=name)


def test_ten_full_rules_fit_into_a_record_and_those_that_held_come_first() -> None:
    never = [big(f"never {n}", 9_999) for n in range(10)]

    full = as_record(ask(*never), ROUTING)
    more = as_record(ask(*never, big("holds", 1), then_tag("always")), ROUTING)

    assert [rule["name"] for rule in full["rules"] if "left_out" in rule["when"]] == []
    left_out = [rule["name"] for rule in more["rules"] if "left_out" in rule.get("when", {})]
    assert left_out == ["never 9"]
    assert (more["trigger"], more["fired"]) == ("arrival", ["holds", "always"])


def then_tag(name: str) -> dict[str, Any]:
    return {"name": name, "then": [{"action": "tag", "tags": ["x"]}]}


def test_a_tag_too_many_is_told_under_its_name() -> None:
    rules = [
        {"name": f"r{m}", "then": [{"action": "tag", "tags": [f"{m}-{n}" for n in range(20)]}]}
        for m in range(3)
    ]

    (done,) = as_record(ask(*rules), ROUTING)["rules"][2]["done"]

    assert done == {"action": "tag", "nothing_because": "it would have over 50 tags"}

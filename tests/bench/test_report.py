from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench import chart, report, results
from bench.results import Result

MACHINE = {
    "cores": 2,
    "processor": "some processor",
    "memory_gib": 8,
    "kernel": "Linux 6.1",
    "python": "3.11.7",
    "temporal": "1.5.1",
    "sqlite": "3.40.1",
    "postgresql": None,
}
VALUES = {"commands.unloaded_p50": [2.0, 1.0, 4.0], "commands.unloaded_p99": [60.0, 55.0, 70.0]}
SVG = "{http://www.w3.org/2000/svg}"


def result(measurement: str = "commands", **values: list[float]) -> Result:
    found = values or VALUES
    return Result(measurement, "2026-11-01T12:00:00Z", "python -m bench", MACHINE, 3.2, found)


def test_a_row_tells_median_spread_goal_and_prototype() -> None:
    (row,) = [row for row in report.table(result().lines) if "p50" in row]

    assert row == "| agent command, one client, p50 | 2 ms | 1 to 4 | ≤ 10 | yes | 2 |"


def test_a_goal_that_is_missed_is_said_loudly() -> None:
    (row,) = [row for row in report.table(result().lines) if "p99" in row]

    assert "| **no** |" in row


def test_the_document_counts_the_goals_that_are_reached() -> None:
    text = report.document({"commands": result()})

    assert "## Goals: 1 of 2 reached" in text
    assert "`python -m bench`, 2026-11-01T12:00:00Z, 3 repetitions; 2 cores" in text
    assert "others used 3 % of the CPU" in text


@pytest.mark.parametrize(
    ("value", "text"), [(2.0, "2"), (0.8312, "0.83"), (12.34, "12.3"), (1234.5, "1,234")]
)
def test_a_number_has_the_digits_that_it_deserves(value: float, text: str) -> None:
    assert report.number(value) == text


def test_only_what_stands_between_the_markers_is_replaced() -> None:
    page = f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n"

    written = report.put_between_markers(page, "new")

    assert written == f"before\n{report.BEGIN}\n\nnew\n\n{report.END}\nafter\n"
    assert report.put_between_markers(written, "new") == written


@pytest.mark.parametrize("page", ["", report.BEGIN, report.END, f"{report.END}\n{report.BEGIN}\n"])
def test_a_page_without_its_markers_is_left_alone(page: str) -> None:
    with pytest.raises(report.NoMarkers):
        report.put_between_markers(page, "new")


def test_the_page_of_the_project_has_its_markers() -> None:
    assert report.put_between_markers(report.PAGE.read_text(encoding="utf-8"), "new")


def test_results_are_read_as_they_were_kept(tmp_path: Path) -> None:
    file = tmp_path / "results" / "latest.json"

    results.keep_results({"commands": result()}, file)

    assert results.read_results(file) == {"commands": result()}


def test_nothing_kept_is_no_results(tmp_path: Path) -> None:
    assert results.read_results(tmp_path / "latest.json") == {}


def test_repetitions_become_the_values_of_each_figure() -> None:
    assert results.gathered([{"a": 1, "b": 2}, {"a": 3, "b": 4}]) == {"a": [1, 3], "b": [2, 4]}


def test_repetitions_must_agree_on_what_they_measured() -> None:
    with pytest.raises(ValueError, match="different figures"):
        results.gathered([{"a": 1}, {"b": 2}])


def test_the_picture_is_well_formed_and_has_a_bar_for_each_goal() -> None:
    root = ET.fromstring(chart.picture(result().lines))  # noqa: S314 - our own picture

    bars = root.findall(f"{SVG}rect")
    assert [bar.get("fill") for bar in bars] == [chart.REACHED, chart.MISSED]


def test_a_bar_begins_at_the_goal_and_ends_at_the_figure() -> None:
    assert chart.position(1.0) < chart.position(5.0) < chart.position(1e9)
    assert chart.position(1e9) == chart.position(chart.HIGHEST)
    assert chart.position(0) == chart.position(chart.LOWEST)

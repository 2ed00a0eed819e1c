"""The results as a page: tables in Markdown, put between the markers of docs/benchmarks.md."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.figures import Goal, Line
from bench.results import Result

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
BEGIN = "<!-- measured: begin (written by python -m bench) -->"
END = "<!-- measured: end -->"
DECIMALS_BELOW = 10


class NoMarkers(Exception):
    """The page does not say where the results belong."""


def number(value: float) -> str:
    """Write a value with as many digits as it deserves."""
    if value == round(value) or abs(value) >= 100:  # noqa: PLR2004 - three digits say enough
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < DECIMALS_BELOW else f"{value:.1f}"


def goal_text(goal: Goal | None) -> str:
    if goal is None:
        return ""
    return f"{'≤' if goal.is_ceiling else '≥'} {number(goal.limit)}"


def verdict(line: Line) -> str:
    if line.is_reached is None:
        return ""
    return "yes" if line.is_reached else "**no**"


def table(found: Sequence[Line]) -> list[str]:
    """Return the rows of a table: figure, median, spread, goal, reached, prototype."""
    rows = [
        "| figure | median | lowest to highest | goal | reached | prototype |",
        "|---|---:|---:|---:|---|---:|",
    ]
    for line in found:
        figure, measured = line.figure, line.spread
        unit = f" {figure.unit}" if figure.unit else ""
        cells = (
            figure.title,
            f"{number(measured.median)}{unit}",
            f"{number(measured.low)} to {number(measured.high)}",
            goal_text(figure.goal),
            verdict(line),
            figure.prototype,
        )
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def document(results: Mapping[str, Result]) -> str:
    """Return what stands between the markers: the goals first, then each measurement whole."""
    all_lines = [line for result in results.values() for line in result.lines]
    goals = [line for line in all_lines if line.figure.goal is not None]
    reached = sum(1 for line in goals if line.is_reached)
    parts = [
        f"## Goals: {reached} of {len(goals)} reached",
        "",
        *table(goals),
        "",
        "![How far each figure is from its goal](benchmarks.svg)",
    ]
    for result in results.values():
        parts += ["", f"## {result.measurement.capitalize()}", "", _provenance(result), ""]
        parts += table(result.lines)
    return "\n".join(parts)


def _provenance(result: Result) -> str:
    machine = result.machine
    repeats = len(next(iter(result.values.values())))
    database = f", {machine['postgresql']}" if machine.get("postgresql") else ""
    return (
        f"`{result.command}`, {result.measured_at}, {repeats} repetitions; "
        f"{machine['cores']} cores ({machine['processor']}), {machine['memory_gib']} GiB, "
        f"{machine['kernel']}, Python {machine['python']}, Temporal {machine['temporal']}, "
        f"SQLite {machine['sqlite']}{database}; "
        f"others used {result.neighbours_percent:.0f} % of the CPU."
    )


def put_between_markers(page: str, text: str) -> str:
    """Return the page with the text in the place of what stood between its markers.

    Raises:
        NoMarkers: there are none, or they stand the wrong way round.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise NoMarkers(f"the page needs the lines {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"


def write_page(results: Mapping[str, Result], path: Path = PAGE) -> None:
    page = path.read_text(encoding="utf-8")
    path.write_text(put_between_markers(page, document(results)), encoding="utf-8")

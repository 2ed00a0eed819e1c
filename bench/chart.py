"""The goals as one small picture: how many times better than its goal each figure is."""

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path

from bench.figures import Line
from bench.report import PAGE, goal_text, number

PICTURE = PAGE.with_suffix(".svg")
WIDTH, LABELS, VALUES, ROW, TOP = 960, 470, 130, 26, 44
LOWEST, HIGHEST = 0.1, 100.0
MARKS = ((0.1, "10 times worse"), (1.0, "goal"), (10.0, "10 times better"), (100.0, "100"))
"""What is farther off is drawn at the edge."""

REACHED, MISSED = "#2f7d4f", "#b3402e"
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#333}.quiet{fill:#777;font-size:11px}"
    "line{stroke:#999}.goal{stroke:#333;stroke-dasharray:4 3}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}.quiet{fill:#999}.goal{stroke:#ddd}}"
)


def position(reserve: float) -> float:
    """Return where a figure that is so many times better than its goal is drawn, in pixels."""
    share = math.log10(min(max(reserve, LOWEST), HIGHEST) / LOWEST)
    return LABELS + (WIDTH - LABELS - VALUES) * share / math.log10(HIGHEST / LOWEST)


def picture(found: Sequence[Line]) -> str:
    """Return the picture of those lines that have a goal."""
    rows: list[str] = []
    goal_x = position(1.0)
    with_goals = [line for line in found if line.figure.goal is not None]
    height = TOP + ROW * len(with_goals) + 8
    for place, line in enumerate(with_goals):
        rows += _row(line, TOP + ROW * place, goal_x)
    axis = [
        f'<text class="quiet" x="{position(at):.0f}" y="20" text-anchor="middle">{name}</text>'
        for at, name in MARKS
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
            "<title>How far each figure is from its goal</title>",
            f"<style>{STYLE}</style>",
            *axis,
            *rows,
            f'<line class="goal" x1="{goal_x:.0f}" x2="{goal_x:.0f}" y1="26" y2="{height - 4}"/>',
            "</svg>",
            "",
        ]
    )


def _row(line: Line, y: int, goal_x: float) -> list[str]:
    goal = line.figure.goal
    if goal is None:
        return []
    end = position(goal.reserve(line.spread.median))
    left, width = min(goal_x, end), max(1.0, abs(end - goal_x))
    color = REACHED if line.is_reached else MISSED
    unit = f" {line.figure.unit}" if line.figure.unit else ""
    told = f"{number(line.spread.median)}{unit} ({goal_text(goal)})"
    return [
        f'<text x="{LABELS - 12}" y="{y + 14}" text-anchor="end">{_short(line)}</text>',
        f'<rect x="{left:.0f}" y="{y + 3}" width="{width:.0f}" height="14" fill="{color}"/>',
        f'<text class="quiet" x="{WIDTH - 4}" y="{y + 14}" text-anchor="end">{escape(told)}</text>',
    ]


def _short(line: Line) -> str:
    title = line.figure.title
    return escape(title if len(title) <= LABELS // 7 else title[: LABELS // 7 - 1] + "…")


def draw(found: Sequence[Line], path: Path = PICTURE) -> None:
    path.write_text(picture(found), encoding="utf-8")

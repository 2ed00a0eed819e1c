"""The results as they are kept: one file, one entry per measurement, replaced when repeated."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.figures import Line, lines
from bench.samples import spread

LATEST = Path(__file__).resolve().parent / "results" / "latest.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Result:
    """What the repetitions of one measurement gave, and where and how."""

    measurement: str
    measured_at: str
    command: str
    machine: Mapping[str, Any]
    neighbours_percent: float
    """So much of the machine's CPU was used by others meanwhile."""

    values: Mapping[str, Sequence[float]]

    @property
    def lines(self) -> list[Line]:
        return lines({name: spread(found) for name, found in self.values.items()})


def now_text() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def gathered(repetitions: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    """Turn repetitions of figures into figures with repetitions.

    Raises:
        ValueError: a repetition lacks a figure that another has.
    """
    names = list(repetitions[0])
    if any(set(one) != set(names) for one in repetitions):
        raise ValueError("the repetitions measured different figures")
    return {name: [one[name] for one in repetitions] for name in names}


def read_results(path: Path = LATEST) -> dict[str, Result]:
    """Return the kept results by measurement; none when nothing was kept."""
    if not path.exists():
        return {}
    kept = json.loads(path.read_text(encoding="utf-8"))
    return {name: Result(name, **entry) for name, entry in kept["measurements"].items()}


def keep_results(results: Mapping[str, Result], path: Path = LATEST) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {"format": FORMAT, "measurements": {n: _entry(r) for n, r in results.items()}}
    path.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _entry(result: Result) -> dict[str, Any]:
    values = {name: [round(v, 4) for v in found] for name, found in result.values.items()}
    return {
        "measured_at": result.measured_at,
        "command": result.command,
        "machine": dict(result.machine),
        "neighbours_percent": result.neighbours_percent,
        "values": values,
    }

"""What the figures were measured on."""

import os
import platform
import resource
import sqlite3
import subprocess
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import psutil

from operation.temporal_program import obtain_program

VERSION_WITHIN_S = 10
GIB = 1024**3
PACKAGES = ("temporalio", "fastapi", "uvicorn", "sqlalchemy", "asyncpg")


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine and what runs on it; no name of anybody's."""

    cores: int
    processor: str
    memory_gib: int
    kernel: str
    python: str
    temporal: str
    sqlite: str
    postgresql: str | None
    packages: dict[str, str]

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def this_machine(postgresql: str | None = None) -> Machine:
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        processor=_processor(),
        memory_gib=round(psutil.virtual_memory().total / GIB),
        kernel=f"{platform.system()} {platform.release().partition('-')[0]}",
        python=platform.python_version(),
        temporal=_temporal(),
        sqlite=sqlite3.sqlite_version,
        postgresql=postgresql,
        packages={name: version(name) for name in PACKAGES},
    )


class Neighbours:
    """Watches how much of the machine others use; the figures are lower for it.

    To be asked when all processes of our own have ended: only then is their time known.
    """

    def __init__(self) -> None:
        self._busy_s, self._all_s = _machine_s()
        self._own_s = _own_s()

    def percent(self) -> float:
        """Return the share of the machine's CPU that others have used since the beginning."""
        busy_s, all_s = _machine_s()
        others_s = (busy_s - self._busy_s) - (_own_s() - self._own_s)
        return round(max(0.0, 100 * others_s / max(all_s - self._all_s, 0.01)), 1)


def _machine_s() -> tuple[float, float]:
    """Return the CPU time that was used on the machine, and all that there was, in seconds."""
    times = psutil.cpu_times()._asdict()
    # What guests used is counted as user time, too.
    total = sum(used for name, used in times.items() if not name.startswith("guest"))
    return total - times["idle"] - times.get("iowait", 0.0), total


def _own_s() -> float:
    """Return the CPU time of this process and of all its children that have ended."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _temporal() -> str:
    """Return the version of the server, or that one was used which is not ours."""
    if os.environ.get("TEMPORAL_ADDRESS"):
        return "external"
    program = obtain_program(lambda _: None)
    told = subprocess.run(
        [program, "--version"],
        capture_output=True,
        text=True,
        timeout=VERSION_WITHIN_S,
        check=False,
    )
    return told.stdout.strip().removeprefix("temporal version ") or "unknown"

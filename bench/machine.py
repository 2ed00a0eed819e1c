"""What the figures were measured on."""

import os
import platform
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
    load_before: float
    """Above 0: somebody else works here, too, and the figures are lower for it."""

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
        load_before=round(os.getloadavg()[0], 1),
    )


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

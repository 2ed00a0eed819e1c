"""A Parley of the measurement's own: started by `parley.py up` on an empty folder, ended after."""

import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from asyncio.subprocess import STDOUT, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from operation.ports import answers_ok, is_free
from operation.temporal_server import UI_PORT_OFFSET

ROOT = Path(__file__).resolve().parent.parent
READY_WITHIN_S = 120.0
STOPS_WITHIN_S = 60.0
PORTS = range(20_000, 60_000, 7)
PROCESSES = ("temporal", "worker", "api")


class NotStarted(Exception):
    """`up` did not become ready; the message ends with its last words."""


@dataclass(frozen=True, slots=True)
class Parley:
    """Where a running Parley is."""

    folder: Path
    port: int
    database_url: str

    @property
    def run(self) -> dict[str, Any]:
        """The file that `up` keeps true, also when a child was started again."""
        found: dict[str, Any] = json.loads((self.folder / "run.json").read_text())
        return found

    @property
    def admin_key(self) -> str:
        return str(self.run["keys"]["admin"])

    @property
    def temporal_address(self) -> str:
        return str(self.run["temporal_address"])

    def pid(self, process: str) -> int | None:
        """Return the process id of `temporal`, `worker` or `api`; None for one not our own."""
        found = self.run["pids"].get(process)
        return int(found) if found else None


def cpu_s(pid: int | None) -> float:
    """Return the CPU time that a process has used; 0 for one that is not ours."""
    if pid is None:
        return 0.0
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def cpu_of(parley: Parley) -> dict[str, float]:
    """Return the CPU time of each of Parley's processes and of this one, in seconds."""
    used = {process: cpu_s(parley.pid(process)) for process in PROCESSES}
    return {**used, "caller": cpu_s(os.getpid())}


def cpu_ms_each(
    before: Mapping[str, float], after: Mapping[str, float], count: int
) -> dict[str, float]:
    """Return what one of `count` things took, by process."""
    return {process: (after[process] - before[process]) * 1000 / count for process in before}


@asynccontextmanager
async def own_parley(database_url: str | None = None) -> AsyncIterator[Parley]:
    """Start a Parley on a folder of its own; stop it and forget the folder at the end."""
    folder = Path(tempfile.mkdtemp(prefix="parley-bench-"))
    url = database_url or f"sqlite:///{folder / 'parley.db'}"
    port, temporal_port = free_ports()
    environment = {**os.environ, "PARLEY_DATABASE_URL": url}
    command = [*_dies_with_us(), sys.executable, "parley.py", "up", "--data", str(folder)]
    command += ["--port", str(port), "--temporal-port", str(temporal_port), "--no-demo"]
    with (folder / "up.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=environment, stdout=log, stderr=STDOUT
        )
    try:
        await _become_ready(process, folder, port)
        yield Parley(folder, port, url)
    finally:
        await _stop(process)
        shutil.rmtree(folder, ignore_errors=True)


def _dies_with_us() -> list[str]:
    """Have the kernel end `up` when the measurement is killed, where the machine knows how."""
    program = shutil.which("setpriv")
    return [program, "--pdeathsig", "TERM", "--"] if program else []


async def _become_ready(process: Process, folder: Path, port: int) -> None:
    deadline_s = time.monotonic() + READY_WITHIN_S
    while not ((folder / "run.json").exists() and await answers_ok(port, "/readyz")):
        if process.returncode is not None or time.monotonic() > deadline_s:
            last_words = (folder / "up.log").read_text(errors="replace")[-2000:]
            raise NotStarted(f"`parley.py up` did not become ready:\n{last_words}")
        await asyncio.sleep(0.1)


async def _stop(process: Process) -> None:
    if process.returncode is not None:
        return
    pids = _children(process.pid)
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOPS_WITHIN_S)
    except TimeoutError:
        process.kill()
        await process.wait()
    for child in pids:
        if child.is_running():
            child.kill()


def _children(pid: int) -> list[psutil.Process]:
    """Name the processes below ours, each with its start time: an id used again is not ours."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def free_ports() -> tuple[int, int]:
    """Find an API port and a Temporal port whose web UI, above it, is free too."""
    offset = os.getpid() % len(PORTS)
    wished = [*PORTS[offset:], *PORTS[:offset]]
    found: list[int] = []
    for port in wished:
        if all(is_free(p) for p in (port, port + 1, port + 2, port + UI_PORT_OFFSET)):
            found.append(port)
        if len(found) == 2:  # noqa: PLR2004 - API and Temporal
            return found[0], found[1]
    raise NotStarted("no free ports on the loopback")

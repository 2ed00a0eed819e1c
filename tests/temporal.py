"""A Temporal dev server of the tests' own: in memory, on the loopback, gone at the end."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.ports import free_port
from workflows.addresses import SEARCH_ATTRIBUTES

START_TIMEOUT_S = 60


class NoTemporal(Exception):
    """There is no `temporal` program on PATH or in Parley's cache."""


@dataclass(frozen=True)
class TemporalServer:
    address: str
    pid: int


def find_temporal() -> Path:
    """Return the program that `make setup` found or built."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    on_path = shutil.which("temporal")
    for program in (Path(on_path) if on_path else None, cache / "parley" / "bin" / "temporal"):
        if program is not None and program.is_file():
            return program
    raise NoTemporal("no `temporal` program on PATH or in the cache: run `make setup`")


@contextmanager
def dev_server(folder: Path, *, database: Path | None = None) -> Iterator[TemporalServer]:
    """Start a dev server, in memory unless a file is named; what it says is in `folder`."""
    port = free_port()
    with (folder / "temporal.log").open("w") as log:
        server = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *_command(port, database)],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until_ready(port, server, folder / "temporal.log")
            yield TemporalServer(f"127.0.0.1:{port}", server.pid)
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait(10)


def _command(port: int, database: Path | None) -> list[str]:
    command = [
        *(str(find_temporal()), "server", "start-dev", "--headless", "--ip", "127.0.0.1"),
        *("--port", str(port), "--log-level", "error"),
        *("--dynamic-config-value", "system.enableActivityEagerExecution=true"),
    ]
    for name, kind in SEARCH_ATTRIBUTES.items():
        command += ["--search-attribute", f"{name}={kind}"]
    if database is not None:
        command += ["--db-filename", str(database)]
    return command


def _wait_until_ready(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for the port; the dev server opens it when its namespace is registered."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while not _answers(port):
        if server.poll() is not None or time.monotonic() > deadline:
            raise NoTemporal(f"the dev server did not start: {log.read_text()[-2000:]}")
        time.sleep(0.1)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0

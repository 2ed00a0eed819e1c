"""Servers that others wrote, to test connectors against: where they are kept, how they run."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

READY_TIMEOUT_S = 120.0
INSTALL_TIMEOUT_S = 300.0


class NotInstalled(Exception):
    """A peer is not there, with the reason; tests that need it say so."""


def peers_folder() -> Path:
    """Return where peers are installed: beside the Temporal program, once for every clone."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "parley" / "peers"


def run(command: Sequence[str | Path], *, cwd: Path | None = None) -> None:
    """Run an installer to its end.

    Raises:
        NotInstalled: it failed; the end of what it said is in the message.
    """
    program = str(command[0])
    if shutil.which(program) is None:
        raise NotInstalled(f"there is no program {program}")
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words, cwd=cwd, capture_output=True, text=True, check=False, timeout=INSTALL_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        raise NotInstalled(f"{program} did not end within {INSTALL_TIMEOUT_S:.0f} s") from None
    if done.returncode != 0:
        raise NotInstalled(f"{program} ended with {done.returncode}: {done.stderr[-500:]}")


@contextmanager
def started(
    command: Sequence[str | Path],
    *,
    health_url: str,
    log: Path,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a server, wait until it answers 2xx, and end it with whoever started it."""
    with log.open("w") as out:
        server = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *(str(word) for word in command)],
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env={**os.environ, **(environment or {})},
        )
        try:
            _wait_until_ready(health_url, server, log)
            yield server
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _wait_until_ready(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    while True:
        try:
            if httpx.get(url, timeout=2, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            pass
        if server.poll() is not None or time.monotonic() > deadline:
            raise NotInstalled(f"the server did not start: {log.read_text()[-1000:]}")
        time.sleep(0.1)

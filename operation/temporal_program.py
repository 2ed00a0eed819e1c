"""Find the `temporal` program, or get it: PATH, Parley's cache, the SDK's download, Go.

`python -m operation.temporal_program` is the last step of scripts/setup.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from operation.refusals import OperationRefused

GO_MODULE = "github.com/temporalio/cli/cmd/temporal@v1.5.1"
"""The newest release that `go install` accepts: later ones carry a replace directive."""

DOWNLOAD_TIMEOUT_S = 120
BUILD_TIMEOUT_S = 1800
PROGRESS_EVERY_S = 20

CHOICES = f"""Parley needs a Temporal server and found no way to get one. Choose one:
  * install the Temporal CLI so that `temporal` is on PATH (https://docs.temporal.io/cli);
  * put the `temporal` program at {{cached}};
  * install Go 1.25 or newer and run `make setup` again: it builds {GO_MODULE};
  * name a server that already runs: TEMPORAL_ADDRESS=host:7233."""


class NoTemporalProgram(OperationRefused):
    """There is no `temporal` program and none can be had; the message names the choices."""

    def __init__(self) -> None:
        super().__init__(CHOICES.format(cached=cached_program()))


def cached_program() -> Path:
    """Where Parley keeps its own copy."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "parley" / "bin" / "temporal"


def find_program() -> Path | None:
    """Look on PATH, then in Parley's cache; no network."""
    on_path = shutil.which("temporal")
    if on_path:
        return Path(on_path)
    cached = cached_program()
    return cached if os.access(cached, os.X_OK) and cached.is_file() else None


def obtain_program(say: Callable[[str], None]) -> Path:
    """Find the program, else download it, else build it.

    Raises:
        NoTemporalProgram: neither worked.
    """
    found = find_program()
    if found:
        return found
    for attempt in (_download, _build):
        with tempfile.TemporaryDirectory(prefix="parley-temporal-") as folder:
            program = attempt(Path(folder), say)
            if program:
                return _keep(program)
    raise NoTemporalProgram


def _download(folder: Path, say: Callable[[str], None]) -> Path | None:
    say("Downloading the Temporal server (once) …")
    try:
        asyncio.run(asyncio.wait_for(_start_once(folder), DOWNLOAD_TIMEOUT_S))
    except (RuntimeError, TimeoutError, OSError) as error:
        say(f"  not possible: {str(error).splitlines()[0] if str(error) else 'timed out'}")
        return None
    return next((path for path in folder.iterdir() if path.is_file()), None)


async def _start_once(folder: Path) -> None:
    # The SDK downloads only as a part of starting a server.
    from temporalio.testing import WorkflowEnvironment  # noqa: PLC0415  # half a second

    environment = await WorkflowEnvironment.start_local(download_dest_dir=str(folder))
    await environment.shutdown()


def _build(folder: Path, say: Callable[[str], None]) -> Path | None:
    go = shutil.which("go")
    if not go:
        return None
    say(f"Building the Temporal server with Go (once, 3 to 5 minutes): go install {GO_MODULE}")
    with _progress(say):
        built = subprocess.run(
            [go, "install", GO_MODULE],
            env={**os.environ, "GOBIN": str(folder)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=BUILD_TIMEOUT_S,
            check=False,
        )
    if built.returncode:
        say("  not possible: " + (built.stderr.strip().splitlines() or ["go failed"])[-1])
        return None
    return folder / "temporal"


@contextmanager
def _progress(say: Callable[[str], None]) -> Iterator[None]:
    over = threading.Event()
    started = time.monotonic()

    def tell() -> None:
        while not over.wait(PROGRESS_EVERY_S):
            say(f"  … still building, {time.monotonic() - started:.0f} s")

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()


def _keep(program: Path) -> Path:
    kept = cached_program()
    kept.parent.mkdir(parents=True, exist_ok=True)
    beside = kept.with_name(f".{kept.name}.{os.getpid()}")
    shutil.copyfile(program, beside)
    beside.chmod(0o755)
    beside.replace(kept)  # whole or not at all
    return kept


def main() -> int:
    try:
        obtain_program(lambda line: print(line, file=sys.stderr, flush=True))
    except NoTemporalProgram as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

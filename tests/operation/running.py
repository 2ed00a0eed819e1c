"""`up` in a process of its own, with stand-ins for its children."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

RUN_UP = Path(__file__).with_name("run_up.py")


def eventually(probe: Callable[[], Any], within_s: float = 15.0) -> Any:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        found = probe()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("not in time")


def free_port() -> int:
    # Below the range from which the system gives ports to whoever asks for any.
    for port in range(20000 + os.getpid() % 5000, 30000):
        if all(_is_free(number) for number in (port, port + 1, port + 2, port + 1000)):
            return port
    raise AssertionError("no free port")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


class Up:
    """`up` with stand-ins, in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.temporal_port = self.port + 10
        self.output = folder.with_suffix(".out")
        self.process: subprocess.Popen[bytes] | None = None
        self._pids: set[int] = set()

    def start(self, *words: str, **environment: str) -> "Up":
        command = [sys.executable, str(RUN_UP), str(self.folder), str(self.port)]
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("PARLEY_", "TEMPORAL_"))}
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [*command, str(self.temporal_port), *words],
                stdout=output,
                stderr=output,
                cwd=self.folder.parent,
                env=clean | environment,
            )
        self._pids.add(self.process.pid)
        return self

    def ready(self) -> dict[str, Any]:
        assert self.process
        process = self.process
        eventually(lambda: self.run or process.poll() is not None)
        assert process.poll() is None, self.said
        return self.run

    @property
    def run(self) -> dict[str, Any]:
        try:
            run: dict[str, Any] = json.loads((self.folder / "run.json").read_text())
        except FileNotFoundError:
            return {}
        self._pids.update(pid for pid in run["pids"].values() if pid)
        return run

    @property
    def said(self) -> str:
        return self.output.read_text()

    @property
    def life(self) -> list[str]:
        path = self.folder / "life"
        return path.read_text().splitlines() if path.exists() else []

    def environment_of(self, name: str) -> dict[str, str]:
        seen: dict[str, str] = json.loads((self.folder / f"{name}.env").read_text())
        return seen

    def signal(self, number: int) -> None:
        assert self.process
        self.process.send_signal(number)

    def ended(self, within_s: float = 30.0) -> int:
        assert self.process
        return self.process.wait(within_s)

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.ended()

    def clean_up(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pid in self._pids:
            with contextlib.suppress(psutil.NoSuchProcess):
                if str(self.folder) in " ".join(psutil.Process(pid).cmdline()):
                    psutil.Process(pid).kill()

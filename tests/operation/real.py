"""The real `up`, with all its children, on a folder of the test's own."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from tests.operation.running import free_port

ROOT = Path(__file__).parents[2]
READY_WITHIN_S = 90.0


def clean_environment() -> dict[str, str]:
    """Return this process's environment without settings of Parley's or Temporal's."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("PARLEY_", "TEMPORAL_"))}


class RealUp:
    """`python parley.py up` in a process of its own."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self._options = options
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> dict[str, Any]:
        """Start it and return run.json when everything is ready."""
        ports = ("--port", str(self._port), "--temporal-port", str(self._port + 10))
        command = [sys.executable, "parley.py", "up", "--data", str(self.folder), *ports]
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "up.out").open("ab") as out:
            self._process = subprocess.Popen(
                [*command, *self._options],
                cwd=ROOT,
                env=clean_environment(),
                stdout=out,
                stderr=out,
            )
        gives_up_at = time.monotonic() + READY_WITHIN_S
        while not (run := self.run):
            assert self._process.poll() is None, (self.folder / "up.out").read_text()
            assert time.monotonic() < gives_up_at, (self.folder / "up.out").read_text()
            time.sleep(0.05)
        return run

    @property
    def run(self) -> dict[str, Any]:
        try:
            run: dict[str, Any] = json.loads((self.folder / "run.json").read_text())
        except FileNotFoundError:
            return {}
        return run

    def kill(self, child: str) -> bool:
        """Kill one of its children, which starts again; say whether it lived."""
        try:
            os.kill(self.run["pids"][child], signal.SIGKILL)
        except (KeyError, ProcessLookupError):
            return False
        return True

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        assert self._process.wait(45) == 0
        self._process = None


class Person:
    """Calls the API with one key."""

    def __init__(self, run: dict[str, Any], key: str) -> None:
        self._client = httpx.Client(
            base_url=run["api_url"],
            headers={"authorization": f"Bearer {key}"},
            trust_env=False,
            timeout=20,
        )

    def get(self, path: str, **params: Any) -> Any:
        answer = self._client.get(path, params=params)
        assert answer.is_success, answer.text
        return answer.json()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._client.request(method, path, json=body or {})
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def listed(self, **filters: Any) -> list[Any]:
        items: list[Any] = self.get("/conversations", **filters)["items"]
        return items

    def close(self) -> None:
        self._client.close()

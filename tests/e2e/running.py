"""A Parley started by its own command, driven through its public API, killed where it hurts."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.ports import free_port
from tests.receiver import Receiver

Json = dict[str, Any]
ROOT = Path(__file__).parents[2]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
UNANSWERED = {500, 502, 503, 504}


def eventually(probe: Callable[[], Any], what: str, within_s: float = 10.0) -> Any:
    """Return the first truthy answer of the probe."""
    deadline = time.monotonic() + within_s
    answer: Any = None
    while time.monotonic() < deadline:
        answer = probe()
        if answer:
            return answer
        time.sleep(0.03)
    raise AssertionError(f"{what}: not within {within_s} s, last seen: {answer!r}")


class Caller:
    """One principal, who repeats a command with the same key until there is an answer."""

    def __init__(self, running: "Running", key: str) -> None:
        self._running = running
        self._http = httpx.Client(headers={"Authorization": f"Bearer {key}"}, timeout=20)
        running.closed_at_the_end(self._http.close)

    def call(self, method: str, path: str, body: Json | None = None) -> httpx.Response:
        return self._http.request(method, self._running.api_url + path, json=body)

    def ok(self, method: str, path: str, body: Json | None = None) -> Any:
        answer = self.call(method, path, body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        return answer.json() if answer.content else None

    def persist(self, method: str, path: str, body: Json | None = None) -> httpx.Response:
        """Do what a careful client does across any death."""
        key, deadline = str(uuid.uuid4()), time.monotonic() + 90
        headers = {} if method == "GET" else {"Idempotency-Key": key}
        while True:
            try:
                url = self._running.api_url + path
                answer = self._http.request(method, url, json=body, headers=headers)
                if not self._is_no_answer(answer):
                    return answer
            except (httpx.HTTPError, OSError, ValueError):
                pass
            assert time.monotonic() < deadline, f"{method} {path}: no answer within 90 s"
            time.sleep(0.2)

    @staticmethod
    def _is_no_answer(answer: httpx.Response) -> bool:
        if answer.status_code in UNANSWERED:
            return True
        return answer.status_code == 409 and answer.json()["code"] == "command_in_progress"


class Running:
    """`parley.py up --no-demo` on a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.temporal_port = free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._closing: list[Callable[[], None]] = []

    def closed_at_the_end(self, close: Callable[[], None]) -> None:
        self._closing.append(close)

    @property
    def run(self) -> Json:
        run: Json = json.loads((self.folder / "run.json").read_text())
        return run

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1"

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.folder / 'parley.db'}"

    @property
    def admin(self) -> Caller:
        return Caller(self, self.run["keys"]["admin"])

    def start(self, within_s: float = 90) -> "Running":
        command = [sys.executable, "parley.py", "up", "--no-demo", "--data", str(self.folder)]
        command += ["--port", str(self.port), "--temporal-port", str(self.temporal_port)]
        (self.folder / "run.json").unlink(missing_ok=True)
        with (self.folder / "up.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
            )
        eventually(self._is_ready, f"ready (see {self.folder}/up.log)", within_s)
        return self

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "up.log").read_text()[-2000:]
        try:
            url = self.run["api_url"].partition("/api/")[0] + "/readyz"
            return httpx.get(url, timeout=2).is_success
        except (OSError, ValueError, KeyError, httpx.HTTPError):
            return False

    def pid(self, child: str) -> int:
        """Return the child's pid, once run.json names a living one."""

        def alive() -> int:
            try:
                pid = int(self.run["pids"][child])
                os.kill(pid, 0)
            except (OSError, ValueError, KeyError):
                return 0
            return pid

        return int(eventually(alive, f"a living {child}", 20))

    def kill(self, child: str) -> None:
        os.kill(self.pid(child), signal.SIGKILL)

    @contextmanager
    def frozen(self, child: str) -> Iterator[None]:
        pid = self.pid(child)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def kill_all(self) -> None:
        """Let the power go: every process at once."""
        assert self._process is not None
        for pid in (self._process.pid, *map(int, self.run["pids"].values())):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._process.wait()
        time.sleep(0.3)

    def stop(self) -> int:
        assert self._process is not None
        for close in self._closing:
            close()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(40)


class ApiFloor:
    """A workgroup with agents, a channel and a network behind it, set up through the API."""

    def __init__(self, running: Running, *, agents: int = 1, **workgroup: Any) -> None:
        self.running, self.admin = running, running.admin
        self.receiver = Receiver()
        running.closed_at_the_end(self.receiver.close)
        tag = uuid.uuid4().hex[:8]
        self.workgroup = self.admin.ok("POST", "/workgroups", {"name": tag, **workgroup})["id"]
        self.agents = [self._agent(f"{tag}-{n}") for n in range(agents)]
        settings = self.receiver.settings | {"secret": SECRET}
        account = {"network": "webhook", "name": tag, "settings": settings}
        self.account = self.admin.ok("POST", "/accounts", account)["id"]
        channel = {"name": tag, "account_id": self.account, "workgroup_id": self.workgroup}
        self.channel = self.admin.ok("POST", "/channels", channel)["id"]

    def _agent(self, username: str) -> Caller:
        body = {"username": username, "name": username, "presence_lease": False}
        agent = self.admin.ok("POST", "/agents", body | {"workgroups": [self.workgroup]})
        key = self.admin.ok("POST", f"/agents/{agent['id']}/keys", {})["key"]
        caller = Caller(self.running, key)
        caller.ok("PUT", "/agents/me/status", {"routing_status": "on_queue"})
        return caller

    def page(self, customer: str, *texts: str) -> Json:
        posts = [
            {"external_id": f"p-{uuid.uuid4()}", "author": {"external_id": customer}, "text": text}
            for text in texts
        ]
        return {"posts": posts}

    def open(self, customer: str, *texts: str) -> str:
        page = self.page(customer, *(texts or ("Where is my parcel?",)))
        taken = self.admin.ok("POST", f"/channels/{self.channel}/posts", page)
        (conversation_id,) = set(taken["conversation_ids"].values())
        return str(conversation_id)

    def conversations(self) -> list[Json]:
        return self._all(f"/conversations?channel_id={self.channel}&limit=200")

    def timeline(self, path: str) -> list[Json]:
        return self._all(f"{path}/timeline?limit=200")

    def _all(self, path: str) -> list[Json]:
        items: list[Json] = []
        cursor = ""
        while True:
            page = self.admin.persist("GET", f"{path}{cursor}").json()
            items += page["items"]
            if not page["next_cursor"]:
                return items
            cursor = f"&cursor={page['next_cursor']}"

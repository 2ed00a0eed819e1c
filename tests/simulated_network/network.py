"""A simulated network in a process of its own, and a receiver that listens to its webhooks."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import httpx

ROOT = Path(__file__).parents[2]
TOKEN = "token-of-acme"

Seen = TypeVar("Seen")


class Network:
    """The server process; `start` after `kill` goes on with the same state."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> None:
        command = [sys.executable, "-m", "simulated_network", "--port", "0"]
        command += ["--state", str(self._state), "--seed", "7", "--keep-alive-ms", "200"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().split()[-1]

    def kill(self) -> None:
        self._end(lambda process: process.kill())

    def stop(self) -> int:
        return self._end(lambda process: process.terminate())

    def _end(self, how: Callable[[subprocess.Popen[str]], None]) -> int:
        process = self._process
        if process is None:
            return 0
        how(process)
        code = process.wait(10)
        assert process.stdout is not None
        process.stdout.close()
        self._process = None
        return code

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        with httpx.Client(base_url=self.url, timeout=10, trust_env=False) as client:
            if "content" in options:
                options["headers"] = options.get("headers", {}) | {
                    "content-type": "application/json"
                }
            return client.request(method, path, **options)

    def made(self, method: str, path: str, body: Any = None) -> Any:
        """Make a call of the control side that must succeed."""
        answer = self.call(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def account(self, handle: str = "acme", **wanted: Any) -> Any:
        return self.made("PUT", f"/control/accounts/{handle}", {"token": TOKEN, **wanted})

    def says(self, handle: str, text: str, **more: Any) -> Any:
        return self.made("POST", f"/control/people/{handle}/posts", {"text": text, **more})

    def fault(self, operation: str, kind: str, **more: Any) -> Any:
        wanted = {"next_calls": 1} | more if "probability" not in more else more
        return self.made(
            "POST", "/control/faults", {"operation": operation, "kind": kind, **wanted}
        )

    def brand(
        self, method: str, path: str, *, token: str = TOKEN, **options: Any
    ) -> httpx.Response:
        return self.call(
            method, f"/api{path}", headers={"authorization": f"Bearer {token}"}, **options
        )

    def publish(self, text: str, **more: Any) -> httpx.Response:
        return self.brand("POST", "/posts", json={"text": text, **more})

    def summary(self) -> Any:
        return self.made("GET", "/control/ledger/summary")

    def texts(self, path: str = "/mentions", **params: Any) -> list[str]:
        return [post["text"] for post in self.brand("GET", path, params=params).json()["posts"]]


@dataclass(frozen=True)
class Delivery:
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """Takes webhooks; `answers` are the statuses to give first, afterwards it says 200."""

    answers: list[int] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    url: str = ""

    def listen(self) -> Iterator["Receiver"]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.deliveries.append(Delivery(headers, body))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}/webhook"
        yield self
        server.shutdown()
        server.server_close()
        thread.join()


def eventually(look: Callable[[], Seen], *, within_s: float = 5.0) -> Seen:
    """Look again and again until what is seen is true."""
    ends_at = time.monotonic() + within_s
    while not (seen := look()) and time.monotonic() < ends_at:
        time.sleep(0.02)
    assert seen
    return seen

"""The other end of a webhook account: a ledger of what arrived, with faults to order."""

import base64
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from conversations.model import Visibility
from tests.connectors.peer import Published, ShownFile

Fault = Callable[[str, int], str]
"""Says for (reply id, attempt) what happens: ok, slow, lost, or a status code."""

SLOW_S = 3.0


class Receiver:
    """Takes signed replies, deduplicates nothing, and answers look-ups."""

    def __init__(self) -> None:
        self.published: dict[str, int] = {}
        self.texts: list[str] = []
        self.said: list[Published] = []
        self.attempts: dict[str, int] = {}
        self.fault: Fault = lambda _reply_id, _attempt: "ok"
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def settings(self) -> dict[str, Any]:
        return {"reply_url": f"{self.url}/replies", "lookup_url": f"{self.url}/lookup"}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self, body: dict[str, Any]) -> str:
        """Count an attempt, publish unless the fault comes before, and say what happens."""
        reply_id, text = body["reply_id"], body["text"]
        with self._lock:
            self.attempts[reply_id] = self.attempts.get(reply_id, 0) + 1
            fault = self.fault(reply_id, self.attempts[reply_id])
            if not fault.isdigit():
                self.published[reply_id] = self.published.get(reply_id, 0) + 1
                self.texts.append(text)
                visibility, answers = Visibility(body["visibility"]), body["in_reply_to"]
                files = tuple(_file(one) for one in body.get("attachments", []))
                said = Published(f"out-{reply_id}", text, visibility, answers, files)
                self.said.append(said)
        if fault == "slow":
            time.sleep(SLOW_S)
        return fault

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None: ...

            def answer(self, status: int, body: dict[str, Any]) -> None:
                raw = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                fault = receiver.take(body)
                if fault == "lost":
                    self.close_connection = True
                    return
                external_id = f"out-{body['reply_id']}"
                self.answer(int(fault) if fault.isdigit() else 200, {"external_id": external_id})

            def do_GET(self) -> None:
                reply_id = self.path.partition("reply_id=")[2]
                is_there = reply_id in receiver.published
                self.answer(200 if is_there else 404, {"external_id": f"out-{reply_id}"})

        return Handler


def _file(told: dict[str, Any]) -> ShownFile:
    content = base64.b64decode(told["content_base64"], validate=True)
    return ShownFile(told["media_type"], content, told["alt_text"])

"""A fake of Slack for what `emulate` lacks: signed events, wrong tokens, limits, metadata.

It is written from docs.slack.dev (Events API, "Verifying requests from Slack", "Rate limits",
`conversations.history`, `conversations.replies`) and keeps a ledger of its own. It is no Slack.
"""

import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.slack.signature import signature
from conversations.networks import DeliveryRequest

TOKEN, SECRET = "xoxb-fake", "8f742231b10e8888abcd99yyyzzz85a5"
US, CUSTOMER, SUPPORT, DIRECT = "U0CARE", "U0CUSTOMER", "C0SUPPORT", "D0CUSTOMER"
TEAM = "T0CARE"
_CHANNELS = [
    {"id": SUPPORT, "name": "support", "is_channel": True, "is_private": False, "is_member": True},
    {"id": "C0OTHER", "name": "other", "is_channel": True, "is_private": False, "is_member": False},
    {"id": DIRECT, "is_im": True, "user": CUSTOMER},
]

_PERSON = {"name": "customer_1", "profile": {"display_name": "Customer One"}}


@dataclass
class FakeSlack:
    """A workspace with a channel, a direct message and one customer."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    refusals: deque[str] = field(default_factory=deque)
    """The errors that the next calls are answered with; `429` is a limit of 3 seconds."""
    calls: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route("/api/{method}", self._call, methods=["POST"])])

    def says(self, text: str, ts: str, chat: str = SUPPORT, **more: Any) -> dict[str, Any]:
        """Put a message of the customer's into a channel, with the moment that it gets."""
        message = {"type": "message", "user": CUSTOMER, "text": text, "ts": ts, "chat": chat} | more
        self.messages.append(message)
        return message

    async def _call(self, request: Request) -> Response:
        method = request.path_params["method"]
        values = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        self.calls.append((method, values))
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return JSONResponse({"ok": False, "error": "invalid_auth"})
        if self.refusals:
            return _refused(self.refusals.popleft())
        return JSONResponse({"ok": True} | self._answer(method, values))

    def _answer(self, method: str, form: dict[str, str]) -> dict[str, Any]:
        known: dict[str, Callable[[], dict[str, Any]]] = {
            "conversations.list": lambda: {"channels": _CHANNELS},
            "conversations.info": lambda: {"channel": _channel(form["channel"])},
            "conversations.open": lambda: {"channel": {"id": DIRECT}},
            "users.info": lambda: {"user": _PERSON},
            "conversations.history": lambda: _page(form, self._roots(form)),
            "conversations.replies": lambda: _page(form, self._thread(form)),
            "chat.postMessage": lambda: self._post(form),
        }
        return known[method]()

    def _post(self, form: dict[str, str]) -> dict[str, Any]:
        ts = f"{time.time():.6f}"
        more = {"metadata": json.loads(form["metadata"]), "user": US}
        more |= {"thread_ts": form["thread_ts"]} if "thread_ts" in form else {}
        self.says(form["text"], ts, form["channel"], **more)
        return {"channel": form["channel"], "ts": ts}

    def _roots(self, form: dict[str, str]) -> list[dict[str, Any]]:
        return [m for m in self._in(form) if m.get("thread_ts") in {None, m["ts"]}][::-1]

    def _thread(self, form: dict[str, str]) -> list[dict[str, Any]]:
        return [m for m in self._in(form) if form["ts"] in {m["ts"], m.get("thread_ts")}]

    def _in(self, form: dict[str, str]) -> list[dict[str, Any]]:
        oldest = form.get("oldest", "0")
        found = [m for m in self.messages if m["chat"] == form["channel"]]
        found = [m for m in found if float(m["ts"]) >= float(oldest) or m["ts"] == form.get("ts")]
        return [self._shown(m) for m in sorted(found, key=lambda m: str(m["ts"]))]

    def _shown(self, message: dict[str, Any]) -> dict[str, Any]:
        answers = [m for m in self.messages if m.get("thread_ts") == message["ts"]]
        told = {name: value for name, value in message.items() if name != "chat"}
        if answers:
            told |= {"reply_count": len(answers), "latest_reply": max(m["ts"] for m in answers)}
            told["thread_ts"] = message["ts"]
        return told


def pushed(event: dict[str, Any], *, secret: str = SECRET, age_s: int = 0) -> DeliveryRequest:
    """Return the call with which Slack brings an event, signed as it signs."""
    return signed({"type": "event_callback", "team_id": TEAM, "event": event}, secret, age_s)


def signed(body: object, secret: str = SECRET, age_s: int = 0) -> DeliveryRequest:
    """Return a signed call with this body."""
    raw, at = json.dumps(body).encode(), int(time.time()) - age_s
    headers = {
        "x-slack-request-timestamp": str(at),
        "x-slack-signature": signature(secret, at, raw),
        "x-slack-retry-num": "1",
    }
    return DeliveryRequest("POST", "https://care.example/deliveries", headers, raw)


def _refused(error: str) -> Response:
    if error == "429":
        limited = {"ok": False, "error": "ratelimited"}
        return JSONResponse(limited, 429, {"retry-after": "3"})
    return JSONResponse({"ok": False, "error": error})


def _page(form: dict[str, str], messages: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a page of two at most, so that pages are turned."""
    begin = int(form.get("cursor") or "0")
    following = str(begin + 2) if begin + 2 < len(messages) else ""
    page = messages[begin : begin + 2]
    return {"messages": page, "response_metadata": {"next_cursor": following}}


def _channel(named: str) -> dict[str, Any]:
    return next(one for one in _CHANNELS if one["id"] == named)

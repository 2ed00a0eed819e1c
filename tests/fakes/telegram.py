"""A fake of Telegram's Bot API, written from https://core.telegram.org/bots/api, with a ledger.

As there: updates stay until a higher offset confirms them, long polls wait, a webhook excludes
getUpdates (409), edits say when nothing changes, a user who blocked the bot answers 403.
"""

import asyncio
import itertools
import json
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, cast

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.connectors.peer import ShownFile
from tests.fakes.forms import Form, form_of

LONGEST_TEXT = 4_096
FAREWELL = "Unauthorized"
LONGEST_CAPTION = 1_024
SENT_FILES = {
    "sendPhoto": "photo",
    "sendAnimation": "animation",
    "sendVideo": "video",
    "sendDocument": "document",
}
METHODS = (
    "getUpdates",
    "getWebhookInfo",
    "sendMessage",
    "editMessageText",
    "editMessageCaption",
    "deleteMessage",
)


class Refused(Exception):
    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.answer = {"ok": False, "error_code": code, "description": description}
        if parameters:
            self.answer["parameters"] = parameters
        self.code = code


@dataclass
class FakeTelegram:
    """One bot's Telegram: its chats, its messages, and the updates that it has not confirmed."""

    token: str
    updates: deque[dict[str, Any]] = field(default_factory=deque)
    messages: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    files: dict[tuple[int, int], ShownFile] = field(default_factory=dict)
    blocked: set[int] = field(default_factory=set)
    strangers: set[int] = field(default_factory=set)
    migrated: dict[int, int] = field(default_factory=dict)
    webhook_url: str = ""
    floods_s: deque[int] = field(default_factory=deque)
    lock: threading.Lock = field(default_factory=threading.Lock)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    @property
    def bot(self) -> dict[str, Any]:
        bot_id = int(self.token.partition(":")[0])
        return {"id": bot_id, "is_bot": True, "first_name": "Care", "username": "care_bot"}

    @property
    def app(self) -> Starlette:
        methods = ["GET", "POST"]
        return Starlette(routes=[Route("/bot{token}/{method}", self._take, methods=methods)])

    async def _take(self, request: Request) -> JSONResponse:
        is_form = request.headers.get("content-type", "").startswith("multipart/form-data")
        body = await request.json() if await request.body() and not is_form else {}
        try:
            if is_form:
                result = self._take_file(await form_of(request), **request.path_params)
            else:
                result = await self._answer(**request.path_params, body=body)
        except Refused as refusal:
            return JSONResponse(refusal.answer, refusal.code)
        return JSONResponse({"ok": True, "result": result})

    def _take_file(self, form: Form, token: str, method: str) -> dict[str, Any]:
        """Take one file with its caption; numbers and objects come as JSON in a form's fields."""
        self._admit(token)
        field_name = SENT_FILES[method]
        caption = form.fields["caption"]
        if len(caption.encode("utf-16-le")) // 2 > LONGEST_CAPTION:
            raise Refused(400, "Bad Request: message caption is too long")
        chat_id = int(form.fields["chat_id"])
        self._require_chat(chat_id)
        answers = form.fields.get("reply_parameters")
        _, kind, content = form.files[field_name]
        answered = json.loads(answers) if answers else None
        message = self._kept(chat_id, self.bot, caption, answered)
        message["caption"] = message.pop("text")
        message[field_name] = {"file_id": str(message["message_id"])}
        self.files[chat_id, message["message_id"]] = ShownFile(kind, content)
        return message

    def _admit(self, token: str) -> None:
        if token != self.token:
            raise Refused(401, FAREWELL)
        if self.floods_s:
            pause_s = self.floods_s.popleft()
            raise Refused(429, f"Too Many Requests: retry after {pause_s}", retry_after=pause_s)

    async def _answer(self, token: str, method: str, body: dict[str, Any]) -> Any:
        self._admit(token)
        if method not in METHODS:
            raise Refused(404, "Not Found")
        return await getattr(self, f"_{method}")(body)

    async def _getUpdates(self, body: dict[str, Any]) -> list[dict[str, Any]]:  # noqa: N802
        if self.webhook_url:
            raise Refused(409, "Conflict: can't use getUpdates method while webhook is active")
        ends_at = time.monotonic() + int(body.get("timeout", 0))
        while True:
            with self.lock:
                while self.updates and self.updates[0]["update_id"] < body.get("offset", 0):
                    self.updates.popleft()
                found = list(self.updates)[: body.get("limit", 100)]
            if found or time.monotonic() >= ends_at:
                return found
            await asyncio.sleep(0.02)

    async def _getWebhookInfo(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"url": self.webhook_url, "pending_update_count": len(self.updates)}

    async def _sendMessage(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        chat_id, text = body.get("chat_id"), body.get("text")
        if not isinstance(text, str) or not text.strip():
            raise Refused(400, "Bad Request: message text is empty")
        if len(text.encode("utf-16-le")) // 2 > LONGEST_TEXT:
            raise Refused(400, "Bad Request: message is too long")
        self._require_chat(chat_id)
        return self._kept(cast("int", chat_id), self.bot, text, body.get("reply_parameters"))

    def _require_chat(self, chat_id: object) -> None:
        if chat_id in self.blocked:
            raise Refused(403, "Forbidden: bot was blocked by the user")
        if chat_id in self.strangers:
            raise Refused(403, "Forbidden: bot can't initiate conversation with a user")
        if isinstance(chat_id, int) and chat_id in self.migrated:
            description = "Bad Request: group chat was upgraded to a supergroup chat"
            raise Refused(400, description, migrate_to_chat_id=self.migrated[chat_id])
        if not isinstance(chat_id, int):
            raise Refused(400, "Bad Request: chat not found")

    async def _editMessageText(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return self._edited(body, "text")

    async def _editMessageCaption(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return self._edited(body, "caption")

    def _edited(self, body: dict[str, Any], name: str) -> dict[str, Any]:
        message = self._ours(body, "Bad Request: message to edit not found")
        if name not in message:
            raise Refused(400, f"Bad Request: there is no {name} in the message to edit")
        if message[name] == body[name]:
            raise Refused(400, "Bad Request: message is not modified: specified new content")
        message |= {name: body[name], "edit_date": int(time.time())}
        return message

    async def _deleteMessage(self, body: dict[str, Any]) -> bool:  # noqa: N802
        self._ours(body, "Bad Request: message to delete not found")
        del self.messages[body["chat_id"], body["message_id"]]
        return True

    def _ours(self, body: dict[str, Any], absent: str) -> dict[str, Any]:
        message = self.messages.get((body["chat_id"], body["message_id"]))
        if message is None:
            raise Refused(400, absent)
        return message

    def _kept(
        self, chat_id: int, author: dict[str, Any], text: str, answers: dict[str, Any] | None
    ) -> dict[str, Any]:
        number = next(self._numbers)
        message: dict[str, Any] = {
            "message_id": number,
            "date": int(time.time()),
            "chat": self.chat(chat_id),
            "from": author,
            "text": text,
        }
        if answers is not None and (chat_id, answers["message_id"]) in self.messages:
            message["reply_to_message"] = {"message_id": answers["message_id"]}
        self.messages[chat_id, number] = message
        return message

    def chat(self, chat_id: int) -> dict[str, Any]:
        if chat_id > 0:
            return {"id": chat_id, "type": "private", "first_name": "Ana"}
        return {"id": chat_id, "type": "supergroup", "title": "Help", "username": "acme_help"}

    def says(self, person: int, chat_id: int, text: str, to: int | None = None) -> dict[str, Any]:
        """Let somebody write in a chat; return the message."""
        author = {"id": person, "is_bot": False, "first_name": "Ana", "language_code": "de"}
        answers = None if to is None else {"message_id": to}
        with self.lock:
            message = self._kept(chat_id, author, text, answers)
            self.update(message=message)
        return message

    def update(self, **what: Any) -> None:
        self.updates.append({"update_id": 1_000 + next(self._numbers), **what})

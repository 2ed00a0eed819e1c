"""One principal's calls to the API over HTTP that stay connected, with little CPU of their own."""

import asyncio
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LOOPBACK = "127.0.0.1"
IDLE_AT_MOST_S = 2.0
"""A server hangs up on idle connections; one that is used again must be younger."""

ANSWER_WITHIN_S = 60.0
OK = range(200, 300)

Json = dict[str, Any]


class UnexpectedAnswer(Exception):
    """The API answered something that the measurement did not ask for."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    raw: bytes

    @property
    def body(self) -> Json:
        found: Json = json.loads(self.raw) if self.raw else {}
        return found


@dataclass(slots=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    used_at_s: float


class Caller:
    """Calls as one principal.

    Written by hand because an HTTP library's milliseconds would be measured with Parley's. Every
    POST has an Idempotency-Key of its own, as a careful client's has.
    """

    def __init__(self, port: int, key: str) -> None:
        self._port = port
        self.key = key
        self._idle: list[_Connection] = []

    async def call(self, method: str, path: str, body: Json | None = None) -> Answer:
        """Return what was answered, whatever it is."""
        connection = await self._connection()
        async with asyncio.timeout(ANSWER_WITHIN_S):
            connection.writer.write(self._request(method, path, body))
            answer, stays_open = await _read_answer(connection.reader)
        if stays_open:
            connection.used_at_s = time.monotonic()
            self._idle.append(connection)
        else:
            connection.writer.close()
        return answer

    async def ok(self, method: str, path: str, body: Json | None = None) -> Json:
        """Return the body of a success.

        Raises:
            UnexpectedAnswer: it was none.
        """
        answer = await self.call(method, path, body)
        if answer.status not in OK:
            told = answer.raw[:300].decode(errors="replace")
            raise UnexpectedAnswer(f"{method} {path} was answered {answer.status}: {told}")
        return answer.body

    async def close(self) -> None:
        for connection in self._idle:
            connection.writer.close()
        self._idle.clear()

    async def _connection(self) -> _Connection:
        while self._idle:
            connection = self._idle.pop()
            if time.monotonic() - connection.used_at_s < IDLE_AT_MOST_S:
                return connection
            connection.writer.close()
        reader, writer = await asyncio.open_connection(LOOPBACK, self._port)
        return _Connection(reader, writer, time.monotonic())

    def _request(self, method: str, path: str, body: Json | None) -> bytes:
        raw = b"" if body is None else json.dumps(body).encode()
        lines = [
            f"{method} /api/v1{path} HTTP/1.1",
            f"Host: {LOOPBACK}:{self._port}",
            f"Authorization: Bearer {self.key}",
            f"Content-Length: {len(raw)}",
        ]
        if method == "POST":
            lines.append(f"Idempotency-Key: {uuid.uuid4().hex}")
        if raw:
            lines.append("Content-Type: application/json")
        return "\r\n".join([*lines, "", ""]).encode() + raw


async def _read_answer(reader: asyncio.StreamReader) -> tuple[Answer, bool]:
    status_line, headers = await read_head(reader)
    status = int(status_line.split(" ", 2)[1])
    raw = await reader.readexactly(int(headers.get("content-length", "0")))
    return Answer(status, raw), headers.get("connection", "").lower() != "close"


async def read_head(reader: asyncio.StreamReader) -> tuple[str, Mapping[str, str]]:
    """Read the first line and the headers (names in lower case) of a message.

    Raises:
        asyncio.IncompleteReadError: the other side hung up.
    """
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *others = head.split("\r\n")
    pairs = (line.partition(":") for line in others if line)
    return first, {name.strip().lower(): value.strip() for name, _, value in pairs}

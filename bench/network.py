"""The other end of a webhook account: takes every reply and tells who waits for it."""

import asyncio
import json
import secrets
from base64 import b64encode
from types import TracebackType
from typing import Self

from bench.caller import LOOPBACK, read_head

ARRIVES_WITHIN_S = 60.0


class Network:
    """A network that never fails and answers at once: no time is its own."""

    def __init__(self) -> None:
        self.secret = "whsec_" + b64encode(secrets.token_bytes(24)).decode()
        self._arrivals: dict[str, asyncio.Future[None]] = {}
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        assert self._server is not None, "the network is entered first"  # noqa: S101
        port = self._server.sockets[0].getsockname()[1]
        return f"http://{LOOPBACK}:{port}/replies"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, LOOPBACK, 0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None  # noqa: S101
        self._server.close()
        for writer in self._open:
            writer.close()

    async def arrival(self, reply_id: str) -> None:
        """Return as soon as the reply has arrived."""
        async with asyncio.timeout(ARRIVES_WITHIN_S):
            await asyncio.shield(self._arrival(reply_id))
        self._arrivals.pop(reply_id, None)

    def _arrival(self, reply_id: str) -> asyncio.Future[None]:
        if reply_id not in self._arrivals:
            self._arrivals[reply_id] = asyncio.get_running_loop().create_future()
        return self._arrivals[reply_id]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while True:
                await self._take_one(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # the sender hung up
        finally:
            self._open.discard(writer)
            writer.close()

    async def _take_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, headers = await read_head(reader)
        body = json.loads(await reader.readexactly(int(headers["content-length"])))
        reply_id = str(body["reply_id"])
        raw = json.dumps({"external_id": f"out-{reply_id}"}).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(raw)}"
        writer.write(head.encode() + b"\r\n\r\n" + raw)
        arrival = self._arrival(reply_id)
        if not arrival.done():
            arrival.set_result(None)

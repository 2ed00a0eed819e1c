"""X's filtered stream: the one line that an app may have, shared by all channels of the app."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass, field

import httpx

from connectors.calls import HTTP_TOO_MANY
from connectors.fields import mapping, sequence, shown
from connectors.x.backoff import Backoff
from connectors.x.calls import Limited, app_request
from connectors.x.events import page_of
from connectors.x.rules import keep_in_step, tag_of, take_away
from connectors.x.wire import Us, found_from, includes_of
from conversations.model import Unreadable
from conversations.networks import Account, ListenedChannel, NetworkTrouble, Page, Trouble

SILENT_S = 25.0
"""X sends a sign of life every 20 s: a line that is silent so long is dead."""

SIGN_EVERY_S = 10.0
LONGEST_LINE = 16 * 1024 * 1024
MOST_QUEUED = 1_000
PATH = "/2/tweets/search/stream"

_HTTP_OK = 200
_UNAUTHORISED = frozenset({401, 403})
_TOO_MANY_LINES = "streaming-connection"


@dataclass
class Listener:
    """One channel on the line."""

    channel: ListenedChannel
    queries: list[str]
    us: Us
    arriving: "asyncio.Queue[Page | NetworkTrouble]" = field(
        default_factory=lambda: asyncio.Queue(MOST_QUEUED)
    )

    def give(self, piece: Page | NetworkTrouble) -> None:
        """Hand a piece on; a channel that cannot keep up is told that its line broke."""
        try:
            self.arriving.put_nowait(piece)
        except asyncio.QueueFull:
            while not self.arriving.empty():
                self.arriving.get_nowait()
            self.arriving.put_nowait(NetworkTrouble("the channel could not keep up with X"))


class Line:
    """An app's connection: opened for the first listener, closed after the last."""

    def __init__(self, client: httpx.AsyncClient, params: dict[str, str]) -> None:
        self._client = client
        self._params = params
        self._listeners: list[Listener] = []
        self._backoff = Backoff()
        self._running: asyncio.Task[None] | None = None
        self._is_open = False
        self._rules = asyncio.Lock()

    async def listen(self, listener: Listener) -> AsyncGenerator[Page, None]:
        """Yield what the line brings for a channel, and signs of life while X lets us wait.

        Raises:
            NetworkTrouble: the line broke, or X refuses the app.
        """
        while (pause_s := self._backoff.pause_s(time.monotonic())) > 0:
            yield Page()  # so that the channel is polled meanwhile
            await asyncio.sleep(min(pause_s, SIGN_EVERY_S))
        self._listeners.append(listener)
        try:
            await self._join(listener.channel.account)
            while True:
                piece = await listener.arriving.get()
                if isinstance(piece, NetworkTrouble):
                    raise piece
                yield piece
        finally:
            await self._leave(listener)

    async def _join(self, account: Account) -> None:
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run(account))
        elif self._is_open:
            with suppress(Limited):
                await self._keep_rules(account, is_ours=True)
            self._listeners[-1].give(Page())

    async def _leave(self, listener: Listener) -> None:
        """Close the line after the last one, and let X send nothing that nobody hears."""
        self._listeners.remove(listener)
        was_open, account = self._is_open, listener.channel.account
        if not self._listeners and self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            self._running = None
        if was_open:
            with suppress(Limited, NetworkTrouble, KeyError, httpx.InvalidURL):
                await self._keep_rules(account, is_ours=True)

    async def _run(self, account: Account) -> None:
        trouble = NetworkTrouble("the stream's reader failed")
        try:
            await self._follow(account)
            trouble = NetworkTrouble("X closed the stream")
        except NetworkTrouble as found:
            trouble = found
        except Limited as limited:
            self._backoff.limited(time.monotonic(), limited.pause_s)
            trouble = NetworkTrouble("the stream's rules: X takes no more calls for now")
        except httpx.HTTPError as error:
            self._backoff.network_failed(time.monotonic())
            trouble = NetworkTrouble(f"the stream broke: {type(error).__name__}")
        except (KeyError, httpx.InvalidURL):
            reason = "the stream needs a bearer_token and a valid address"
            trouble = NetworkTrouble(reason, Trouble.UNAUTHORISED)
        finally:
            self._is_open = False
            for listener in self._listeners:
                listener.give(trouble)

    async def _follow(self, account: Account) -> None:
        added = await self._keep_rules(account, is_ours=False)
        request = app_request(self._client, account, "GET", PATH, params=self._params)
        request.extensions["timeout"] = httpx.Timeout(10.0, read=SILENT_S, connect=5.0).as_dict()
        response = await self._client.send(request, stream=True)
        try:
            if response.status_code != _HTTP_OK:
                await self._refused(account, response, added)
            self._is_open = True
            self._backoff.succeeded()
            await self._keep_rules(account, is_ours=True)
            self._tell_all(Page())
            await self._read(response)
        finally:
            await response.aclose()

    async def _read(self, response: httpx.Response) -> None:
        begun = b""
        async for chunk in response.aiter_bytes():
            *lines, begun = (begun + chunk).split(b"\n")
            if len(begun) > LONGEST_LINE:
                raise NetworkTrouble("the stream sent a line without end")
            for line in lines:
                self._take(line.strip())

    async def _refused(self, account: Account, response: httpx.Response, added: list[str]) -> None:
        """Say why there is no line; an app that has its one elsewhere takes its rules back.

        Raises:
            NetworkTrouble: always.
        """
        said = (await response.aread())[:10_000]
        status, now = response.status_code, time.monotonic()
        if status == HTTP_TOO_MANY:
            self._backoff.refused_too_many(now)
            if added and _TOO_MANY_LINES.encode() in said:
                await take_away(self._client, account, added)
        else:
            self._backoff.refused(now)
        trouble = Trouble.UNAUTHORISED if status in _UNAUTHORISED else Trouble.DOWN
        raise NetworkTrouble(f"the stream was answered {status}", trouble)

    def _take(self, line: bytes) -> None:
        """Hand a line to the channels whose rules it matches; an empty one to all."""
        if not line:
            self._tell_all(Page())
            return
        try:
            arrived = mapping(json.loads(line))
        except (ValueError, RecursionError):
            raw = shown(line.decode("utf-8", "replace"))
            self._tell_all(Page(unreadable=(Unreadable("not_json", "no JSON object", raw),)))
            return
        if "data" not in arrived:
            raise NetworkTrouble(f"X ends the stream: {_first_title(arrived)}")
        rules = map(mapping, sequence(arrived.get("matching_rules")))
        tags, includes = {rule.get("tag") for rule in rules}, includes_of(arrived.get("includes"))
        for listener in self._listeners:
            if not tags.isdisjoint(map(tag_of, listener.queries)):
                listener.give(page_of([found_from(arrived["data"], includes, listener.us)]))

    def _tell_all(self, page: Page) -> None:
        for listener in self._listeners:
            listener.give(page)

    async def _keep_rules(self, account: Account, *, is_ours: bool) -> list[str]:
        async with self._rules:
            wanted = {query for one in self._listeners for query in one.queries}
            return await keep_in_step(self._client, account, wanted, is_ours=is_ours)


def _first_title(arrived: dict[str, object]) -> str:
    first = mapping(next(iter(sequence(arrived.get("errors"))), None))
    return shown(first.get("title") or "without a word")[:200]

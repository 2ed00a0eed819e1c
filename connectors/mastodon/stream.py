"""A Mastodon account's streams: server-sent events of its timeline and of hashtags."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TypeAlias
from urllib.parse import quote

import httpx

from connectors.calls import HTTP_TOO_MANY
from connectors.json_pages import read_entry
from connectors.mastodon.calls import FORBIDDEN, MastodonCalls, base_url
from connectors.mastodon.reading import Roots
from connectors.mastodon.wire import (
    Ourselves,
    Understood,
    deletion_of,
    edit_from,
    notification_from,
    status_from,
)
from connectors.patience import Busy
from conversations.model import Post, PostChange, Unreadable
from conversations.networks import Account, ListenedChannel, NetworkTrouble, Page, Trouble

SILENT_S = 60.0
"""The server sends `:thump` every 15 s: a line that is silent so long is dead."""

LONGEST_EVENT = 4 * 1024 * 1024
MOST_HASHTAGS = 4
MOST_WAITING = 100
MOST_REMEMBERED = 1_000

_TIMEOUT = httpx.Timeout(10.0, read=SILENT_S, connect=5.0)
_USER = "/api/v1/streaming/user"
_SOON_S = 5.0

_Sign: TypeAlias = tuple[str, str, str]
"""Where an event came from, its name and its payload; without a name it is a sign of life."""


class MastodonStream:
    """Listens to several streams of an account at once."""

    def __init__(self, client: httpx.AsyncClient, calls: MastodonCalls, roots: Roots) -> None:
        self._client = client
        self._calls = calls
        self._roots = roots

    async def pages(self, channel: ListenedChannel) -> AsyncGenerator[Page, None]:
        """Yield a page for each event, and an empty one for each sign of life.

        Raises:
            NetworkTrouble: a line broke, or could not be opened.
        """
        account = channel.account
        try:
            ours = await self._calls.ourselves(account)
            given: OrderedDict[str, None] = OrderedDict()
            async with aclosing(self._signs(account, _paths(channel))) as signs:
                async for path, name, payload in signs:
                    understood = Understood()
                    understood.add(_understood(name, payload, ours, is_home=path == _USER))
                    posts = [post for post in understood.posts if _is_new(post, given)]
                    named = await self._roots.named(account, posts)
                    yield Page(
                        posts=named, unreadable=understood.unreadable, changes=understood.changes
                    )
        except Busy as busy:
            yield Page(retry_after_s=busy.retry_after_s)

    async def _signs(self, account: Account, paths: Sequence[str]) -> AsyncGenerator[_Sign, None]:
        """Yield what comes over any of the lines, until one of them breaks."""
        queue: asyncio.Queue[_Sign | Exception] = asyncio.Queue(MOST_WAITING)
        lines = [asyncio.create_task(self._listen(account, path, queue)) for path in paths]
        try:
            while True:
                sign = await queue.get()
                if isinstance(sign, Exception):
                    raise sign
                yield sign
        finally:
            for line in lines:
                line.cancel()
            await asyncio.gather(*lines, return_exceptions=True)

    async def _listen(
        self, account: Account, path: str, queue: asyncio.Queue[_Sign | Exception]
    ) -> None:
        try:
            async for name, payload in self._events(account, path):
                await queue.put((path, name, payload))
            await queue.put(NetworkTrouble("the stream ended"))
        except httpx.HTTPError as error:
            await queue.put(NetworkTrouble(f"the stream broke: {type(error).__name__}"))
        except (NetworkTrouble, Busy) as trouble:
            await queue.put(trouble)

    async def _events(self, account: Account, path: str) -> AsyncGenerator[tuple[str, str], None]:
        base = self._calls.known(account).streaming_url or base_url(account)
        request = self._calls.request(account, "GET", f"{base.rstrip('/')}{path}")
        request.extensions["timeout"] = _TIMEOUT.as_dict()
        response = await self._client.send(request, stream=True)
        try:
            _check(response)
            yield "", ""
            name, payload, size = "", [], 0
            async for line in _lines(response):
                size += len(line)
                if size > LONGEST_EVENT:
                    raise NetworkTrouble("the stream sent an event without end")
                if line.startswith(":"):
                    yield "", ""
                elif line.startswith("event:"):
                    name = line[6:].strip()
                elif line.startswith("data:"):
                    payload.append(line[5:].removeprefix(" "))
                elif not line:
                    yield name, "\n".join(payload)
                    name, payload, size = "", [], 0
        finally:
            await response.aclose()


async def _lines(response: httpx.Response) -> AsyncGenerator[str, None]:
    """Yield lines as they end; only line feeds end one, other separators are words."""
    begun = b""
    async for chunk in response.aiter_bytes():
        *lines, begun = (begun + chunk).split(b"\n")
        if len(begun) > LONGEST_EVENT:
            raise NetworkTrouble("the stream sent a line without end")
        for line in lines:
            yield line.rstrip(b"\r").decode("utf-8", "replace")


def _check(response: httpx.Response) -> None:
    status = response.status_code
    if status == HTTP_TOO_MANY:
        raise Busy(_SOON_S)
    if status != 200:  # noqa: PLR2004
        trouble = Trouble.UNAUTHORISED if status in FORBIDDEN else Trouble.DOWN
        raise NetworkTrouble(f"the stream was answered {status}", trouble)


def _paths(channel: ListenedChannel) -> list[str]:
    """Return what is listened to: the account's own stream and the first hashtags."""
    tags = [word.strip().lstrip("#") for word in channel.keywords if word.strip().startswith("#")]
    wanted = [f"/api/v1/streaming/hashtag?tag={quote(tag, safe='')}" for tag in tags if tag]
    return [_USER, *wanted[:MOST_HASHTAGS]]


def _understood(
    name: str, payload: str, ours: Ourselves, *, is_home: bool
) -> Post | PostChange | Unreadable | None:
    """Understand one event; what the brand's own timeline shows of others is not for it."""
    if name == "delete":
        return deletion_of(payload)
    if name not in ("update", "notification", "status.update"):
        return None
    entry = read_entry(payload)
    if isinstance(entry, Unreadable):
        return entry
    if name == "notification":
        return notification_from(entry, ours)
    if name == "status.update":
        return edit_from(entry)
    piece = status_from(entry, ours)
    is_for_others = isinstance(piece, Post) and not piece.is_own and ours.acct not in piece.mentions
    return None if is_home and is_for_others else piece


def _is_new(post: Post, given: OrderedDict[str, None]) -> bool:
    """Remember what was given: a mention by somebody whom the brand follows comes twice."""
    if post.external_id in given:
        return False
    given[post.external_id] = None
    while len(given) > MOST_REMEMBERED:
        given.popitem(last=False)
    return True

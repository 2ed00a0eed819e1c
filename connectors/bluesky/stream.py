"""Bluesky's Jetstream: every post of the network as JSON, of which a few are for the brand.

https://github.com/bluesky-social/jetstream: its filter is by author, and customers can be
anybody, so all posts are listened to and most are let go before they are even parsed.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterable
from typing import Any
from urllib.parse import urlencode, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidURI, WebSocketException

from connectors.bluesky.calls import BlueskyCalls, Session
from connectors.bluesky.wire import POST, guarded, post_from
from connectors.fields import mapping, rfc_3339, words
from connectors.guard import ForbiddenTarget, Guard
from connectors.json_pages import read_entry
from connectors.patience import Busy
from connectors.said import said
from conversations.model import Post, PostChange, PostChangeKind, Unreadable
from conversations.networks import Account, ListenedChannel, NetworkTrouble, Page, Trouble

DEFAULT_URL = "wss://jetstream2.us-east.bsky.network/subscribe"
SIGN_OF_LIFE_S = 5.0
LARGEST_MESSAGE = 1_048_576
MOST_AUTHORS = 20_000
_PORTS = {"wss": 443, "ws": 80}


class BlueskyStream:
    """Listens for an account; deletions are followed of those who once wrote to it."""

    def __init__(self, calls: BlueskyCalls, guard: Guard) -> None:
        self._calls = calls
        self._guard = guard
        self._authors: OrderedDict[tuple[str, str], None] = OrderedDict()

    def remember(self, account: Account, posts: Iterable[Post]) -> None:
        """Note who wrote: what they edit and delete matters from now on."""
        for post in posts:
            self._authors[account.id, post.author.external_id] = None
        while len(self._authors) > MOST_AUTHORS:
            self._authors.popitem(last=False)

    async def pages(self, channel: ListenedChannel) -> AsyncGenerator[Page, None]:
        """Yield what comes, and an empty page every few seconds.

        Raises:
            NetworkTrouble: the line broke, or could not be opened.
        """
        try:
            session = await self._calls.session(channel.account)
        except Busy as busy:
            yield Page(retry_after_s=busy.retry_after_s)
            return
        try:
            async with await self._line(channel.account) as line:
                yield Page()
                alive_at_s = time.monotonic()
                while True:
                    page = await self._next(line, channel, session)
                    if page is None and time.monotonic() - alive_at_s < SIGN_OF_LIFE_S:
                        continue
                    alive_at_s = time.monotonic()
                    yield page or Page()
        except (WebSocketException, OSError, TimeoutError) as error:
            raise NetworkTrouble(f"the stream broke: {type(error).__name__}") from error

    async def _line(self, account: Account) -> connect:
        """Return a line to an address that the guard let pass; nothing is looked up twice."""
        url = str(account.settings.get("jetstream_url") or DEFAULT_URL)
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port or _PORTS[parts.scheme]
        except (ValueError, KeyError) as error:
            raise NetworkTrouble("jetstream_url is no address", Trouble.DOWN) from error
        if host is None:
            raise NetworkTrouble("jetstream_url has no host")
        try:
            addresses = await self._guard.addresses_of(host, port)
        except ForbiddenTarget as error:
            raise NetworkTrouble(f"jetstream_url: {error}") from error
        except (InvalidURI, UnicodeError) as error:
            raise NetworkTrouble("jetstream_url is no address") from error
        query = urlencode({"wantedCollections": POST})
        return connect(
            f"{url}{'&' if parts.query else '?'}{query}",
            host=addresses[0],
            port=port,
            proxy=None,
            max_size=LARGEST_MESSAGE,
            compression=None,
        )

    async def _next(
        self, line: ClientConnection, channel: ListenedChannel, session: Session
    ) -> Page | None:
        """Return what the next message says, None when it is for somebody else or none came."""
        try:
            message = await asyncio.wait_for(line.recv(), SIGN_OF_LIFE_S)
        except TimeoutError:
            return None
        text = message if isinstance(message, str) else message.decode("utf-8", "replace")
        if not self._is_worth_reading(text, channel, session):
            return None
        entry = read_entry(text)
        if isinstance(entry, Unreadable):
            return Page(unreadable=(entry,))
        return await self._page(self._understood(mapping(entry), channel, session), channel)

    async def _page(
        self, understood: Post | PostChange | Unreadable | None, channel: ListenedChannel
    ) -> Page | None:
        match understood:
            case Post():
                posts = await self._calls.named(channel.account, [understood])
                self.remember(channel.account, posts)
                return Page(posts=posts)
            case PostChange():
                return Page(changes=(understood,))
            case Unreadable():
                return Page(unreadable=(understood,))
        return None

    def _is_worth_reading(self, text: str, channel: ListenedChannel, session: Session) -> bool:
        """Look before parsing: a post for us has our id in it, a change its author at the front."""
        if session.ours.did in text or (channel.account.id, _front_did(text)) in self._authors:
            return True
        folded = text.casefold() if channel.keywords else ""
        return any(word.strip().casefold() in folded for word in channel.keywords if word.strip())

    def _understood(
        self, event: dict[str, Any], channel: ListenedChannel, session: Session
    ) -> Post | PostChange | Unreadable | None:
        commit, did = mapping(event.get("commit")), words(event.get("did"), 255)
        key = words(commit.get("rkey"), 100)
        if event.get("kind") != "commit" or commit.get("collection") != POST or not did or not key:
            return None
        at_us = event.get("time_us")
        at = at_us // 1_000 if type(at_us) is int and 0 < at_us < 1 << 60 else 0
        uri, record = f"at://{did}/{POST}/{key}", mapping(commit.get("record"))
        is_known = (channel.account.id, did) in self._authors
        if commit.get("operation") == "delete":
            return PostChange(uri, PostChangeKind.DELETED, at) if is_known else None
        if commit.get("operation") == "update":
            if not is_known:
                return None
            return guarded(
                event,
                lambda: PostChange(uri, PostChangeKind.EDITED, at, said(record.get("text"))),
            )
        seen = rfc_3339(at) if at < 1 << 47 else None
        view = {"uri": uri, "author": {"did": did}, "record": record, "indexedAt": seen}
        is_for_us = _is_for_us(record, session)
        understood = guarded(event, lambda: post_from(view, session.ours, is_for_us=is_for_us))
        if isinstance(understood, Post) and not (is_for_us or understood.is_own):
            return understood if _has_keyword(understood.text, channel) else None
        return understood


def _front_did(text: str) -> str:
    """Return the author's id, which stands first in an event as Jetstream writes it."""
    return text[:300].partition('"did":"')[2].partition('"')[0]


def _is_for_us(record: dict[str, Any], session: Session) -> bool:
    """Whether it names us, answers us or quotes us."""
    did = session.ours.did
    reply = mapping(record.get("reply"))
    answered = [mapping(reply.get(name)).get("uri") for name in ("parent", "root")]
    quoted = mapping(mapping(record.get("embed")).get("record"))
    uris = [*answered, quoted.get("uri"), mapping(quoted.get("record")).get("uri")]
    if any(isinstance(uri, str) and uri.startswith(f"at://{did}/") for uri in uris):
        return True
    features = [
        mapping(feature)
        for facet in record.get("facets") or []
        if isinstance(mapping(facet).get("features"), list)
        for feature in mapping(facet)["features"]
    ]
    return any(feature.get("did") == did for feature in features)


def _has_keyword(text: str, channel: ListenedChannel) -> bool:
    folded = text.casefold()
    return any(word.strip().casefold() in folded for word in channel.keywords if word.strip())

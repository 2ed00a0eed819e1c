"""Reads a Mastodon account's notifications and its keywords' timelines, page by page."""

import json
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx

from connectors.calls import Answer
from connectors.fields import instant, mapping, words
from connectors.json_pages import NotAPage, read_page
from connectors.mastodon.calls import MastodonCalls
from connectors.mastodon.wire import (
    ASKED_FOR,
    Ourselves,
    Understood,
    notification_from,
    status_from,
)
from connectors.patience import Busy
from conversations.model import Post, PostKind, Unreadable
from conversations.networks import Account, ListenedChannel, NetworkTrouble, Page

MOST_NOTIFICATIONS = 80
MOST_STATUSES = 40
MOST_PAGES_BACK = 25
MOST_SEARCH_PAGES = 10
MOST_ROOTS_ASKED = 10
MOST_ROOTS_KEPT = 10_000
SNOWFLAKE_BITS = 16
"""A status's id is its millisecond, shifted so far."""

_NOTIFICATIONS = "/api/v1/notifications"
_BEGINNING = "0"


@dataclass(slots=True)
class Cursor:
    """How far was read: notifications, each keyword, and whose turn among these it is."""

    notification: str
    keywords: dict[str, str] = field(default_factory=dict)
    turn: int = 0

    @property
    def text(self) -> str:
        return json.dumps(
            {"n": self.notification, "k": self.keywords, "t": self.turn}, ensure_ascii=False
        )


def cursor_from(text: str | None) -> Cursor | None:
    """Read a cursor; a foreign one begins anew, and what is known is not taken twice."""
    try:
        told = mapping(json.loads(text or "null"))
    except (ValueError, RecursionError):
        return None
    notification, turn = words(told.get("n"), 64), told.get("t")
    keywords = {k: v for k, v in mapping(told.get("k")).items() if words(v, 64)}
    if notification is None or type(turn) is not int:
        return None
    return Cursor(notification, keywords, turn)


@dataclass(frozen=True, slots=True)
class _Listing:
    """A page's entries, oldest first, and the id up to which it goes."""

    entries: Sequence[Any]
    reached: str | None
    is_full: bool = False


class Roots:
    """Finds the first status of a thread: the network only tells a status's parent."""

    def __init__(self, calls: MastodonCalls) -> None:
        self._calls = calls
        self._roots: OrderedDict[tuple[str, str], str] = OrderedDict()

    def remember(self, account: Account, status_id: str, root_id: str) -> None:
        self._roots[account.id, status_id] = root_id
        while len(self._roots) > MOST_ROOTS_KEPT:
            self._roots.popitem(last=False)

    async def named(self, account: Account, posts: Sequence[Post]) -> list[Post]:
        """Return the posts with their threads' roots; a few may be asked for, then it is guessed.

        Raises:
            Busy: the instance takes no more calls now.
        """
        asked = 0
        named = []
        for post in posts:
            parent_id = post.in_reply_to
            if parent_id is None or post.kind in (PostKind.LIKE, PostKind.REPOST):
                named.append(post)
                continue
            root_id = self._roots.get((account.id, parent_id))
            if root_id is None and asked < MOST_ROOTS_ASKED:
                asked += 1
                root_id = await self._asked(account, post)
            root_id = root_id or parent_id
            self.remember(account, parent_id, root_id)
            self.remember(account, post.external_id, root_id)
            named.append(replace(post, thread_root=root_id))
        return named

    async def _asked(self, account: Account, post: Post) -> str | None:
        path = f"/api/v1/statuses/{quote(post.external_id, safe='')}/context"
        try:
            ancestors = mapping(await self._calls.read(account, path)).get("ancestors")
        except NetworkTrouble:
            return None
        first = ancestors[0] if isinstance(ancestors, list) and ancestors else None
        return words(mapping(first).get("id"), 64)


class MastodonReading:
    """Polls with `min_id`, which goes forward without leaving anything out."""

    def __init__(self, calls: MastodonCalls, roots: Roots) -> None:
        self._calls = calls
        self._roots = roots

    async def page(self, channel: ListenedChannel) -> Page:
        """Return what is new: notifications, and one keyword after the other in turn.

        Raises:
            NetworkTrouble: the instance did not answer, or refused the token.
        """
        try:
            return await self._page(channel)
        except Busy as busy:
            return Page(retry_after_s=busy.retry_after_s)

    async def _page(self, channel: ListenedChannel) -> Page:
        account = channel.account
        ours = await self._calls.ourselves(account)
        pause_s = self._calls.known(account).poll_pause_s
        if pause_s > 0:
            raise Busy(pause_s)
        cursor = cursor_from(channel.cursor)
        sources = _sources(channel, ours)
        if cursor is None:
            begin = str(max(0, channel.since) << SNOWFLAKE_BITS)
            notification = await self._notification_before(account, channel.since)
            cursor = Cursor(notification, dict.fromkeys(sources, begin))
        for source in sources:
            if source not in cursor.keywords:  # new to an old channel: it begins now
                cursor.keywords[source] = await self._newest(account, source)
        understood = Understood()
        goes_on = await self._add_notifications(channel, cursor, ours, understood)
        room = channel.post_limit - len(understood.posts)
        if sources and room > 0:
            source = sources[cursor.turn % len(sources)]
            cursor.turn = (cursor.turn + 1) % len(sources)
            goes_on |= await self._add_keyword(account, cursor, source, (understood, ours), room)
        cursor.keywords = {k: v for k, v in cursor.keywords.items() if k in sources}
        return await self._finished(channel, cursor, understood, goes_on=goes_on)

    async def _finished(
        self, channel: ListenedChannel, cursor: Cursor, understood: Understood, *, goes_on: bool
    ) -> Page:
        wanted = {p.external_id: p for p in understood.posts if p.created_at >= channel.since}
        posts = await self._roots.named(channel.account, list(wanted.values()))
        return Page(
            posts=sorted(posts, key=lambda post: post.created_at),
            unreadable=understood.unreadable,
            changes=understood.changes,
            cursor=cursor.text,
            goes_on=goes_on,
        )

    async def _notification_before(self, account: Account, since_ms: int) -> str:
        """Return the id of the newest notification from before the channel's time."""
        if since_ms <= 0:
            return _BEGINNING
        newest_id: str | None = None
        for _ in range(MOST_PAGES_BACK):
            bound = {"max_id": newest_id} if newest_id else {}
            answer = await self._calls.answer(
                account, _NOTIFICATIONS, limit=MOST_NOTIFICATIONS, **_wanted(), **bound
            )
            page = [mapping(entry) for entry in _entries(answer, _NOTIFICATIONS)]
            for entry in page:
                at, found = instant(entry.get("created_at")), words(entry.get("id"), 64)
                if at is not None and found and at < since_ms:
                    return found
                newest_id = found or newest_id
            if len(page) < MOST_NOTIFICATIONS:
                break
        return _BEGINNING

    async def _add_notifications(
        self, channel: ListenedChannel, cursor: Cursor, ours: Ourselves, understood: Understood
    ) -> bool:
        limit = max(1, min(channel.post_limit, MOST_NOTIFICATIONS))
        answer = await self._calls.answer(
            channel.account, _NOTIFICATIONS, min_id=cursor.notification, limit=limit, **_wanted()
        )
        listing = _forward(answer, _NOTIFICATIONS, limit)
        for entry in listing.entries:
            understood.add(
                entry if isinstance(entry, Unreadable) else notification_from(entry, ours)
            )
        has_moved = listing.reached not in (None, cursor.notification)
        cursor.notification = listing.reached or cursor.notification
        return listing.is_full and has_moved

    async def _add_keyword(
        self,
        account: Account,
        cursor: Cursor,
        source: str,
        into: tuple[Understood, Ourselves],
        room: int,
    ) -> bool:
        (understood, ours), after = into, cursor.keywords[source]
        limit = max(1, min(room, MOST_STATUSES))
        if source.startswith("#"):
            path = _tag_path(source)
            answer = await self._calls.answer(account, path, min_id=after, limit=limit)
            listing = _forward(answer, path, limit)
        else:
            listing = await self._searched(account, source, after, limit)
        for entry in listing.entries:
            understood.add(entry if isinstance(entry, Unreadable) else status_from(entry, ours))
        cursor.keywords[source] = listing.reached or after
        return listing.is_full and listing.reached not in (None, after)

    async def _newest(self, account: Account, source: str) -> str:
        """Return the id of the newest status of a keyword, or what would be one's id by now."""
        if source.startswith("#"):
            path = _tag_path(source)
            entries = _entries(await self._calls.answer(account, path, limit=1), path)
        else:
            entries = await self._search(account, source, limit=1)
        return _newest_id(entries) or str(time.time_ns() // 1_000_000 << SNOWFLAKE_BITS)

    async def _searched(self, account: Account, words_: str, after: str, limit: int) -> _Listing:
        """Search gives the newest first whatever is asked: step back to where we were."""
        found: list[Any] = []
        bound: dict[str, str] = {}
        for _ in range(MOST_SEARCH_PAGES):
            page = await self._search(account, words_, min_id=after, limit=MOST_STATUSES, **bound)
            found += page
            oldest_id = min(filter(None, map(_id_of, page)), key=_rank, default=None)
            if len(page) < MOST_STATUSES or oldest_id is None:
                break
            bound = {"max_id": oldest_id}
        oldest_first = found[::-1][:limit]
        return _Listing(oldest_first, _newest_id(oldest_first), len(found) > limit)

    async def _search(self, account: Account, sought: str, **params: Any) -> list[Any]:  # noqa: ANN401
        path = "/api/v2/search"
        answer = await self._calls.answer(account, path, q=sought, type="statuses", **params)
        try:
            return read_page(answer.body, "statuses").entries
        except NotAPage as reason:
            raise NetworkTrouble(f"{path} gave no page: {reason}") from reason


def _sources(channel: ListenedChannel, ours: Ourselves) -> list[str]:
    """Return what else is to be read: hashtags, words, and the names of others than us."""
    names = {name.casefold() for name in ours.names}
    handles = [handle.removeprefix("@") for handle in channel.handles]
    others = [f"@{handle}" for handle in handles if handle and handle.casefold() not in names]
    keywords = [keyword.strip() for keyword in channel.keywords]
    return list(dict.fromkeys(word for word in (*keywords, *others) if word.strip("#@ ")))


def _wanted() -> dict[str, list[str]]:
    return {"types[]": list(ASKED_FOR)}


def _tag_path(tag: str) -> str:
    return f"/api/v1/timelines/tag/{quote(tag.lstrip('#').strip(), safe='')}"


def _entries(answer: Answer, path: str) -> list[Any]:
    try:
        return read_page(b'{"entries":' + answer.body + b"}", "entries").entries
    except NotAPage as reason:
        raise NetworkTrouble(f"{path} gave no page: {reason}") from reason


def _forward(answer: Answer, path: str, limit: int) -> _Listing:
    """Read a page that `min_id` asked for: the newest stands first in it."""
    entries = _entries(answer, path)
    reached = _linked_id(answer.headers.get("link", "")) or _newest_id(entries)
    return _Listing(entries[::-1], reached if entries else None, len(entries) >= limit)


def _linked_id(link: str) -> str | None:
    """Return the `min_id` of the page that is to be asked for next; the link is never followed."""
    try:
        links = httpx.Headers({"link": link})
        urls = [one["url"] for one in httpx.Response(200, headers=links).links.values()]
        found = [parse_qs(urlsplit(url).query).get("min_id", [""])[-1] for url in urls]
    except (KeyError, ValueError):
        return None
    return next((words(one, 64) for one in found if one.isalnum()), None)


def _id_of(entry: object) -> str | None:
    found = words(mapping(entry).get("id"), 64)
    return found if found and found.isalnum() else None


def _newest_id(entries: Sequence[Any]) -> str | None:
    return max(filter(None, map(_id_of, entries)), key=_rank, default=None)


def _rank(status_id: str) -> tuple[int, str]:
    return len(status_id), status_id

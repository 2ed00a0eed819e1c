"""Feeds: articles and comments of blogs, in; nobody can be answered there."""

import asyncio
import hashlib
import json
import time
from dataclasses import dataclass, field, replace
from typing import Any, Final

import httpx

from connectors.base import BaseConnector
from connectors.calls import HTTP_TOO_MANY, Answer, call, cause_of
from connectors.feed.wire import Entry, Feed, deletions_from, entries_from
from connectors.feed.xml import NotAFeed, read_feed
from connectors.fields import mapping, words
from conversations.capabilities import Capabilities, Delivery, ReplyDepth
from conversations.connector import Setting
from conversations.model import Instant, Post, PostChange, PostChangeKind, Unreadable
from conversations.networks import Account, ListenedChannel, NetworkTrouble, Page, Trouble

LARGEST_FEED: Final = 8 * 1024 * 1024
MOST_SEEN: Final = 1_500
"""Entries of each document that are remembered: those that it holds, and the newest before."""

MOST_REDIRECTS: Final = 3
_ACCEPTS: Final = "application/atom+xml, application/rss+xml, application/xml;q=0.9, */*;q=0.5"
_REFUSED: Final = frozenset([401, 403, 407])
_MOVED: Final = frozenset([301, 302, 303, 307, 308])
_OK, _NOT_MODIFIED, _UNAVAILABLE = 200, 304, 503
_FEEDS: Final = ("url", "comments_url")


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is known of one document: its validators, and its entries with their versions."""

    etag: str | None = None
    modified: str | None = None
    seen: dict[str, str] = field(default_factory=dict)


def cursor_from(text: str | None) -> dict[str, Remembered]:
    """Read a cursor; a foreign one begins anew, and what is known is not taken twice."""
    try:
        told = mapping(json.loads(text or "{}"))
    except (ValueError, RecursionError):
        told = {}
    found = {name: mapping(told.get(name)) for name in _FEEDS}
    return {
        name: Remembered(
            words(one.get("etag"), 500),
            words(one.get("modified"), 100),
            {k: v for k, v in mapping(one.get("seen")).items() if isinstance(v, str)},
        )
        for name, one in found.items()
    }


def cursor_text(known: dict[str, Remembered]) -> str:
    told: dict[str, Any] = {
        name: {"etag": one.etag, "modified": one.modified, "seen": one.seen}
        for name, one in known.items()
        if one != Remembered()
    }
    return json.dumps(told, separators=(",", ":"))


class FeedConnector(BaseConnector):
    """Reads a feed of articles, one of comments, or both."""

    network = "feed"
    settings = (
        Setting("url", "the address of the feed", is_required=False),
        Setting("comments_url", "the address of the feed of its comments", is_required=False),
        Setting("own_author", "the name under which the brand writes there", is_required=False),
        Setting("username", "if the feed is not for everybody", is_required=False),
        Setting("password", "if the feed is not for all", is_secret=True, is_required=False),
    )

    def capabilities(self, account: Account) -> Capabilities:
        del account
        return Capabilities(
            deliveries=frozenset({Delivery.POLL}), reply_depth=ReplyDepth.NONE, is_threaded=False
        )

    async def fetch(self, channel: ListenedChannel) -> Page:
        """Return the entries that are new, and what became of those that are known.

        Raises:
            NetworkTrouble: a feed did not answer, or what it gave is none.
        """
        account, known = channel.account, cursor_from(channel.cursor)
        urls = {name: words(account.settings.get(name), 2_000) for name in _FEEDS}
        if not any(urls.values()):
            raise NetworkTrouble("the account has no url", Trouble.UNAUTHORISED)
        page, room = Page(), max(1, channel.post_limit)
        for name, url in urls.items():
            if url is None:
                continue
            one, known[name] = await self._read(channel, name, url, known[name], room)
            room -= len(one.posts)
            page = _joined(page, one)
        return replace(page, cursor=cursor_text(known))

    async def _read(
        self, channel: ListenedChannel, name: str, url: str, known: Remembered, room: int
    ) -> tuple[Page, Remembered]:
        answer = await self._get(channel.account, url, known)
        if answer.status == _NOT_MODIFIED:
            return Page(), known
        if answer.status in (HTTP_TOO_MANY, _UNAVAILABLE) and answer.retry_after_s is not None:
            return Page(retry_after_s=answer.retry_after_s), known
        page, seen = await asyncio.to_thread(
            _told, channel.account, name, answer, known, (room, channel.since)
        )
        if page.goes_on:  # the document is asked for again, so it must not be "not modified"
            return page, Remembered(seen=seen)
        etag = words(answer.headers.get("etag"), 500)
        return page, Remembered(etag, words(answer.headers.get("last-modified"), 100), seen)

    async def _get(self, account: Account, url: str, known: Remembered) -> Answer:
        headers = {"accept": _ACCEPTS}
        if known.etag:
            headers["if-none-match"] = known.etag
        if known.modified:
            headers["if-modified-since"] = known.modified
        login = _login(account)
        try:
            for _ in range(MOST_REDIRECTS + 1):
                request = self._client.build_request("GET", url, headers=headers)
                if login is not None:
                    request = next(login.sync_auth_flow(request))
                answer = await call(self._client, request, largest=LARGEST_FEED)
                if answer.status not in _MOVED:
                    return answer
                there = request.url.join(answer.headers.get("location", ""))
                login = login if _is_same_place(there, request.url) else None
                url = str(there)
        except httpx.HTTPError as error:
            raise NetworkTrouble(f"the feed did not answer: {cause_of(error)}") from error
        except (httpx.InvalidURL, ValueError, TypeError) as error:
            raise NetworkTrouble("the url is none", Trouble.UNAUTHORISED) from error
        raise NetworkTrouble("the feed leads from one address to the next")


def _told(
    account: Account, name: str, answer: Answer, known: Remembered, bounds: tuple[int, Instant]
) -> tuple[Page, dict[str, str]]:
    """Read a document and say what is new in it; a large one takes a while."""
    root, url = _document(answer, name), str(account.settings[name])
    own_author = words(account.settings.get("own_author"), 200) or ""
    feed = Feed(root, url, is_comments=name == "comments_url", own_author=own_author)
    room, since = bounds
    return _new(feed, known, room, since, time.time_ns() // 1_000_000)


def _login(account: Account) -> httpx.BasicAuth | None:
    name, password = account.settings.get("username"), account.credentials.get("password")
    if not isinstance(name, str) or not isinstance(password, str) or not name:
        return None
    return httpx.BasicAuth(name, password)


def _is_same_place(one: httpx.URL, other: httpx.URL) -> bool:
    return (one.scheme, one.host, one.port) == (other.scheme, other.host, other.port)


def _document(answer: Answer, name: str) -> Any:  # noqa: ANN401 - an element
    if answer.status != _OK:
        trouble = Trouble.UNAUTHORISED if answer.status in _REFUSED else Trouble.DOWN
        raise NetworkTrouble(f"{name} was answered {answer.status}", trouble)
    if not answer.is_whole:
        raise NetworkTrouble(f"{name} is larger than {LARGEST_FEED} bytes")
    try:
        return read_feed(answer.body)
    except NotAFeed as reason:
        raise NetworkTrouble(f"{name} gave no feed: {reason}") from reason


def _new(
    feed: Feed, known: Remembered, room: int, since: Instant, now: Instant
) -> tuple[Page, dict[str, str]]:
    """Return what is not known yet of a document, as much as there is room for."""
    posts: list[Post] = []
    unreadable: list[Unreadable] = []
    changes: list[PostChange] = deletions_from(feed, now)
    seen, goes_on = dict(known.seen), False
    entries = entries_from(feed, now)
    for entry in entries:
        key, version = _short(entry.external_id), entry.version[:8]
        before = seen.get(key)
        if before == version:
            continue
        if before is not None:
            changes += _edited(entry)
        elif isinstance(entry.found, Unreadable):
            unreadable.append(entry.found)
        elif entry.found.created_at >= since:
            if len(posts) >= room:
                goes_on = True
                break
            posts.append(entry.found)
        seen[key] = version
    held = [_short(entry.external_id) for entry in entries]
    return Page(posts, unreadable, changes, goes_on=goes_on), _bounded(seen, held)


def _edited(entry: Entry) -> list[PostChange]:
    if not isinstance(entry.found, Post):
        return []
    edited = PostChangeKind.EDITED
    return [PostChange(entry.external_id, edited, entry.changed_at, entry.found.text)]


def _short(external_id: str) -> str:
    return hashlib.sha256(external_id.encode()).hexdigest()[:12]


def _bounded(seen: dict[str, str], held: list[str]) -> dict[str, str]:
    """Forget the oldest of what the document does not hold any more."""
    kept = set(held)
    gone = [key for key in seen if key not in kept]
    for key in gone[: max(0, len(seen) - MOST_SEEN)]:
        del seen[key]
    return seen


def _joined(one: Page, other: Page) -> Page:
    pauses = [page.retry_after_s for page in (one, other) if page.retry_after_s is not None]
    return Page(
        posts=[*one.posts, *other.posts],
        unreadable=[*one.unreadable, *other.unreadable],
        changes=[*one.changes, *other.changes],
        goes_on=one.goes_on or other.goes_on,
        retry_after_s=max(pauses, default=None),
    )

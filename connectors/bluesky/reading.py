"""Reads what is for a Bluesky account: notifications, searches, and the threads it is in.

The network lists the newest first and shows some things late, and it loses notifications of
replies: so a little more than what is new is asked for, and what was given is remembered.
"""

import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from connectors.bluesky.calls import BlueskyCalls, Session
from connectors.bluesky.wire import notification_from, view_from
from connectors.fields import count, instant, mapping, rfc_3339, sequence, shown, words
from connectors.json_pages import NotAPage, read_page
from conversations.model import Instant, Post, Unreadable
from conversations.networks import ListenedChannel, NetworkTrouble

LATE_MS = 600_000
"""Notifications and searches show a post so much later at most, as far as was seen."""

MOST_PAGES = 25
PAGE = 100
MOST_SEARCHES_A_POLL = 3
MOST_SEARCH_PAGES = 5
THREADS_EVERY_S = 15.0
MOST_THREADS_A_LOOK = 10
OWN_POSTS_LOOKED_AT = 50
THREAD_IS_OPEN_MS = 48 * 3_600_000
MOST_REMEMBERED = 5_000


@dataclass(frozen=True, slots=True)
class Piece:
    """Something that is for the channel, and where it stands in the network's order."""

    at: Instant
    key: str
    what: Post | Unreadable


@dataclass(frozen=True, slots=True)
class Position:
    """How far was read; `page` tells one cursor from the next at the same moment."""

    at: Instant
    page: int = 0

    @property
    def text(self) -> str:
        return f"{self.at} {self.page}"


def position_from(text: str) -> Position | None:
    """Read a position; a foreign one is none."""
    at, _, page = text.partition(" ")
    is_ours = all(part.isascii() and part.isdecimal() and len(part) < 16 for part in (at, page))  # noqa: PLR2004
    return Position(int(at), int(page)) if is_ours else None


@dataclass(slots=True)
class Memory:
    """What a channel was given, as far as it was surely taken: its cursor came back.

    Everything here can be lost: then a little comes twice, which whoever stores it knows.
    """

    taken: OrderedDict[str, None] = field(default_factory=OrderedDict)
    answers_known: dict[str, int] = field(default_factory=dict)
    handed_out: tuple[str, list[str], dict[str, int]] | None = None
    waiting: list[Piece] = field(default_factory=list)
    answers_seen: dict[str, int] = field(default_factory=dict)
    threads_at_s: float = float("-inf")
    turn: int = 0

    def settle(self, cursor: str) -> None:
        """Remember what was handed out with this cursor; forget what was with another."""
        if self.handed_out is not None and self.handed_out[0] == cursor:
            for key in self.handed_out[1]:
                self.taken[key] = None
            self.answers_known.update(self.handed_out[2])
        elif self.handed_out is not None:
            self.waiting, self.threads_at_s = [], float("-inf")
        self.handed_out = None
        while len(self.taken) > MOST_REMEMBERED:
            self.taken.popitem(last=False)


class BlueskyReading:
    """Gives a channel its public posts, oldest first."""

    def __init__(self, calls: BlueskyCalls) -> None:
        self._calls = calls
        self._memories: dict[tuple[str, str], Memory] = {}

    async def pieces(
        self, channel: ListenedChannel, cursor: str
    ) -> tuple[list[Piece], Position, bool]:
        """Return what comes next, up to where that goes, and whether more waits.

        Raises:
            Busy, NetworkTrouble: the network could not be asked.
        """
        key, position = (channel.account.id, channel.id), position_from(cursor)
        if position is None:
            self._memories.pop(key, None)
            position = Position(max(0, channel.since))
        memory = self._memories.setdefault(key, Memory())
        memory.settle(position.text)
        if not memory.waiting:
            memory.waiting = await self._gathered(channel, memory, position.at)
        limit = max(1, channel.post_limit)
        given, memory.waiting = memory.waiting[:limit], memory.waiting[limit:]
        if given:
            reached = max(position.at, *(piece.at for piece in given))
            position = Position(reached, position.page + 1)
        # What the threads showed counts as known when the last piece of it was taken.
        answers = {} if memory.waiting else memory.answers_seen
        memory.handed_out = (position.text, [piece.key for piece in given], answers)
        return given, position, bool(memory.waiting)

    async def _gathered(
        self, channel: ListenedChannel, memory: Memory, position: Instant
    ) -> list[Piece]:
        session = await self._calls.session(channel.account)
        floor = max(position - LATE_MS, channel.since - 1, 0)
        found: dict[str, Piece] = {}
        for piece in await self._notified(channel, session, floor):
            found.setdefault(piece.key, piece)
        for sought in _turn(channel, session, memory):
            for piece in await self._searched(channel, session, sought, floor):
                found.setdefault(piece.key, piece)
        memory.answers_seen = {}
        if time.monotonic() - memory.threads_at_s >= THREADS_EVERY_S:
            for piece in await self._answered(channel, session, memory):
                found.setdefault(piece.key, piece)
            memory.threads_at_s = time.monotonic()
        new = [piece for piece in found.values() if piece.key not in memory.taken]
        wanted = [piece for piece in new if _is_of_its_time(piece, channel.since)]
        return sorted(wanted, key=lambda piece: (piece.at, piece.key))

    async def _notified(
        self, channel: ListenedChannel, session: Session, floor: Instant
    ) -> list[Piece]:
        """Read notifications back to the floor."""
        name = "app.bsky.notification.listNotifications"
        found: list[Piece] = []
        bound: dict[str, Any] = {}
        for _ in range(MOST_PAGES):
            answer = await self._calls.answer(channel.account, name, limit=PAGE, **bound)
            entries, cursor = _listed(answer.body, "notifications", name)
            pieces = [_piece(one, notification_from(one, session.ours)) for one in entries]
            found += [piece for piece in pieces if piece is not None and piece.at > floor]
            if cursor is None or _reaches(entries, floor):
                break
            bound = {"cursor": cursor}
        return found

    async def _searched(
        self, channel: ListenedChannel, session: Session, sought: str, floor: Instant
    ) -> list[Piece]:
        name = "app.bsky.feed.searchPosts"
        found: list[Piece] = []
        bound: dict[str, Any] = {"since": rfc_3339(floor)}
        for _ in range(MOST_SEARCH_PAGES):
            answer = await self._calls.answer(
                channel.account, name, q=sought, sort="latest", limit=PAGE, **bound
            )
            entries, cursor = _listed(answer.body, "posts", name)
            pieces = [_piece(one, view_from(one, session.ours, is_for_us=False)) for one in entries]
            found += [piece for piece in pieces if piece is not None and piece.at > floor]
            if cursor is None or _reaches(entries, floor):
                break
            bound["cursor"] = cursor
        return found

    async def _answered(
        self, channel: ListenedChannel, session: Session, memory: Memory
    ) -> list[Piece]:
        """Look at the brand's own recent posts whose answers became more: a few at a time."""
        feed = await self._calls.read(
            channel.account,
            "app.bsky.feed.getAuthorFeed",
            actor=session.ours.did,
            filter="posts_with_replies",
            limit=OWN_POSTS_LOOKED_AT,
        )
        found: list[Piece] = []
        looked_at = 0
        open_since = time.time_ns() // 1_000_000 - THREAD_IS_OPEN_MS
        for entry in map(mapping, sequence(feed.get("feed"), OWN_POSTS_LOOKED_AT)):
            view = mapping(entry.get("post"))
            uri, answers = words(view.get("uri"), 500), count(view.get("replyCount")) or 0
            is_ours = mapping(view.get("author")).get("did") == session.ours.did
            is_open = (instant(view.get("indexedAt")) or 0) >= open_since
            if uri is None or not is_ours or not is_open or "reason" in entry:
                continue
            if answers <= memory.answers_known.get(uri, 0) or looked_at == MOST_THREADS_A_LOOK:
                continue
            looked_at += 1
            found += await self._answers_to(channel, session, uri)
            memory.answers_seen[uri] = answers
        return found

    async def _answers_to(
        self, channel: ListenedChannel, session: Session, uri: str
    ) -> list[Piece]:
        name = "app.bsky.feed.getPostThread"
        try:
            page = await self._calls.read(channel.account, name, uri=uri, depth=1, parentHeight=0)
        except NetworkTrouble:
            return []  # gone meanwhile: the next look will not find it
        answers = sequence(mapping(page.get("thread")).get("replies"), 500)
        views = [mapping(answer).get("post") for answer in answers]
        pieces = [
            _piece(view, view_from(view, session.ours, is_for_us=True)) for view in views if view
        ]
        return [
            piece
            for piece in pieces
            if piece is not None and not (isinstance(piece.what, Post) and piece.what.is_own)
        ]


def _turn(channel: ListenedChannel, session: Session, memory: Memory) -> list[str]:
    """Return what is searched for now: of many words a few at a time."""
    others = [handle.removeprefix("@") for handle in channel.handles]
    names = [f"@{one}" for one in others if one.casefold() != session.ours.handle.casefold()]
    sought = list(dict.fromkeys(word.strip() for word in (*channel.keywords, *names)))
    sought = [f'"{word}"' if " " in word else word for word in sought if word.strip("@#")]
    if not sought:
        return []
    first = memory.turn % len(sought)
    memory.turn = first + MOST_SEARCHES_A_POLL
    return (sought[first:] + sought[:first])[:MOST_SEARCHES_A_POLL]


def _listed(body: bytes, name: str, call: str) -> tuple[list[Any], str | None]:
    try:
        pieces = read_page(body, name)
    except NotAPage as reason:
        raise NetworkTrouble(f"{call} gave no page: {reason}") from reason
    return pieces.entries, words(pieces.beside.get("cursor"), 2_000)


def _piece(entry: object, understood: Post | Unreadable | None) -> Piece | None:
    if isinstance(entry, Unreadable):
        understood = entry
    if understood is None:
        return None
    external_id = understood.external_id
    seen = instant(mapping(entry).get("indexedAt"))
    now = time.time_ns() // 1_000_000
    at = min(now, seen) if seen is not None else now
    key = external_id or f"unreadable {hash(shown(entry))}"
    return Piece(at, key, understood)


def _reaches(entries: Iterable[object], floor: Instant) -> bool:
    times = [instant(mapping(entry).get("indexedAt")) for entry in entries]
    known = [moment for moment in times if moment is not None]
    return not known or min(known) <= floor


def _is_of_its_time(piece: Piece, since: Instant) -> bool:
    return not isinstance(piece.what, Post) or piece.what.created_at >= since

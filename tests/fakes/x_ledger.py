"""What is said on the fake X: posts with their edits, messages, people, the stream's rules."""

import html
import re
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from tests.connectors.peer import ShownFile
from tests.fakes.x_search import Searched

FIRST_MS = 1_288_834_974_657
_LINK = re.compile(r"https?://\S+|(?<![\w@.])(?:[a-z0-9-]+\.)+(?:com|org|example)(?:/\S*)?")
_NAME = re.compile(r"@([A-Za-z0-9_]{1,15})")


def rfc_3339(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:03d}Z"


@dataclass
class StoredPost:
    """One version of a post."""

    id: int
    author_id: str
    text: str
    created_ms: int
    conversation_id: int
    replied_to: int | None = None
    quoted: int | None = None
    reposted: int | None = None
    history: list[int] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)
    """Fields that are shown as they are, in place of the usual ones."""
    places: list[dict[str, Any]] = field(default_factory=list)
    media: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class StoredMessage:
    id: int
    sender_id: str
    conversation_id: str
    participants: frozenset[str]
    text: str
    created_ms: int
    media: list[dict[str, Any]] = field(default_factory=list)


class Ledger:
    """All that the fake knows; ids rise with time, as X's do."""

    def __init__(self) -> None:
        self.users: dict[str, dict[str, Any]] = {}
        self.posts: dict[int, StoredPost] = {}
        self.messages: list[StoredMessage] = []
        self.rules: dict[str, dict[str, str]] = {}
        self.uploads: dict[str, ShownFile] = {}
        self.lock = threading.RLock()
        self._last_id = 0

    def new_id(self, at_ms: int | None = None) -> int:
        with self.lock:
            moment = int(time.time() * 1000) if at_ms is None else at_ms
            wanted = (moment - FIRST_MS) << 22
            self._last_id = max(self._last_id + 1, wanted) if at_ms is None else wanted + 1
            while self._last_id in self.posts:
                self._last_id += 1
            return self._last_id

    def user(self, user_id: str, handle: str, **more: Any) -> dict[str, Any]:
        self.users[user_id] = {
            "id": user_id,
            "username": handle,
            "name": handle.capitalize(),
            "created_at": "2015-03-01T10:00:00.000Z",
            "location": "Somewhere",
            "verified": False,
            "public_metrics": {
                "followers_count": 12,
                "following_count": 3,
                "tweet_count": 5,
                "listed_count": 0,
            },
            **more,
        }
        return self.users[user_id]

    def id_of(self, handle: str) -> str | None:
        wanted = handle.casefold()
        found = (user for user in self.users.values() if user["username"].casefold() == wanted)
        return next((user["id"] for user in found), None)

    def add(self, author_id: str, text: str, **what: Any) -> StoredPost:
        """Store a post; `replied_to`, `quoted`, `reposted`, `at_ms`, `id`, `more` as wanted."""
        with self.lock:
            at_ms = what.pop("at_ms", None)
            post_id = what.pop("id", None) or self.new_id(at_ms)
            created_ms = at_ms or int(time.time() * 1000)
            parent = self.posts.get(what.get("replied_to") or 0)
            root = parent.conversation_id if parent else what.get("replied_to") or post_id
            post = StoredPost(post_id, author_id, text, created_ms, root, **what)
            post.history = post.history or [post_id]
            self.posts[post_id] = post
            return post

    def edit(self, post_id: int, text: str) -> StoredPost:
        """Give a post another text: another version with an id of its own."""
        with self.lock:
            before = self.posts.pop(post_id)
            after = self.add(before.author_id, text, replied_to=before.replied_to)
            after.conversation_id = before.conversation_id
            after.history = [*before.history, after.id]
            return after

    def say(self, sender_id: str, receiver_id: str, text: str, **what: Any) -> StoredMessage:
        """Store a message between two, or in a group (`conversation_id`, `participants`)."""
        with self.lock:
            pair = "-".join(sorted((sender_id, receiver_id), key=int))
            message = StoredMessage(
                what.get("id") or self.new_id(what.get("at_ms")),
                sender_id,
                what.get("conversation_id", pair),
                frozenset(what.get("participants", (sender_id, receiver_id))),
                text,
                what.get("at_ms") or int(time.time() * 1000),
                what.get("media", []),
            )
            self.messages.append(message)
            return message

    def names(self, post: StoredPost) -> frozenset[str]:
        return frozenset(name.casefold() for name in _NAME.findall(post.text))

    def is_mentioned(self, post: StoredPost, user_id: str) -> bool:
        return self.users[user_id]["username"].casefold() in self.names(post)

    def searched(self, post: StoredPost) -> Searched:
        parent = self.posts.get(post.replied_to or 0)
        return Searched(
            post.text,
            self.users[post.author_id]["username"],
            self.users[parent.author_id]["username"] if parent else "",
            self.names(post),
            str(post.conversation_id),
            post.reposted is not None,
            post.quoted is not None,
            post.replied_to is not None,
        )


def shortened(text: str) -> tuple[str, list[dict[str, Any]]]:
    """Write a text as X shows it: links shortened, three signs escaped; and its links."""
    links: list[dict[str, Any]] = []

    def shorten(found: re.Match[str]) -> str:
        written = found.group()
        address = f"https://t.co/{abs(hash((written, len(links)))) % 10**10:010d}"
        expanded = written if "://" in written else f"http://{written}"
        links.append({"start": 0, "end": 0, "url": address, "expanded_url": expanded})
        return address

    pieces, position = [], 0
    for found in _LINK.finditer(text):
        pieces += [html.escape(text[position : found.start()], quote=False), shorten(found)]
        position = found.end()
    return "".join(pieces) + html.escape(text[position:], quote=False), links

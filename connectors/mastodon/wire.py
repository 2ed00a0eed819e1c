"""Mastodon's wire format: its statuses and notifications as Parley's posts and changes.

Entities: https://docs.joinmastodon.org/entities/Status/ and …/Notification/.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from connectors.fields import (
    LONGEST_TEXT,
    NotUnderstood,
    count,
    instant,
    is_keepable,
    mapping,
    required,
    required_instant,
    sequence,
    web_address,
    words,
)
from connectors.html_text import text_of
from conversations.model import (
    Author,
    Media,
    Post,
    PostChange,
    PostChangeKind,
    PostKind,
    Unreadable,
    Visibility,
)

LONGEST_HTML = 4 * LONGEST_TEXT
PUBLIC = frozenset({"public", "unlisted"})
PRIVATE = frozenset({"private", "direct"})
"""For followers only, and for the mentioned only: neither is to be answered in public."""

SPOKEN = frozenset({"mention", "status", "quote"})
"""Notifications about a status that somebody wrote."""
POINTED = {"favourite": PostKind.LIKE, "reblog": PostKind.REPOST}
"""Notifications about a status of ours at which somebody pointed."""
ASKED_FOR = (*sorted(SPOKEN), *sorted(POINTED), "update")
_EDITED = "update"
_NAMING = re.compile(
    r'<a\b[^<>]{0,2000}\bclass="[^"<>]{0,200}\b(?:mention|hashtag)\b[^"<>]{0,200}"[^<>]{0,2000}>'
)
"""A mention or a hashtag: its words say it all."""
_MEDIA_KINDS = {"image": "image", "gifv": "video", "video": "video", "audio": "audio"}

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Ourselves:
    """Who the brand is on its instance; `names` are what others may call it there."""

    id: str
    acct: str
    host: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        return (self.acct, f"{self.acct}@{self.host}") if self.host else (self.acct,)


@dataclass(slots=True)
class Understood:
    """What a page of entries says, as far as it can be understood."""

    posts: list[Post] = field(default_factory=list)
    changes: list[PostChange] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)

    def add(self, piece: Post | PostChange | Unreadable | None) -> None:
        match piece:
            case Post():
                self.posts.append(piece)
            case PostChange():
                self.changes.append(piece)
            case Unreadable():
                self.unreadable.append(piece)


def ourselves_from(account: Mapping[str, Any], instance_url: str) -> Ourselves:
    """Read what the instance says of the token's owner.

    Raises:
        NotUnderstood: it says nothing that makes sense.
    """
    host = urlsplit(instance_url).hostname or ""
    return Ourselves(required(account.get("id"), "id"), required(account.get("acct"), "acct"), host)


def notification_from(entry: object, ours: Ourselves) -> Post | PostChange | Unreadable | None:
    """Understand a notification; None when it is about no post: a follower, a poll that ended."""
    told = mapping(entry)
    kind = told.get("type")
    if not told or not isinstance(kind, str):
        return NotUnderstood("not_a_notification", "it has no type").unreadable(entry)
    if kind in SPOKEN:
        return status_from(told.get("status"), ours, is_for_us=kind != "status")
    if kind in POINTED:
        return _guarded(entry, lambda: _pointed(told, POINTED[kind], ours))
    return edit_from(told.get("status")) if kind == _EDITED else None


def status_from(entry: object, ours: Ourselves, *, is_for_us: bool = False) -> Post | Unreadable:
    """Understand a status, or say why that is not possible."""
    return _guarded(entry, lambda: _status(mapping(entry), ours, is_for_us=is_for_us))


def edit_from(entry: object) -> PostChange | Unreadable:
    """Understand a status that was given other words."""
    status = mapping(entry)

    def change() -> PostChange:
        at = instant(status.get("edited_at"))
        return PostChange(
            required(status.get("id"), "id"),
            PostChangeKind.EDITED,
            at if at is not None else required_instant(status.get("created_at"), "edited_at"),
            _text(status),
        )

    return _guarded(entry, change)


def deletion_of(external_id: object) -> PostChange | None:
    """Understand the id of a deleted status; the network does not say when it was deleted."""
    found = words(external_id, 64)
    if found is None or not found.strip().isalnum():
        return None
    return PostChange(found.strip(), PostChangeKind.DELETED, time.time_ns() // 1_000_000)


def _guarded(entry: object, read: Callable[[], Read]) -> Read | Unreadable:
    try:
        return read()
    except NotUnderstood as reason:
        return reason.unreadable(entry, words(mapping(entry).get("id"), 64))


def _status(status: dict[str, Any], ours: Ourselves, *, is_for_us: bool) -> Post:
    if not status:
        raise NotUnderstood("not_an_object", "a status is an object")
    author = _author(status.get("account"))
    external_id = required(status.get("id"), "id")
    mentions = tuple(_mentions(status, ours)) + (ours.names if is_for_us else ())
    return Post(
        external_id=external_id,
        author=author,
        text=_text(status),
        created_at=required_instant(status.get("created_at"), "created_at"),
        visibility=_visibility(status.get("visibility")),
        in_reply_to=words(status.get("in_reply_to_id"), 64),
        url=web_address(status.get("url")) or web_address(status.get("uri")),
        media=_media(status),
        language=words(status.get("language"), 35),
        source_application=words(mapping(status.get("application")).get("name"), 200),
        is_own=author.external_id == ours.id,
        mentions=tuple(dict.fromkeys(mentions)),
        kind=PostKind.QUOTE if mapping(status.get("quote")) else PostKind.POST,
    )


def _pointed(told: dict[str, Any], kind: PostKind, ours: Ourselves) -> Post:
    """Read a favourite: it has no id of its own, so its notification's and its status's serve."""
    status_id = required(mapping(told.get("status")).get("id"), "status_id", 64)
    notification_id = required(told.get("id"), "id", 64)
    return Post(
        external_id=f"{told['type']}:{notification_id}:{status_id}",
        author=_author(told.get("account")),
        text="",
        created_at=required_instant(told.get("created_at"), "created_at"),
        in_reply_to=status_id,
        mentions=ours.names,
        kind=kind,
    )


def status_id_of(external_id: str | None) -> str | None:
    """Return the status that an answer to this post hangs on."""
    return external_id.rpartition(":")[2] or None if external_id else None


def _author(value: object) -> Author:
    account = mapping(value)
    if not account:
        raise NotUnderstood("author_missing", "a status has an account")
    handle = words(account.get("acct"), 200)
    return Author(
        external_id=required(account.get("id"), "author_id"),
        handle=handle,
        name=words(account.get("display_name"), 200) or words(account.get("username"), 200),
        avatar_url=web_address(account.get("avatar")),
        followers=count(account.get("followers_count")),
        created_at=instant(account.get("created_at")),
    )


def _text(status: dict[str, Any]) -> str:
    """Return the warning, the words and the choices; `:custom_emoji:` stay as they are written."""
    content = status.get("content")
    if not isinstance(content, str):
        raise NotUnderstood("text_missing", "a status has a content, which may be empty")
    if len(content) > LONGEST_HTML:
        raise NotUnderstood("text_too_long", f"{len(content)} characters of HTML")
    if not is_keepable(content):
        raise NotUnderstood("text_unreadable", "it has a NUL or half of a surrogate pair")
    warning = words(status.get("spoiler_text"), LONGEST_TEXT) or ""
    options = sequence(mapping(status.get("poll")).get("options"), 50)
    titles = [words(mapping(option).get("title"), 500) for option in options]
    choices = "\n".join(f"• {title}" for title in titles if title)
    text = "\n\n".join(part for part in (warning.strip(), _plain(content), choices) if part)
    if len(text) > LONGEST_TEXT:
        raise NotUnderstood("text_too_long", f"{len(text)} characters, {LONGEST_TEXT} at most")
    return text


def _plain(content: str) -> str:
    return text_of(_NAMING.sub("<span>", content))


def _visibility(value: object) -> Visibility:
    if value in PUBLIC:
        return Visibility.PUBLIC
    if value in PRIVATE:
        return Visibility.PRIVATE
    raise NotUnderstood("unknown_visibility", "it is public, unlisted, private or direct")


def _media(status: dict[str, Any]) -> tuple[Media, ...]:
    found = []
    for medium in map(mapping, sequence(status.get("media_attachments"), 100)):
        url = web_address(medium.get("url")) or web_address(medium.get("remote_url"))
        if url:
            kind = _MEDIA_KINDS.get(str(medium.get("type")), "file")
            found.append(Media(kind, url, words(medium.get("description"), 5_000)))
    return tuple(found)


def _mentions(status: dict[str, Any], ours: Ourselves) -> list[str]:
    """Return whom it names, as their instance writes them; us also with our server's name."""
    found: list[str] = []
    for mention in map(mapping, sequence(status.get("mentions"), 100)):
        acct = words(mention.get("acct"), 200)
        if acct:
            found += ours.names if mention.get("id") == ours.id else (acct,)
    return found

"""The simulated network's wire format: its posts as Parley's, ours as its own."""

import contextlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.json_pages import NotAPage, read_page
from conversations.model import (
    Author,
    Instant,
    Location,
    Media,
    Post,
    PostChange,
    PostChangeKind,
    Unreadable,
    Visibility,
)
from conversations.networks import Account
from conversations.replies import Reply

LONGEST_ID = 255
LONGEST_TEXT = 100_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


class NotUnderstood(Exception):
    """A post lacks what every post has; it goes to quarantine under this code."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class WirePage:
    """What a page of the network says, its posts understood as far as they can be."""

    posts: tuple[Post, ...]
    unreadable: tuple[Unreadable, ...]
    next_since_id: str | None
    has_more: bool
    changes: tuple[PostChange, ...] = ()
    next_changes_since: str | None = None


def page_from(body: bytes, account: Account) -> WirePage:
    """Read a page of posts.

    Raises:
        NotAPage: it is none.
    """
    pieces = read_page(body, "posts")
    understood = [post_from(entry, account) for entry in pieces.entries]
    since_id = pieces.beside.get("next_since_id")
    changes_since = pieces.beside.get("next_changes_since")
    if since_id is not None and not _is_number(since_id):
        raise NotAPage("next_since_id is no id")
    return WirePage(
        tuple(post for post in understood if isinstance(post, Post)),
        tuple(piece for piece in understood if isinstance(piece, Unreadable)),
        since_id,
        pieces.beside.get("has_more") is True,
        _changes(pieces.beside.get("changes")),
        changes_since if _is_number(changes_since) else None,
    )


def _changes(value: Any) -> tuple[PostChange, ...]:  # noqa: ANN401 - any JSON
    """Read what became of posts; a change that makes no sense changes nothing."""
    found = []
    for change in value if isinstance(value, list) else []:
        if not isinstance(change, dict):
            continue
        post_id, text = _text(change.get("post_id"), LONGEST_ID), change.get("text")
        with contextlib.suppress(ValueError, NotUnderstood):
            kind = PostChangeKind(str(change.get("kind")))
            words = _text(text, LONGEST_TEXT) if kind is PostChangeKind.EDITED else None
            if post_id and (words is not None) == (kind is PostChangeKind.EDITED):
                found.append(PostChange(post_id, kind, _instant(change.get("at")), words))
    return tuple(found)


def post_from(entry: Any, account: Account) -> Post | Unreadable:  # noqa: ANN401 - any JSON
    """Understand one post, or say why that is not possible.

    What every post has is insisted on; an adornment that makes no sense is left out.
    """
    if isinstance(entry, Unreadable):
        return entry
    try:
        return _post(entry, account)
    except NotUnderstood as reason:
        found = entry.get("id") if isinstance(entry, dict) else None
        external_id = found if isinstance(found, str) and _is_keepable(found) else None
        return Unreadable(reason.code, reason.detail, shown(entry), external_id)


def _post(entry: Any, account: Account) -> Post:  # noqa: ANN401 - any JSON
    if not isinstance(entry, dict):
        raise NotUnderstood("not_an_object", "a post is an object")
    author = _author(entry.get("author"))
    external_id = _required(entry, "id", LONGEST_ID)
    reference = _text(entry.get("reference"), LONGEST_ID)
    return Post(
        external_id=external_id,
        author=author,
        text=_words(entry),
        created_at=_instant(entry.get("created_at")),
        visibility=_visibility(entry.get("visibility")),
        in_reply_to=_text(entry.get("reply_to"), LONGEST_ID),
        thread_root=_text(entry.get("root"), LONGEST_ID),
        url=_text(entry.get("url"), 2_000),
        media=_media(entry.get("media")),
        language=_text(entry.get("language"), 35),
        location=_location(entry.get("location")),
        source_application=_text(entry.get("source_application"), 200),
        is_own=reference is not None or _is_ours(entry["author"], account),
        own_reply_id=reference,
        mentions=_mentions(entry),
    )


def _author(value: Any) -> Author:  # noqa: ANN401
    if not isinstance(value, dict):
        raise NotUnderstood("author_missing", "a post has an author")
    followers = value.get("followers")
    home = _location(value.get("location"))
    return Author(
        external_id=_required(value, "id", LONGEST_ID),
        handle=_text(value.get("handle"), 200),
        name=_text(value.get("name"), 200),
        avatar_url=_text(value.get("avatar_url"), 2_000),
        followers=followers if type(followers) is int and 0 <= followers < 2**53 else None,
        language=_text(value.get("language"), 35),
        location=", ".join(filter(None, (home.place, home.country))) or None if home else None,
    )


def _is_ours(author: dict[str, Any], account: Account) -> bool:
    """Whether the brand itself speaks; another brand's account is a customer like any other."""
    if author.get("kind") != "account":
        return False
    own_id = account.settings.get("account_id")
    if own_id is not None:
        return bool(author.get("id") == own_id)
    handle, ours = author.get("handle"), account.settings.get("handle")
    if not isinstance(handle, str) or not isinstance(ours, str):
        return False
    return handle.casefold() == ours.removeprefix("@").casefold()


def _words(entry: dict[str, Any]) -> str:
    text = entry.get("text")
    if not isinstance(text, str):
        raise NotUnderstood("text_missing", "a post has a text, which may be empty")
    if not _is_keepable(text):
        raise NotUnderstood("text_unreadable", "the text has a NUL or half of a surrogate pair")
    if len(text) > LONGEST_TEXT:
        raise NotUnderstood("text_too_long", f"{len(text)} characters, {LONGEST_TEXT} at most")
    return text


def _required(entry: dict[str, Any], name: str, longest: int) -> str:
    value = _text(entry.get(name), longest)
    if not value or not value.strip():
        raise NotUnderstood(f"{name}_missing", f"{name} is a text of 1 to {longest} characters")
    return value


def _visibility(value: Any) -> Visibility:  # noqa: ANN401
    try:
        return Visibility(value)
    except ValueError:
        raise NotUnderstood("unknown_visibility", "visibility is public or private") from None


def _instant(value: Any) -> Instant:  # noqa: ANN401
    """Read RFC 3339; before 1970 is before 1970."""
    try:
        moment = datetime.fromisoformat(value)
        return (moment - EPOCH) // MILLISECOND
    except (TypeError, ValueError, OverflowError):
        raise NotUnderstood("created_at_unreadable", "created_at is an RFC 3339 time") from None


def _media(value: Any) -> tuple[Media, ...]:  # noqa: ANN401
    if not isinstance(value, list):
        return ()
    found = []
    for medium in value[:100]:
        if not isinstance(medium, dict):
            continue
        kind, url = _text(medium.get("kind"), 30), _text(medium.get("url"), 2_000)
        if kind and url:
            alt, mime = _text(medium.get("alt_text"), 5_000), _text(medium.get("mime_type"), 100)
            found.append(Media(kind, url, alt, mime))
    return tuple(found)


def _location(value: Any) -> Location | None:  # noqa: ANN401
    if not isinstance(value, dict):
        return None
    country, place = _text(value.get("country"), 100), _text(value.get("place"), 200)
    lat, lon = _degrees(value.get("lat"), 90), _degrees(value.get("lon"), 180)
    if (country, place, lat, lon) == (None, None, None, None):
        return None
    return Location(country, place, lat, lon)


def _degrees(value: Any, most: int) -> float | None:  # noqa: ANN401
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and -most <= value <= most else None


def _mentions(entry: dict[str, Any]) -> tuple[str, ...]:
    """Return whom the post is for: a private one is for its receiver."""
    named = entry.get("mentions")
    handles = [one for one in named if _text(one, 200)] if isinstance(named, list) else []
    receiver = entry.get("to")
    if isinstance(receiver, dict) and _text(receiver.get("handle"), 200):
        handles.append(receiver["handle"])
    return tuple(handles)


def _text(value: Any, longest: int) -> str | None:  # noqa: ANN401
    if not isinstance(value, str) or len(value) > longest or not _is_keepable(value):
        return None
    return value


def _is_keepable(text: str) -> bool:
    """Whether every database can store the text: no NUL, no half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _is_number(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdecimal()


def shown(entry: Any) -> str:  # noqa: ANN401 - any JSON
    """Return what came as text that any database keeps."""
    try:
        text = entry if isinstance(entry, str) else json.dumps(entry, ensure_ascii=False)
    except RecursionError:
        text = "nested too deeply to be shown"
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def body_of(reply: Reply) -> dict[str, str]:
    """Return the reply as the network wants it; its id is the reference it is found by."""
    body = {"text": reply.text, "visibility": reply.visibility.value, "reference": reply.id}
    if reply.in_reply_to is not None:
        body["reply_to"] = reply.in_reply_to
    if reply.visibility is Visibility.PRIVATE:
        body["to"] = reply.to_external_id
    return body

"""The simulated network's wire format: its posts as Parley's, ours as its own."""

import contextlib
from dataclasses import dataclass
from typing import Any

from connectors.adornments import location_from, media_from
from connectors.fields import (
    LONGEST_ID,
    NotUnderstood,
    count,
    mapping,
    required,
    required_instant,
    sequence,
    words,
)
from connectors.json_pages import NotAPage, read_page
from connectors.said import said
from connectors.uploading import not_uploaded
from conversations.model import (
    Author,
    Post,
    PostChange,
    PostChangeKind,
    Unreadable,
    Visibility,
)
from conversations.networks import Account
from conversations.replies import Reply


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
    for change in map(mapping, sequence(value)):
        with contextlib.suppress(ValueError, NotUnderstood):
            kind = PostChangeKind(str(change.get("kind")))
            text = said(change.get("text")) if kind is PostChangeKind.EDITED else None
            at = required_instant(change.get("at"), "at")
            found.append(PostChange(required(change.get("post_id"), "post_id"), kind, at, text))
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
        return reason.unreadable(entry, words(mapping(entry).get("id"), LONGEST_ID))


def _post(entry: Any, account: Account) -> Post:  # noqa: ANN401 - any JSON
    if not isinstance(entry, dict):
        raise NotUnderstood("not_an_object", "a post is an object")
    author = _author(entry.get("author"))
    external_id = required(entry.get("id"), "id")
    reference = words(entry.get("reference"), LONGEST_ID)
    return Post(
        external_id=external_id,
        author=author,
        text=said(entry.get("text")),
        created_at=required_instant(entry.get("created_at"), "created_at"),
        visibility=_visibility(entry.get("visibility")),
        in_reply_to=words(entry.get("reply_to"), LONGEST_ID),
        thread_root=words(entry.get("root"), LONGEST_ID),
        url=words(entry.get("url"), 2_000),
        media=media_from(entry.get("media")),
        language=words(entry.get("language"), 35),
        location=location_from(entry.get("location")),
        source_application=words(entry.get("source_application"), 200),
        is_own=reference is not None or _is_ours(entry["author"], account),
        own_reply_id=reference,
        mentions=_mentions(entry),
    )


def _author(value: Any) -> Author:  # noqa: ANN401
    if not isinstance(value, dict):
        raise NotUnderstood("author_missing", "a post has an author")
    home = location_from(value.get("location"))
    return Author(
        external_id=required(value.get("id"), "id"),
        handle=words(value.get("handle"), 200),
        name=words(value.get("name"), 200),
        avatar_url=words(value.get("avatar_url"), 2_000),
        followers=count(value.get("followers")),
        language=words(value.get("language"), 35),
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


def _visibility(value: Any) -> Visibility:  # noqa: ANN401
    try:
        return Visibility(value)
    except ValueError:
        raise NotUnderstood("unknown_visibility", "visibility is public or private") from None


def _mentions(entry: dict[str, Any]) -> tuple[str, ...]:
    """Return whom the post is for: a private one is for its receiver."""
    receiver = mapping(entry.get("to")).get("handle")
    named = (words(one, 200) for one in [*sequence(entry.get("mentions")), receiver])
    return tuple(handle for handle in named if handle is not None)


def _is_number(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdecimal()


def body_of(reply: Reply) -> dict[str, Any]:
    """Return the reply as the network wants it; its id is the reference it is found by."""
    body: dict[str, Any] = {
        "text": reply.text,
        "visibility": reply.visibility.value,
        "reference": reply.id,
    }
    if reply.in_reply_to is not None:
        body["reply_to"] = reply.in_reply_to
    if reply.visibility is Visibility.PRIVATE:
        body["to"] = reply.to_external_id
    return body


def medium_from(told: dict[str, Any]) -> dict[str, Any]:
    """Return what a post names of a file that was brought.

    Raises:
        NotUploaded: the network named none.
    """
    if not isinstance(told.get("url"), str) or not isinstance(told.get("kind"), str):
        raise not_uploaded("the network named no medium")
    return {name: told[name] for name in ("kind", "url", "mime_type") if name in told}

"""What happens on an Instagram account: comments and answers to them, mentions, tags."""

from collections.abc import Iterator
from typing import Any

from connectors.fields import NotUnderstood, mapping, sequence, web_address, words
from connectors.meta.cursor import Found
from connectors.meta.messages import Event, Ours
from connectors.meta.values import (
    author_of,
    identifier,
    moment,
    pictures,
    required_id,
    required_moment,
)
from connectors.said import said
from conversations.model import Author, Instant, Post, PostChange, PostChangeKind, Unreadable

MENTION = "mention:"
"""So begin the ids of what mentions the account under somebody else's picture."""

_COMMENT = "id,text,timestamp,username,from,parent_id"
COMMENT_FIELDS = f"{_COMMENT},replies.limit(50){{{_COMMENT}}}"
MEDIA_FIELDS = f"id,timestamp,permalink,comments.limit(50){{{COMMENT_FIELDS}}}"
TAG_FIELDS = "id,caption,username,timestamp,permalink,media_type,media_url"

_COMMENTS = frozenset({"comments", "live_comments"})
_UNBROUGHT = "(mentioned the account; Instagram does not bring the words)"


def change_from(change: dict[str, Any], entry: dict[str, Any], ours: Ours) -> Event | None:
    """Understand a change of an account; None when nobody said anything."""
    name, value = change.get("field"), mapping(change.get("value"))
    if name not in _COMMENTS and name != "mentions":
        return None
    if not value:
        return NotUnderstood("not_an_object", "a change has a value").unreadable(change)
    try:
        if name == "mentions":
            return _mention(value, entry.get("time"))
        return _brought_comment(value, entry.get("time"), ours)
    except NotUnderstood as reason:
        return reason.unreadable(change, identifier(value.get("id")))


def _brought_comment(value: dict[str, Any], sent_at: object, ours: Ours) -> Event:
    if value.get("verb") in ("remove", "delete"):
        external_id = required_id(value.get("id"), "id")
        return PostChange(external_id, PostChangeKind.DELETED, required_moment(sent_at))
    media_id = identifier(mapping(value.get("media")).get("id"))
    return _comment(value, media_id, required_moment(value.get("timestamp"), sent_at), ours)


def _comment(value: dict[str, Any], media_id: str | None, at: Instant, ours: Ours) -> Post:
    external_id = required_id(value.get("id"), "id")
    author = _author(value)
    parent_id = identifier(value.get("parent_id"))
    is_self = mapping(value.get("from")).get("self_ig_scoped_id") is not None
    return Post(
        external_id=external_id,
        author=author,
        text=said(value.get("text") or ""),
        created_at=at,
        in_reply_to=parent_id or media_id,
        thread_root=parent_id or external_id,
        is_own=is_self or ours.has(author),
    )


def _author(value: dict[str, Any]) -> Author:
    """Read who said it; where no id is given there is a name at least."""
    person = dict(mapping(value.get("from")))
    person.setdefault("username", value.get("username"))
    if identifier(person.get("id")) is None and words(person.get("username"), 200):
        person["id"] = f"@{person['username']}"
    return author_of(person)


def _mention(value: dict[str, Any], sent_at: object) -> Post:
    """Take a mention; whose it is and what it says is only told to who asks with its id."""
    media_id = required_id(value.get("media_id"), "media_id")
    comment_id = identifier(value.get("comment_id"))
    external_id = mention_id(media_id, comment_id)
    return Post(
        external_id=external_id,
        author=Author(external_id, name="somebody on Instagram"),
        text=_UNBROUGHT,
        created_at=required_moment(sent_at),
        thread_root=external_id,
    )


def mention_id(media_id: str, comment_id: str | None = None) -> str:
    return f"{MENTION}{media_id}:{comment_id}" if comment_id else f"{MENTION}{media_id}"


def mentioned_at(external_id: str) -> tuple[str, str | None] | None:
    """Return the media and the comment that a mention's id names; None when it is no mention's."""
    if not external_id.startswith(MENTION):
        return None
    media_id, _, comment_id = external_id.removeprefix(MENTION).partition(":")
    return media_id, comment_id or None


def listed_comments(entry: Any, media_id: str, ours: Ours, otherwise: Instant) -> Iterator[Found]:  # noqa: ANN401
    """Yield a comment that was asked for, and what answers it; those answers come first."""
    answers = sequence(mapping(mapping(entry).get("replies")).get("data"))
    yield from (_listed(answer, media_id, ours, otherwise, entry) for answer in answers)
    yield _listed(entry, media_id, ours, otherwise)


def _listed(
    entry: Any,  # noqa: ANN401
    media_id: str,
    ours: Ours,
    otherwise: Instant,
    parent: Any = None,  # noqa: ANN401
) -> Found:
    if isinstance(entry, Unreadable):
        return Found(otherwise, f"raw:{entry.raw}", entry)
    comment = dict(mapping(entry))
    if parent is not None:
        comment.setdefault("parent_id", mapping(parent).get("id"))
    try:
        post = _comment(comment, media_id, required_moment(comment.get("timestamp")), ours)
    except NotUnderstood as reason:
        return _unreadable(reason, entry, otherwise)
    return Found(post.created_at, post.external_id, post)


def listed_tag(entry: Any, ours: Ours, otherwise: Instant) -> Found | None:  # noqa: ANN401
    """Understand a picture in which the account was tagged."""
    if isinstance(entry, Unreadable):
        return Found(otherwise, f"raw:{entry.raw}", entry)
    tag = mapping(entry)
    try:
        author = _author(tag)
        if ours.has(author):
            return None
        kind = "video" if tag.get("media_type") == "VIDEO" else "image"
        post = Post(
            external_id=mention_id(required_id(tag.get("id"), "id")),
            author=author,
            text=said(tag.get("caption") or ""),
            created_at=required_moment(tag.get("timestamp")),
            url=web_address(tag.get("permalink")),
            media=pictures(kind, tag.get("media_url")),
        )
    except NotUnderstood as reason:
        return _unreadable(reason, entry, otherwise)
    return Found(post.created_at, post.external_id, post)


def _unreadable(reason: NotUnderstood, entry: object, otherwise: Instant) -> Found:
    external_id = identifier(mapping(entry).get("id"))
    unreadable = reason.unreadable(entry, external_id)
    at = moment(mapping(entry).get("timestamp")) or otherwise
    return Found(at, external_id or f"raw:{unreadable.raw}", unreadable)

"""Private messages of Messenger and Instagram: brought by a webhook, or asked for."""

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from connectors.fields import LONGEST_TEXT, NotUnderstood, mapping, words
from connectors.meta.cursor import Found
from connectors.meta.values import (
    author_of,
    event_media,
    identifier,
    listed_media,
    moment,
    pictures,
    required_id,
    required_moment,
    unshown,
)
from connectors.said import said
from conversations.model import (
    Author,
    Instant,
    Media,
    Post,
    PostChange,
    PostChangeKind,
    PostKind,
    Unreadable,
    Visibility,
)

NOT_SHOWN = "message_not_shown"

Event: TypeAlias = Post | PostChange | Unreadable


@dataclass(frozen=True, slots=True)
class Ours:
    """By what one knows that the brand itself speaks, or is spoken to."""

    network: str
    ids: frozenset[str]
    handle: str | None = None

    def has(self, author: Author) -> bool:
        if author.external_id in self.ids:
            return True
        return bool(self.handle and author.handle and self.handle == author.handle.casefold())

    def addressed(self, event: Event | None) -> Event | None:
        """Note that what reaches the brand's own page is for the brand, by its name."""
        if self.handle and isinstance(event, Post) and not event.is_own:
            return replace(event, mentions=(self.handle,))
        return event


def event_from(entry: Any, ours: Ours) -> Event | None:  # noqa: ANN401 - any JSON
    """Understand one event; None when nothing was said (read, delivered, opted in)."""
    if isinstance(entry, Unreadable):
        return entry
    event = mapping(entry)
    try:
        return _event(event, ours)
    except NotUnderstood as reason:
        message = mapping(event.get("message"))
        return reason.unreadable(entry, identifier(message.get("mid")))


def _event(event: dict[str, Any], ours: Ours) -> Event | None:
    if not event:
        raise NotUnderstood("not_an_object", "an event is an object")
    if isinstance(event.get("message"), dict):
        return _message(event, event["message"], ours)
    if isinstance(event.get("message_edit"), dict):
        return _edit(event, event["message_edit"])
    if isinstance(event.get("postback"), dict):
        return _postback(event, event["postback"], ours)
    if isinstance(event.get("reaction"), dict):
        return _reaction(event, event["reaction"], ours)
    if "message" in event:
        raise NotUnderstood("message_unreadable", "a message is an object")
    return None


def _message(event: dict[str, Any], message: dict[str, Any], ours: Ours) -> Event:
    mid = required_id(message.get("mid"), "mid")
    at = required_moment(event.get("timestamp"))
    if message.get("is_deleted") is True:
        return PostChange(mid, PostChangeKind.DELETED, at)
    author = author_of(event.get("sender"))
    reply_to = mapping(message.get("reply_to"))
    media = event_media(message.get("attachments"))
    media += pictures("story", mapping(reply_to.get("story")).get("url"))
    is_own = message.get("is_echo") is True or ours.has(author)
    return Post(
        external_id=mid,
        author=author,
        text=_words(message.get("text"), media, ours),
        created_at=at,
        visibility=Visibility.PRIVATE,
        in_reply_to=identifier(reply_to.get("mid")),
        media=media,
        is_own=is_own,
        own_reply_id=words(message.get("metadata"), 255) if is_own else None,
    )


def _words(text: object, media: tuple[Media, ...], ours: Ours) -> str:
    """Return what was said; a message that the network keeps to itself must not be lost."""
    if text is not None:
        return said(text)
    return "" if media else unshown(ours.network)


def _edit(event: dict[str, Any], edit: dict[str, Any]) -> PostChange:
    mid = required_id(edit.get("mid"), "mid")
    at = required_moment(event.get("timestamp"))
    return PostChange(mid, PostChangeKind.EDITED, at, said(edit.get("text")))


def _postback(event: dict[str, Any], postback: dict[str, Any], ours: Ours) -> Post:
    """Take a pressed button for what stands on it."""
    author, at = author_of(event.get("sender")), required_moment(event.get("timestamp"))
    mid = identifier(postback.get("mid")) or f"postback:{author.external_id}:{at}"
    title = words(postback.get("title")) or words(postback.get("payload")) or ""
    is_own = ours.has(author)
    return Post(mid, author, title, at, Visibility.PRIVATE, is_own=is_own)


def _reaction(event: dict[str, Any], reaction: dict[str, Any], ours: Ours) -> Event:
    author, at = author_of(event.get("sender")), required_moment(event.get("timestamp"))
    mid = required_id(reaction.get("mid"), "mid")
    external_id = reaction_id(mid, author)
    if reaction.get("action") == "unreact":
        return PostChange(external_id, PostChangeKind.DELETED, at)
    return Post(
        external_id=external_id,
        author=author,
        text=words(reaction.get("emoji"), 50) or words(reaction.get("reaction"), 50) or "",
        created_at=at,
        visibility=Visibility.PRIVATE,
        in_reply_to=mid,
        is_own=ours.has(author),
        kind=PostKind.LIKE,
    )


def reaction_id(target: str, author: Author) -> str:
    """Return what one person's reaction to something is called: each has one."""
    return f"{target[:150]}:reaction:{author.external_id[:80]}"


def listed_message(entry: Any, ours: Ours, otherwise: Instant) -> Found:  # noqa: ANN401
    """Understand a message that was asked for; one without a time has its conversation's."""
    if isinstance(entry, Unreadable):
        return Found(otherwise, f"raw:{entry.raw}", entry, Visibility.PRIVATE)
    message = mapping(entry)
    try:
        post = _listed(message, ours)
    except NotUnderstood as reason:
        mid = identifier(message.get("id"))
        unreadable = reason.unreadable(entry, mid)
        name, at = mid or f"raw:{unreadable.raw}", moment(message.get("created_time"))
        return Found(at or otherwise, name, unreadable, Visibility.PRIVATE)
    return Found(post.created_at, post.external_id, post, Visibility.PRIVATE)


def _listed(message: dict[str, Any], ours: Ours) -> Post:
    if message.get("from") is None and message.get("created_time") is not None:
        detail = "only the newest 20 of a conversation are shown: neither this nor what was before"
        raise NotUnderstood(NOT_SHOWN, detail)
    author = author_of(message.get("from"))
    media = listed_media(message)
    text = message.get("message")
    if isinstance(text, str) and len(text) > LONGEST_TEXT:
        raise NotUnderstood("text_too_long", f"{len(text)} characters, {LONGEST_TEXT} at most")
    is_empty = not text and not media
    return Post(
        external_id=required_id(message.get("id"), "id"),
        author=author,
        text=unshown(ours.network) if is_empty else said(text or ""),
        created_at=required_moment(message.get("created_time")),
        visibility=Visibility.PRIVATE,
        media=media,
        is_own=ours.has(author),
    )

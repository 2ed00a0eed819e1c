"""What happens on a Facebook page: posts, comments at any depth, reactions, mentions."""

from typing import Any

from connectors.fields import NotUnderstood, mapping, sequence, web_address, words
from connectors.meta.cursor import Found
from connectors.meta.messages import Event, Ours, reaction_id
from connectors.meta.values import (
    author_of,
    identifier,
    moment,
    pictures,
    required_id,
    required_moment,
)
from connectors.said import said
from conversations.model import (
    Instant,
    Media,
    Post,
    PostChange,
    PostChangeKind,
    PostKind,
    Unreadable,
)

COMMENT_FIELDS = "id,message,from,created_time,parent{id},permalink_url,attachment"
POST_FIELDS = "id,message,from,created_time,updated_time,permalink_url,full_picture"

_EDITS = frozenset({"edit", "edited"})
_REMOVALS = frozenset({"remove", "delete"})
_REACTIONS = frozenset({"reaction", "like"})
_POSTS = frozenset(
    {"comment", "post", "status", "photo", "video", "album", "note", "link", "event", "share"}
)


def change_from(change: dict[str, Any], entry: dict[str, Any], ours: Ours) -> Event | None:
    """Understand a change of a page; None when nobody said anything."""
    value = mapping(change.get("value"))
    if change.get("field") not in ("feed", "mention"):
        return None
    if not value:
        return NotUnderstood("not_an_object", "a change has a value").unreadable(change)
    try:
        return _change(value, entry.get("time"), ours)
    except NotUnderstood as reason:
        found = identifier(value.get("comment_id")) or identifier(value.get("post_id"))
        return reason.unreadable(change, found)


def _change(value: dict[str, Any], sent_at: object, ours: Ours) -> Event | None:
    item, verb = value.get("item"), value.get("verb")
    if item in _REACTIONS:
        return _reaction(value, sent_at, ours)
    if item not in _POSTS and not value.get("message"):
        return None
    name = "comment_id" if item == "comment" else "post_id"
    external_id = required_id(value.get(name), name)
    if verb in _REMOVALS:
        return PostChange(external_id, PostChangeKind.DELETED, required_moment(sent_at))
    if verb in _EDITS:
        text = said(value.get("message") or "")
        return PostChange(external_id, PostChangeKind.EDITED, required_moment(sent_at), text)
    if verb != "add":
        return None  # hidden, shown again, blocked: the page's own doing
    read = _comment if item == "comment" else _post
    return read(value, external_id, sent_at, ours)


def _comment(value: dict[str, Any], external_id: str, sent_at: object, ours: Ours) -> Post:
    author = author_of(_sender(value))
    post_id = required_id(value.get("post_id"), "post_id")
    media = pictures("image", value.get("photo")) + pictures("video", value.get("video"))
    return Post(
        external_id=external_id,
        author=author,
        text=said(value.get("message") or ""),
        created_at=required_moment(value.get("created_time"), sent_at),
        in_reply_to=identifier(value.get("parent_id")) or post_id,
        thread_root=post_id,
        url=web_address(mapping(value.get("post")).get("permalink_url")),
        media=media,
        is_own=ours.has(author),
    )


def _post(value: dict[str, Any], external_id: str, sent_at: object, ours: Ours) -> Post | None:
    """Return what somebody else wrote on the page; what the page publishes is no answer."""
    author = author_of(_sender(value))
    if ours.has(author) or value.get("published") == 0:
        return None
    text = said(value.get("message") or "")
    kind = PostKind.POST
    if value.get("item") == "share":
        kind = PostKind.QUOTE if text else PostKind.REPOST
    media = pictures("image", *sequence(value.get("photos"), 100))
    is_video = value.get("item") == "video"
    media += pictures("video" if is_video else "link", value.get("link"))
    return Post(
        external_id=external_id,
        author=author,
        text=text,
        created_at=required_moment(value.get("created_time"), sent_at),
        url=web_address(mapping(value.get("post")).get("permalink_url")),
        media=media,
        kind=kind,
    )


def _reaction(value: dict[str, Any], sent_at: object, ours: Ours) -> Event | None:
    author = author_of(_sender(value))
    about = identifier(value.get("comment_id"))
    target = about or required_id(value.get("post_id"), "post_id")
    external_id = reaction_id(target, author)
    at = required_moment(value.get("created_time"), sent_at)
    if value.get("verb") in _REMOVALS:
        return PostChange(external_id, PostChangeKind.DELETED, at)
    if ours.has(author):
        return None
    return Post(
        external_id=external_id,
        author=author,
        text=words(value.get("reaction_type"), 50) or "like",
        created_at=at,
        in_reply_to=target,
        thread_root=identifier(value.get("post_id")),
        kind=PostKind.LIKE,
    )


def _sender(value: dict[str, Any]) -> object:
    """Return who did it; mentions name him otherwise."""
    if value.get("from") is not None:
        return value["from"]
    return {"id": value.get("sender_id"), "name": value.get("sender_name")}


def listed_comment(entry: Any, post_id: str, ours: Ours, otherwise: Instant) -> Found:  # noqa: ANN401
    """Understand a comment that was asked for."""
    if isinstance(entry, Unreadable):
        return Found(otherwise, f"raw:{entry.raw}", entry)
    comment = mapping(entry)
    try:
        author = author_of(comment.get("from"))
        post = Post(
            external_id=required_id(comment.get("id"), "id"),
            author=author,
            text=said(comment.get("message") or ""),
            created_at=required_moment(comment.get("created_time")),
            in_reply_to=identifier(mapping(comment.get("parent")).get("id")) or post_id,
            thread_root=post_id,
            url=web_address(comment.get("permalink_url")),
            media=_comment_media(comment),
            is_own=ours.has(author),
        )
    except NotUnderstood as reason:
        return _unreadable(reason, entry, otherwise)
    return Found(post.created_at, post.external_id, post)


def listed_post(entry: Any, ours: Ours, otherwise: Instant) -> Found | None:  # noqa: ANN401
    """Understand a post that was asked for; the page's own ones are nobody's words to it."""
    if isinstance(entry, Unreadable):
        return Found(otherwise, f"raw:{entry.raw}", entry)
    post = mapping(entry)
    try:
        author = author_of(post.get("from"))
        if ours.has(author):
            return None
        found = Post(
            external_id=required_id(post.get("id"), "id"),
            author=author,
            text=said(post.get("message") or ""),
            created_at=required_moment(post.get("created_time")),
            url=web_address(post.get("permalink_url")),
            media=pictures("image", post.get("full_picture")),
        )
    except NotUnderstood as reason:
        return _unreadable(reason, entry, otherwise)
    return Found(found.created_at, found.external_id, found)


def _unreadable(reason: NotUnderstood, entry: object, otherwise: Instant) -> Found:
    external_id = identifier(mapping(entry).get("id"))
    unreadable = reason.unreadable(entry, external_id)
    at = moment(mapping(entry).get("created_time")) or otherwise
    return Found(at, external_id or f"raw:{unreadable.raw}", unreadable)


def _comment_media(comment: dict[str, Any]) -> tuple[Media, ...]:
    attachment = mapping(comment.get("attachment"))
    kind = words(attachment.get("type"), 30) or "link"
    source = mapping(mapping(attachment.get("media")).get("image")).get("src")
    found = pictures("image" if kind == "photo" else kind, source)
    return found or pictures(kind, attachment.get("url"))

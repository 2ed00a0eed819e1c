"""Posts that a brand's own software brings by signed webhook, in the form of the generic door."""

import time
from typing import Any

from connectors.adornments import location_from, media_from
from connectors.fields import (
    LONGEST_ID,
    NotUnderstood,
    count,
    instant,
    mapping,
    required,
    sequence,
    shown,
    web_address,
    words,
)
from connectors.json_pages import NotAPage, Pieces, read_page
from connectors.said import said
from conversations.model import (
    Author,
    Post,
    PostChange,
    PostChangeKind,
    Unreadable,
    Visibility,
)
from conversations.networks import Page

MOST_ENTRIES = 500


def page_from(body: bytes) -> Page:
    """Read `{"posts": […], "changes": […]}`, either or both; else it is quarantined as a whole."""
    try:
        pieces = _pieces(body)
    except NotAPage as reason:
        return _quarantined("not_a_page", str(reason), body)
    told = pieces.beside.get("changes")
    for name, entries in (("posts", pieces.entries), ("changes", told)):
        if isinstance(entries, list) and len(entries) > MOST_ENTRIES:
            detail = f"{len(entries)} {name}, {MOST_ENTRIES} at most"
            return _quarantined(f"too_many_{name}", detail, body)
    read = [post_from(entry) for entry in pieces.entries]
    changes = [change_from(entry) for entry in sequence(told)]
    return Page(
        posts=[one for one in read if isinstance(one, Post)],
        unreadable=[one for one in (*read, *changes) if isinstance(one, Unreadable)],
        changes=[one for one in changes if isinstance(one, PostChange)],
    )


def _pieces(body: bytes) -> Pieces:
    """Read the lists; a page of changes alone is one without posts.

    Raises:
        NotAPage: it has neither list.
    """
    try:
        return read_page(body, "posts")
    except NotAPage:
        changes = read_page(body, "changes")
        if "posts" in changes.beside:
            raise
        return Pieces([], {"changes": changes.entries})


def _quarantined(code: str, detail: str, body: bytes) -> Page:
    return Page(unreadable=(Unreadable(code, detail, shown(body.decode("utf-8", "replace"))),))


def post_from(entry: Any) -> Post | Unreadable:  # noqa: ANN401 - any JSON
    """Understand one post, or say why that is not possible."""
    if isinstance(entry, Unreadable):
        return entry
    try:
        return _post(mapping(entry))
    except NotUnderstood as reason:
        return reason.unreadable(entry, words(mapping(entry).get("external_id"), LONGEST_ID))


def _post(entry: dict[str, Any]) -> Post:
    external_id = required(entry.get("external_id"), "external_id")
    media = media_from(entry.get("media"))
    return Post(
        external_id=external_id,
        author=_author(entry.get("author")),
        text=_text(entry.get("text"), may_be_empty=bool(media)),
        created_at=_created_at(entry.get("created_at")),
        visibility=_visibility(entry.get("visibility")),
        in_reply_to=words(entry.get("in_reply_to"), LONGEST_ID),
        thread_root=words(entry.get("thread_root"), LONGEST_ID),
        url=web_address(entry.get("url")),
        media=media,
        language=words(entry.get("language"), 35),
        location=location_from(entry.get("location")),
        source_application=words(entry.get("source_application"), 200),
        is_own=words(entry.get("reply_id"), LONGEST_ID) is not None,
        own_reply_id=words(entry.get("reply_id"), LONGEST_ID),
    )


def _author(value: Any) -> Author:  # noqa: ANN401
    author = mapping(value)
    verified = author.get("verified")
    return Author(
        external_id=required(author.get("external_id"), "author"),
        handle=words(author.get("handle"), 200),
        name=words(author.get("name"), 200),
        avatar_url=web_address(author.get("avatar_url")),
        followers=count(author.get("followers")),
        language=words(author.get("language"), 35),
        location=words(author.get("location"), 200),
        verified=verified if isinstance(verified, bool) else None,
        created_at=instant(author.get("created_at")),
    )


def _text(value: Any, *, may_be_empty: bool) -> str:  # noqa: ANN401
    if value is None and may_be_empty:
        return ""
    text = said(value)
    if not text and not may_be_empty:
        raise NotUnderstood("empty_post", "text: may be empty only with media")
    return text


def _created_at(value: Any) -> int:  # noqa: ANN401
    if value is None:
        return time.time_ns() // 1_000_000
    moment = instant(value)
    if moment is None:
        raise NotUnderstood("created_at_unreadable", "created_at is an RFC 3339 time")
    return moment


def _visibility(value: Any) -> Visibility:  # noqa: ANN401
    try:
        return Visibility(value or Visibility.PUBLIC)
    except ValueError:
        raise NotUnderstood("unknown_visibility", "visibility is public or private") from None


def change_from(entry: Any) -> PostChange | Unreadable:  # noqa: ANN401 - any JSON
    """Understand an edit or a deletion, or say why that is not possible."""
    if isinstance(entry, Unreadable):
        return entry
    change = mapping(entry)
    try:
        external_id = required(change.get("external_id"), "external_id")
        kind = PostChangeKind(str(change.get("kind")))
        is_edit = kind is PostChangeKind.EDITED
        text = _text(change.get("text"), may_be_empty=True) if is_edit else None
        return PostChange(external_id, kind, _created_at(change.get("at")), text)
    except ValueError:
        return Unreadable("unknown_change", "kind is edited or deleted", shown(entry))
    except NotUnderstood as reason:
        return reason.unreadable(entry, words(change.get("external_id"), LONGEST_ID))

"""Bluesky's wire format: records and views as Parley's posts, replies as records that never change.

Lexicons: `app.bsky.feed.post`, `app.bsky.notification.listNotifications`, `chat.bsky.convo.defs`.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from connectors.fields import (
    LONGEST_TEXT,
    NotUnderstood,
    count,
    instant,
    mapping,
    required,
    rfc_3339,
    sequence,
    web_address,
    words,
)
from connectors.said import said
from conversations.model import Author, Instant, Media, Post, PostKind, Unreadable, Visibility
from conversations.replies import Reply

POST = "app.bsky.feed.post"
LIKE_OR_REPOST = {
    "like": PostKind.LIKE,
    "like-via-repost": PostKind.LIKE,
    "repost": PostKind.REPOST,
    "repost-via-repost": PostKind.REPOST,
}
WORDS_FOR_US = frozenset({"mention", "reply", "quote"})
LONGEST_URI = 500
MICROSECONDS = 1_000

_LETTERS = "234567abcdefghijklmnopqrstuvwxyz"
_TID_LENGTH = 13
_CLOCK_BITS = 10
_LINK = re.compile(r"https?://[^\s<>\"]+")
_TAG = re.compile(r"(?<![\w#&/])#(?!\d+\b)(\w[\w\-]{0,63})")
_AFTER_LINK = ".,;:!?'\"”’»"  # noqa: RUF001 - closing marks of other languages
_CDN = "https://cdn.bsky.app/img/feed_fullsize/plain"
Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Ourselves:
    """Who the brand is there, and where pictures are: with the CDN, or with its own server."""

    did: str
    handle: str
    blobs_at: str | None = None


def tid(micros: int, clock: int) -> str:
    """Return the record key of a moment: sortable, 13 letters."""
    number = (micros << _CLOCK_BITS | clock) & (1 << 63) - 1
    return "".join(_LETTERS[number >> 5 * k & 31] for k in reversed(range(_TID_LENGTH)))


def record_key(reply: Reply) -> str:
    """Return the reply's record key: of its time and its id, so the same for every attempt."""
    drawn = int.from_bytes(hashlib.sha256(reply.id.encode()).digest()[:8])
    micros = max(0, reply.created_at) * MICROSECONDS + drawn % MICROSECONDS
    return tid(micros, drawn // MICROSECONDS % (1 << _CLOCK_BITS))


def record_of(
    reply: Reply, refs: dict[str, Any] | None, embed: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the post to write; nothing in it depends on the attempt."""
    record: dict[str, Any] = {
        "$type": POST,
        "text": reply.text,
        "createdAt": rfc_3339(max(0, reply.created_at)),
    }
    if facets := facets_of(reply.text, reply.to_handle, reply.to_external_id):
        record["facets"] = facets
    if refs is not None:
        record["reply"] = refs
    if embed is not None:
        record["embed"] = embed
    return record


def facets_of(text: str, handle: str | None, did: str) -> list[dict[str, Any]]:
    """Return what is to be clicked in a text: links, tags and the customer, by bytes of UTF-8."""
    found: list[tuple[int, int, dict[str, Any]]] = []
    for link in _LINK.finditer(text):
        uri = link.group().rstrip(_AFTER_LINK)
        if uri.endswith(")") and uri.count("(") < uri.count(")"):
            uri = uri[:-1]
        end = link.start() + len(uri)
        found.append((link.start(), end, _feature("link", uri=uri)))
    found += [(*tag.span(), _feature("tag", tag=tag.group(1))) for tag in _TAG.finditer(text)]
    bare = (handle or "").removeprefix("@")
    if bare and did.startswith("did:"):
        pattern = rf"(?<![\w@/])@{re.escape(bare)}(?![\w@]|[.-]\w)"
        named = re.finditer(pattern, text, re.IGNORECASE)
        found += [(*mention.span(), _feature("mention", did=did)) for mention in named]
    facets, reached = [], 0
    for begin, end, feature in sorted(found, key=lambda one: one[:2]):
        if begin < reached or end <= begin:
            continue
        reached = end
        index = {"byteStart": len(text[:begin].encode()), "byteEnd": len(text[:end].encode())}
        facets.append({"index": index, "features": [feature]})
    return facets


def _feature(kind: str, **what: str) -> dict[str, Any]:
    return {"$type": f"app.bsky.richtext.facet#{kind}", **what}


def guarded(entry: object, read: Callable[[], Read]) -> Read | Unreadable:
    """Understand an entry, or say why that is not possible."""
    try:
        return read()
    except NotUnderstood as reason:
        return reason.unreadable(entry, words(mapping(entry).get("uri"), LONGEST_URI))


def notification_from(entry: object, ours: Ourselves) -> Post | Unreadable | None:
    """Understand a notification; None when it is about no post: a follower, a verification."""
    told = mapping(entry)
    reason = told.get("reason")
    if not told or not isinstance(reason, str):
        return NotUnderstood("not_a_notification", "it has no reason").unreadable(entry)
    if reason in WORDS_FOR_US:
        return guarded(entry, lambda: post_from(told, ours, is_for_us=True))
    if reason in LIKE_OR_REPOST:
        return guarded(entry, lambda: _pointed(told, LIKE_OR_REPOST[reason], ours))
    return None


def view_from(entry: object, ours: Ourselves, *, is_for_us: bool) -> Post | Unreadable:
    """Understand a post's view, from search or from a thread."""
    return guarded(entry, lambda: post_from(mapping(entry), ours, is_for_us=is_for_us))


def post_from(view: dict[str, Any], ours: Ourselves, *, is_for_us: bool) -> Post:
    """Understand a view of a post: its record, who wrote it, where and when.

    Raises:
        NotUnderstood: it lacks what every post has.
    """
    uri = required(view.get("uri"), "uri", LONGEST_URI)
    record = mapping(view.get("record"))
    if not record:
        raise NotUnderstood("record_missing", "a post has a record")
    author = author_from(view.get("author"))
    reply = mapping(record.get("reply"))
    embed = mapping(record.get("embed"))
    is_quote = str(embed.get("$type")).startswith("app.bsky.embed.record")
    text = _with_links(said(record.get("text")), record.get("facets"))
    return Post(
        external_id=uri,
        author=author,
        text=text,
        created_at=_created_at(record, view),
        in_reply_to=words(mapping(reply.get("parent")).get("uri"), LONGEST_URI),
        thread_root=words(mapping(reply.get("root")).get("uri"), LONGEST_URI),
        url=web_url(uri),
        media=_media(embed, author.external_id, ours),
        language=_first_language(record),
        is_own=author.external_id == ours.did,
        mentions=(ours.handle,) if is_for_us or ours.did in _mentioned(record) else (),
        kind=PostKind.QUOTE if is_quote else PostKind.POST,
    )


def _pointed(told: dict[str, Any], kind: PostKind, ours: Ourselves) -> Post:
    author = author_from(told.get("author"))
    return Post(
        external_id=required(told.get("uri"), "uri", LONGEST_URI),
        author=author,
        text="",
        created_at=_created_at(mapping(told.get("record")), told),
        in_reply_to=words(told.get("reasonSubject"), LONGEST_URI),
        is_own=author.external_id == ours.did,
        mentions=(ours.handle,),
        kind=kind,
    )


def _created_at(record: dict[str, Any], view: dict[str, Any]) -> Instant:
    """Return when it was written, but never later than it was seen: authors' clocks go wrong."""
    written, seen = instant(record.get("createdAt")), instant(view.get("indexedAt"))
    known = [moment for moment in (written, seen) if moment is not None and moment > 0]
    if not known:
        raise NotUnderstood("created_at_unreadable", "createdAt is an RFC 3339 time")
    return min(known)


def author_from(value: object) -> Author:
    """Understand a profile, detailed or not."""
    profile = mapping(value)
    if not profile:
        raise NotUnderstood("author_missing", "a post has an author")
    verification = mapping(profile.get("verification"))
    return Author(
        external_id=required(profile.get("did"), "did"),
        handle=words(profile.get("handle"), 253),
        name=words(profile.get("displayName"), 640),
        avatar_url=web_address(profile.get("avatar")),
        followers=count(profile.get("followersCount")),
        verified=True if verification.get("verifiedStatus") == "valid" else None,
        created_at=instant(profile.get("createdAt")),
    )


def message_from(
    convo_id: str, entry: object, profiles: dict[str, Author], ours: Ourselves
) -> Post | Unreadable:
    """Understand a chat message; its id is only unique inside its conversation."""

    def read() -> Post:
        message = mapping(entry)
        did = required(mapping(message.get("sender")).get("did"), "sender")
        answered = words(mapping(message.get("replyTo")).get("id"), 100)
        sent_at = instant(message.get("sentAt"))
        if sent_at is None:
            raise NotUnderstood("sent_at_unreadable", "sentAt is an RFC 3339 time")
        return Post(
            external_id=f"{convo_id}:{required(message.get('id'), 'id', 100)}",
            author=profiles.get(did) or Author(did),
            text=_with_links(said(message.get("text")), message.get("facets")),
            created_at=sent_at,
            visibility=Visibility.PRIVATE,
            in_reply_to=f"{convo_id}:{answered}" if answered else None,
            thread_root=convo_id,
            is_own=did == ours.did,
            mentions=(ours.handle,),
        )

    return guarded(entry, read)


def convo_id_of(external_id: str | None) -> str | None:
    """Return the conversation that a message is in; None when it is a public post."""
    if external_id is None or external_id.startswith("at://") or ":" not in external_id:
        return None
    return external_id.partition(":")[0]


def parts_of(uri: str) -> tuple[str, str, str] | None:
    """Return repository, collection and key of an `at://` address."""
    parts = uri.removeprefix("at://").split("/")
    is_ours = uri.startswith("at://did:") and len(parts) == 3 and all(parts)  # noqa: PLR2004
    return (parts[0], parts[1], parts[2]) if is_ours else None


def web_url(uri: str) -> str | None:
    parts = parts_of(uri)
    if parts is None or parts[1] != POST:
        return None
    return f"https://bsky.app/profile/{parts[0]}/post/{parts[2]}"


def _first_language(record: dict[str, Any]) -> str | None:
    return next((words(one, 35) for one in sequence(record.get("langs"), 3)), None)


def _mentioned(record: dict[str, Any]) -> set[str]:
    features = [
        mapping(feature)
        for facet in sequence(record.get("facets"), 500)
        for feature in sequence(mapping(facet).get("features"), 10)
    ]
    return {str(one.get("did")) for one in features if isinstance(one.get("did"), str)}


def _with_links(text: str, facets: object) -> str:
    """Write links in full where only their beginning is shown."""
    raw = text.encode()
    spans: list[tuple[int, int, str]] = []
    for facet in map(mapping, sequence(facets, 500)):
        index = mapping(facet.get("index"))
        begin, end = count(index.get("byteStart")), count(index.get("byteEnd"))
        features = map(mapping, sequence(facet.get("features"), 10))
        uri = next((web_address(one.get("uri")) for one in features if one.get("uri")), None)
        if uri and begin is not None and end is not None and begin < end <= len(raw):
            spans.append((begin, end, uri))
    reached = len(raw)
    for begin, end, uri in sorted(spans, reverse=True):
        if end > reached or _is_shown(raw[begin:end], uri):
            continue
        reached = begin
        raw = raw[:begin] + uri.encode() + raw[end:]
    whole = raw.decode("utf-8", "replace")
    return whole if len(whole) <= LONGEST_TEXT else text


def _is_shown(shown: bytes, uri: str) -> bool:
    bare = uri.partition("://")[2].rstrip("/")
    return shown.decode("utf-8", "replace").rpartition("://")[2].rstrip("/") == bare


def _media(embed: dict[str, Any], did: str, ours: Ourselves) -> tuple[Media, ...]:
    inner = mapping(embed.get("media")) or embed
    found: list[Media] = []
    for image in map(mapping, sequence(inner.get("images"), 20)):
        found += _blob("image", image.get("image"), image.get("alt"), (did, ours))
    found += _blob("video", inner.get("video"), inner.get("alt"), (did, ours))
    external = mapping(inner.get("external"))
    if link := web_address(external.get("uri")):
        found.append(Media("link", link, words(external.get("title"), 5_000)))
    return tuple(found)


def _blob(kind: str, blob: object, alt: object, of: tuple[str, Ourselves]) -> list[Media]:
    cid = words(mapping(mapping(blob).get("ref")).get("$link"), 200)
    if cid is None or not cid.isalnum():
        return []
    did, ours = of
    if ours.blobs_at is None and kind == "image":
        url = f"{_CDN}/{did}/{cid}@jpeg"
    elif ours.blobs_at is None:
        url = f"https://video.bsky.app/watch/{did}/{cid}/playlist.m3u8"
    else:
        url = f"{ours.blobs_at}/xrpc/com.atproto.sync.getBlob?did={did}&cid={cid}"
    return [Media(kind, url, words(alt, 5_000), words(mapping(blob).get("mimeType"), 100))]

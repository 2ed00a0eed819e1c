"""Slack's messages as Parley's posts and changes."""

import html
import re
from dataclasses import dataclass
from typing import TypeAlias

from connectors.fields import NotUnderstood, mapping, required, sequence, web_address, words
from connectors.said import said
from conversations.model import (
    Author,
    Instant,
    Media,
    Post,
    PostChange,
    PostChangeKind,
    Unreadable,
    Visibility,
)

METADATA_TYPE = "parley_reply"
SPOKEN = frozenset({None, "", "bot_message", "file_share", "me_message", "thread_broadcast"})
"""Subtypes of messages that somebody wrote; all others tell of joins, topics and the like."""

Piece: TypeAlias = Post | PostChange | Unreadable

_TS = re.compile(r"([0-9]{1,11})\.([0-9]{6})")
_LINK = re.compile(r"<([^<>]{1,3000})>")
_KINDS = frozenset({"image", "video", "audio"})


@dataclass(frozen=True, slots=True)
class Chat:
    """Where messages are, who we are, and what people are called."""

    id: str
    visibility: Visibility
    us: str
    names: dict[str, str]


def joined_id(chat: str, ts: str) -> str:
    return f"{chat}:{ts}"


def split_id(external_id: str | None) -> tuple[str, str] | None:
    """Return the channel and the moment of a post; None when it is none of this network's."""
    chat, _, ts = (external_id or "").partition(":")
    return (chat, ts) if chat and _TS.fullmatch(ts) else None


def instant_of(ts: object) -> Instant | None:
    """Read a moment, which is the message's name too."""
    found = _TS.fullmatch(ts) if isinstance(ts, str) else None
    return int(found[1]) * 1_000 + int(found[2]) // 1_000 if found else None


def ts_of(moment: Instant) -> str:
    return f"{moment // 1_000}.{moment % 1_000:03}000"


def visibility_of(channel_type: object, chat: str) -> Visibility:
    """Return whether everybody in the workspace can see it."""
    if channel_type == "channel" or (channel_type is None and chat.startswith("C")):
        return Visibility.PUBLIC
    return Visibility.PRIVATE


def piece_of(message: object, chat: Chat) -> Piece | None:
    """Understand a message or what became of one; None for what nobody said."""
    values = mapping(message)
    ts = values.get("ts")
    try:
        return _piece_of(values, chat)
    except NotUnderstood as reason:
        is_named = instant_of(ts) is not None
        return reason.unreadable(message, joined_id(chat.id, str(ts)) if is_named else None)


def _piece_of(values: dict[str, object], chat: Chat) -> Piece | None:
    subtype = values.get("subtype")
    if subtype == "message_deleted":
        gone = required(values.get("deleted_ts"), "deleted_ts", 30)
        at = _moment(values.get("event_ts") or values.get("ts"))
        return PostChange(joined_id(chat.id, gone), PostChangeKind.DELETED, at)
    if subtype == "message_changed":
        return _edit(values, chat)
    if subtype not in SPOKEN and subtype is not None:
        return None
    return _post(values, chat)


def _edit(values: dict[str, object], chat: Chat) -> PostChange | None:
    """Return an edit; a link that was unfolded changes a message, but not its words."""
    now, before = mapping(values.get("message")), mapping(values.get("previous_message"))
    ts = required(now.get("ts"), "ts", 30)
    at = _moment(values.get("event_ts") or values.get("ts"))
    if now.get("subtype") == "tombstone":
        return PostChange(joined_id(chat.id, ts), PostChangeKind.DELETED, at)
    if before and before.get("text") == now.get("text"):
        return None
    text = plain(said(now.get("text")), chat.names)
    return PostChange(joined_id(chat.id, ts), PostChangeKind.EDITED, at, text)


def _post(values: dict[str, object], chat: Chat) -> Post:
    at, ts = _moment(values.get("ts")), str(values.get("ts"))
    writer = required(values.get("user") or values.get("bot_id"), "user", 64)
    root = values.get("thread_ts")
    is_answer = instant_of(root) is not None and root != ts
    is_own = writer == chat.us
    text = values.get("text")
    return Post(
        external_id=joined_id(chat.id, ts),
        author=Author(writer, writer, chat.names.get(writer) or words(values.get("username"), 200)),
        text=plain(said("" if text is None else text), chat.names),
        created_at=at,
        visibility=chat.visibility,
        in_reply_to=joined_id(chat.id, str(root)) if is_answer else None,
        thread_root=joined_id(chat.id, str(root)) if is_answer else None,
        media=_media(values),
        is_own=is_own,
        own_reply_id=reply_id_of(values) if is_own else None,
        mentions=_mentions(text, chat),
    )


def reply_id_of(values: dict[str, object]) -> str | None:
    """Return of which reply a message of ours says that it is."""
    metadata = mapping(values.get("metadata"))
    if metadata.get("event_type") != METADATA_TYPE:
        return None
    return words(mapping(metadata.get("event_payload")).get("reply_id"))


def _moment(ts: object) -> Instant:
    at = instant_of(ts)
    if at is None:
        raise NotUnderstood("ts_unreadable", "ts is seconds with six decimals")
    return at


def _media(values: dict[str, object]) -> tuple[Media, ...]:
    found = []
    for file in map(mapping, sequence(values.get("files"), 20)):
        url = web_address(file.get("url_private"))
        mime_type = words(file.get("mimetype"), 100)
        kind = (mime_type or "").partition("/")[0]
        alt = words(file.get("alt_txt"), 5_000) or words(file.get("title"), 5_000)
        if url is not None:
            found.append(Media(kind if kind in _KINDS else "file", url, alt, mime_type))
    return tuple(found)


def _mentions(text: object, chat: Chat) -> tuple[str, ...]:
    """Return whom the message names, and us where it can be for nobody else."""
    named = re.findall(r"<@([A-Z0-9]{1,30})(?:\|[^>]*)?>", text) if isinstance(text, str) else []
    if chat.visibility is Visibility.PRIVATE:
        named.append(chat.us)
    return tuple(dict.fromkeys(named))


def plain(text: str, names: dict[str, str]) -> str:
    """Return a text without Slack's marks: people by name, links as they are, no entities."""
    return html_free(_LINK.sub(lambda found: _unfolded(found[1], names), text))


def html_free(text: str) -> str:
    """Undo the three escapes that Slack knows, and no others."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _unfolded(inner: str, names: dict[str, str]) -> str:
    target, _, label = inner.partition("|")
    if target.startswith("@"):
        return "@" + (names.get(target[1:]) or label or target[1:])
    if target.startswith("#"):
        return "#" + (label or target[1:])
    if target.startswith("!"):
        return label or "@" + target[1:].partition("^")[0]
    address = target.removeprefix("mailto:")
    return f"{label} ({address})" if label and label not in {target, address} else address


def escaped(text: str) -> str:
    """Return words of ours so that Slack shows them as they are."""
    return html.escape(text, quote=False)


def people_in(message: object) -> set[str]:
    """Return who wrote the message and whom it names, to ask what they are called."""
    values = mapping(message)
    inner = mapping(values.get("message"))
    people: set[str] = set()
    for one in (values, inner):
        text, user = one.get("text"), words(one.get("user"), 30)
        people |= {user} if user else set()
        if isinstance(text, str):
            people |= set(re.findall(r"<@([A-Z0-9]{1,30})", text))
    return people

"""Telegram's updates as posts and edits; ids are of a chat and a message in it."""

import re
from collections.abc import Mapping
from typing import Any, Final

from connectors.fields import NotUnderstood, mapping, sequence, words
from connectors.said import said
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

MESSAGES: Final = ("message", "channel_post")
EDITS: Final = ("edited_message", "edited_channel_post")
ALLOWED_UPDATES: Final = [*MESSAGES, *EDITS]
_MEDIA: Final = {
    "animation": "video",
    "audio": "audio",
    "document": "file",
    "photo": "image",
    "sticker": "image",
    "video": "video",
    "video_note": "video",
    "voice": "audio",
}
_TOLD: Final = ("contact", "dice", "game", "invoice", "location", "paid_media", "poll", "story")
_SERVICE = re.compile(
    r"new_chat_|left_chat_|delete_chat_|group_chat_|supergroup_chat_|channel_chat_|migrate_|pinned_"
    r"|forum_topic_|general_forum_|video_chat_|giveaway|message_auto_delete|boost_added|chat_"
    r"|users_shared|write_access_|proximity_|connected_website|successful_payment|refunded_payment"
)
_EXTERNAL_ID = re.compile(r"(-?\d{1,19}):(\d{1,19})")
_LATEST_S: Final = 253_402_300_799
_BEYOND_BMP: Final = 0xFFFF
_SUPERGROUP: Final = "-100"


def external_id(chat_id: int, message_id: int) -> str:
    return f"{chat_id}:{message_id}"


def chat_and_message(text: str | None) -> tuple[int, int] | None:
    """Read an external id of ours; None when it is none."""
    found = _EXTERNAL_ID.fullmatch(text or "")
    return (int(found[1]), int(found[2])) if found else None


def understood(update: object, bot_id: str) -> Post | PostChange | Unreadable | None:
    """Understand one update; None when nobody said anything in it."""
    told = mapping(update)
    known = None
    try:
        for name in MESSAGES:
            if name in told:
                known = _id_of(mapping(told[name]))
                return _post(mapping(told[name]), known, bot_id)
        for name in EDITS:
            if name in told:
                known = _id_of(mapping(told[name]))
                return _edit(mapping(told[name]), known)
    except NotUnderstood as reason:
        return reason.unreadable(update, known)
    if not told:
        return Unreadable("not_an_object", "an update is an object", str(update)[:1_000])
    return None


def _id_of(message: Mapping[str, Any]) -> str:
    chat_id, message_id = mapping(message.get("chat")).get("id"), message.get("message_id")
    if type(chat_id) is not int or type(message_id) is not int or message_id < 0:
        raise NotUnderstood("id_missing", "a message has a chat and a number in it")
    return external_id(chat_id, message_id)


def _post(message: Mapping[str, Any], known: str, bot_id: str) -> Post | None:
    chat, author = mapping(message["chat"]), _author(message)
    media, text = _media(message, known), _text(message)
    if not text and not media:
        if any(_SERVICE.match(name) for name in message):
            return None
        raise NotUnderstood("content_unknown", "the message holds nothing that is known")
    is_private = chat.get("type") == "private"
    answered = mapping(message.get("reply_to_message")).get("message_id")
    topic = message.get("message_thread_id")
    return Post(
        external_id=known,
        author=author,
        text=text,
        created_at=_moment(message.get("date"), "date"),
        visibility=Visibility.PRIVATE if is_private else Visibility.PUBLIC,
        in_reply_to=external_id(chat["id"], answered) if type(answered) is int else None,
        thread_root=external_id(chat["id"], topic) if type(topic) is int else None,
        url=None if is_private else _url(chat, message["message_id"]),
        media=media,
        language=author.language,
        location=_location(message.get("location")),
        is_own=author.external_id == bot_id,
    )


def _edit(message: Mapping[str, Any], known: str) -> PostChange:
    at = message.get("edit_date") or message.get("date")
    return PostChange(known, PostChangeKind.EDITED, _moment(at, "edit_date"), _text(message))


def _author(message: Mapping[str, Any]) -> Author:
    """Return who wrote it: a person, or the chat in whose name it was written."""
    chat, person = mapping(message.get("sender_chat")), mapping(message.get("from"))
    told = chat or person or mapping(message.get("chat"))
    if type(told.get("id")) is not int:
        raise NotUnderstood("author_missing", "a message has an author")
    parts = (words(told.get(name), 100) for name in ("title", "first_name", "last_name"))
    return Author(
        external_id=str(told["id"]),
        handle=words(told.get("username"), 200),
        name=" ".join(part for part in parts if part) or None,
        language=words(told.get("language_code"), 35),
    )


def _text(message: Mapping[str, Any]) -> str:
    """Return the words, with the addresses behind them."""
    is_text = "text" in message
    text = said(message.get("text" if is_text else "caption", ""))
    marks = message.get("entities" if is_text else "caption_entities")
    links = [mapping(one) for one in sequence(marks)]
    for link in sorted(links, key=_end_of, reverse=True):
        url = words(link.get("url"), 2_000)
        if link.get("type") == "text_link" and url:
            at = _position(text, _end_of(link))
            text = f"{text[:at]} ({url}){text[at:]}"
    return said(text)


def _end_of(link: Mapping[str, Any]) -> int:
    offset, length = link.get("offset"), link.get("length")
    return offset + length if type(offset) is int and type(length) is int else 0


def _position(text: str, units: int) -> int:
    """Return where so many UTF-16 units end, in which Telegram counts."""
    for at, letter in enumerate(text):
        if units <= 0:
            return at
        units -= 1 + (ord(letter) > _BEYOND_BMP)
    return len(text)


def _media(message: Mapping[str, Any], known: str) -> tuple[Media, ...]:
    """Name what is attached; links to files hold the bot's token, so there are none."""
    found = []
    for name, kind in _MEDIA.items():
        if name in message:
            value = message[name]
            file = mapping(sequence(value)[-1] if sequence(value) else value)
            alt = words(file.get("file_name"), 200) or words(file.get("emoji"), 20)
            mime = words(file.get("mime_type"), 100)
            found.append(Media(kind, f"telegram:{known}/{name}", alt, mime))
    found += [
        Media(name, f"telegram:{known}/{name}", words(_told(message[name]), 500))
        for name in _TOLD
        if name in message
    ]
    return tuple(found)


def _told(value: object) -> str | None:
    """Say in words what is neither text nor file: a contact, a poll's question, a title."""
    told = mapping(value)
    names = ("question", "title", "first_name", "last_name", "phone_number", "emoji")
    return " ".join(str(told[name]) for name in names if isinstance(told.get(name), str)) or None


def _location(value: object) -> Location | None:
    lat, lon = mapping(value).get("latitude"), mapping(value).get("longitude")
    if not isinstance(lat, int | float) or not isinstance(lon, int | float):
        return None
    is_on_earth = abs(lat) <= 90 and abs(lon) <= 180  # noqa: PLR2004
    return Location(lat=float(lat), lon=float(lon)) if is_on_earth else None


def _url(chat: Mapping[str, Any], message_id: int) -> str | None:
    name, chat_id = words(chat.get("username"), 100), str(chat["id"])
    if name and re.fullmatch(r"\w+", name):
        return f"https://t.me/{name}/{message_id}"
    if chat_id.startswith(_SUPERGROUP):
        return f"https://t.me/c/{chat_id.removeprefix(_SUPERGROUP)}/{message_id}"
    return None


def _moment(value: object, name: str) -> Instant:
    if type(value) is not int or not 0 <= value <= _LATEST_S:
        raise NotUnderstood(f"{name}_unreadable", f"{name} is seconds since 1970")
    return value * 1000

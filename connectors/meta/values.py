"""Values as Meta writes them: times in seconds, in milliseconds and in words, ids, pictures."""

import re
from collections.abc import Iterable
from typing import Any

from connectors.fields import NotUnderstood, instant, mapping, sequence, web_address, words
from conversations.model import Author, Instant, Media

PUBLIC_ID = re.compile(r"[0-9]{1,40}(?:_[0-9]{1,40}){0,3}")
"""What a post or a comment is called; the ids of private messages look otherwise."""

_FIRST_IN_MILLISECONDS = 100_000_000_000
_LAST_MOMENT = 253_402_300_800_000
_UNSHOWN = "(a message that {network} does not show to other applications)"


def moment(value: object) -> Instant | None:
    """Read a time; small numbers are seconds."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 16:  # noqa: PLR2004
        value = int(value)
    if type(value) is int:
        found = value if value >= _FIRST_IN_MILLISECONDS else value * 1000
        return found if 0 <= found < _LAST_MOMENT else None
    return instant(value)


def required_moment(*values: object) -> Instant:
    """Return the first value that is a time.

    Raises:
        NotUnderstood: none is.
    """
    for value in values:
        found = moment(value)
        if found is not None:
            return found
    raise NotUnderstood("created_at_unreadable", "there is no time that could be read")


def identifier(value: object) -> str | None:
    """Return an id, which is a text or a number."""
    if type(value) is int and value >= 0:
        return str(value)
    text = words(value, 255)
    return text if text and text.strip() else None


def required_id(value: object, name: str) -> str:
    found = identifier(value)
    if found is None:
        raise NotUnderstood(f"{name}_missing", f"{name} is an id of 1 to 255 characters")
    return found


def author_of(value: object) -> Author:
    """Read who said it.

    Raises:
        NotUnderstood: nobody is named.
    """
    person = mapping(value)
    external_id = identifier(person.get("id"))
    if external_id is None:
        raise NotUnderstood("author_missing", "a post has an author with an id")
    return Author(
        external_id=external_id,
        handle=words(person.get("username"), 200),
        name=words(person.get("name"), 200),
    )


def pictures(kind: str, *values: object) -> tuple[Media, ...]:
    """Return media of which only the address is known."""
    addresses = [web_address(value) for value in values]
    return tuple(Media(kind, address) for address in addresses if address)


def event_media(value: object) -> tuple[Media, ...]:
    """Read the attachments of a message that was brought by a webhook."""
    found = []
    for attachment in sequence(value, 100):
        one = mapping(attachment)
        payload = mapping(one.get("payload"))
        kind = words(one.get("type"), 30) or "file"
        if payload.get("sticker_id") or one.get("sticker_id"):
            kind = "sticker"
        address = web_address(payload.get("url")) or web_address(one.get("url"))
        if address:
            title = words(payload.get("title") or one.get("title"), 5_000)
            found.append(Media(kind, address, title))
    return tuple(found)


def listed_media(entry: dict[str, Any]) -> tuple[Media, ...]:
    """Read the attachments of a message that was asked for."""
    found: list[Media] = list(pictures("sticker", entry.get("sticker")))
    for attachment in sequence(mapping(entry.get("attachments")).get("data"), 100):
        one = mapping(attachment)
        mime_type = words(one.get("mime_type"), 100)
        for kind, address in _addresses(one):
            found.append(Media(kind, address, words(one.get("name"), 5_000), mime_type))
    for share in sequence(mapping(entry.get("shares")).get("data"), 100):
        found += pictures("share", mapping(share).get("link"))
    story = mapping(entry.get("story"))
    found += pictures("story_mention", mapping(story.get("mention")).get("link"))
    found += pictures("story", mapping(story.get("reply_to")).get("link"))
    return tuple(found)


def _addresses(attachment: dict[str, Any]) -> Iterable[tuple[str, str]]:
    places = {
        "image": mapping(attachment.get("image_data")).get("url"),
        "video": mapping(attachment.get("video_data")).get("url"),
        "file": attachment.get("file_url"),
    }
    for kind, value in places.items():
        address = web_address(value)
        if address:
            yield kind, address


def unshown(network: str) -> str:
    """Return what stands for a message whose words are kept from us."""
    return _UNSHOWN.format(network=network)

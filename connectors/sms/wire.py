"""Text messages in Twilio's shape: what its webhook and its list say, as Parley's posts."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from connectors.fields import NotUnderstood, mapping, required, shown, web_address, words
from connectors.said import said
from conversations.model import Author, Instant, Location, Media, Post, Unreadable, Visibility

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST_MEDIA = 10
_KINDS = frozenset({"image", "video", "audio"})


@dataclass(frozen=True, slots=True)
class Listed:
    """A message of the list: what it is known by, when it came, and what was said of it."""

    key: str
    at: Instant
    raw: object


def listed(entry: object, near: Instant) -> Listed:
    """Place a message; one without a readable time stands beside its neighbour."""
    values = mapping(entry)
    key = words(values.get("sid"), 64) or hashlib.sha256(shown(entry).encode()).hexdigest()[:34]
    at = _time_of(values)
    return Listed(key, near if at is None else at, entry)


def _time_of(values: Mapping[str, object]) -> Instant | None:
    created = instant(values.get("date_created"))
    return instant(values.get("date_sent")) if created is None else created


def instant(value: object) -> Instant | None:
    """Read the time of RFC 2822, to the second, that Twilio writes."""
    if not isinstance(value, str):
        return None
    try:
        moment = parsedate_to_datetime(value)
        return (moment.replace(tzinfo=moment.tzinfo or UTC) - EPOCH) // timedelta(milliseconds=1)
    except (TypeError, ValueError, OverflowError):
        return None


def post_of_listed(one: Listed, media: tuple[Media, ...]) -> Post | Unreadable:
    """Understand an incoming message of the list, or say why that is not possible."""
    try:
        return replace(_post_of_listed(mapping(one.raw)), media=media)
    except NotUnderstood as reason:
        return reason.unreadable(one.raw, one.key)


def _post_of_listed(values: Mapping[str, object]) -> Post:
    at, body = _time_of(values), values.get("body")
    if at is None:
        raise NotUnderstood("created_at_unreadable", "date_created is a time of RFC 2822")
    text = said("" if body is None else body)
    post = _post(values.get("sid"), values.get("from"), text, at)
    return replace(post, mentions=_mentions(values.get("to")))


def post_of_form(form: Mapping[str, str], now: Instant) -> Post | Unreadable:
    """Understand what the webhook brought; it says no time, so that is the moment it came."""
    sid = sid_of(form)
    try:
        post = _post(sid, form.get("From"), said(form.get("Body", "")), now)
    except NotUnderstood as reason:
        return reason.unreadable(dict(form), words(sid, 64))
    return replace(
        post,
        media=_media_of(form),
        location=_location(form),
        mentions=_mentions(form.get("To")),
    )


def sid_of(form: Mapping[str, str]) -> str | None:
    return form.get("MessageSid") or form.get("SmsSid")


def _post(sid: object, sender: object, text: str, at: Instant) -> Post:
    number = required(sender, "from")
    return Post(
        external_id=required(sid, "sid", 64),
        author=Author(external_id=number, handle=number),
        text=text,
        created_at=at,
        visibility=Visibility.PRIVATE,
    )


def _mentions(receiver: object) -> tuple[str, ...]:
    """Return whom the message is for: the number that it was sent to."""
    to = words(receiver, 200)
    return (to,) if to else ()


def _media_of(form: Mapping[str, str]) -> tuple[Media, ...]:
    found = (
        medium(form.get(f"MediaUrl{number}"), form.get(f"MediaContentType{number}"))
        for number in range(MOST_MEDIA)
    )
    return tuple(one for one in found if one is not None)


def medium(url: object, content_type: object) -> Media | None:
    """Return a picture, film, sound or file, by its content type."""
    address, mime_type = web_address(url), words(content_type, 100)
    if address is None:
        return None
    kind = (mime_type or "").partition("/")[0]
    return Media(kind if kind in _KINDS else "file", address, mime_type=mime_type)


def _location(form: Mapping[str, str]) -> Location | None:
    """Return where the sender's number is registered."""
    country, place = words(form.get("FromCountry"), 100), words(form.get("FromCity"), 200)
    region = words(form.get("FromState"), 100)
    if (country, place, region) == (None, None, None):
        return None
    return Location(country=country, place=place, region=region)

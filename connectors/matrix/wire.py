"""Matrix events as Parley's posts, changes and things that cannot be read."""

import re
from dataclasses import dataclass
from typing import TypeAlias

from connectors.fields import NotUnderstood, mapping, required, sequence, words
from connectors.matrix.calls import joined_id
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

REPLY_KEY = "parley.reply_id"
"""Where a message of ours says of which reply it is: its sender's other devices see it, too."""
LONGEST_EVENT_ID = 300
TYPES = ("m.room.message", "m.room.encrypted", "m.room.redaction", "m.sticker")

_MEDIA = {"m.image": "image", "m.video": "video", "m.audio": "audio", "m.file": "file"}
_MXC = re.compile(r"mxc://([\w.:\[\]-]{1,255})/([\w-]{1,255})")
_GEO = re.compile(r"geo:(-?\d{1,3}(?:\.\d{1,12})?),(-?\d{1,3}(?:\.\d{1,12})?)")
_LATEST = 253_402_300_800_000
"""The end of the year 9999."""

Piece: TypeAlias = Post | PostChange | Unreadable


@dataclass(frozen=True, slots=True)
class Room:
    """Where events are: the room, who may see it, who is called what there, and who we are."""

    id: str
    visibility: Visibility
    us: str
    host: str
    members: dict[str, dict[str, object]]


def piece_of(event: object, room: Room) -> Piece | None:
    """Understand an event; None for one that is no post."""
    values = mapping(event)
    event_id = words(values.get("event_id"), LONGEST_EVENT_ID)
    try:
        return _piece_of(values, room)
    except NotUnderstood as reason:
        external_id = joined_id(room.id, event_id) if event_id else None
        return reason.unreadable(event, external_id)


def _piece_of(values: dict[str, object], room: Room) -> Piece | None:
    kind = values.get("type")
    if kind == "m.room.redaction":
        return _redaction(values, room)
    if kind not in TYPES or "redacted_because" in mapping(values.get("unsigned")):
        return None
    if kind == "m.room.encrypted":
        raise NotUnderstood("encrypted", "the room is encrypted end to end: nobody can read it")
    content = mapping(values.get("content"))
    relation = mapping(content.get("m.relates_to"))
    if relation.get("rel_type") == "m.replace":
        return _edit(values, content, relation, room)
    return _post(values, content, relation, room)


def _redaction(values: dict[str, object], room: Room) -> PostChange | None:
    gone = values.get("redacts") or mapping(values.get("content")).get("redacts")
    event = words(gone, LONGEST_EVENT_ID)
    if event is None:
        return None
    return PostChange(joined_id(room.id, event), PostChangeKind.DELETED, time_of(values))


def _edit(
    values: dict[str, object], content: dict[str, object], relation: dict[str, object], room: Room
) -> PostChange:
    event = required(relation.get("event_id"), "edited_event", LONGEST_EVENT_ID)
    text = said(mapping(content.get("m.new_content")).get("body"))
    return PostChange(joined_id(room.id, event), PostChangeKind.EDITED, time_of(values), text)


def _post(
    values: dict[str, object], content: dict[str, object], relation: dict[str, object], room: Room
) -> Post:
    event_id = required(values.get("event_id"), "event_id", LONGEST_EVENT_ID)
    author = _author(values, room)
    answered, root = _answered(relation)
    is_own = author.external_id == room.us
    media = _media(values, content, room)
    return Post(
        external_id=joined_id(room.id, event_id),
        author=author,
        text=_text(content, author, answered, media),
        created_at=time_of(values),
        visibility=room.visibility,
        in_reply_to=joined_id(room.id, answered) if answered else None,
        thread_root=joined_id(room.id, root) if root else None,
        url=f"https://matrix.to/#/{room.id}/{event_id}",
        media=media,
        location=_location(content),
        is_own=is_own,
        own_reply_id=_own_reply_id(values, content) if is_own else None,
        mentions=_mentions(content, room),
    )


def _own_reply_id(values: dict[str, object], content: dict[str, object]) -> str | None:
    told = content.get(REPLY_KEY) or mapping(values.get("unsigned")).get("transaction_id")
    return words(told)


def _author(values: dict[str, object], room: Room) -> Author:
    sender = required(values.get("sender"), "sender")
    member = room.members.get(sender, {})
    return Author(
        external_id=sender,
        handle=sender,
        name=words(member.get("displayname"), 200),
        avatar_url=media_link(member.get("avatar_url"), room.host),
    )


def _answered(relation: dict[str, object]) -> tuple[str | None, str | None]:
    """Return the event that is answered and the root of the thread.

    In a thread the answered event is often only there for programs that know no threads.
    """
    event = words(mapping(relation.get("m.in_reply_to")).get("event_id"), LONGEST_EVENT_ID)
    if relation.get("rel_type") != "m.thread":
        return event, None
    root = words(relation.get("event_id"), LONGEST_EVENT_ID)
    return (root if relation.get("is_falling_back") is True or event is None else event), root


def _text(
    content: dict[str, object], author: Author, answered: str | None, media: tuple[Media, ...]
) -> str:
    body = said(content.get("body"))
    if media:
        has_caption = content.get("filename") not in {None, body}
        return body if has_caption else ""
    text = _without_quote(body) if answered else body
    if content.get("msgtype") == "m.emote":
        return f"* {author.name or author.external_id} {text}"
    return text


def _without_quote(body: str) -> str:
    """Leave out what a rich reply repeats of the message it answers."""
    if not body.startswith(("> <", "> * <")):
        return body
    lines = body.split("\n")
    first = next((n for n, line in enumerate(lines) if not line.startswith(">")), len(lines))
    return "\n".join(lines[first:]).removeprefix("\n")


def _media(values: dict[str, object], content: dict[str, object], room: Room) -> tuple[Media, ...]:
    is_sticker = values.get("type") == "m.sticker"
    kind = "image" if is_sticker else _MEDIA.get(str(content.get("msgtype")))
    url = media_link(content.get("url"), room.host)
    if kind is None or url is None:
        return ()
    mime_type = words(mapping(content.get("info")).get("mimetype"), 100)
    return (Media(kind, url, words(content.get("body"), 5_000), mime_type),)


def media_link(value: object, host: str) -> str | None:
    """Return where the homeserver shows what `mxc://server/id` names."""
    found = _MXC.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    return f"{host}/_matrix/client/v1/media/download/{found[1]}/{found[2]}"


def _location(content: dict[str, object]) -> Location | None:
    address = content.get("geo_uri")
    found = _GEO.match(address) if isinstance(address, str) else None
    if found is None or content.get("msgtype") != "m.location":
        return None
    lat, lon = float(found[1]), float(found[2])
    return Location(lat=lat, lon=lon) if abs(lat) <= 90 and abs(lon) <= 180 else None  # noqa: PLR2004


def _mentions(content: dict[str, object], room: Room) -> tuple[str, ...]:
    """Return whom the message names, and us where it can be for nobody else."""
    named = sequence(mapping(content.get("m.mentions")).get("user_ids"), 100)
    found = [one for one in named if words(one)]
    if room.visibility is Visibility.PRIVATE and room.us not in found:
        found.append(room.us)
    return tuple(found)


def time_of(values: dict[str, object]) -> Instant:
    """Return when the sender's server says that it happened.

    Raises:
        NotUnderstood: it says no time.
    """
    at = values.get("origin_server_ts")
    if type(at) is not int or not 0 <= at < _LATEST:
        raise NotUnderstood("created_at_unreadable", "origin_server_ts is in milliseconds")
    return at

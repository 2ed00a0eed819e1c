"""X's direct messages as Parley's posts, as they are listed and as they are brought."""

from typing import Any

from connectors.fields import (
    NotUnderstood,
    count,
    instant,
    mapping,
    rfc_3339,
    sequence,
    shown,
    words,
)
from connectors.x.ids import moment_of, number
from connectors.x.wire import Found, Includes, Us, author_from, medium_from, text_of
from conversations.model import Instant, Post, Unreadable, Visibility

PREFIX = "dm:"
"""Before the ids of messages and their conversations: they are no posts."""

_MESSAGE = "MessageCreate"


def message_id(external_id: str | None) -> str | None:
    """Return X's id behind one of ours; None when that is no message or conversation."""
    if external_id is None or not external_id.startswith(PREFIX):
        return None
    return external_id.removeprefix(PREFIX)


def group_of(thread_root: str | None) -> str | None:
    """Return the id of a conversation of several; one of two is known by the other one."""
    conversation_id = message_id(thread_root)
    return conversation_id if conversation_id and "-" not in conversation_id else None


def pair(one: str, other: str) -> str:
    """Return the id of the conversation of two, whoever began it."""
    return "-".join(sorted((one, other), key=lambda user_id: number(user_id) or 0))


def found_message(entry: Any, includes: Includes, us: Us) -> Found | None:  # noqa: ANN401 - any JSON
    """Understand one event of a conversation; None when nothing was said by it."""
    if isinstance(entry, Unreadable):
        return Found(0, str(hash(entry.raw)), entry)
    event = mapping(entry)
    if event.get("event_type", _MESSAGE) != _MESSAGE:
        return None
    own_number = number(event.get("id"))
    key = f"{PREFIX}{own_number or hash(shown(entry))}"
    try:
        return Found(own_number or 0, key, _message(event, includes, us))
    except NotUnderstood as reason:
        external_id = f"{PREFIX}{own_number}" if own_number else None
        return Found(own_number or 0, key, reason.unreadable(entry, external_id))


def _message(event: dict[str, Any], includes: Includes, us: Us) -> Post:
    own_number = number(event.get("id"))
    if own_number is None:
        raise NotUnderstood("id_missing", "a message has an id of 1 to 19 digits")
    sender_id = words(event.get("sender_id"), 19)
    if sender_id is None:
        raise NotUnderstood("author_missing", "a message has a sender_id")
    user = includes.users.get(sender_id, {})
    is_own = us.is_author(user, sender_id)
    keys = sequence(mapping(event.get("attachments")).get("media_keys"), 20)
    media = [includes.media[key] for key in keys if isinstance(key, str) and key in includes.media]
    links = event.get("urls") or mapping(event.get("entities")).get("urls")
    return Post(
        external_id=f"{PREFIX}{own_number}",
        author=author_from(sender_id, user),
        text=text_of(event.get("text", "" if media else None), links),
        created_at=_sent_at(event, own_number),
        visibility=Visibility.PRIVATE,
        thread_root=_conversation(event),
        media=tuple(medium for one in media if (medium := medium_from(one)) is not None),
        is_own=is_own,
        mentions=(us.handle,) if us.handle and not is_own else (),
    )


def _sent_at(event: dict[str, Any], own_number: int) -> Instant:
    moment = instant(event.get("created_at"))
    moment = moment_of(own_number) if moment is None and "created_at" not in event else moment
    if moment is None:
        raise NotUnderstood("created_at_unreadable", "created_at is an RFC 3339 time")
    return moment


def _conversation(event: dict[str, Any]) -> str | None:
    conversation_id = words(event.get("dm_conversation_id"), 39)
    if conversation_id is None:
        return None
    one, _, other = conversation_id.partition("-")
    return PREFIX + (pair(one, other) if other else conversation_id)


def modern(event: dict[str, Any], receiver_id: str | None) -> dict[str, Any]:
    """Return a brought message in the form of a listed one."""
    created = mapping(event.get("message_create"))
    message = mapping(created.get("message_data"))
    target_id = mapping(created.get("target")).get("recipient_id") or receiver_id
    sender_id = created.get("sender_id")
    modernised: dict[str, Any] = {
        "id": event.get("id"),
        "sender_id": sender_id,
        "text": message.get("text"),
        "urls": mapping(message.get("entities")).get("urls"),
    }
    milliseconds = count(number(event.get("created_timestamp")))
    if (created_at := _rfc_3339(milliseconds)) is not None:
        modernised["created_at"] = created_at
    medium = mapping(mapping(message.get("attachment")).get("media"))
    if isinstance(medium.get("id_str"), str):
        modernised["attachments"] = {"media_keys": [medium["id_str"]]}
    if isinstance(sender_id, str) and isinstance(target_id, str):
        modernised["dm_conversation_id"] = pair(sender_id, target_id)
    group = words(event.get("conversation_id"), 39) or words(message.get("conversation_id"), 39)
    if group and "-" not in group:
        modernised["dm_conversation_id"] = group
    return modernised


def _rfc_3339(milliseconds: int | None) -> str | None:
    try:
        return None if milliseconds is None else rfc_3339(milliseconds)
    except OverflowError:
        return None

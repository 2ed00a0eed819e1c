"""Posts in the shape of X's first API, as Account Activity brings them, in that of the second."""

from datetime import datetime
from typing import Any

from connectors.fields import count, mapping, rfc_3339, sequence
from connectors.x.ids import number
from conversations.model import Instant

_TIME = "%a %b %d %H:%M:%S %z %Y"


def modern_post(status: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a post and what stands beside it."""
    user, whole = mapping(status.get("user")), mapping(status.get("extended_tweet"))
    text = whole.get("full_text") or status.get("full_text") or status.get("text")
    entities = mapping(whole.get("entities")) or mapping(status.get("entities"))
    media = _media(whole) or _media(status)
    post = {
        "id": status.get("id_str"),
        "text": text,
        "author_id": user.get("id_str"),
        "lang": status.get("lang"),
        "source": _between_tags(status.get("source")),
        "in_reply_to_user_id": status.get("in_reply_to_user_id_str"),
        "referenced_tweets": _references(status),
        "attachments": {"media_keys": [one["media_key"] for one in media]},
        "entities": {
            "urls": [*sequence(entities.get("urls")), *_shortened(media)],
            "mentions": [
                {"username": mapping(one).get("screen_name")}
                for one in sequence(entities.get("user_mentions"))
            ],
        },
    }
    created_at = _created_at(status)
    if created_at is not None:
        post["created_at"] = created_at
    return post, {"users": [modern_user(user)], "media": media}


def modern_user(user: dict[str, Any]) -> dict[str, Any]:
    """Return a user; one in the newer shape is returned as it is."""
    if "screen_name" not in user:
        return mapping(user.get("data")) or user
    return {
        "id": user.get("id_str") or user.get("id"),
        "username": user.get("screen_name"),
        "name": user.get("name"),
        "location": user.get("location"),
        "verified": user.get("verified"),
        "profile_image_url": user.get("profile_image_url_https"),
        "public_metrics": {"followers_count": user.get("followers_count")},
        "created_at": _of_timestamp(user.get("created_timestamp")) or _of_words(user),
    }


def instant_of(timestamp: object) -> Instant | None:
    """Read milliseconds written as a text."""
    return count(int(str(timestamp))) if number(timestamp) is not None else None


def _created_at(status: dict[str, Any]) -> str | None:
    return _of_timestamp(status.get("timestamp_ms")) or _of_words(status)


def _of_timestamp(timestamp: object) -> str | None:
    milliseconds = instant_of(timestamp)
    try:
        return None if milliseconds is None else rfc_3339(milliseconds)
    except OverflowError:
        return None


def _of_words(fields: dict[str, Any]) -> str | None:
    """Read "Wed Oct 10 20:19:24 +0000 2018"; what is written otherwise stays as it is."""
    written = fields.get("created_at")
    if not isinstance(written, str):
        return None
    try:
        return datetime.strptime(written, _TIME).isoformat()  # noqa: DTZ007 - %z is in _TIME
    except ValueError:
        return written


def _references(status: dict[str, Any]) -> list[dict[str, Any]]:
    named = {
        "replied_to": status.get("in_reply_to_status_id_str"),
        "quoted": status.get("quoted_status_id_str"),
        "retweeted": mapping(status.get("retweeted_status")).get("id_str"),
    }
    return [{"type": kind, "id": post_id} for kind, post_id in named.items() if post_id]


def _media(status: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the media with the names of the second API."""
    entities = mapping(status.get("extended_entities")) or mapping(status.get("entities"))
    return [
        {
            "media_key": str(one.get("id_str")),
            "type": one.get("type"),
            "url": one.get("media_url_https") if one.get("type") == "photo" else None,
            "preview_image_url": one.get("media_url_https"),
            "alt_text": one.get("ext_alt_text"),
            "variants": [
                {**version, "bit_rate": version.get("bitrate")}
                for version in map(
                    mapping, sequence(mapping(one.get("video_info")).get("variants"))
                )
            ],
            "shortened": one.get("url"),
        }
        for one in map(mapping, sequence(entities.get("media"), 20))
    ]


def _shortened(media: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"url": one["shortened"], "media_key": one["media_key"]} for one in media]


def _between_tags(source: object) -> str | None:
    """Return the application's name out of the link that X writes around it."""
    if not isinstance(source, str):
        return None
    return source.rpartition("</")[0].rpartition(">")[2] or source

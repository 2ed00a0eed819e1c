"""X's posts as Parley's, in both vocabularies: `tweets` until 2.159, `posts` since."""

from dataclasses import dataclass, replace
from typing import Any

from connectors.fields import (
    LONGEST_TEXT,
    NotUnderstood,
    count,
    instant,
    is_keepable,
    mapping,
    sequence,
    shown,
    web_address,
    words,
)
from connectors.x.ids import moment_of, number
from connectors.x.queries import bare
from connectors.x.text import plain
from conversations.model import (
    Author,
    Instant,
    Location,
    Media,
    Post,
    PostChange,
    PostChangeKind,
    PostKind,
    Unreadable,
)
from conversations.networks import Account

NO_LANGUAGES = frozenset({"und", "zxx", "qam", "qct", "qht", "qme", "qst", "art"})
"""X's codes for: no language found, only media, names, tags, links."""

_KINDS = {"photo": "image", "animated_gif": "video", "video": "video"}
_REFERENCES = ("referenced_tweets", "referenced_posts")
_HISTORIES = ("edit_history_tweet_ids", "edit_history_post_ids")
_NOTES = ("note_tweet", "note_post")


@dataclass(frozen=True, slots=True)
class Us:
    """The brand's account, by which its own posts are known."""

    user_id: str | None = None
    handle: str = ""

    def is_author(self, user: dict[str, Any], user_id: str) -> bool:
        if self.user_id is not None:
            return user_id == self.user_id
        return bool(self.handle) and bare(user.get("username")) == self.handle


def us_of(account: Account) -> Us:
    user_id = account.settings.get("user_id")
    is_id = isinstance(user_id, str) and number(user_id) is not None
    return Us(user_id if is_id else None, bare(account.settings.get("handle")))


@dataclass(frozen=True, slots=True)
class Includes:
    """What stands beside the posts, by its key."""

    users: dict[str, dict[str, Any]]
    media: dict[str, dict[str, Any]]
    places: dict[str, dict[str, Any]]


def includes_of(value: object) -> Includes:
    beside = mapping(value)
    return Includes(
        _by(beside.get("users"), "id"),
        _by(beside.get("media"), "media_key"),
        _by(beside.get("places"), "id"),
    )


def _by(entries: object, name: str) -> dict[str, dict[str, Any]]:
    found = map(mapping, sequence(entries))
    # Some events wrap each user once more.
    plain_ones = [one["data"] if isinstance(one.get("data"), dict) else one for one in found]
    return {one[name]: one for one in plain_ones if isinstance(one.get(name), str)}


@dataclass(frozen=True, slots=True)
class Found:
    """One entry, understood as far as it can be; `number` orders and tells what is new."""

    number: int
    key: str
    post: Post | Unreadable
    change: PostChange | None = None


def found_from(entry: Any, includes: Includes, us: Us, *, is_for_us: bool = False) -> Found:  # noqa: ANN401 - any JSON
    """Understand one post; what makes no sense of an adornment is left out."""
    fields = mapping(entry)
    own_number = number(fields.get("id"))
    if isinstance(entry, Unreadable):
        return Found(0, str(hash(entry.raw)), entry)
    key = str(own_number or hash(shown(entry)))
    try:
        post = _post(fields, includes, us)
    except NotUnderstood as reason:
        external_id = str(own_number) if own_number else None
        return Found(own_number or 0, key, reason.unreadable(entry, external_id))
    if is_for_us and us.handle and us.handle not in map(bare, post.mentions) and not post.is_own:
        post = replace(post, mentions=(*post.mentions, us.handle))
    return Found(own_number or 0, key, post, _edit(fields, post))


def _post(entry: dict[str, Any], includes: Includes, us: Us) -> Post:
    own_number = number(entry.get("id"))
    if own_number is None:
        raise NotUnderstood("id_missing", "a post has an id of 1 to 19 digits")
    external_id = _first_version(entry)
    author_id = words(entry.get("author_id"), 19)
    if author_id is None:
        raise NotUnderstood("author_missing", "a post has an author_id")
    user = includes.users.get(author_id, {})
    author = author_from(author_id, user)
    text, entities = _words(entry)
    references = _references(entry)
    replied_to = references.get("replied_to") or words(entry.get("in_reply_to_tweet_id"), 19)
    return Post(
        external_id=external_id,
        author=author,
        text=text,
        created_at=_created_at(entry, own_number),
        in_reply_to=replied_to,
        thread_root=words(entry.get("conversation_id"), 19),
        url=f"https://x.com/{author.handle or 'i/web'}/status/{external_id}",
        media=_media(entry, includes),
        language=_language(entry),
        location=_location(entry, includes),
        source_application=words(entry.get("source"), 200),
        is_own=us.is_author(user, author_id),
        mentions=_mentions(entities, entry, us),
        kind=_kind(references),
    )


def _first_version(entry: dict[str, Any]) -> str:
    """Return the id by which a post stays known: an edited one has another each time."""
    history = sequence(_either(entry, _HISTORIES))
    if history and number(history[0]) is not None:
        return str(history[0])
    return str(entry["id"])


def _edit(entry: dict[str, Any], post: Post) -> PostChange | None:
    if len(sequence(_either(entry, _HISTORIES))) < 2:  # noqa: PLR2004 - the first is no edit
        return None
    return PostChange(post.external_id, PostChangeKind.EDITED, post.created_at, post.text)


def author_from(user_id: str, user: dict[str, Any]) -> Author:
    metrics = mapping(user.get("public_metrics"))
    verified = user.get("verified")
    return Author(
        external_id=user_id,
        handle=words(user.get("username"), 200),
        name=words(user.get("name"), 200),
        avatar_url=web_address(user.get("profile_image_url")),
        followers=count(metrics.get("followers_count")),
        location=words(user.get("location"), 200),
        verified=verified if isinstance(verified, bool) else None,
        created_at=instant(user.get("created_at")),
    )


def _words(entry: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the whole text: a long post has only its beginning in `text`."""
    note = mapping(_either(entry, _NOTES))
    source = note if isinstance(note.get("text"), str) else entry
    entities = mapping(source.get("entities"))
    return text_of(source.get("text"), entities.get("urls")), entities


def text_of(text: object, links: object) -> str:
    """Return a text as it was written.

    Raises:
        NotUnderstood: it is no text, or one that nobody can keep.
    """
    if not isinstance(text, str):
        raise NotUnderstood("text_missing", "a post has a text, which may be empty")
    if not is_keepable(text):
        raise NotUnderstood("text_unreadable", "the text has a NUL or half of a surrogate pair")
    if len(text) > LONGEST_TEXT:
        detail = f"{len(text)} characters, {LONGEST_TEXT} at most"
        raise NotUnderstood("text_too_long", detail)
    return plain(text, links)


def _created_at(entry: dict[str, Any], own_number: int) -> Instant:
    moment = instant(entry.get("created_at"))
    moment = moment_of(own_number) if moment is None and "created_at" not in entry else moment
    if moment is None:
        raise NotUnderstood("created_at_unreadable", "created_at is an RFC 3339 time")
    return moment


def _references(entry: dict[str, Any]) -> dict[str, str]:
    """Return the post that is meant, for each way of referring to one."""
    named = map(mapping, sequence(_either(entry, _REFERENCES)))
    return {
        str(one.get("type")): str(one["id"]) for one in named if number(one.get("id")) is not None
    }


def _kind(references: dict[str, str]) -> PostKind:
    if "retweeted" in references or "reposted" in references:
        return PostKind.REPOST
    return PostKind.QUOTE if "quoted" in references else PostKind.POST


def _mentions(entities: dict[str, Any], entry: dict[str, Any], us: Us) -> tuple[str, ...]:
    """Return whom the post names or answers."""
    named = map(mapping, sequence(entities.get("mentions")))
    handles = [handle for one in named if (handle := words(one.get("username"), 200))]
    is_answer = us.user_id is not None and entry.get("in_reply_to_user_id") == us.user_id
    if is_answer and us.handle and us.handle not in map(bare, handles):
        handles.append(us.handle)
    return tuple(dict.fromkeys(handles))


def _media(entry: dict[str, Any], includes: Includes) -> tuple[Media, ...]:
    keys = sequence(mapping(entry.get("attachments")).get("media_keys"), 20)
    found = [includes.media[key] for key in keys if isinstance(key, str) and key in includes.media]
    return tuple(medium for one in found if (medium := medium_from(one)) is not None)


def medium_from(one: dict[str, Any]) -> Media | None:
    """Return a picture by its address, a film by that of its best version or its first frame."""
    kind = _KINDS.get(str(one.get("type")), "file")
    versions = [
        version
        for version in map(mapping, sequence(one.get("variants")))
        if version.get("content_type") == "video/mp4" and web_address(version.get("url"))
    ]
    best = max(versions, key=lambda version: count(version.get("bit_rate")) or 0, default={})
    address = (
        web_address(one.get("url"))
        or web_address(best.get("url"))
        or web_address(one.get("preview_image_url"))
    )
    if address is None:
        return None
    mime_type = words(best.get("content_type"), 100) if address == best.get("url") else None
    return Media(kind, address, words(one.get("alt_text"), 5_000), mime_type)


def _language(entry: dict[str, Any]) -> str | None:
    language = words(entry.get("lang"), 35)
    return None if language in NO_LANGUAGES else language


def _location(entry: dict[str, Any], includes: Includes) -> Location | None:
    geo = mapping(entry.get("geo"))
    place = includes.places.get(str(geo.get("place_id")), {})
    country = words(place.get("country_code"), 2) or words(place.get("country"), 100)
    name = words(place.get("full_name"), 200) or words(place.get("name"), 200)
    lat, lon = _point(mapping(geo.get("coordinates")).get("coordinates"))
    if (country, name, lat, lon) == (None, None, None, None):
        return None
    return Location(country, name, lat, lon)


def _point(value: object) -> tuple[float | None, float | None]:
    """Return latitude and longitude of GeoJSON, which has them the other way round."""
    match value:
        case [int() | float() as lon, int() | float() as lat]:
            if abs(lat) <= 90 and abs(lon) <= 180:  # noqa: PLR2004 - degrees
                return float(lat), float(lon)
    return None, None


def _either(entry: dict[str, Any], names: tuple[str, ...]) -> object:
    """Return what stands under the older name or the newer one."""
    return next((entry[name] for name in names if name in entry), None)

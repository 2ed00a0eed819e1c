"""What a routing rule may look at: a closed set of typed facts, each read in one way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeAlias
from zoneinfo import ZoneInfo

from acd.distance import distance_km
from acd.rule_texts import folded
from conversations.model import Author, Instant, Location, MediaType, Visibility

LOOKED_AT = 10_000
"""So many characters of a post are looked at: rules run inside the arrival's transaction."""

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY_MS = 24 * 3_600_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Value: TypeAlias = str | int | float | bool | frozenset[str]
"""What a fact can be; None stands for a fact that is missing."""


class Trigger(StrEnum):
    """When a set of rules is asked."""

    ARRIVAL = "arrival"
    TRANSFER_CONVERSATION = "transfer_conversation"
    TRANSFER_DIRECT_MESSAGE = "transfer_direct_message"
    RING_STEP = "ring_step"


class FactType(StrEnum):
    """Which operators a fact knows."""

    TEXT = "text"
    ID = "id"
    LANGUAGE = "language"
    CHOICE = "choice"
    NUMBER = "number"
    FLAG = "flag"
    NAMES = "names"
    TIME_OF_DAY = "time_of_day"


class Argument(StrEnum):
    """What some facts have to be told before they have a value."""

    POINT = "from"
    WORKGROUP = "workgroup_id"
    TIME_ZONE = "time_zone"


@dataclass(frozen=True, slots=True)
class Point:
    lat: float
    lon: float


ArgumentValue: TypeAlias = Point | str | None


@dataclass(frozen=True, slots=True)
class PostFacts:
    """The post that made a rule be asked: the first of an arrival, the newest later."""

    text: str
    visibility: Visibility
    author: Author
    has_media: bool = False
    language: str | None = None
    source_application: str | None = None


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    is_known: bool = False
    """He had a conversation before this one."""
    own_agent_id: str | None = None
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ConversationFacts:
    priority: int
    workgroup_id: str
    is_continued: bool = False
    tags: frozenset[str] = frozenset()
    waited_s: float = 0
    ring: int = 0
    post_count: int = 1


@dataclass(frozen=True, slots=True)
class RoutingFacts:
    """Everything that rules may look at, as it is at the moment when they are asked.

    `is_open` says of each workgroup that the rules name whether it is within its business hours;
    `places` says where each is that they may choose by distance. `location` is the post's, else
    the author's.
    """

    now: Instant
    media_type: MediaType
    network: str
    account_id: str
    channel_id: str
    conversation: ConversationFacts
    post: PostFacts | None = None
    customer: CustomerFacts = field(default_factory=CustomerFacts)
    location: Location | None = None
    is_open: Mapping[str, bool] = field(default_factory=dict)
    places: Mapping[str, Location] = field(default_factory=dict)


Read: TypeAlias = Callable[[RoutingFacts, ArgumentValue], Value | None]


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a comparison may look at."""

    name: str
    type: FactType
    read: Read
    about: str
    argument: Argument | None = None
    choices: tuple[str, ...] = ()


def looked_at(facts: RoutingFacts) -> str | None:
    """Return the part of the post's text that rules look at."""
    return facts.post.text[:LOOKED_AT] if facts.post else None


def local_time(facts: RoutingFacts, time_zone: str) -> datetime:
    return (_EPOCH + timedelta(milliseconds=facts.now)).astimezone(ZoneInfo(time_zone))


def _of_post(name: str) -> Read:
    return lambda facts, _: getattr(facts.post, name) if facts.post else None


def _of_author(name: str) -> Read:
    return lambda facts, _: getattr(facts.post.author, name) if facts.post else None


def _account_age_days(facts: RoutingFacts, _: ArgumentValue) -> float | None:
    made_at = facts.post.author.created_at if facts.post else None
    return None if made_at is None else max(facts.now - made_at, 0) / _DAY_MS


def _of_location(name: str) -> Read:
    return lambda facts, _: getattr(facts.location, name) if facts.location else None


def _text_length(facts: RoutingFacts, _: ArgumentValue) -> int | None:
    return len(facts.post.text) if facts.post else None


def _handle(facts: RoutingFacts, _: ArgumentValue) -> str | None:
    handle = facts.post.author.handle if facts.post else None
    return handle.removeprefix("@") if handle else None


def _distance(facts: RoutingFacts, point: ArgumentValue) -> float | None:
    if not isinstance(point, Point):
        return None
    distance = distance_km(facts.location, Location(lat=point.lat, lon=point.lon))
    return None if distance is None else round(distance, 3)


def _is_open(facts: RoutingFacts, workgroup_id: ArgumentValue) -> bool | None:
    return facts.is_open.get(workgroup_id) if isinstance(workgroup_id, str) else None


def _weekday(facts: RoutingFacts, time_zone: ArgumentValue) -> str | None:
    if not isinstance(time_zone, str):
        return None
    return WEEKDAYS[local_time(facts, time_zone).weekday()]


def _time_of_day(facts: RoutingFacts, time_zone: ArgumentValue) -> str | None:
    return f"{local_time(facts, time_zone):%H:%M}" if isinstance(time_zone, str) else None


_T = FactType
_POST = (
    Fact("post.text", _T.TEXT, lambda f, _: looked_at(f), "the text (its first 10,000 characters)"),
    Fact("post.text_length", _T.NUMBER, _text_length, "the text's length in characters"),
    Fact("post.language", _T.LANGUAGE, _of_post("language"), "the language, as the network says"),
    Fact(
        "post.visibility",
        _T.CHOICE,
        _of_post("visibility"),
        "public or private",
        choices=tuple(Visibility),
    ),
    Fact("post.has_media", _T.FLAG, _of_post("has_media"), "pictures, videos … are attached"),
    Fact("post.source_application", _T.TEXT, _of_post("source_application"), "what it came from"),
)
_AUTHOR = (
    Fact("author.followers", _T.NUMBER, _of_author("followers"), "how many follow the author"),
    Fact("author.account_age_days", _T.NUMBER, _account_age_days, "how old the account is"),
    Fact("author.language", _T.LANGUAGE, _of_author("language"), "the author's language"),
    Fact("author.location", _T.TEXT, _of_author("location"), "where the author says to be"),
    Fact("author.handle", _T.TEXT, _handle, "the author's handle, without @"),
    Fact("author.name", _T.TEXT, _of_author("name"), "the author's name"),
    Fact("author.verified", _T.FLAG, _of_author("verified"), "the network verified the author"),
)
_LOCATION = (
    Fact("location.country", _T.TEXT, _of_location("country"), "the country"),
    Fact("location.region", _T.TEXT, _of_location("region"), "the region"),
    Fact("location.place", _T.TEXT, _of_location("place"), "the town or place"),
    Fact(
        "location.distance_km",
        _T.NUMBER,
        _distance,
        "how far it is from the point",
        argument=Argument.POINT,
    ),
)
_CUSTOMER = (
    Fact(
        "customer.is_known",
        _T.FLAG,
        lambda f, _: f.customer.is_known,
        "the customer had a conversation before",
    ),
    Fact(
        "customer.has_own_agent",
        _T.FLAG,
        lambda f, _: f.customer.own_agent_id is not None,
        "the customer has an own agent",
    ),
    Fact(
        "customer.own_agent_id", _T.ID, lambda f, _: f.customer.own_agent_id, "the customer's agent"
    ),
    Fact("customer.tags", _T.NAMES, lambda f, _: f.customer.tags, "the customer's tags"),
)
_CONVERSATION = (
    Fact(
        "conversation.media_type",
        _T.CHOICE,
        lambda f, _: f.media_type,
        "social_conversation or social_direct_message",
        choices=tuple(MediaType),
    ),
    Fact("conversation.network", _T.ID, lambda f, _: f.network, "the network"),
    Fact("conversation.account_id", _T.ID, lambda f, _: f.account_id, "the brand's account"),
    Fact("conversation.channel_id", _T.ID, lambda f, _: f.channel_id, "the channel"),
    Fact(
        "conversation.workgroup_id",
        _T.ID,
        lambda f, _: f.conversation.workgroup_id,
        "the workgroup: the channel's at an arrival, the one it goes to at a transfer",
    ),
    Fact("conversation.priority", _T.NUMBER, lambda f, _: f.conversation.priority, "the priority"),
    Fact("conversation.tags", _T.NAMES, lambda f, _: f.conversation.tags, "the tags"),
    Fact(
        "conversation.waited_s",
        _T.NUMBER,
        lambda f, _: f.conversation.waited_s,
        "seconds in the queue, all workgroups",
    ),
    Fact("conversation.ring", _T.NUMBER, lambda f, _: f.conversation.ring, "the ring; 0 before"),
    Fact(
        "conversation.post_count", _T.NUMBER, lambda f, _: f.conversation.post_count, "posts so far"
    ),
    Fact(
        "conversation.is_continued",
        _T.FLAG,
        lambda f, _: f.conversation.is_continued,
        "it continues an earlier conversation",
    ),
)
_TIME = (
    Fact(
        "time.is_open",
        _T.FLAG,
        _is_open,
        "the workgroup is within its business hours",
        argument=Argument.WORKGROUP,
    ),
    Fact(
        "time.weekday",
        _T.CHOICE,
        _weekday,
        "the day of the week there",
        argument=Argument.TIME_ZONE,
        choices=WEEKDAYS,
    ),
    Fact(
        "time.of_day",
        _T.TIME_OF_DAY,
        _time_of_day,
        "the wall clock there, HH:MM",
        argument=Argument.TIME_ZONE,
    ),
)

FACTS: dict[str, Fact] = {
    fact.name: fact for fact in (*_POST, *_AUTHOR, *_LOCATION, *_CUSTOMER, *_CONVERSATION, *_TIME)
}

SKILL_SOURCES: dict[str, str] = {
    "post.language": "language",
    "author.language": "language",
    "location.country": "country",
    "location.region": "region",
    "location.place": "place",
}
"""The facts of which a skill can be made, and the word that it begins with: `language:de`."""


def skill_of(source: str, facts: RoutingFacts) -> str | None:
    """Return the skill that the fact asks for, such as `language:de`; None when it is missing.

    Of a language only the primary subtag counts: who answers `de` answers `de-AT`.
    """
    value = FACTS[source].read(facts, None)
    if not isinstance(value, str) or not value.strip():
        return None
    plain = " ".join(folded(value).split())
    if FACTS[source].type is FactType.LANGUAGE:
        plain = plain.replace("_", "-").partition("-")[0]
    return f"{SKILL_SOURCES[source]}:{plain}"[:100] if plain else None

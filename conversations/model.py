"""What everybody talks about: posts, customers, conversations, offers, replies."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

Instant: TypeAlias = int
"""A moment in milliseconds since 1970, UTC, by the database's clock."""


class MediaType(StrEnum):
    SOCIAL_CONVERSATION = "social_conversation"
    SOCIAL_DIRECT_MESSAGE = "social_direct_message"


class Visibility(StrEnum):
    PUBLIC = "public"
    PRIVATE = "private"

    @property
    def media_type(self) -> MediaType:
        """Public and private talk are different media types with different utilization."""
        if self is Visibility.PUBLIC:
            return MediaType.SOCIAL_CONVERSATION
        return MediaType.SOCIAL_DIRECT_MESSAGE


class Threading(StrEnum):
    """What makes posts one conversation: their customer, their thread, or nothing at all."""

    CUSTOMER = "customer"
    THREAD = "thread"
    POST = "post"


class ConversationState(StrEnum):
    QUEUED = "queued"
    ALERTING = "alerting"
    CONNECTED = "connected"
    HELD = "held"
    PARKED = "parked"
    WRAPUP = "wrapup"
    COMPLETED = "completed"
    ABANDONED = "abandoned"
    DISCARDED = "discarded"
    MERGED = "merged"


OPEN_STATES = frozenset(
    {
        ConversationState.QUEUED,
        ConversationState.ALERTING,
        ConversationState.CONNECTED,
        ConversationState.HELD,
        ConversationState.PARKED,
    }
)
"""States in which a post of the same affinity key joins."""

FINAL_STATES = frozenset(
    {
        ConversationState.COMPLETED,
        ConversationState.ABANDONED,
        ConversationState.DISCARDED,
        ConversationState.MERGED,
    }
)


class WrapUpMode(StrEnum):
    NONE = "none"
    OPTIONAL = "optional"
    MANDATORY = "mandatory"
    TIMEBOXED = "timeboxed"


class OfferTimeoutAction(StrEnum):
    """What becomes of an agent who did not take an offer."""

    NOT_RESPONDING = "not_responding"
    RETURN_TO_QUEUE = "return_to_queue"


class ReplyState(StrEnum):
    ACCEPTED = "accepted"
    SENDING = "sending"
    SENT = "sent"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    NEEDS_HUMAN = "needs_human"


SETTLED_REPLY_STATES = frozenset({ReplyState.SENT, ReplyState.REJECTED})


class RoutingStatus(StrEnum):
    ON_QUEUE = "on_queue"
    OFF_QUEUE = "off_queue"
    NOT_RESPONDING = "not_responding"
    DRAINING = "draining"


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a post, as the network names them."""

    external_id: str
    handle: str | None = None
    name: str | None = None
    avatar_url: str | None = None
    followers: int | None = None
    language: str | None = None
    location: str | None = None
    verified: bool | None = None
    created_at: Instant | None = None
    """When the account was made on its network."""


@dataclass(frozen=True, slots=True)
class Location:
    country: str | None = None
    place: str | None = None
    lat: float | None = None
    lon: float | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Media:
    kind: str
    url: str
    alt_text: str | None = None
    mime_type: str | None = None


class PostKind(StrEnum):
    """What somebody did: said something, or only pointed at what was said."""

    POST = "post"
    QUOTE = "quote"
    """Words of the author's own above another's post."""
    REPOST = "repost"
    """Another's post, shown again without a word."""
    LIKE = "like"


@dataclass(frozen=True, slots=True)
class Post:
    """One message by anybody, in Parley's own form, whatever network it came from.

    `own_reply_id` is set by a connector that recognised one of our replies coming back;
    `is_own` when the author is the brand's account itself. `mentions` are the handles that the
    network says it is for, beside those in its text.
    """

    external_id: str
    author: Author
    text: str
    created_at: Instant
    visibility: Visibility = Visibility.PUBLIC
    in_reply_to: str | None = None
    thread_root: str | None = None
    url: str | None = None
    media: tuple[Media, ...] = ()
    language: str | None = None
    location: Location | None = None
    source_application: str | None = None
    is_own: bool = False
    own_reply_id: str | None = None
    mentions: tuple[str, ...] = ()
    kind: PostKind = PostKind.POST


class PostChangeKind(StrEnum):
    EDITED = "edited"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class PostChange:
    """What its author did to a post later; it can come before the post does.

    `text` is the post's new text, None for a deletion.
    """

    external_id: str
    kind: PostChangeKind
    at: Instant
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A piece of a page that could not be understood; it goes to quarantine, neighbours go on."""

    code: str
    detail: str
    raw: str
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class RequiredSkill:
    skill: str
    min_proficiency: int = 0


@dataclass(frozen=True, slots=True)
class Ring:
    """How the circle of agents widens while a conversation waits.

    It opens `after_s` seconds after the conversation came into the workgroup's queue, or at once
    when it may and nobody in the circle so far could ever take the conversation. It adds the
    members of `workgroup_ids`, drops skills and lowers what is asked of others; rings add up.
    """

    after_s: int
    workgroup_ids: tuple[str, ...] = ()
    drop_skills: tuple[str, ...] = ()
    lower_skills: tuple[RequiredSkill, ...] = ()
    at_once_if_nobody: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """A conversation alerting one agent until `expires_at`; its weight is reserved."""

    id: str
    agent_id: str
    expires_at: Instant
    weight_percent: int = 0


@dataclass(frozen=True, slots=True)
class PassedOver:
    """An agent who declined, and until when the conversation is not offered to him again."""

    agent_id: str
    until: Instant


@dataclass(frozen=True, slots=True)
class Holder:
    """Who carries a conversation's weight."""

    agent_id: str
    media_type: MediaType
    weight_percent: int
    is_override: bool = False
    """A supervisor put it on top of the agent's capacity: it is counted apart."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation's whole state: the row, and nothing but the row."""

    id: str
    state: ConversationState
    media_type: MediaType
    network: str
    account_id: str
    channel_id: str
    workgroup_id: str
    customer_id: str
    affinity_key: str
    affinity_window_s: int
    priority: int
    created_at: Instant
    queued_at: Instant
    last_post_at: Instant
    affinity_until: Instant
    required_skills: tuple[RequiredSkill, ...] = ()
    preferred_skills: tuple[RequiredSkill, ...] = ()
    tags: tuple[str, ...] = ()
    location: Location | None = None
    weight_percent: int = 0
    is_override: bool = False
    agent_id: str | None = None
    preferred_agent_id: str | None = None
    preferred_until: Instant | None = None
    passed_over: tuple[PassedOver, ...] = ()
    offers: tuple[Offer, ...] = ()
    ring: int = 0
    ring_since: Instant | None = None
    ring_until: Instant | None = None
    consulted_agent_id: str | None = None
    offered_at: Instant | None = None
    connected_at: Instant | None = None
    held_at: Instant | None = None
    parked_until: Instant | None = None
    wrap_up_until: Instant | None = None
    ended_at: Instant | None = None
    post_count: int = 0
    answered_count: int = 0
    unsettled_replies: int = 0
    continues: str | None = None
    continued_by: str | None = None
    wrap_up_code: str | None = None
    ended_by: str | None = None
    merged_into: str | None = None
    reopened_at: Instant | None = None
    version: int = 0

    @property
    def offer(self) -> Offer | None:
        """The first of the offers; where one agent at a time is asked, the only one."""
        return self.offers[0] if self.offers else None

    def offer_to(self, agent_id: str | None) -> Offer | None:
        return next((offer for offer in self.offers if offer.agent_id == agent_id), None)

    @property
    def unanswered_count(self) -> int:
        """Posts that came after the newest one covered by a sent reply."""
        return self.post_count - self.answered_count

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def is_final(self) -> bool:
        return self.state in FINAL_STATES


def holders(conversation: Conversation) -> tuple[Holder, ...]:
    """Say who carries the conversation's weight; the only place where that is decided.

    Each offer reserves, holding and wrapping up keep, parking and the end release.
    """
    media_type, is_override = conversation.media_type, conversation.is_override
    match conversation.state:
        case ConversationState.ALERTING:
            return tuple(
                Holder(offer.agent_id, media_type, offer.weight_percent, is_override)
                for offer in conversation.offers
            )
        case ConversationState.CONNECTED | ConversationState.HELD | ConversationState.WRAPUP:
            if conversation.agent_id is None:
                return ()
            weight_percent = conversation.weight_percent
            return (Holder(conversation.agent_id, media_type, weight_percent, is_override),)
        case _:
            return ()


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, as the event stream and the timeline tell it."""

    type: str
    agent_id: str | None = None
    detail: dict[str, object] = field(default_factory=dict)

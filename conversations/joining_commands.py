"""What may be asked of two conversations at once: to be one, or to be two again."""

from dataclasses import dataclass
from enum import StrEnum

from conversations.commands import Actor
from conversations.model import Instant


class MoveKind(StrEnum):
    """Why a post is in another conversation than the one that its affinity key names."""

    JOIN = "join"
    MERGE = "merge"
    SPLIT = "split"
    UNMERGE = "unmerge"


@dataclass(frozen=True, slots=True)
class Portion:
    """Some posts of a conversation: which, how many of them are answered, when the last came."""

    post_ids: tuple[str, ...]
    answered_count: int
    last_post_at: Instant


@dataclass(frozen=True, slots=True)
class Merge:
    """The source's posts become the target's; the source is `merged`."""

    actor: Actor
    comment: str | None


@dataclass(frozen=True, slots=True)
class Forward:
    """A merge into a conversation that an agent owns, by whoever got its customer's other posts."""

    actor: Actor
    comment: str | None


@dataclass(frozen=True, slots=True)
class Split:
    """Some posts become a conversation of their own, queued; the rest stays where it is."""

    actor: Actor
    conversation_id: str
    customer_id: str
    moved: Portion
    left: Portion


@dataclass(frozen=True, slots=True)
class Unmerge:
    """The posts that a merge moved go back, and the source is queued again."""

    actor: Actor
    moved: Portion
    left: Portion

"""What routing looks at: agents as candidates, and a workgroup's routing policy."""

from dataclasses import dataclass, field
from enum import StrEnum

from conversations.model import (
    Instant,
    Location,
    MediaType,
    RequiredSkill,
    Ring,
    RoutingStatus,
)

DEFAULT_WEIGHT_PERCENT = 25
"""Four conversations at once, unless the agent's user or workgroup settings say otherwise."""


@dataclass(frozen=True, slots=True)
class Utilization:
    """How much of an agent one conversation takes, and how many at most (None: no maximum)."""

    percent: int
    max_count: int | None = None


class OrderKey(StrEnum):
    """By what agents are compared; a workgroup names its keys in the order of their weight."""

    PREFERRED_AGENT = "preferred_agent"
    SKILL_FIT = "skill_fit"
    LOWEST_UTILIZATION = "lowest_utilization"
    LONGEST_IDLE = "longest_idle"
    ROUND_ROBIN = "round_robin"
    NEAREST = "nearest"


DEFAULT_AGENT_ORDER = (
    OrderKey.PREFERRED_AGENT,
    OrderKey.SKILL_FIT,
    OrderKey.LOWEST_UTILIZATION,
    OrderKey.LONGEST_IDLE,
)


@dataclass(frozen=True, slots=True)
class ScoreWeights:
    """What a point of each is worth in a conversation's score."""

    skill: int = 0
    priority: int = 1
    time_in_queue: int = 1
    time_in_system: int = 0


@dataclass(frozen=True, slots=True)
class QueueOrder:
    """In what order a workgroup's conversations wait; strict: priority before everything."""

    weights: ScoreWeights = ScoreWeights()
    is_strict: bool = False


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent as a candidate, at the moment of a match.

    `idle_since` is when he last got rid of a conversation or came on queue, `offered_at` when he
    was last offered one; `load_count` counts the conversations that he carries, per media type.
    `may_get` are the media types that his rights let him have. From `signs_off_at` he is off
    the queue.
    """

    id: str
    routing_status: RoutingStatus
    is_present: bool
    is_licensed: bool
    is_enabled: bool
    workgroup_ids: frozenset[str]
    skills: dict[str, int]
    load_percent: int
    idle_since: Instant
    utilization: dict[MediaType, Utilization] = field(default_factory=dict)
    load_count: dict[MediaType, int] = field(default_factory=dict)
    may_get: frozenset[MediaType] = frozenset(MediaType)
    offered_at: Instant = 0
    signs_off_at: Instant | None = None
    location: Location | None = None


@dataclass(frozen=True, slots=True)
class RoutingPolicy:
    """A workgroup's settings as the rules need them; `version` names them in decision records."""

    workgroup_id: str
    version: int
    utilization: dict[MediaType, Utilization] = field(default_factory=dict)
    required_skills: tuple[RequiredSkill, ...] = ()
    preferred_skills: tuple[RequiredSkill, ...] = ()
    queue_order: QueueOrder = QueueOrder()
    agent_order: tuple[OrderKey, ...] = DEFAULT_AGENT_ORDER
    rings: tuple[Ring, ...] = ()
    offers_at_once: int = 1

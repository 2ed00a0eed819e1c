"""What routing looks at: agents as candidates, and a workgroup's routing policy."""

from dataclasses import dataclass, field

from conversations.model import Instant, MediaType, RequiredSkill, RoutingStatus

DEFAULT_WEIGHT_PERCENT = 25
"""Four conversations at once, unless the agent's user or workgroup settings say otherwise."""


@dataclass(frozen=True, slots=True)
class Utilization:
    """How much of an agent one conversation takes, and how many at most (None: no maximum)."""

    percent: int
    max_count: int | None = None


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent as a candidate, at the moment of a match.

    `idle_since` is when he last got rid of a conversation or came on queue; `load_count` counts
    the conversations that he carries, per media type.
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


@dataclass(frozen=True, slots=True)
class RoutingPolicy:
    """A workgroup's settings as the rules need them; `version` names them in decision records."""

    workgroup_id: str
    version: int
    utilization: dict[MediaType, Utilization] = field(default_factory=dict)
    required_skills: tuple[RequiredSkill, ...] = ()

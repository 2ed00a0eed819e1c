"""What a simulation came to: waits, service level, who got what, and how busy people were."""

from array import array
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from acd.matching import Match
from acd.model import Agent
from acd.simulated_people import Bystander
from conversations.errors import ConversationError
from conversations.model import (
    Conversation,
    ConversationState,
    Instant,
    MediaType,
    RoutingStatus,
    holders,
)


@dataclass(frozen=True, slots=True)
class Waits:
    """How long conversations waited from their queue to their first pick-up."""

    answered: int
    mean_ms: float
    p50_ms: int
    p95_ms: int
    longest_ms: int


def waits_of(waits_ms: Collection[int]) -> Waits:
    """Sum waits up; a percentile is the smallest wait that so many do not exceed."""
    ordered = sorted(waits_ms)
    if not ordered:
        return Waits(0, 0.0, 0, 0, 0)
    count = len(ordered)
    mean_ms = round(sum(ordered) / count, 1)
    return Waits(count, mean_ms, _percentile(ordered, 50), _percentile(ordered, 95), ordered[-1])


def _percentile(ordered: Sequence[int], percent: int) -> int:
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


@dataclass(slots=True)
class Presence:
    """How an agent spent the time up to `at`."""

    at: Instant
    is_on_queue: bool = False
    carried: int = 0
    load_percent: int = 0
    handling_ms: int = 0
    idle_ms: int = 0
    load_percent_ms: int = 0

    def pass_time(self, now: Instant) -> None:
        passed_ms = now - self.at
        self.at = now
        if self.carried:
            self.handling_ms += passed_ms
        elif self.is_on_queue:
            self.idle_ms += passed_ms
        self.load_percent_ms += self.load_percent * passed_ms

    @property
    def occupancy_percent(self) -> float | None:
        """Handling of handling and idling on queue."""
        staffed_ms = self.handling_ms + self.idle_ms
        return round(100 * self.handling_ms / staffed_ms, 2) if staffed_ms else None


@dataclass(frozen=True, slots=True)
class Pickup:
    """Who had a conversation first, and how long it had waited."""

    conversation_id: str
    workgroup_id: str
    media_type: MediaType
    agent_id: str
    queued_at: Instant
    at: Instant

    @property
    def wait_ms(self) -> int:
        return self.at - self.queued_at


def pickup_of(conversation: Conversation, agent_id: str, now: Instant) -> Pickup:
    return Pickup(
        conversation.id,
        conversation.workgroup_id,
        conversation.media_type,
        agent_id,
        conversation.queued_at,
        now,
    )


@dataclass(slots=True)
class Figures(Bystander):
    """Takes notes of a simulation; `keeps_pickups` also remembers each conversation's agent."""

    keeps_pickups: bool = True
    pickups: list[Pickup] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    pickups_by_agent: Counter[str] = field(default_factory=Counter)
    presences: dict[str, Presence] = field(default_factory=dict)
    waits_ms: defaultdict[str, "array[int]"] = field(
        default_factory=lambda: defaultdict(lambda: array("q"))
    )

    def changed(self, before: Conversation | None, after: Conversation, now: Instant) -> None:
        self._note_transition(before, after, now)
        if before is not None and before.connected_at is None and after.connected_at is not None:
            self._note_pickup(after, now)
        self._move_load(before, after, now)

    def _note_transition(
        self, before: Conversation | None, after: Conversation, now: Instant
    ) -> None:
        was = before.state if before is not None else None
        if was is after.state:
            return
        if before is not None and after.state is ConversationState.QUEUED:
            self.counts["missed"] += sum(offer.expires_at < now for offer in before.offers)
        self.counts[f"{was} to {after.state}" if was else "arrived"] += 1

    def _note_pickup(self, conversation: Conversation, now: Instant) -> None:
        wait_ms = now - conversation.queued_at
        self.counts["answered"] += 1
        self.waits_ms[conversation.workgroup_id].append(wait_ms)
        agent_id = conversation.agent_id
        if agent_id is None:
            return
        self.pickups_by_agent[agent_id] += 1
        if self.keeps_pickups:
            self.pickups.append(pickup_of(conversation, agent_id, now))

    def _move_load(self, before: Conversation | None, after: Conversation, now: Instant) -> None:
        gave, took = (holders(before) if before is not None else ()), holders(after)
        if gave == took:
            return
        for sign, carriers in ((-1, gave), (1, took)):
            for carrier in carriers:
                presence = self.presences.setdefault(carrier.agent_id, Presence(now))
                presence.pass_time(now)
                presence.carried += sign
                presence.load_percent += sign * carrier.weight_percent

    def agent_changed(self, _: Agent | None, after: Agent, now: Instant) -> None:
        presence = self.presences.setdefault(after.id, Presence(now))
        presence.pass_time(now)
        presence.is_on_queue = after.routing_status is RoutingStatus.ON_QUEUE

    def offered(self, pair: Match, _: Sequence[Agent], __: Instant) -> None:
        self.counts["offers"] += len(pair.offered)

    def refused(self, _: Conversation, refusal: ConversationError) -> None:
        self.counts[f"refused {type(refusal).__name__}"] += 1

    def close(self, now: Instant) -> None:
        """Let the time up to the end count."""
        for presence in self.presences.values():
            presence.pass_time(now)

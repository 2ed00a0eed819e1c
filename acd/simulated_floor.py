"""A floor in memory, as the rules see one: who waits, who is there, and who carries what."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from acd.eligibility import reasons_against
from acd.matching import asks_of
from acd.model import DEFAULT_WEIGHT_PERCENT, Agent, RoutingPolicy
from acd.priority import queue_rank
from acd.simulated_line import Line
from acd.utilization import FULL_PERCENT
from conversations.commands import Policy
from conversations.model import (
    Conversation,
    ConversationState,
    Holder,
    Instant,
    MediaType,
    RoutingStatus,
    holders,
)

HEADS = 50
"""So many conversations at most are read for each requirement, as in production."""


@dataclass(frozen=True, slots=True)
class SimulatedWorkgroup:
    """A workgroup's settings: those that transitions need and those that routing needs."""

    policy: Policy
    routing: RoutingPolicy


@dataclass(frozen=True, slots=True)
class _Requirements:
    """What a conversation asks for; `is_choosy` when its like need not fit the same agents."""

    asks: Hashable
    is_choosy: bool


@dataclass(frozen=True, slots=True)
class Changes:
    """Who has changed since nothing more could be matched; others cannot have become a pair."""

    agents: Sequence[Agent]
    conversation_ids: Collection[str]
    now: Instant


@dataclass(slots=True)
class Touched:
    """What has changed for a workgroup since its last match."""

    agent_ids: set[str] = field(default_factory=set)
    conversation_ids: set[str] = field(default_factory=set)
    everything: bool = False


class Queue:
    """A workgroup's waiting conversations, in their order for each requirement."""

    def __init__(self, policy: RoutingPolicy) -> None:
        self._policy = policy
        self._ranks: defaultdict[_Requirements, list[tuple[int, str]]] = defaultdict(list)
        self._waiting: dict[str, Conversation] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Conversation]:
        return iter(self._waiting.values())

    def add(self, conversation: Conversation) -> None:
        insort(self._ranks[self._requirements(conversation)], self._place(conversation))
        self._waiting[conversation.id] = conversation

    def remove(self, conversation: Conversation) -> None:
        requirements = self._requirements(conversation)
        ranks = self._ranks[requirements]
        del ranks[bisect_left(ranks, self._place(conversation))]
        if not ranks:
            del self._ranks[requirements]
        del self._waiting[conversation.id]

    def heads(self, limit: int, changes: Changes | None = None) -> list[Conversation]:
        """Return the first of each requirement in the order of the queue.

        `limit` is how many there is room for. It bounds those that ask for the same, but not
        those that wait for somebody or pass somebody over: the first of them may fit nobody.
        With `changes`, requirements are left out for which nothing has become possible.
        """
        places: list[tuple[int, str]] = []
        for requirements, ranks in self._ranks.items():
            if changes is None:
                places += ranks[: HEADS if requirements.is_choosy else limit]
            elif requirements.is_choosy:
                places += [place for place in ranks[:HEADS] if self._is_touched(place, changes)]
            elif self._is_touched(ranks[0], changes) or self._has_new(requirements, changes):
                places += ranks[:limit]
        places.sort()
        return [self._waiting[conversation_id] for _, conversation_id in places]

    def _is_touched(self, place: tuple[int, str], changes: Changes) -> bool:
        """Whether the conversation has changed, or an agent whom it waits for or may go to."""
        conversation = self._waiting[place[1]]
        if conversation.id in changes.conversation_ids:
            return True
        return any(
            agent.id == conversation.preferred_agent_id
            or not reasons_against(conversation, agent, self._policy, changes.now)
            for agent in changes.agents
        )

    def _has_new(self, requirements: "_Requirements", changes: Changes) -> bool:
        changed = (self._waiting.get(i) for i in changes.conversation_ids)
        return any(one is not None and self._requirements(one) == requirements for one in changed)

    def _requirements(self, conversation: Conversation) -> _Requirements:
        """Name the conversation's like: whoever could take one of them could take the others.

        Those that `match` looks at one by one stand together; a place orders agents, but rules
        none out.
        """
        *_, alone = asks_of(conversation, self._policy)
        asks = (conversation.media_type, conversation.required_skills, conversation.ring)
        return _Requirements((*asks, conversation.preferred_skills), is_choosy=alone is not None)

    def _place(self, conversation: Conversation) -> tuple[int, str]:
        return queue_rank(conversation, self._policy.queue_order), conversation.id


class Floor:
    """Conversations that are not over, and agents; whatever changes either goes through here."""

    def __init__(self, workgroups: Iterable[SimulatedWorkgroup]) -> None:
        self.workgroups = {group.routing.workgroup_id: group for group in workgroups}
        self.agents: dict[str, Agent] = {}
        self.conversations: dict[str, Conversation] = {}
        self.queues = {i: Queue(group.routing) for i, group in self.workgroups.items()}
        self.carried: defaultdict[str, set[str]] = defaultdict(set)
        self.lines = {i: Line(group.routing) for i, group in self.workgroups.items()}
        self._with_room: dict[str, dict[str, Agent]] = {i: {} for i in self.workgroups}
        self._reached_from: defaultdict[str, set[str]] = defaultdict(set)
        self._widest = {i: _widest_reach(group.routing) for i, group in self.workgroups.items()}
        for workgroup_id, reached in self._widest.items():
            for other_id in reached:
                self._reached_from[other_id].add(workgroup_id)

    def widest_reach(self, workgroup_id: str) -> frozenset[str]:
        """Return the workgroups whose members may get a conversation once all rings are open."""
        return self._widest[workgroup_id]

    def opens_rings_at_once(self, workgroup_id: str) -> bool:
        rings = self.workgroups[workgroup_id].routing.rings
        return any(ring.at_once_if_nobody for ring in rings)

    def asked_for(self, agent: Agent) -> set[str]:
        """Return the workgroups for whose conversations the agent may be there, rings and all."""
        reached = (self._reached_from.get(i, frozenset[str]()) for i in agent.workgroup_ids)
        return set().union(*reached)

    def with_room(self, workgroup_ids: Collection[str]) -> dict[str, Agent]:
        """Return the agents on queue of the workgroups who have any room left."""
        if len(workgroup_ids) == 1:
            return self._with_room[next(iter(workgroup_ids))]
        found: dict[str, Agent] = {}
        for workgroup_id in workgroup_ids:
            found |= self._with_room[workgroup_id]
        return found

    def members(self, workgroup_ids: Collection[str]) -> list[Agent]:
        """Return all agents of the workgroups, whatever their status."""
        return [a for a in self.agents.values() if not a.workgroup_ids.isdisjoint(workgroup_ids)]

    def room_of(self, agents: Iterable[Agent], policy: RoutingPolicy) -> int:
        """Return how many of the workgroup's conversations the agents have room for at most."""
        levels = policy.utilization.values()
        lightest = min((level.percent for level in levels), default=DEFAULT_WEIGHT_PERCENT)
        room = 0
        for agent in agents:
            room += _room(agent, lightest)
            if room >= HEADS:
                break
        return min(HEADS, room)

    def put_agent(self, agent: Agent, now: Instant) -> Agent:
        """Let an agent be as given, but for what he carries; on coming on queue he is idle."""
        before = self.agents.get(agent.id)
        agent = replace(agent, workgroup_ids=agent.workgroup_ids & self.workgroups.keys())
        is_back = before is None or before.routing_status is not RoutingStatus.ON_QUEUE
        if before is None:
            agent = replace(agent, load_percent=0, load_count={}, idle_since=now, offered_at=0)
        else:
            agent = replace(
                agent,
                load_percent=before.load_percent,
                load_count=before.load_count,
                idle_since=now if is_back else before.idle_since,
                offered_at=before.offered_at,
            )
        self._place_agent(before, agent)
        return agent

    def change(self, before: Conversation | None, after: Conversation, now: Instant) -> set[str]:
        """Let a conversation be as decided; return the agents who were relieved of weight."""
        if before is not None and before.state is ConversationState.QUEUED:
            self.queues[before.workgroup_id].remove(before)
        if after.state is ConversationState.QUEUED:
            self.queues[after.workgroup_id].add(after)
        if after.is_final:
            self.conversations.pop(after.id, None)
        else:
            self.conversations[after.id] = after
        return self._move_weight(holders(before) if before else (), holders(after), after.id, now)

    def _move_weight(
        self,
        gave: tuple[Holder, ...],
        took: tuple[Holder, ...],
        conversation_id: str,
        now: Instant,
    ) -> set[str]:
        if gave == took:
            return set()
        relieved = set()
        for carrier in gave:
            self.carried[carrier.agent_id].discard(conversation_id)
            if carrier not in took:
                relieved.add(carrier.agent_id)
                self._load(carrier, -1, now)
        for carrier in took:
            self.carried[carrier.agent_id].add(conversation_id)
            if carrier not in gave:
                self._load(carrier, 1, now)
        return relieved

    def _load(self, carrier: Holder, sign: int, now: Instant) -> None:
        agent = self.agents[carrier.agent_id]
        weight_percent = 0 if carrier.is_override else carrier.weight_percent
        counts: dict[MediaType, int] = dict(agent.load_count)
        counts[carrier.media_type] = counts.get(carrier.media_type, 0) + sign
        loaded = replace(
            agent,
            load_percent=agent.load_percent + sign * weight_percent,
            load_count=counts,
            idle_since=now if sign < 0 else agent.idle_since,
            offered_at=now if sign > 0 else agent.offered_at,
        )
        self._place_agent(agent, loaded)

    def _place_agent(self, before: Agent | None, agent: Agent) -> None:
        self.agents[agent.id] = agent
        had_room = before is not None and _has_room(before)
        has_room = _has_room(agent)
        left = before.workgroup_ids if before is not None and had_room else frozenset[str]()
        for workgroup_id in left if not has_room else left - agent.workgroup_ids:
            self._with_room[workgroup_id].pop(agent.id, None)
            self.lines[workgroup_id].take(agent.id)
        if has_room:
            for workgroup_id in agent.workgroup_ids:
                self._with_room[workgroup_id][agent.id] = agent
                self.lines[workgroup_id].put(agent)


def _has_room(agent: Agent) -> bool:
    return agent.routing_status is RoutingStatus.ON_QUEUE and agent.load_percent < FULL_PERCENT


def _room(agent: Agent, lightest_percent: int) -> int:
    own = (level.percent for level in agent.utilization.values())
    lightest_percent = min(lightest_percent, DEFAULT_WEIGHT_PERCENT, *own)
    return (FULL_PERCENT - agent.load_percent) // max(1, lightest_percent)


def _widest_reach(policy: RoutingPolicy) -> frozenset[str]:
    added = (ring.workgroup_ids for ring in policy.rings)
    return frozenset({policy.workgroup_id}).union(*added)

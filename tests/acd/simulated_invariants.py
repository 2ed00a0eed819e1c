"""What has to be true while a simulation runs: checkers that watch it step by step.

They reckon for themselves what they check: loads from who carries what, ranks from moments of
arrival, circles from rings. Of the rules they only ask whether an agent is eligible, where the
question is what follows from it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from acd.eligibility import reasons_against
from acd.matching import Match
from acd.model import Agent, RoutingPolicy
from acd.simulated_floor import Floor
from conversations.errors import ConversationError
from conversations.model import Conversation, Instant

MS_PER_POINT = 6_000
LONGEST_HEAD_START_MS = 100 * MS_PER_POINT
"""Priorities are 0 to 100: so much later at most comes who goes before one that waits."""

FULL_SCAN_EVERY = 200


@dataclass(frozen=True)
class Violation:
    """Which invariant is broken, by what, and how."""

    invariant: str
    subject: str
    what: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.subject}: {self.what}"


@dataclass
class Checker:
    """Watches and keeps what it finds; a subclass looks at what it checks."""

    violations: list[Violation] = field(default_factory=list)

    def find(self, invariant: str, subject: str, what: str) -> None:
        self.violations.append(Violation(invariant, subject, what))

    def changed(self, before: Conversation | None, after: Conversation, now: Instant) -> None: ...

    def agent_changed(self, before: Agent | None, after: Agent, now: Instant) -> None: ...

    def offered(self, pair: Match, agents: Sequence[Agent], now: Instant) -> None: ...

    def refused(self, conversation: Conversation, refusal: ConversationError) -> None: ...

    def settled(self, floor: Floor, now: Instant) -> None: ...


def carried(conversation: Conversation) -> list[tuple[str, int]]:
    """Say who carries which weight; written apart from `holders` on purpose."""
    if conversation.is_override:
        return []
    if conversation.state == "alerting":
        return [(offer.agent_id, offer.weight_percent) for offer in conversation.offers]
    if conversation.state in {"connected", "held", "wrapup"}:
        return [(conversation.agent_id or "", conversation.weight_percent)]
    return []


@dataclass
class Loads(Checker):
    """I4: nobody ever carries more than 100 %, and the floor knows what everybody carries."""

    loads: Counter[str] = field(default_factory=Counter)
    touched: set[str] = field(default_factory=set)

    def changed(self, before: Conversation | None, after: Conversation, now: Instant) -> None:
        for agent_id, weight_percent in carried(before) if before else ():
            self.loads[agent_id] -= weight_percent
            self.touched.add(agent_id)
        for agent_id, weight_percent in carried(after):
            self.loads[agent_id] += weight_percent
            self.touched.add(agent_id)
            if self.loads[agent_id] > 100:
                self.find("I4", agent_id, f"carries {self.loads[agent_id]} % at {now}")

    def settled(self, floor: Floor, now: Instant) -> None:
        while self.touched:
            agent_id = self.touched.pop()
            known = floor.agents[agent_id].load_percent
            if known != self.loads[agent_id]:
                differs = f"carries {self.loads[agent_id]} %, is thought to carry {known} %"
                self.find("I4", agent_id, differs)


@dataclass
class Ownership(Checker):
    """I5: between two owners a conversation belongs to nobody."""

    def changed(self, before: Conversation | None, after: Conversation, now: Instant) -> None:
        was, owns = _owner(before) if before else None, _owner(after)
        if was is not None and owns is not None and was != owns:
            self.find("I5", after.id, f"went from {was} to {owns} at once")


def _owner(conversation: Conversation) -> str | None:
    is_owned = conversation.state in {"connected", "held", "parked"}
    return conversation.agent_id if is_owned else None


def may_wait_for_preferred(
    conversation: Conversation, floor: Floor, policy: RoutingPolicy, now: Instant
) -> bool:
    """Whether it waits, for a bounded time, for an agent who lacks nothing but room."""
    until = conversation.preferred_until
    agent = floor.agents.get(conversation.preferred_agent_id or "")
    if until is None or until <= now or agent is None:
        return False
    reasons = set(reasons_against(conversation, agent, policy, now))
    return bool(reasons) and reasons <= {"capacity", "maximum_count"}


@dataclass
class Conservation(Checker):
    """I9: after each step nobody waits beside an agent who could take the conversation.

    Looked at are those whom the step touched, and every so often everybody.
    """

    steps: int = 0
    queued: dict[str, str] = field(default_factory=dict)
    freed: set[str] = field(default_factory=set)

    def changed(self, before: Conversation | None, after: Conversation, now: Instant) -> None:
        if after.state == "queued":
            self.queued[after.id] = after.workgroup_id
        self.freed |= {agent_id for agent_id, _ in carried(before)} if before else set()

    def agent_changed(self, before: Agent | None, after: Agent, now: Instant) -> None:
        self.freed.add(after.id)

    def settled(self, floor: Floor, now: Instant) -> None:
        self.steps += 1
        if self.steps % FULL_SCAN_EVERY == 0:
            self._scan(floor, now)
            return
        for conversation_id, workgroup_id in self.queued.items():
            conversation = floor.conversations.get(conversation_id)
            if conversation is not None and conversation.state == "queued":
                self._look(conversation, list(_with_room(floor)), floor, now)
            assert workgroup_id in floor.workgroups
        agents = [floor.agents[i] for i in self.freed if _may_have_room(floor.agents[i])]
        for queue in floor.queues.values() if agents else ():
            for conversation in queue.heads(1):
                self._look(conversation, agents, floor, now)
        self.queued.clear()
        self.freed.clear()

    def _scan(self, floor: Floor, now: Instant) -> None:
        agents = list(_with_room(floor))
        for queue in floor.queues.values():
            for conversation in queue:
                self._look(conversation, agents, floor, now)

    def _look(
        self, conversation: Conversation, agents: Sequence[Agent], floor: Floor, now: Instant
    ) -> None:
        policy = floor.workgroups[conversation.workgroup_id].routing
        beside = [a.id for a in agents if not reasons_against(conversation, a, policy, now)]
        if beside and not may_wait_for_preferred(conversation, floor, policy, now):
            self.find("I9", conversation.id, f"waits beside {beside} at {now}")


def _may_have_room(agent: Agent) -> bool:
    return agent.routing_status == "on_queue" and agent.load_percent < 100


def _with_room(floor: Floor) -> Iterator[Agent]:
    return (agent for agent in floor.agents.values() if _may_have_room(agent))


def expected_rank(conversation: Conversation, policy: RoutingPolicy) -> tuple[int, int]:
    """Return the place in the queue as the documentation has it, skill left out."""
    weights, is_strict = policy.queue_order.weights, policy.queue_order.is_strict
    since = weights.time_in_queue * conversation.queued_at
    since += weights.time_in_system * conversation.created_at
    points = weights.priority * conversation.priority * MS_PER_POINT
    return (-conversation.priority, since) if is_strict else (0, since - points)


@dataclass
class _Offered:
    conversation: Conversation
    agents: Sequence[Agent]


@dataclass
class Order(Checker):
    """No offer passes over a conversation of a better score that the same agent could take."""

    offers: list[_Offered] = field(default_factory=list)

    def offered(self, pair: Match, agents: Sequence[Agent], now: Instant) -> None:
        self.offers.append(_Offered(pair.conversation, agents))

    def settled(self, floor: Floor, now: Instant) -> None:
        for offer in self.offers:
            policy = floor.workgroups[offer.conversation.workgroup_id].routing
            if not policy.queue_order.weights.skill:
                self._look(offer, policy, floor, now)
        self.offers.clear()

    def _look(self, offer: _Offered, policy: RoutingPolicy, floor: Floor, now: Instant) -> None:
        rank = expected_rank(offer.conversation, policy)
        for waiting in floor.queues[offer.conversation.workgroup_id]:
            if expected_rank(waiting, policy) >= rank:
                continue
            for agent in offer.agents:
                is_fit = not reasons_against(waiting, agent, policy, now)
                if is_fit and not may_wait_for_preferred(waiting, floor, policy, now):
                    self.find("order", waiting.id, f"{offer.conversation.id} got {agent.id}")


@dataclass
class Starvation(Checker):
    """Nobody is overtaken for ever.

    The bound: at an agent who could take a conversation, nothing goes before it that came more
    than (100 - its priority) · 6 s later. Proof: the score is priority + age / 6 s; at any moment
    one that came d ms later has an age that is d smaller, and at most 100 points of priority; it
    goes first only if 100 - d / 6 s > priority. From its arrival on, the number of those that
    may go before a conversation is therefore finite and only shrinks.

    Reckoned from arrivals alone. Holds where time in queue weighs and priority is not strict.
    """

    offers: list[_Offered] = field(default_factory=list)
    closest_ms: int = LONGEST_HEAD_START_MS

    def offered(self, pair: Match, agents: Sequence[Agent], now: Instant) -> None:
        self.offers.append(_Offered(pair.conversation, agents))

    def settled(self, floor: Floor, now: Instant) -> None:
        for offer in self.offers:
            policy = floor.workgroups[offer.conversation.workgroup_id].routing
            weights = policy.queue_order.weights
            has_bound = not policy.queue_order.is_strict and not weights.skill
            if has_bound and weights.time_in_queue == weights.priority == 1:
                self._look(offer, policy, floor, now)
        self.offers.clear()

    def _look(self, offer: _Offered, policy: RoutingPolicy, floor: Floor, now: Instant) -> None:
        for waiting in floor.queues[offer.conversation.workgroup_id]:
            head_start_ms = offer.conversation.queued_at - waiting.queued_at
            if head_start_ms <= (100 - waiting.priority) * MS_PER_POINT:
                continue
            for agent in offer.agents:
                is_fit = not reasons_against(waiting, agent, policy, now)
                if is_fit and not may_wait_for_preferred(waiting, floor, policy, now):
                    late = f"was overtaken by {offer.conversation.id}, {head_start_ms} ms younger"
                    self.find("starvation", waiting.id, late)


@dataclass
class Circles(Checker):
    """Rings: nobody is asked before the ring that adds him, and none opens before its time."""

    agents: dict[str, Agent] = field(default_factory=dict)
    policies: dict[str, RoutingPolicy] = field(default_factory=dict)
    opened: Counter[int] = field(default_factory=Counter)
    steps: int = 0

    def agent_changed(self, before: Agent | None, after: Agent, now: Instant) -> None:
        self.agents[after.id] = after

    def offered(self, pair: Match, agents: Sequence[Agent], now: Instant) -> None:
        conversation = pair.conversation
        policy = self.policies[conversation.workgroup_id]
        for agent in agents:
            if not _is_in_circle(conversation, agent, policy, conversation.ring):
                early = f"offered to {agent.id} in ring {conversation.ring}"
                self.find("ring", conversation.id, early)

    def changed(self, before: Conversation | None, after: Conversation, now: Instant) -> None:
        if before is None or after.ring <= before.ring:
            return
        policy = self.policies[after.workgroup_id]
        for ring in range(before.ring, after.ring):
            self.opened[ring] += 1
            if not self._may_open(before, ring, policy, now):
                self.find("ring", after.id, f"ring {ring + 1} opened before its time")

    def _may_open(
        self, conversation: Conversation, ring: int, policy: RoutingPolicy, now: Instant
    ) -> bool:
        """Ask whether the ring of this number may open; as many are open already."""
        opens_at = (conversation.ring_since or 0) + policy.rings[ring].after_s * 1000
        if now >= opens_at:
            return True
        inside = self._reach(conversation, ring, policy)
        if policy.rings[ring].at_once_if_nobody and inside == 0:
            return True
        is_behind_another = ring > conversation.ring
        return is_behind_another and inside <= self._reach(conversation, ring - 1, policy)

    def _reach(self, conversation: Conversation, ring: int, policy: RoutingPolicy) -> int:
        return sum(
            _is_in_circle(conversation, agent, policy, ring)
            and _works(agent)
            and conversation.media_type in agent.may_get
            for agent in self.agents.values()
        )

    def settled(self, floor: Floor, now: Instant) -> None:
        self.steps += 1
        if self.steps % FULL_SCAN_EVERY:
            return
        for queue in floor.queues.values():
            for conversation in queue:
                self._look(conversation, self.policies[conversation.workgroup_id])

    def _look(self, conversation: Conversation, policy: RoutingPolicy) -> None:
        ring = conversation.ring
        if ring >= len(policy.rings) or not policy.rings[ring].at_once_if_nobody:
            return
        if self._reach(conversation, ring, policy) == 0:
            self.find("ring", conversation.id, f"waits for ring {ring + 1} with nobody in {ring}")


def _works(agent: Agent) -> bool:
    is_there = agent.routing_status == "on_queue" and agent.is_enabled and agent.is_present
    return is_there and agent.is_licensed


def _is_in_circle(
    conversation: Conversation, agent: Agent, policy: RoutingPolicy, ring: int
) -> bool:
    """Whether the agent is a member, and has the skills, with so many rings open."""
    reached = {conversation.workgroup_id}
    asked: defaultdict[str, list[int]] = defaultdict(list)
    for required in (*conversation.required_skills, *policy.required_skills):
        asked[required.skill].append(required.min_proficiency)
    for opened in policy.rings[:ring]:
        reached |= set(opened.workgroup_ids)
        for skill in opened.drop_skills:
            asked.pop(skill, None)
        for low in opened.lower_skills:
            levels = asked.get(low.skill, [])
            asked[low.skill] = [min(level, low.min_proficiency) for level in levels]
    has_skills = all(
        agent.skills.get(skill, -1) >= max(levels) for skill, levels in asked.items() if levels
    )
    return has_skills and not reached.isdisjoint(agent.workgroup_ids)


def all_checkers(floor: Floor) -> list[Checker]:
    policies = {i: group.routing for i, group in floor.workgroups.items()}
    circles = Circles(policies=policies)
    return [Loads(), Ownership(), Conservation(), Order(), Starvation(), circles]


def violations_of(checkers: Sequence[Checker]) -> list[Violation]:
    return [violation for checker in checkers for violation in checker.violations]

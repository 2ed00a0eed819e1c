"""Who gets whom: one pass over waiting conversations and agents, explaining every choice."""

from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from acd.eligibility import ROOM_REASONS, Reason, reasons_against
from acd.lineup import Lineup, Place
from acd.model import Agent, RoutingPolicy
from acd.order import Ranked, ranked, skill_fit, wanted_skills
from acd.priority import queue_rank, rank_with_skill, score
from acd.utilization import utilization_of
from conversations.model import Conversation, Instant, MediaType

RUNNERS_UP = 5


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why this conversation went to that agent, or to nobody.

    `filtered` counts the agents whom each filter stopped first, so that the counts and the
    eligible ones add up to `candidates`. `also_offered` are those who alert beside the chosen.
    """

    conversation_id: str
    workgroup_id: str
    policy_version: int
    at: Instant
    ring: int
    score: float
    candidates: int
    filtered: dict[str, int]
    chosen: Ranked | None
    runners_up: tuple[Ranked, ...]
    also_offered: tuple[Ranked, ...] = ()
    waits_for_agent_id: str | None = None


@dataclass(frozen=True, slots=True)
class Offered:
    """An agent who is to be offered a conversation, and what it takes of him."""

    agent: Agent
    weight_percent: int


@dataclass(frozen=True, slots=True)
class Match:
    """A conversation and the agents who are to be offered it, the chosen one first."""

    conversation: Conversation
    offered: tuple[Offered, ...]
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Shortlist:
    """The agents looked at for conversations that ask for the same.

    `stopped_before` counts, by reason, those who were ruled out before they were read.
    """

    agents: Sequence[Agent]
    stopped_before: Mapping[str, int] = field(default_factory=dict)


Shortlists = Callable[[Conversation], Shortlist]
"""Returns the agents to be looked at for a conversation and for those that ask for the same."""

Asks = tuple[object, ...]


def asks_of(conversation: Conversation, policy: RoutingPolicy) -> Asks:
    """Name what a conversation asks for; those that wait for or pass over somebody stand alone."""
    choosy = conversation.preferred_agent_id is not None or conversation.passed_over
    return (
        conversation.media_type,
        conversation.required_skills,
        conversation.preferred_skills,
        min(conversation.ring, len(policy.rings)),
        conversation.location,
        conversation.id if choosy else None,
    )


def choose_agent(
    conversation: Conversation, shortlist: Shortlist, policy: RoutingPolicy, now: Instant
) -> Explanation:
    """Choose the agent for one conversation, and say why.

    While the wait for a preferred agent runs, only he is chosen; but nobody waits for one who
    lacks anything else than room.
    """
    filtered: Counter[str] = Counter(shortlist.stopped_before)
    candidates = len(shortlist.agents) + filtered.total()
    eligible: list[Ranked] = []
    waits_for: str | None = None
    for agent in shortlist.agents:
        reasons = reasons_against(conversation, agent, policy, now)
        if not reasons:
            eligible.append(ranked(conversation, agent, policy))
            continue
        filtered[reasons[0].value] += 1
        if agent.id == conversation.preferred_agent_id and _is_worth_waiting(
            conversation, reasons, now
        ):
            waits_for = agent.id
    waited_for = conversation.preferred_agent_id if _waits(conversation, now) else None
    eligible.sort(key=lambda candidate: (candidate.agent_id != waited_for, candidate.key))
    place = Place(eligible[: policy.offers_at_once + RUNNERS_UP], filtered, candidates)
    return explained(conversation, policy, now, place, waits_for)


def explained(
    conversation: Conversation,
    policy: RoutingPolicy,
    now: Instant,
    place: Place,
    waits_for: str | None = None,
) -> Explanation:
    """Put an explanation together from the first of the ranked agents."""
    first = place.first
    is_chosen = bool(first) and waits_for is None
    taken = policy.offers_at_once if is_chosen else 0
    return Explanation(
        conversation_id=conversation.id,
        workgroup_id=policy.workgroup_id,
        policy_version=policy.version,
        at=now,
        ring=conversation.ring,
        score=round(score(conversation, policy.queue_order, now), 3),
        candidates=place.candidates,
        filtered={reason: count for reason, count in sorted(place.filtered.items()) if count},
        chosen=first[0] if is_chosen else None,
        runners_up=tuple(first[taken : taken + RUNNERS_UP]),
        also_offered=tuple(first[1:taken]),
        waits_for_agent_id=waits_for,
    )


def _is_worth_waiting(
    conversation: Conversation, reasons: tuple[Reason, ...], now: Instant
) -> bool:
    return _waits(conversation, now) and set(reasons) <= ROOM_REASONS


def _waits(conversation: Conversation, now: Instant) -> bool:
    return conversation.preferred_until is not None and now < conversation.preferred_until


@dataclass(slots=True)
class _Matching:
    """One pass: the queues of those that ask for the same, and the agents as they fill up."""

    policy: RoutingPolicy
    now: Instant
    shortlists: Shortlists
    queues: dict[Asks, deque[Conversation]] = field(default_factory=dict)
    free: dict[str, Agent] = field(default_factory=dict)
    read: dict[Asks, Shortlist] = field(default_factory=dict)
    lineups: dict[Asks, Lineup] = field(default_factory=dict)

    def next_asks(self) -> Asks:
        """Return the queue whose head comes first."""
        return min(self.queues, key=self._rank_of_head)

    def _rank_of_head(self, asks: Asks) -> tuple[float, str]:
        head, order = self.queues[asks][0], self.policy.queue_order
        rank = queue_rank(head, order)
        if not order.weights.skill:
            return rank, head.id
        return rank_with_skill(rank, order, self._best_fit_percent(asks, head)), head.id

    def _best_fit_percent(self, asks: Asks, head: Conversation) -> float:
        """Return how well the best agent with room fits, of 100 per wanted skill."""
        wanted = len(wanted_skills(head, self.policy))
        fits = (
            skill_fit(head, agent, self.policy)
            for agent in self.shortlist(asks, head).agents
            if not reasons_against(head, agent, self.policy, self.now)
        )
        return max(fits, default=0) / wanted if wanted else 0.0

    def shortlist(self, asks: Asks, sample: Conversation) -> Shortlist:
        """Return the agents for such conversations as they are by now."""
        if asks not in self.read:
            self.read[asks] = self.shortlists(sample)
        read = self.read[asks]
        now = [self.free.setdefault(agent.id, agent) for agent in read.agents]
        return Shortlist(now, read.stopped_before)

    def explain(self, asks: Asks, conversation: Conversation) -> Explanation:
        if asks[-1] is not None:
            shortlist = self.shortlist(asks, conversation)
            return choose_agent(conversation, shortlist, self.policy, self.now)
        if asks not in self.lineups:
            shortlist = self.shortlist(asks, conversation)
            self.lineups[asks] = Lineup(
                conversation, shortlist.agents, self.policy, self.now, shortlist.stopped_before
            )
        place = self.lineups[asks].place(self.policy.offers_at_once + RUNNERS_UP)
        return explained(conversation, self.policy, self.now, place)

    def take(self, conversation: Conversation, why: Explanation) -> Match:
        """Take the room of those who are offered the conversation."""
        chosen = (why.chosen, *why.also_offered)
        offered = tuple(
            self._take_room(conversation, one.agent_id) for one in chosen if one is not None
        )
        return Match(conversation, offered, why)

    def _take_room(self, conversation: Conversation, agent_id: str) -> Offered:
        agent = self.free[agent_id]
        utilization = utilization_of(agent, self.policy, conversation.media_type)
        fuller = with_one_more(agent, conversation.media_type, utilization.percent, self.now)
        self.free[agent_id] = fuller
        for lineup in self.lineups.values():
            lineup.move(agent, fuller)
        return Offered(agent, utilization.percent)


def in_turn(
    conversations: Sequence[Conversation],
    shortlists: Shortlists,
    policy: RoutingPolicy,
    now: Instant,
    most: int | None = None,
) -> Iterator[Match | Explanation]:
    """Pair waiting conversations, given in the order of their queue, with agents.

    Each pair takes the agents' room before the next conversation is looked at; after `most`
    pairs it stops. Yields, as they are decided, the pairs and, for those who found nobody, why.
    """
    matching = _Matching(policy, now, shortlists)
    for conversation in conversations:
        matching.queues.setdefault(asks_of(conversation, policy), deque()).append(conversation)
    pairs = 0
    while matching.queues and pairs != most:
        asks = matching.next_asks()
        conversation = matching.queues[asks].popleft()
        if not matching.queues[asks]:
            del matching.queues[asks]
        why = matching.explain(asks, conversation)
        if why.chosen is None:
            yield why
        else:
            pairs += 1
            yield matching.take(conversation, why)


def match(
    conversations: Sequence[Conversation],
    shortlists: Shortlists,
    policy: RoutingPolicy,
    now: Instant,
    most: int | None = None,
) -> tuple[list[Match], list[Explanation]]:
    """Return the pairs of `in_turn` and, for those who found nobody, why."""
    matches: list[Match] = []
    unmatched: list[Explanation] = []
    for decided in in_turn(conversations, shortlists, policy, now, most):
        if isinstance(decided, Match):
            matches.append(decided)
        else:
            unmatched.append(decided)
    return matches, unmatched


def everyone(
    agents: Collection[Agent], stopped_before: Mapping[str, int] | None = None
) -> Shortlists:
    """Look at the same agents for every conversation."""
    shortlist = Shortlist(tuple(agents), stopped_before or {})
    return lambda _: shortlist


def with_one_more(agent: Agent, media_type: MediaType, weight_percent: int, now: Instant) -> Agent:
    """Return the agent as he is when he has been offered one conversation more."""
    counts = dict(agent.load_count)
    counts[media_type] = counts.get(media_type, 0) + 1
    load_percent = agent.load_percent + weight_percent
    return replace(agent, load_percent=load_percent, load_count=counts, offered_at=now)

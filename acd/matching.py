"""Who gets whom: one pass over waiting conversations and agents, explaining every choice."""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from acd.eligibility import ROOM_REASONS, Reason, reasons_against
from acd.model import Agent, RoutingPolicy
from acd.priority import score
from acd.utilization import utilization_of
from conversations.model import Conversation, Instant

RUNNERS_UP = 5


@dataclass(frozen=True, slots=True)
class AgentOrder:
    """How an agent compares with others; the smallest goes first, key by key."""

    not_preferred: bool
    lacking_skill: int
    load_percent: int
    idle_since: Instant

    def key(self, agent_id: str) -> tuple[bool, int, int, Instant, str]:
        """Compare in the documented order; the id only keeps equal agents in one order."""
        return (
            self.not_preferred,
            self.lacking_skill,
            self.load_percent,
            self.idle_since,
            agent_id,
        )


@dataclass(frozen=True, slots=True)
class Ranked:
    agent_id: str
    order: AgentOrder


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why this conversation went to that agent, or to nobody.

    `filtered` counts the agents whom each filter stopped first, so that the counts and the
    eligible ones add up to `candidates`.
    """

    conversation_id: str
    workgroup_id: str
    policy_version: int
    at: Instant
    score: float
    candidates: int
    filtered: dict[str, int]
    chosen: Ranked | None
    runners_up: tuple[Ranked, ...]
    waits_for_agent_id: str | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A conversation and the agent who is to be offered it."""

    conversation: Conversation
    agent: Agent
    weight_percent: int
    explanation: Explanation


def order_of(conversation: Conversation, agent: Agent) -> AgentOrder:
    """Place an agent: preferred agent, skill fit, lowest utilization, longest idle."""
    surplus = sum(
        max(0, agent.skills.get(required.skill, 0)) for required in conversation.required_skills
    )
    return AgentOrder(
        not_preferred=agent.id != conversation.preferred_agent_id,
        lacking_skill=-surplus,
        load_percent=agent.load_percent,
        idle_since=agent.idle_since,
    )


def choose_agent(
    conversation: Conversation,
    agents: Collection[Agent],
    policy: RoutingPolicy,
    now: Instant,
    stopped_before: Mapping[str, int] | None = None,
) -> Explanation:
    """Choose the agent for one conversation, and say why.

    `stopped_before` counts, by reason, agents who were ruled out before they were read.

    While the wait for a preferred agent runs, only he is chosen; but nobody waits for one who
    lacks anything else than room.
    """
    filtered: Counter[str] = Counter(stopped_before or {})
    candidates = len(agents) + filtered.total()
    eligible: list[Agent] = []
    waits_for: str | None = None
    for agent in agents:
        reasons = reasons_against(conversation, agent, policy, now)
        if not reasons:
            eligible.append(agent)
            continue
        filtered[reasons[0].value] += 1
        if agent.id == conversation.preferred_agent_id and _is_worth_waiting(
            conversation, reasons, now
        ):
            waits_for = agent.id
    ranked = sorted(
        (Ranked(agent.id, order_of(conversation, agent)) for agent in eligible),
        key=lambda candidate: candidate.order.key(candidate.agent_id),
    )
    return _explained(conversation, policy, now, candidates, filtered, ranked, waits_for)


def _explained(  # noqa: PLR0913, PLR0917 - the parts of an explanation, given once by each way to it
    conversation: Conversation,
    policy: RoutingPolicy,
    now: Instant,
    candidates: int,
    filtered: Mapping[str, int],
    ranked: Sequence[Ranked],
    waits_for: str | None = None,
) -> Explanation:
    chosen = ranked[0] if ranked and waits_for is None else None
    return Explanation(
        conversation_id=conversation.id,
        workgroup_id=policy.workgroup_id,
        policy_version=policy.version,
        at=now,
        score=round(score(conversation, now), 3),
        candidates=candidates,
        filtered={reason: count for reason, count in sorted(filtered.items()) if count},
        chosen=chosen,
        runners_up=tuple(ranked[1 : 1 + RUNNERS_UP]) if chosen else tuple(ranked[:RUNNERS_UP]),
        waits_for_agent_id=waits_for,
    )


def _is_worth_waiting(
    conversation: Conversation, reasons: tuple[Reason, ...], now: Instant
) -> bool:
    waits_until = conversation.preferred_until
    return waits_until is not None and now < waits_until and set(reasons) <= ROOM_REASONS


class Lineup:
    """The agents in their order for conversations that ask for the same.

    Says of a plain conversation what `choose_agent` says, without looking at every agent again:
    only an agent whose load has changed is placed anew.
    """

    def __init__(
        self,
        sample: Conversation,
        agents: Collection[Agent],
        policy: RoutingPolicy,
        now: Instant,
        stopped_before: Mapping[str, int] | None = None,
    ) -> None:
        self._sample, self._policy, self._now = sample, policy, now
        self._filtered: Counter[str] = Counter(stopped_before or {})
        self._candidates = len(agents) + self._filtered.total()
        self._ranked: list[tuple[OrderKey, Ranked]] = []
        for agent in agents:
            self._place(agent, self._ranked.append)
        self._ranked.sort(key=_key_of)

    def explain(self, conversation: Conversation) -> Explanation:
        ranked = [candidate for _, candidate in self._ranked[: 1 + RUNNERS_UP]]
        return _explained(
            conversation, self._policy, self._now, self._candidates, self._filtered, ranked
        )

    def move(self, before: Agent, after: Agent) -> None:
        """Place an agent anew whose load has changed."""
        reasons = reasons_against(self._sample, before, self._policy, self._now)
        if reasons:
            self._filtered[reasons[0].value] -= 1
        else:
            key = order_of(self._sample, before).key(before.id)
            del self._ranked[bisect_left(self._ranked, key, key=_key_of)]
        self._place(after, lambda placed: insort(self._ranked, placed, key=_key_of))

    def _place(self, agent: Agent, put: Callable[[tuple["OrderKey", Ranked]], None]) -> None:
        reasons = reasons_against(self._sample, agent, self._policy, self._now)
        if reasons:
            self._filtered[reasons[0].value] += 1
            return
        order = order_of(self._sample, agent)
        put((order.key(agent.id), Ranked(agent.id, order)))


OrderKey = tuple[bool, int, int, Instant, str]


def _key_of(placed: tuple[OrderKey, Ranked]) -> OrderKey:
    return placed[0]


def match(
    conversations: Sequence[Conversation],
    agents: Sequence[Agent],
    policy: RoutingPolicy,
    now: Instant,
    stopped_before: Mapping[str, int] | None = None,
) -> tuple[list[Match], list[Explanation]]:
    """Pair waiting conversations, given in the order of their queue, with agents.

    Each pair takes the agent's room before the next conversation is looked at. Returns the pairs
    and, for those who found nobody, why.
    """
    free = {agent.id: agent for agent in agents}
    lineups: dict[object, Lineup] = {}
    matches: list[Match] = []
    unmatched: list[Explanation] = []
    for conversation in conversations:
        asks = (conversation.workgroup_id, conversation.media_type, conversation.required_skills)
        if conversation.preferred_agent_id is not None or conversation.passed_over:
            explanation = choose_agent(conversation, free.values(), policy, now, stopped_before)
        else:
            if asks not in lineups:
                lineups[asks] = Lineup(conversation, free.values(), policy, now, stopped_before)
            explanation = lineups[asks].explain(conversation)
        if explanation.chosen is None:
            unmatched.append(explanation)
            continue
        agent = free[explanation.chosen.agent_id]
        weight_percent = utilization_of(agent, policy, conversation.media_type).percent
        matches.append(Match(conversation, agent, weight_percent, explanation))
        free[agent.id] = _with_one_more(agent, conversation, weight_percent)
        for lineup in lineups.values():
            lineup.move(agent, free[agent.id])
    return matches, unmatched


def _with_one_more(agent: Agent, conversation: Conversation, weight_percent: int) -> Agent:
    counts = dict(agent.load_count)
    counts[conversation.media_type] = counts.get(conversation.media_type, 0) + 1
    return replace(agent, load_percent=agent.load_percent + weight_percent, load_count=counts)

"""The agents in their order for conversations that ask for the same, kept while they fill up."""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from acd.eligibility import reasons_against
from acd.model import Agent, RoutingPolicy
from acd.order import Ranked, ranked
from conversations.model import Conversation, Instant


@dataclass(frozen=True, slots=True)
class Place:
    """The first of the eligible agents, and how many were stopped by what."""

    first: list[Ranked]
    filtered: Mapping[str, int]
    candidates: int


class Lineup:
    """Says of a plain conversation what `choose_agent` says, without looking at everybody again.

    Only an agent whose load has changed is placed anew.
    """

    def __init__(
        self,
        sample: Conversation,
        agents: Collection[Agent],
        policy: RoutingPolicy,
        now: Instant,
        stopped_before: Mapping[str, int],
    ) -> None:
        self._sample, self._policy, self._now = sample, policy, now
        self._filtered: Counter[str] = Counter(stopped_before)
        self._candidates = len(agents) + self._filtered.total()
        self._members = {agent.id for agent in agents}
        self._ranked: list[Ranked] = []
        for agent in agents:
            self._place(agent, self._ranked.append)
        self._ranked.sort(key=_key_of)

    def place(self, count: int) -> Place:
        return Place(self._ranked[:count], self._filtered, self._candidates)

    def move(self, before: Agent, after: Agent) -> None:
        """Place an agent anew whose load has changed."""
        if before.id not in self._members:
            return
        reasons = reasons_against(self._sample, before, self._policy, self._now)
        if reasons:
            self._filtered[reasons[0].value] -= 1
        else:
            key = ranked(self._sample, before, self._policy).key
            del self._ranked[bisect_left(self._ranked, key, key=_key_of)]
        self._place(after, lambda placed: insort(self._ranked, placed, key=_key_of))

    def _place(self, agent: Agent, put: Callable[[Ranked], None]) -> None:
        reasons = reasons_against(self._sample, agent, self._policy, self._now)
        if reasons:
            self._filtered[reasons[0].value] += 1
            return
        put(ranked(self._sample, agent, self._policy))


def _key_of(placed: Ranked) -> tuple[float | str, ...]:
    return placed.key

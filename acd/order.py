"""Which agent goes first: one key after the other, in the order that the workgroup names."""

from collections.abc import Callable
from dataclasses import dataclass

from acd.distance import distance_km
from acd.model import Agent, OrderKey, RoutingPolicy
from acd.rings import asked_skills
from conversations.model import Conversation, RequiredSkill

FARTHEST_KM = 20_038.0
"""Half the equator and a little: an agent without a place comes after all who have one."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """An agent with the values that placed him; the smallest go first, key by key."""

    agent_id: str
    order: dict[str, float]

    @property
    def key(self) -> tuple[float | str, ...]:
        """Compare in the workgroup's order; the id only keeps equal agents in one order."""
        return (*self.order.values(), self.agent_id)


def ranked(conversation: Conversation, agent: Agent, policy: RoutingPolicy) -> Ranked:
    """Place an agent for a conversation."""
    values = (_VALUES[key] for key in policy.agent_order)
    return Ranked(agent.id, {name: value(conversation, agent, policy) for name, value in values})


def wanted_skills(conversation: Conversation, policy: RoutingPolicy) -> tuple[RequiredSkill, ...]:
    """Return the skills by which fit is measured: those asked for and those preferred."""
    preferred = (*conversation.preferred_skills, *policy.preferred_skills)
    return (*asked_skills(conversation, policy), *preferred)


def skill_fit(conversation: Conversation, agent: Agent, policy: RoutingPolicy) -> int:
    """Add up the agent's proficiency in what is wanted; below a minimum it counts nothing."""
    levels = (
        (agent.skills.get(wanted.skill, 0), wanted.min_proficiency)
        for wanted in wanted_skills(conversation, policy)
    )
    return sum(level for level, minimum in levels if level >= minimum)


def _not_preferred(conversation: Conversation, agent: Agent, _: RoutingPolicy) -> float:
    return int(agent.id != conversation.preferred_agent_id)


def _lacking_skill(conversation: Conversation, agent: Agent, policy: RoutingPolicy) -> float:
    return -skill_fit(conversation, agent, policy)


def _load_percent(_: Conversation, agent: Agent, __: RoutingPolicy) -> float:
    return agent.load_percent


def _idle_since(_: Conversation, agent: Agent, __: RoutingPolicy) -> float:
    return agent.idle_since


def _offered_at(_: Conversation, agent: Agent, __: RoutingPolicy) -> float:
    return agent.offered_at


def _distance_km(conversation: Conversation, agent: Agent, _: RoutingPolicy) -> float:
    distance = distance_km(conversation.location, agent.location)
    return FARTHEST_KM if distance is None else round(distance, 1)


_Value = Callable[[Conversation, Agent, RoutingPolicy], float]
_VALUES: dict[OrderKey, tuple[str, _Value]] = {
    OrderKey.PREFERRED_AGENT: ("not_preferred", _not_preferred),
    OrderKey.SKILL_FIT: ("lacking_skill", _lacking_skill),
    OrderKey.LOWEST_UTILIZATION: ("load_percent", _load_percent),
    OrderKey.LONGEST_IDLE: ("idle_since", _idle_since),
    OrderKey.ROUND_ROBIN: ("offered_at", _offered_at),
    OrderKey.NEAREST: ("distance_km", _distance_km),
}

"""Percent of an agent: how much a conversation takes and whether it still fits."""

from enum import StrEnum

from acd.model import DEFAULT_WEIGHT_PERCENT, Agent, RoutingPolicy, Utilization
from conversations.model import MediaType

FULL_PERCENT = 100


class Level(StrEnum):
    """Where a utilization is set; the first that says something counts."""

    AGENT = "agent"
    WORKGROUP = "workgroup"
    DEFAULT = "default"


def utilization_of(agent: Agent, policy: RoutingPolicy, media_type: MediaType) -> Utilization:
    """Return what one conversation takes of the agent: by user, else workgroup, else default."""
    return levelled_utilization_of(agent, policy, media_type)[1]


def levelled_utilization_of(
    agent: Agent, policy: RoutingPolicy, media_type: MediaType
) -> tuple[Level, Utilization]:
    """Return the utilization with the level that it came from."""
    if media_type in agent.utilization:
        return Level.AGENT, agent.utilization[media_type]
    if media_type in policy.utilization:
        return Level.WORKGROUP, policy.utilization[media_type]
    return Level.DEFAULT, Utilization(DEFAULT_WEIGHT_PERCENT)


def fits(agent: Agent, utilization: Utilization) -> bool:
    """Whether one more conversation of this weight keeps the agent at 100 % or below."""
    return agent.load_percent + utilization.percent <= FULL_PERCENT


def is_below_maximum(agent: Agent, utilization: Utilization, media_type: MediaType) -> bool:
    if utilization.max_count is None:
        return True
    return agent.load_count.get(media_type, 0) < utilization.max_count

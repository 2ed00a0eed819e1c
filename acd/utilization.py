"""Percent of an agent: how much a conversation takes and whether it still fits."""

from acd.model import DEFAULT_WEIGHT_PERCENT, Agent, RoutingPolicy, Utilization
from conversations.model import MediaType

FULL_PERCENT = 100


def utilization_of(agent: Agent, policy: RoutingPolicy, media_type: MediaType) -> Utilization:
    """Return what one conversation takes of the agent: by user, else workgroup, else default."""
    for level in (agent.utilization, policy.utilization):
        if media_type in level:
            return level[media_type]
    return Utilization(DEFAULT_WEIGHT_PERCENT)


def fits(agent: Agent, utilization: Utilization) -> bool:
    """Whether one more conversation of this weight keeps the agent at 100 % or below."""
    return agent.load_percent + utilization.percent <= FULL_PERCENT


def is_below_maximum(agent: Agent, utilization: Utilization, media_type: MediaType) -> bool:
    if utilization.max_count is None:
        return True
    return agent.load_count.get(media_type, 0) < utilization.max_count

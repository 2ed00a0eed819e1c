"""The agents worth a closer look: found in a bounded way, so that no match grows with the floor.

Storage looks the same way into its database; here the rule stands as it can be read, and here a
decision is evaluated again.
"""

from collections import Counter
from collections.abc import Collection
from enum import StrEnum

from acd.eligibility import Reason, has_skills, is_in_reach
from acd.matching import RUNNERS_UP, Shortlist
from acd.model import Agent, OrderKey, RoutingPolicy
from acd.order import ranked
from acd.utilization import fits, utilization_of
from conversations.model import Conversation, RoutingStatus

FURTHER_BACK = "further_back"
"""Counts those who stand in the order behind all who were looked at."""


class Coarse(StrEnum):
    """What rules an agent out before he is looked at, in the order in which it is counted."""

    DISABLED = Reason.DISABLED.value
    NOT_ON_QUEUE = Reason.NOT_ON_QUEUE.value
    MISSING_SKILL = Reason.MISSING_SKILL.value
    CAPACITY = Reason.CAPACITY.value


def most_to_look_at(conversation: Conversation, policy: RoutingPolicy, waiting: int) -> int | None:
    """Return how many agents are enough for a match of so many conversations; None: all.

    Whoever is offered something in the match moves back in the order by at most as many places
    as there are offers, so that the best of all is always among the first of so many.
    """
    if OrderKey.NEAREST in policy.agent_order:
        return None
    offers = waiting * policy.offers_at_once
    return offers + RUNNERS_UP + len(conversation.passed_over) + 1


def shortlist(
    conversation: Conversation,
    agents: Collection[Agent],
    policy: RoutingPolicy,
    most: int | None,
) -> Shortlist:
    """Return the first of those who are not ruled out at once, and count the others.

    `agents` may be the whole floor; who is in no workgroup in reach is not counted at all.
    """
    stopped: Counter[str] = Counter()
    looked_at: list[Agent] = []
    for agent in agents:
        if not is_in_reach(conversation, agent, policy):
            continue
        reason = ruled_out_by(conversation, agent, policy)
        if reason is None:
            looked_at.append(agent)
        else:
            stopped[reason.value] += 1
    looked_at.sort(
        key=lambda agent: (
            not is_waited_for(conversation, agent.id),
            ranked(conversation, agent, policy).key,
        )
    )
    first = looked_at if most is None else looked_at[:most]
    stopped[FURTHER_BACK] = len(looked_at) - len(first)
    return Shortlist(tuple(first), +stopped)


def ruled_out_by(conversation: Conversation, agent: Agent, policy: RoutingPolicy) -> Coarse | None:
    """Say what rules the agent out at once; one who is waited for is looked at without room too."""
    if not agent.is_enabled:
        return Coarse.DISABLED
    if agent.routing_status is not RoutingStatus.ON_QUEUE:
        return Coarse.NOT_ON_QUEUE
    if not has_skills(conversation, agent, policy):
        return Coarse.MISSING_SKILL
    has_room = fits(agent, utilization_of(agent, policy, conversation.media_type))
    if has_room or is_waited_for(conversation, agent.id):
        return None
    return Coarse.CAPACITY


def is_waited_for(conversation: Conversation, agent_id: str) -> bool:
    return conversation.preferred_until is not None and agent_id == conversation.preferred_agent_id

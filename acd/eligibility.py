"""Who may get a conversation: every reason against an agent, at the offer and at pick-up."""

from collections.abc import Collection
from dataclasses import replace
from enum import StrEnum

from acd.model import Agent, RoutingPolicy
from acd.rings import asked_skills, workgroups_in_reach
from acd.utilization import fits, is_below_maximum, utilization_of
from conversations.commands import Standing
from conversations.model import Conversation, Instant, RoutingStatus


class Reason(StrEnum):
    """Why an agent does not get a conversation, in the order in which it is checked."""

    DISABLED = "disabled"
    NOT_ON_QUEUE = "not_on_queue"
    NOT_PRESENT = "not_present"
    NOT_LICENSED = "not_licensed"
    NO_RIGHT = "no_right"
    NOT_A_MEMBER = "not_a_member"
    MISSING_SKILL = "missing_skill"
    PASSED_OVER = "passed_over"
    MAXIMUM_COUNT = "maximum_count"
    CAPACITY = "capacity"


ROOM_REASONS = frozenset({Reason.MAXIMUM_COUNT, Reason.CAPACITY})
"""Only room is missing: worth a bounded wait for a preferred agent."""


TRANSIENT_REASONS = ROOM_REASONS | {Reason.PASSED_OVER}
"""What passes by itself while an agent stays on queue."""


def reasons_against(
    conversation: Conversation, agent: Agent, policy: RoutingPolicy, now: Instant
) -> tuple[Reason, ...]:
    """Return every reason why the agent may not get the conversation; empty means eligible."""
    utilization = utilization_of(agent, policy, conversation.media_type)
    checks = (
        (Reason.DISABLED, not agent.is_enabled),
        (Reason.NOT_ON_QUEUE, not is_on_queue(agent, now)),
        (Reason.NOT_PRESENT, not agent.is_present),
        (Reason.NOT_LICENSED, not agent.is_licensed),
        (Reason.NO_RIGHT, conversation.media_type not in agent.may_get),
        (Reason.NOT_A_MEMBER, not is_in_reach(conversation, agent, policy)),
        (Reason.MISSING_SKILL, not has_skills(conversation, agent, policy)),
        (Reason.PASSED_OVER, is_passed_over(conversation, agent.id, now)),
        (
            Reason.MAXIMUM_COUNT,
            not is_below_maximum(agent, utilization, conversation.media_type),
        ),
        (Reason.CAPACITY, not fits(agent, utilization)),
    )
    return tuple(reason for reason, applies in checks if applies)


def is_on_queue(agent: Agent, now: Instant) -> bool:
    """Whether the agent takes new conversations; a scheduled sign-off holds from its moment."""
    if agent.routing_status is not RoutingStatus.ON_QUEUE:
        return False
    return agent.signs_off_at is None or now < agent.signs_off_at


def is_in_reach(conversation: Conversation, agent: Agent, policy: RoutingPolicy) -> bool:
    """Whether the agent is a member of the workgroup or of one that an open ring adds."""
    if conversation.workgroup_id in agent.workgroup_ids:
        return True
    if not conversation.ring:
        return False
    return not workgroups_in_reach(conversation, policy).isdisjoint(agent.workgroup_ids)


def has_skills(conversation: Conversation, agent: Agent, policy: RoutingPolicy) -> bool:
    """Whether the agent has what the conversation and its present workgroup ask for."""
    return all(
        agent.skills.get(required.skill, -1) >= required.min_proficiency
        for required in asked_skills(conversation, policy)
    )


def reach(
    conversation: Conversation, agents: Collection[Agent], policy: RoutingPolicy, now: Instant
) -> tuple[int, ...]:
    """Count who could ever take it, room or not: with no ring open, with one, with two …."""
    return tuple(
        sum(
            TRANSIENT_REASONS.issuperset(reasons_against(widened, agent, policy, now))
            for agent in agents
        )
        for widened in (replace(conversation, ring=n) for n in range(len(policy.rings) + 1))
    )


def is_passed_over(conversation: Conversation, agent_id: str, now: Instant) -> bool:
    return any(p.agent_id == agent_id and p.until > now for p in conversation.passed_over)


def standing(
    conversation: Conversation,
    agent: Agent,
    policy: RoutingPolicy,
    now: Instant,
    *,
    ignoring: frozenset[Reason] = frozenset(),
) -> Standing:
    """Tell how the agent stands to the conversation, for `conversations.lifecycle.decide`."""
    reasons = reasons_against(conversation, agent, policy, now)
    return Standing(
        agent_id=agent.id,
        reasons=tuple(reason.value for reason in reasons if reason not in ignoring),
        weight_percent=utilization_of(agent, policy, conversation.media_type).percent,
        load_percent=agent.load_percent,
    )

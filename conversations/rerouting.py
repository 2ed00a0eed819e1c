"""What becomes of a conversation when routing rules route it anew."""

from dataclasses import replace

from conversations import commands as c
from conversations.model import Conversation, ConversationState, Event, Instant
from conversations.transitions import Change, entering, require_state

_WAITING = frozenset({ConversationState.QUEUED, ConversationState.ALERTING})


def reroute(conversation: Conversation, command: c.Reroute, facts: c.Facts, now: Instant) -> Change:
    """Route a waiting conversation anew; what a human already chose for it stays.

    Where an agent is being asked, only priority and tags change: whom it is offered to, and what
    was asked of him, were settled before.
    """
    require_state(conversation, "reroute", _WAITING)
    marked = replace(conversation, priority=command.priority, tags=command.tags)
    if conversation.state is ConversationState.QUEUED:
        marked = _routed(marked, command, facts, now)
    return Change(marked, (_told(conversation, marked, command),))


def _routed(
    conversation: Conversation, command: c.Reroute, facts: c.Facts, now: Instant
) -> Conversation:
    routed = replace(
        conversation,
        workgroup_id=command.workgroup_id,
        required_skills=command.required_skills,
        preferred_skills=command.preferred_skills,
    )
    if command.workgroup_id != conversation.workgroup_id:
        routed = entering(routed, facts.entered_policy or facts.policy, now)
    preferred = command.preferred_agent_id
    if preferred is None or preferred == conversation.preferred_agent_id:
        return routed
    policy = facts.entered_policy or facts.policy
    until = now + policy.preferred_agent_wait_s * 1000
    return replace(routed, preferred_agent_id=preferred, preferred_until=until)


def _told(before: Conversation, after: Conversation, command: c.Reroute) -> Event:
    detail: dict[str, object] = {"rules": list(command.rules), "priority": after.priority}
    if before.workgroup_id != after.workgroup_id:
        detail["from_workgroup_id"] = before.workgroup_id
        detail["to_workgroup_id"] = after.workgroup_id
    return Event("conversation.rerouted", detail=detail)

"""Consulting: another agent sees the conversation and may write notes; its owner keeps it."""

from dataclasses import replace

from conversations import commands as c
from conversations.errors import CannotConsult, IllegalTransition, NotYourConversation
from conversations.model import Conversation, Event, Instant
from conversations.transitions import (
    CONNECTED_OR_HELD,
    OWNED,
    Change,
    require_owner,
    require_state,
    slid_window,
)

ABSENCES = frozenset({"disabled", "not_on_queue", "not_present"})
"""The reasons of `acd.eligibility` that mean: he is not there. Nothing else is asked of him."""


def consult(conversation: Conversation, command: c.Consult, facts: c.Facts, now: Instant) -> Change:
    """Let an agent who is there see the conversation; it takes nothing of his room."""
    require_state(conversation, "consult", OWNED)
    require_owner(conversation, command.actor)
    require_state(conversation, "consult", CONNECTED_OR_HELD)
    if command.agent_id == conversation.agent_id:
        raise CannotConsult(command.agent_id, "the conversation is his own")
    reasons = facts.candidate.reasons if facts.candidate else ("unknown",)
    absences = sorted(set(reasons) & (ABSENCES | {"unknown"}))
    if absences:
        raise CannotConsult(command.agent_id, ", ".join(absences))
    consulted = replace(
        conversation,
        consulted_agent_id=command.agent_id,
        affinity_until=slid_window(conversation, now),
    )
    detail: dict[str, object] = {
        "consulted_agent_id": command.agent_id,
        "comment": command.comment,
    }
    return Change(consulted, (Event("conversation.consulted", conversation.agent_id, detail),))


def end_consult(
    conversation: Conversation, command: c.EndConsult, _: c.Facts, __: Instant
) -> Change:
    """End it: the owner, a supervisor, or the consulted agent for himself."""
    require_state(conversation, "consult/end", OWNED)
    consulted, actor = conversation.consulted_agent_id, command.actor
    if not actor.is_supervisor and actor.agent_id not in {conversation.agent_id, consulted}:
        raise NotYourConversation(actor.agent_id, conversation.agent_id)
    if consulted is None:
        raise IllegalTransition("consult/end", f"{conversation.state} and nobody is consulted")
    detail: dict[str, object] = {
        "consulted_agent_id": consulted,
        "ended_by": actor.agent_id or "supervisor",
    }
    ended = replace(conversation, consulted_agent_id=None)
    return Change(ended, (Event("conversation.consult_ended", conversation.agent_id, detail),))

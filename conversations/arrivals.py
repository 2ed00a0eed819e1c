"""What becomes of a conversation that comes into a workgroup which cannot serve it now."""

from dataclasses import replace

from conversations import commands as c
from conversations.model import Conversation, ConversationState, Event, Instant
from conversations.transitions import Change, entering, require_state

_QUEUED = frozenset({ConversationState.QUEUED})


def overflow(
    conversation: Conversation, command: c.Overflow, facts: c.Facts, now: Instant
) -> Change:
    """Let it wait in another workgroup, with its age and whoever knows its customer."""
    require_state(conversation, "overflow", _QUEUED)
    moved = replace(conversation, workgroup_id=command.workgroup_id)
    entered = entering(moved, facts.entered_policy or facts.policy, now)
    detail: dict[str, object] = {
        "from_workgroup_id": conversation.workgroup_id,
        "to_workgroup_id": command.workgroup_id,
        "cause": command.cause,
    }
    return Change(entered, (Event("conversation.transferred", detail=detail),))


def answer_by_itself(
    conversation: Conversation, command: c.AnswerByItself, _: c.Facts, __: Instant
) -> Change:
    """Take an automatic reply; the posts stay unanswered, an agent is still waited for."""
    require_state(conversation, "answer", _QUEUED)
    taken = replace(conversation, unsettled_replies=conversation.unsettled_replies + 1)
    detail: dict[str, object] = {"reply_id": command.reply_id, "is_automatic": True}
    return Change(taken, (Event("reply.accepted", detail=detail),))

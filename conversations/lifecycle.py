"""The life of a conversation as pure functions: what a command does, and what falls due next."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from conversations import agent_commands as agents
from conversations import arrivals, consulting, rerouting, rings
from conversations import commands as c
from conversations import system_commands as system
from conversations.change_commands import ChangeReply, SettleChange
from conversations.errors import ConversationError
from conversations.model import Conversation, ConversationState, Event, Instant
from conversations.transitions import Change, entering, is_all_answered

OFFER_GRACE_MS = 300
"""Timers expire an offer so much after its deadline that a pick-up in flight can win."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The conversation after the command, what to tell, and whose fault it was."""

    conversation: Conversation
    events: tuple[Event, ...]
    not_responding_agent_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Due:
    """The next thing that time does to a conversation."""

    at: Instant
    command: c.Command


_RULES: dict[type[Any], Callable[..., Change]] = {
    c.PickUp: agents.pick_up,
    c.Decline: agents.decline,
    c.Hold: agents.hold,
    c.Resume: agents.resume,
    c.Park: agents.park,
    c.Unpark: agents.unpark,
    c.TransferToWorkgroup: agents.transfer_to_workgroup,
    c.TransferToAgent: agents.transfer_to_agent,
    c.Consult: consulting.consult,
    c.EndConsult: consulting.end_consult,
    c.SendReply: agents.send_reply,
    c.Disconnect: agents.disconnect,
    c.FinishWrapUp: agents.finish_wrap_up,
    c.Discard: agents.discard,
    c.Release: agents.release,
    c.ReceivePosts: system.receive_posts,
    c.MakeOffer: system.make_offer,
    c.ExpireOffer: system.expire_offer,
    c.RescindOffer: system.rescind_offer,
    c.LoseAgent: system.lose_agent,
    c.Reconsider: system.reconsider,
    c.OpenRing: rings.open_ring,
    c.Reroute: rerouting.reroute,
    c.Overflow: arrivals.overflow,
    c.AnswerByItself: arrivals.answer_by_itself,
    c.Lapse: system.lapse,
    c.EndWrapUp: system.end_wrap_up,
    c.SettleReply: system.settle_reply,
    c.NoteReplyState: system.note_reply_state,
    c.NotePostChange: system.note_post_change,
    ChangeReply: system.change_reply,
    SettleChange: system.settle_change,
    c.CountAnswered: system.count_answered,
    c.EndByOperator: system.end_by_operator,
    c.Abandon: system.abandon,
    c.LinkContinuation: system.link_continuation,
}


def decide(
    conversation: Conversation, command: c.Command, facts: c.Facts, now: Instant
) -> Decision | ConversationError:
    """Say what the command makes of the conversation, or why it is refused.

    Every decision raises the version by one, so that of two snapshots the higher one is newer.
    """
    try:
        change = _RULES[type(command)](conversation, command, facts, now)
    except ConversationError as refusal:
        return refusal
    changed = replace(change.conversation, version=conversation.version + 1)
    return Decision(changed, change.events, change.not_responding_agent_ids)


def due(conversation: Conversation) -> Due | None:
    """Say what time will do next to the conversation, and when; None when nothing is due."""
    match conversation.state:
        case ConversationState.ALERTING if conversation.offer:
            return Due(conversation.offer.expires_at + 1, c.ExpireOffer())
        case ConversationState.QUEUED:
            return _due_in_queue(conversation)
        case ConversationState.CONNECTED if is_all_answered(conversation):
            return Due(conversation.affinity_until + 1, c.Lapse())
        case ConversationState.PARKED if conversation.parked_until is not None:
            return Due(conversation.parked_until, c.Unpark(c.SYSTEM))
        case ConversationState.WRAPUP if conversation.wrap_up_until is not None:
            return Due(conversation.wrap_up_until, c.EndWrapUp())
        case _:
            return None


def _due_in_queue(conversation: Conversation) -> Due | None:
    moments = [Due(passed.until, c.Reconsider()) for passed in conversation.passed_over]
    if conversation.preferred_until is not None:
        moments.append(Due(conversation.preferred_until, c.Reconsider()))
    if conversation.ring_until is not None:
        moments.append(Due(conversation.ring_until, c.OpenRing()))
    return min(moments, key=lambda moment: moment.at, default=None)


def alarm_at(conversation: Conversation) -> Instant | None:
    """Return when the workflow's timer should ring: the due moment, with grace for offers."""
    falls_due = due(conversation)
    if falls_due is None:
        return None
    if isinstance(falls_due.command, c.ExpireOffer):
        return falls_due.at - 1 + OFFER_GRACE_MS
    return falls_due.at


def open_conversation(opening: c.Opening, policy: c.Policy, now: Instant) -> Decision:
    """Start a conversation from its first posts: queued, with its window running.

    A continued one waits a bounded time for the agent who knows the customer.
    """
    preferred_until = None
    if opening.preferred_agent_id is not None:
        preferred_until = now + policy.preferred_agent_wait_s * 1000
    conversation = Conversation(
        id=opening.conversation_id,
        state=ConversationState.QUEUED,
        media_type=opening.visibility.media_type,
        network=opening.network,
        account_id=opening.account_id,
        channel_id=opening.channel_id,
        workgroup_id=opening.workgroup_id,
        customer_id=opening.customer_id,
        affinity_key=opening.affinity_key,
        affinity_window_s=opening.affinity_window_s,
        priority=opening.priority,
        created_at=now,
        queued_at=now,
        last_post_at=opening.last_post_at,
        affinity_until=now + opening.affinity_window_s * 1000,
        required_skills=opening.required_skills,
        preferred_skills=opening.preferred_skills,
        tags=opening.tags,
        location=opening.location,
        preferred_agent_id=opening.preferred_agent_id,
        preferred_until=preferred_until,
        post_count=len(opening.post_ids),
        continues=opening.continues,
        version=1,
    )
    created = Event("conversation.created", detail={"post_ids": list(opening.post_ids)})
    return Decision(entering(conversation, policy, now), (created,))

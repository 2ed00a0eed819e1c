"""What networks, matches and time do to a conversation."""

from dataclasses import replace

from conversations import commands as c
from conversations.change_commands import ChangeReply, SettleChange
from conversations.errors import (
    ConversationEnded,
    IllegalTransition,
    NotYourConversation,
)
from conversations.model import (
    Conversation,
    ConversationState,
    Event,
    Instant,
    OfferTimeoutAction,
    ReplyState,
)
from conversations.transitions import (
    CONNECTED_OR_HELD,
    Change,
    alerting,
    at_its_end,
    back_in_queue,
    back_in_queue_for_owner,
    completion,
    connected_to,
    is_all_answered,
    passing_over,
    require_standing,
    require_state,
    rescinded,
    slid_window,
    without_offer,
)

AGENT_LOST = "agent_lost"
BLAMELESS_AFTER_MS = 5_000
"""An offer that expires later than this was held up by an outage, not by its agent."""


def receive_posts(
    conversation: Conversation, command: c.ReceivePosts, facts: c.Facts, now: Instant
) -> Change:
    """Join posts to an open conversation; a parked one goes back to the agent who knows it."""
    if not conversation.is_open:
        raise ConversationEnded("post", conversation.state)
    joined = replace(
        conversation,
        post_count=conversation.post_count + len(command.post_ids),
        last_post_at=max(conversation.last_post_at, command.last_post_at),
        affinity_until=slid_window(conversation, now),
    )
    agent_id = conversation.agent_id
    received = Event("conversation.post_received", agent_id, {"post_ids": list(command.post_ids)})
    if conversation.state is not ConversationState.PARKED:
        return Change(joined, (received,))
    unparked = Event("conversation.unparked", agent_id)
    return Change(back_in_queue_for_owner(joined, facts, now), (received, unparked))


def make_offer(
    conversation: Conversation, command: c.MakeOffer, facts: c.Facts, now: Instant
) -> Change:
    """Offer to whom the match chose; where the workgroup says so, the first gets it at once."""
    require_state(conversation, "offer", frozenset({ConversationState.QUEUED}))
    standing = require_standing(facts)
    alerts, offered = alerting(
        conversation, command.offer_ids, (standing, *facts.others), facts, now
    )
    told = tuple(
        replace(event, detail={**event.detail, "decision_id": command.decision_id})
        for event in offered
    )
    if not facts.policy.auto_accept:
        return Change(alerts, told)
    connected = connected_to(alerts, standing.agent_id, standing.weight_percent, now)
    accepted = Event("conversation.connected", standing.agent_id, {"auto_accepted": True})
    return Change(connected, (*told[:1], accepted))


def expire_offer(
    conversation: Conversation, _: c.ExpireOffer, facts: c.Facts, now: Instant
) -> Change:
    require_state(conversation, "expire", frozenset({ConversationState.ALERTING}))
    offer = conversation.offer
    if offer is None or now < offer.expires_at:
        raise IllegalTransition("expire", conversation.state)
    agent_ids = tuple(offer.agent_id for offer in conversation.offers)
    expired = tuple(rescinded(offer, "not_taken") for offer in conversation.offers)
    queued = back_in_queue(conversation, preferred_agent_id=None)
    if now - offer.expires_at > BLAMELESS_AFTER_MS:
        return Change(queued, expired)
    if facts.policy.offer_timeout_action is OfferTimeoutAction.NOT_RESPONDING:
        return Change(queued, expired, agent_ids)
    for agent_id in agent_ids:
        queued = passing_over(queued, agent_id, facts, now)
    return Change(queued, expired)


def rescind_offer(
    conversation: Conversation, command: c.RescindOffer, _: c.Facts, __: Instant
) -> Change:
    require_state(conversation, "rescind", frozenset({ConversationState.ALERTING}))
    offer = conversation.offer_to(command.agent_id)
    if offer is None:
        raise IllegalTransition("rescind", conversation.state)
    return Change(without_offer(conversation, command.agent_id), (rescinded(offer, "rescinded"),))


def lose_agent(
    conversation: Conversation, command: c.LoseAgent, facts: c.Facts, now: Instant
) -> Change:
    """Take a conversation back from an agent who is gone; should he return in time, it is his."""
    if conversation.agent_id != command.agent_id:
        raise NotYourConversation(command.agent_id, conversation.agent_id)
    if conversation.state is ConversationState.WRAPUP:
        return completion(conversation, cause=AGENT_LOST)
    require_state(conversation, "release", CONNECTED_OR_HELD)
    released = Event("conversation.released", command.agent_id, {"cause": AGENT_LOST})
    return Change(back_in_queue_for_owner(conversation, facts, now), (released,))


def reconsider(conversation: Conversation, _: c.Reconsider, __: c.Facts, now: Instant) -> Change:
    """Forget a wait for the preferred agent and back-offs that are over; a match is asked next."""
    waits_until = conversation.preferred_until
    return Change(
        replace(
            conversation,
            preferred_until=waits_until if waits_until and waits_until > now else None,
            passed_over=tuple(p for p in conversation.passed_over if p.until > now),
        )
    )


def lapse(conversation: Conversation, _: c.Lapse, __: c.Facts, now: Instant) -> Change:
    require_state(conversation, "lapse", frozenset({ConversationState.CONNECTED}))
    if not is_all_answered(conversation) or now <= conversation.affinity_until:
        raise IllegalTransition("lapse", conversation.state)
    cause = "affinity_window"
    disconnected = Event("conversation.disconnected", conversation.agent_id, {"ended_by": cause})
    return completion(at_its_end(conversation, cause, now), (disconnected,))


def end_wrap_up(conversation: Conversation, _: c.EndWrapUp, __: c.Facts, now: Instant) -> Change:
    until = conversation.wrap_up_until
    if conversation.state is not ConversationState.WRAPUP or until is None or now < until:
        raise IllegalTransition("wrapup", conversation.state)
    return completion(conversation)


def settle_reply(
    conversation: Conversation, command: c.SettleReply, _: c.Facts, now: Instant
) -> Change:
    answered = conversation.answered_count
    if command.sent:
        answered = max(answered, command.covers)
    settled = replace(
        conversation,
        answered_count=answered,
        unsettled_replies=conversation.unsettled_replies - 1,
    )
    if conversation.is_open and command.sent:
        settled = replace(settled, affinity_until=slid_window(conversation, now))
    state = ReplyState.SENT if command.sent else ReplyState.REJECTED
    event = Event(f"reply.{state}", conversation.agent_id, {"reply_id": command.reply_id})
    return Change(settled, (event,))


def note_reply_state(
    conversation: Conversation, command: c.NoteReplyState, _: c.Facts, __: Instant
) -> Change:
    event = Event(f"reply.{command.state}", conversation.agent_id, {"reply_id": command.reply_id})
    return Change(conversation, (event,))


def note_post_change(
    conversation: Conversation, command: c.NotePostChange, _: c.Facts, __: Instant
) -> Change:
    detail: dict[str, object] = {"post_id": command.post_id, "kind": command.kind}
    return Change(
        conversation, (Event("conversation.post_changed", conversation.agent_id, detail),)
    )


def change_reply(conversation: Conversation, _: ChangeReply, __: c.Facts, now: Instant) -> Change:
    """Count a change as on its way; of an ended conversation, a workflow has to begin again."""
    changing = replace(conversation, unsettled_replies=conversation.unsettled_replies + 1)
    if conversation.is_open:
        return Change(replace(changing, affinity_until=slid_window(conversation, now)))
    return Change(replace(changing, reopened_at=now))


def settle_change(
    conversation: Conversation, command: SettleChange, _: c.Facts, __: Instant
) -> Change:
    settled = replace(conversation, unsettled_replies=conversation.unsettled_replies - 1)
    detail: dict[str, object] = {"reply_id": command.reply_id, "kind": command.kind}
    event = f"reply.{command.kind.removesuffix('e')}ed" if command.done else "reply.change_refused"
    return Change(settled, (Event(event, conversation.agent_id, detail),))


def count_answered(
    conversation: Conversation, command: c.CountAnswered, _: c.Facts, __: Instant
) -> Change:
    """Count the posts that a late reply of a merged conversation answered; never fewer."""
    known = max(conversation.answered_count, command.answered_count)
    return Change(replace(conversation, answered_count=min(known, conversation.post_count)))


def end_by_operator(
    conversation: Conversation, command: c.EndByOperator, _: c.Facts, now: Instant
) -> Change:
    if conversation.is_final:
        raise ConversationEnded("cancel", conversation.state)
    if conversation.state is ConversationState.WRAPUP:
        return completion(conversation, cause=command.cause)
    ended = at_its_end(conversation, command.cause, now)
    event = Event("conversation.disconnected", conversation.agent_id, {"ended_by": command.cause})
    return completion(ended, (event,))


def abandon(conversation: Conversation, command: c.Abandon, _: c.Facts, now: Instant) -> Change:
    """End what nobody has picked up, because its customer withdrew."""
    if not conversation.is_open:
        raise ConversationEnded("abandon", conversation.state)
    if conversation.state not in (ConversationState.QUEUED, ConversationState.ALERTING):
        raise IllegalTransition("abandon", conversation.state)
    ended = replace(
        at_its_end(conversation, command.cause, now),
        state=ConversationState.ABANDONED,
        weight_percent=0,
    )
    event = Event("conversation.abandoned", None, {"ended_by": command.cause})
    return Change(ended, (event,))


def link_continuation(
    conversation: Conversation, command: c.LinkContinuation, _: c.Facts, __: Instant
) -> Change:
    return Change(replace(conversation, continued_by=command.continued_by))

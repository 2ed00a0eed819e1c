"""One function a command: what it requires, and what the conversation is afterwards."""

from dataclasses import dataclass, replace

from conversations import commands as c
from conversations.errors import (
    AgentAtCapacity,
    AgentNotEligible,
    CannotInitiateDirectMessage,
    ConversationEnded,
    ConversationHeld,
    IllegalTransition,
    NotYourConversation,
    OfferExpired,
    PublicAnswerToPrivateConversation,
)
from conversations.model import (
    Conversation,
    ConversationState,
    Event,
    Instant,
    MediaType,
    Offer,
    PassedOver,
    ReplyState,
    Visibility,
    WrapUpMode,
)

BLAMELESS_AFTER_MS = 5_000
"""An offer that expires later than this was held up by an outage, not by its agent."""

CAPACITY = "capacity"
"""The reason that `acd.eligibility` gives when only room is missing."""

_CONNECTED_OR_HELD = frozenset({ConversationState.CONNECTED, ConversationState.HELD})
_OWNED = _CONNECTED_OR_HELD | {ConversationState.PARKED}


@dataclass(frozen=True, slots=True)
class Change:
    conversation: Conversation
    events: tuple[Event, ...] = ()
    not_responding_agent_id: str | None = None


def is_all_answered(conversation: Conversation) -> bool:
    """Whether every post is covered by a sent reply and no reply is on its way."""
    return conversation.unanswered_count <= 0 and conversation.unsettled_replies == 0


def _require_state(
    conversation: Conversation, command: str, allowed: frozenset[ConversationState]
) -> None:
    if conversation.state in allowed:
        return
    if not conversation.is_open:
        raise ConversationEnded(command, conversation.state)
    raise IllegalTransition(command, conversation.state)


def _require_owner(conversation: Conversation, actor: c.Actor) -> None:
    if actor.agent_id is None or actor.agent_id != conversation.agent_id:
        raise NotYourConversation(actor.agent_id, conversation.agent_id)


def _require_owner_or_supervisor(conversation: Conversation, actor: c.Actor) -> None:
    if not actor.is_supervisor:
        _require_owner(conversation, actor)


def _slide(conversation: Conversation, now: Instant) -> Instant:
    return max(conversation.affinity_until, now + conversation.affinity_window_s * 1000)


def _queued(conversation: Conversation, **fields: object) -> Conversation:
    """Return the conversation to its queue with its original age, owned by nobody."""
    cleared: dict[str, object] = {
        "state": ConversationState.QUEUED,
        "agent_id": None,
        "offer": None,
        "weight_percent": 0,
        "held_at": None,
        "parked_until": None,
        "preferred_until": None,
    }
    return replace(conversation, **{**cleared, **fields})  # type: ignore[arg-type]


def _pass_over(
    conversation: Conversation, agent_id: str, until: Instant, now: Instant
) -> tuple[PassedOver, ...]:
    others = (p for p in conversation.passed_over if p.agent_id != agent_id and p.until > now)
    return (*others, PassedOver(agent_id, until))


def _backoff(conversation: Conversation, agent_id: str | None, facts: c.Facts, now: Instant) -> Conversation:
    """Pass the agent over for the workgroup's back-off, and prefer him no longer."""
    if agent_id is None:
        return conversation
    until = now + facts.policy.decline_backoff_s * 1000
    preferred = conversation.preferred_agent_id
    return replace(
        conversation,
        passed_over=_pass_over(conversation, agent_id, until, now),
        preferred_agent_id=None if preferred == agent_id else preferred,
    )


def _require_standing(facts: c.Facts) -> c.Standing:
    standing = facts.candidate
    if standing is None:
        raise AgentNotEligible("?", "unknown agent")
    if standing.reasons == (CAPACITY,):
        raise AgentAtCapacity(standing.agent_id, standing.load_percent, standing.weight_percent)
    if standing.reasons:
        raise AgentNotEligible(standing.agent_id, ", ".join(standing.reasons))
    return standing


def _connected(
    conversation: Conversation, agent_id: str, weight_percent: int, now: Instant
) -> Conversation:
    return replace(
        conversation,
        state=ConversationState.CONNECTED,
        agent_id=agent_id,
        offer=None,
        weight_percent=weight_percent,
        preferred_agent_id=None,
        preferred_until=None,
        passed_over=(),
        connected_at=now,
        held_at=None,
        parked_until=None,
        affinity_until=_slide(conversation, now),
    )


def pick_up(conversation: Conversation, command: c.PickUp, facts: c.Facts, now: Instant) -> Change:
    agent_id = command.actor.agent_id
    _require_named_offer(conversation, command.offer_id)
    match conversation.state:
        case ConversationState.ALERTING if conversation.offer:
            weight_percent = _weight_of_offer(conversation, conversation.offer, command)
        case ConversationState.QUEUED:
            weight_percent = _require_standing(facts).weight_percent
        case ConversationState.CONNECTED | ConversationState.HELD | ConversationState.PARKED:
            if conversation.agent_id != agent_id:
                raise NotYourConversation(agent_id, conversation.agent_id)
            raise IllegalTransition("pickup", conversation.state)
        case _:
            raise ConversationEnded("pickup", conversation.state)
    assert agent_id is not None  # noqa: S101 - a standing or an offer names an agent
    connected = _connected(conversation, agent_id, weight_percent, now)
    return Change(connected, (Event("conversation.connected", agent_id),))


def _require_named_offer(conversation: Conversation, offer_id: str | None) -> None:
    if offer_id is None or (conversation.offer and conversation.offer.id == offer_id):
        return
    raise OfferExpired(offer_id, f"the conversation is {conversation.state}")


def _weight_of_offer(conversation: Conversation, offer: Offer, command: c.PickUp) -> int:
    if offer.agent_id != command.actor.agent_id:
        raise NotYourConversation(command.actor.agent_id, offer.agent_id)
    if command.received_at > offer.expires_at:
        raise OfferExpired(offer.id, "the pick-up came after its deadline")
    return conversation.weight_percent


def decline(conversation: Conversation, command: c.Decline, facts: c.Facts, now: Instant) -> Change:
    _require_named_offer(conversation, command.offer_id)
    _require_state(conversation, "decline", frozenset({ConversationState.ALERTING}))
    offer = conversation.offer
    if offer is None or offer.agent_id != command.actor.agent_id:
        raise NotYourConversation(command.actor.agent_id, offer.agent_id if offer else None)
    queued = _queued(_backoff(conversation, offer.agent_id, facts, now))
    detail: dict[str, object] = {"offer_id": offer.id, "reason": command.reason}
    return Change(queued, (Event("conversation.declined", offer.agent_id, detail),))


def hold(conversation: Conversation, command: c.Hold, _: c.Facts, now: Instant) -> Change:
    _require_state(conversation, "hold", _OWNED)
    _require_owner(conversation, command.actor)
    _require_state(conversation, "hold", frozenset({ConversationState.CONNECTED}))
    held = replace(
        conversation,
        state=ConversationState.HELD,
        held_at=now,
        affinity_until=_slide(conversation, now),
    )
    return Change(held, (Event("conversation.held", conversation.agent_id),))


def resume(conversation: Conversation, command: c.Resume, _: c.Facts, now: Instant) -> Change:
    _require_state(conversation, "resume", _OWNED)
    _require_owner(conversation, command.actor)
    _require_state(conversation, "resume", frozenset({ConversationState.HELD}))
    resumed = replace(
        conversation,
        state=ConversationState.CONNECTED,
        held_at=None,
        affinity_until=_slide(conversation, now),
    )
    return Change(resumed, (Event("conversation.resumed", conversation.agent_id),))


def park(conversation: Conversation, command: c.Park, _: c.Facts, now: Instant) -> Change:
    _require_state(conversation, "park", _OWNED)
    _require_owner(conversation, command.actor)
    _require_state(conversation, "park", _CONNECTED_OR_HELD)
    parked = replace(
        conversation,
        state=ConversationState.PARKED,
        held_at=None,
        parked_until=command.until,
        weight_percent=0,
        affinity_until=_slide(conversation, now),
    )
    detail: dict[str, object] = {"until": command.until, "reason": command.reason}
    return Change(parked, (Event("conversation.parked", conversation.agent_id, detail),))


def unpark(conversation: Conversation, command: c.Unpark, facts: c.Facts, now: Instant) -> Change:
    """Give a parked conversation back to its owner, or to the queue when he has no room."""
    _require_state(conversation, "unpark", frozenset({ConversationState.PARKED}))
    _require_owner_or_supervisor(conversation, command.actor)
    owner, event = facts.candidate, Event("conversation.unparked", conversation.agent_id)
    if owner and owner.is_eligible and owner.agent_id == conversation.agent_id:
        return Change(_connected(conversation, owner.agent_id, owner.weight_percent, now), (event,))
    return Change(_queued_for_owner(conversation, facts, now), (event,))


def _queued_for_owner(conversation: Conversation, facts: c.Facts, now: Instant) -> Conversation:
    return _queued(
        conversation,
        preferred_agent_id=conversation.agent_id,
        preferred_until=now + facts.policy.preferred_agent_wait_s * 1000,
    )


def transfer_to_workgroup(
    conversation: Conversation, command: c.TransferToWorkgroup, facts: c.Facts, now: Instant
) -> Change:
    _require_transferable(conversation, command.actor)
    giver = conversation.agent_id
    queued = _queued(
        _backoff(conversation, giver, facts, now),
        workgroup_id=command.workgroup_id,
        preferred_agent_id=None,
        affinity_until=_slide(conversation, now),
    )
    detail: dict[str, object] = {
        "from_workgroup_id": conversation.workgroup_id,
        "to_workgroup_id": command.workgroup_id,
        "comment": command.comment,
    }
    return Change(queued, (Event("conversation.transferred", giver, detail),))


def _require_transferable(conversation: Conversation, actor: c.Actor) -> None:
    _require_owner_or_supervisor_of_open(conversation, "transfer", actor)
    if not actor.is_supervisor:
        _require_state(conversation, "transfer", _OWNED)


def _require_owner_or_supervisor_of_open(
    conversation: Conversation, command: str, actor: c.Actor
) -> None:
    if not conversation.is_open:
        raise ConversationEnded(command, conversation.state)
    _require_owner_or_supervisor(conversation, actor)


def transfer_to_agent(
    conversation: Conversation, command: c.TransferToAgent, facts: c.Facts, now: Instant
) -> Change:
    _require_transferable(conversation, command.actor)
    standing = _require_standing(facts)
    giver = conversation.agent_id
    detail: dict[str, object] = {"to_agent_id": command.agent_id, "comment": command.comment}
    queued = _queued(
        _backoff(conversation, giver, facts, now),
        preferred_agent_id=None,
        affinity_until=_slide(conversation, now),
    )
    alerting, offered = _alerting(queued, command.offer_id, standing, facts, now)
    return Change(alerting, (Event("conversation.transferred", giver, detail), offered))


def _alerting(
    conversation: Conversation, offer_id: str, standing: c.Standing, facts: c.Facts, now: Instant
) -> tuple[Conversation, Event]:
    offer = Offer(offer_id, standing.agent_id, now + facts.policy.offer_timeout_s * 1000)
    alerting = replace(
        conversation,
        state=ConversationState.ALERTING,
        offer=offer,
        weight_percent=standing.weight_percent,
        offered_at=now,
    )
    detail: dict[str, object] = {"offer_id": offer.id, "expires_at": offer.expires_at}
    return alerting, Event("conversation.offered", offer.agent_id, detail)


def send_reply(
    conversation: Conversation, command: c.SendReply, facts: c.Facts, now: Instant
) -> Change:
    """Take a reply; its row is written in the same transaction."""
    if not conversation.is_open:
        raise ConversationEnded("reply", conversation.state)
    _require_owner(conversation, command.actor)
    if conversation.state is ConversationState.HELD:
        raise ConversationHeld("reply")
    _require_state(conversation, "reply", frozenset({ConversationState.CONNECTED}))
    is_private = conversation.media_type is MediaType.SOCIAL_DIRECT_MESSAGE
    if is_private and command.visibility is Visibility.PUBLIC and not command.confirm_public:
        raise PublicAnswerToPrivateConversation(conversation.id)
    may_go_private = facts.customer_wrote_privately or facts.may_write_first
    if command.visibility is Visibility.PRIVATE and not is_private and not may_go_private:
        raise CannotInitiateDirectMessage(conversation.network, conversation.customer_id)
    accepted = replace(
        conversation,
        unsettled_replies=conversation.unsettled_replies + 1,
        affinity_until=_slide(conversation, now),
    )
    event = Event("reply.accepted", conversation.agent_id, {"reply_id": command.reply_id})
    return Change(accepted, (event,))


def disconnect(
    conversation: Conversation, command: c.Disconnect, facts: c.Facts, now: Instant
) -> Change:
    """End the conversation; what remains is at most the wrap-up, for which a code is enough."""
    _require_owner_or_supervisor_of_open(conversation, "disconnect", command.actor)
    _require_state(conversation, "disconnect", _CONNECTED_OR_HELD)
    ended_by = command.actor.agent_id or "supervisor"
    ended = replace(
        _ended(conversation, ended_by, now),
        state=ConversationState.WRAPUP,
        wrap_up_code=command.wrap_up_code,
    )
    disconnected = Event("conversation.disconnected", conversation.agent_id, {"ended_by": ended_by})
    mode = facts.policy.wrap_up_mode
    if mode is WrapUpMode.NONE or command.wrap_up_code is not None:
        return _completed(ended, (disconnected,))
    if mode is WrapUpMode.TIMEBOXED:
        ended = replace(ended, wrap_up_until=now + facts.policy.wrap_up_timeout_s * 1000)
    return Change(ended, (disconnected,))


def _ended(conversation: Conversation, ended_by: str, now: Instant) -> Conversation:
    return replace(
        conversation,
        offer=None,
        held_at=None,
        parked_until=None,
        preferred_until=None,
        passed_over=(),
        ended_at=now,
        ended_by=ended_by,
    )


def _completed(conversation: Conversation, events: tuple[Event, ...] = ()) -> Change:
    completed = replace(
        conversation,
        state=ConversationState.COMPLETED,
        weight_percent=0,
        wrap_up_until=None,
    )
    return Change(completed, (*events, Event("conversation.completed", conversation.agent_id)))


def finish_wrap_up(
    conversation: Conversation, command: c.FinishWrapUp, _: c.Facts, __: Instant
) -> Change:
    if conversation.is_final:
        raise ConversationEnded("wrapup", conversation.state)
    _require_owner_or_supervisor(conversation, command.actor)
    if conversation.state is not ConversationState.WRAPUP:
        raise IllegalTransition("wrapup", conversation.state)
    coded = replace(conversation, wrap_up_code=command.wrap_up_code or conversation.wrap_up_code)
    return _completed(coded) if command.done else Change(coded)


def end_wrap_up(conversation: Conversation, _: c.EndWrapUp, __: c.Facts, ___: Instant) -> Change:
    return _completed(conversation)


def discard(conversation: Conversation, command: c.Discard, _: c.Facts, now: Instant) -> Change:
    _require_owner_or_supervisor_of_open(conversation, "discard", command.actor)
    ended_by = command.actor.agent_id or "supervisor"
    discarded = replace(
        _ended(conversation, ended_by, now),
        state=ConversationState.DISCARDED,
        weight_percent=0,
    )
    detail: dict[str, object] = {"reason": command.reason, "ended_by": ended_by}
    return Change(discarded, (Event("conversation.discarded", conversation.agent_id, detail),))


def release(conversation: Conversation, command: c.Release, facts: c.Facts, now: Instant) -> Change:
    if not command.actor.is_supervisor:
        raise NotYourConversation(command.actor.agent_id, conversation.agent_id)
    _require_state(conversation, "release", _OWNED)
    owner = conversation.agent_id
    queued = _queued(_backoff(conversation, owner, facts, now), preferred_agent_id=None)
    detail: dict[str, object] = {"reason": command.reason}
    return Change(queued, (Event("conversation.released", owner, detail),))


def receive_posts(
    conversation: Conversation, command: c.ReceivePosts, facts: c.Facts, now: Instant
) -> Change:
    """Join posts to an open conversation; a parked one goes back to the agent who knows it."""
    joined = replace(
        conversation,
        post_count=conversation.post_count + len(command.post_ids),
        last_post_at=max(conversation.last_post_at, command.last_post_at),
        affinity_until=_slide(conversation, now),
    )
    agent_id = conversation.agent_id
    received = Event(
        "conversation.post_received", agent_id, {"post_ids": list(command.post_ids)}
    )
    if conversation.state is not ConversationState.PARKED:
        return Change(joined, (received,))
    unparked = Event("conversation.unparked", agent_id)
    return Change(_queued_for_owner(joined, facts, now), (received, unparked))


def make_offer(
    conversation: Conversation, command: c.MakeOffer, facts: c.Facts, now: Instant
) -> Change:
    _require_state(conversation, "offer", frozenset({ConversationState.QUEUED}))
    standing = _require_standing(facts)
    alerting, offered = _alerting(conversation, command.offer_id, standing, facts, now)
    return Change(alerting, (replace(offered, detail={**offered.detail, "decision_id": command.decision_id}),))


def expire_offer(
    conversation: Conversation, _: c.ExpireOffer, __: c.Facts, now: Instant
) -> Change:
    _require_state(conversation, "expire", frozenset({ConversationState.ALERTING}))
    offer = conversation.offer
    assert offer is not None  # noqa: S101 - alerting has an offer, the table's CHECK says so
    is_blamed = now - offer.expires_at <= BLAMELESS_AFTER_MS
    detail: dict[str, object] = {"offer_id": offer.id, "reason": "not_taken"}
    expired = Event("conversation.offer_expired", offer.agent_id, detail)
    queued = _queued(conversation, preferred_agent_id=None)
    return Change(queued, (expired,), offer.agent_id if is_blamed else None)


def rescind_offer(
    conversation: Conversation, command: c.RescindOffer, _: c.Facts, __: Instant
) -> Change:
    _require_state(conversation, "rescind", frozenset({ConversationState.ALERTING}))
    offer = conversation.offer
    if offer is None or offer.agent_id != command.agent_id:
        raise IllegalTransition("rescind", conversation.state)
    detail: dict[str, object] = {"offer_id": offer.id, "reason": "rescinded"}
    rescinded = Event("conversation.offer_expired", offer.agent_id, detail)
    return Change(_queued(conversation), (rescinded,))


def reconsider(
    conversation: Conversation, _: c.Reconsider, __: c.Facts, now: Instant
) -> Change:
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
    _require_state(conversation, "lapse", frozenset({ConversationState.CONNECTED}))
    cause = "affinity_window"
    disconnected = Event("conversation.disconnected", conversation.agent_id, {"ended_by": cause})
    return _completed(_ended(conversation, cause, now), (disconnected,))


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
        settled = replace(settled, affinity_until=_slide(conversation, now))
    state = ReplyState.SENT if command.sent else ReplyState.REJECTED
    event = Event(f"reply.{state}", conversation.agent_id, {"reply_id": command.reply_id})
    return Change(settled, (event,))


def note_reply_state(
    conversation: Conversation, command: c.NoteReplyState, _: c.Facts, __: Instant
) -> Change:
    event = Event(f"reply.{command.state}", conversation.agent_id, {"reply_id": command.reply_id})
    return Change(conversation, (event,))


def end_by_operator(
    conversation: Conversation, command: c.EndByOperator, _: c.Facts, now: Instant
) -> Change:
    if conversation.is_final:
        raise ConversationEnded("cancel", conversation.state)
    ended = _ended(conversation, command.cause, conversation.ended_at or now)
    event = Event("conversation.disconnected", conversation.agent_id, {"ended_by": command.cause})
    return _completed(ended, (event,))


def link_continuation(
    conversation: Conversation, command: c.LinkContinuation, _: c.Facts, __: Instant
) -> Change:
    return Change(replace(conversation, continued_by=command.continued_by))

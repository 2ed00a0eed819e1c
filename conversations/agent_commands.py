"""What agents and supervisors do: what each command requires, and what becomes of it."""

from dataclasses import replace

from conversations import commands as c
from conversations.attachments import require_taken
from conversations.capabilities import Capabilities, ReplyDepth
from conversations.errors import (
    AgentNotEligible,
    CannotInitiateDirectMessage,
    ConversationEnded,
    ConversationHeld,
    IllegalTransition,
    NotYourConversation,
    OfferExpired,
    OverrideNeedsSupervisor,
    PublicAnswerToPrivateConversation,
    UnknownWrapUpCode,
    VisibilityNotSpoken,
    WrapUpCodeRequired,
)
from conversations.model import (
    Conversation,
    ConversationState,
    Event,
    Instant,
    MediaType,
    Offer,
    Visibility,
    WrapUpMode,
)
from conversations.transitions import (
    CONNECTED_OR_HELD,
    OWNED,
    ROOM_REASONS,
    Change,
    alerting,
    at_its_end,
    back_in_queue,
    back_in_queue_for_owner,
    completion,
    connected_to,
    entering,
    passing_over,
    require_owner,
    require_owner_or_supervisor,
    require_owner_or_supervisor_of_open,
    require_standing,
    require_state,
    rescinded,
    slid_window,
    widening_from_here,
    without_offer,
)

_NOTHING_TO_AN_OFFER = ROOM_REASONS | {"not_present", "passed_over"}
"""What does not stop whom it was offered to: his room is reserved, and who picks up is present."""


def pick_up(conversation: Conversation, command: c.PickUp, facts: c.Facts, now: Instant) -> Change:
    agent_id = command.actor.agent_id
    _require_named_offer(conversation, command.offer_id)
    match conversation.state:
        case ConversationState.ALERTING:
            weight_percent = _weight_of_offer(conversation, command, facts)
        case ConversationState.QUEUED:
            weight_percent = require_standing(facts).weight_percent
        case ConversationState.CONNECTED | ConversationState.HELD | ConversationState.PARKED:
            if conversation.agent_id != agent_id:
                raise NotYourConversation(agent_id, conversation.agent_id)
            raise IllegalTransition("pickup", conversation.state)
        case _:
            raise ConversationEnded("pickup", conversation.state)
    assert agent_id is not None  # noqa: S101 - a standing or an offer names an agent
    connected = connected_to(conversation, agent_id, weight_percent, now)
    losers = (offer for offer in conversation.offers if offer.agent_id != agent_id)
    told = (Event("conversation.connected", agent_id), *(rescinded(o, "rescinded") for o in losers))
    return Change(connected, told)


def _require_named_offer(conversation: Conversation, offer_id: str | None) -> None:
    if offer_id is None or any(offer.id == offer_id for offer in conversation.offers):
        return
    raise OfferExpired(offer_id, f"the conversation is {conversation.state}")


def _own_offer(conversation: Conversation, agent_id: str | None, offer_id: str | None) -> Offer:
    """Return the agent's offer, the one that he names if he names one."""
    offer = conversation.offer_to(agent_id)
    if offer is None or offer_id not in {None, offer.id}:
        others = conversation.offer
        raise NotYourConversation(agent_id, others.agent_id if others else None)
    return offer


def _weight_of_offer(conversation: Conversation, command: c.PickUp, facts: c.Facts) -> int:
    offer = _own_offer(conversation, command.actor.agent_id, command.offer_id)
    if command.received_at > offer.expires_at:
        raise OfferExpired(offer.id, "the pick-up came after its deadline")
    standing = facts.candidate
    lacking = set(standing.reasons) - _NOTHING_TO_AN_OFFER if standing else set()
    if lacking:
        raise AgentNotEligible(offer.agent_id, ", ".join(sorted(lacking)))
    return offer.weight_percent


def decline(conversation: Conversation, command: c.Decline, facts: c.Facts, now: Instant) -> Change:
    _require_named_offer(conversation, command.offer_id)
    require_state(conversation, "decline", frozenset({ConversationState.ALERTING}))
    offer = _own_offer(conversation, command.actor.agent_id, command.offer_id)
    declined = without_offer(passing_over(conversation, offer.agent_id, facts, now), offer.agent_id)
    detail: dict[str, object] = {"offer_id": offer.id, "reason": command.reason}
    return Change(declined, (Event("conversation.declined", offer.agent_id, detail),))


def hold(conversation: Conversation, command: c.Hold, _: c.Facts, now: Instant) -> Change:
    require_state(conversation, "hold", OWNED)
    require_owner(conversation, command.actor)
    require_state(conversation, "hold", frozenset({ConversationState.CONNECTED}))
    held = replace(
        conversation,
        state=ConversationState.HELD,
        held_at=now,
        affinity_until=slid_window(conversation, now),
    )
    return Change(held, (Event("conversation.held", conversation.agent_id),))


def resume(conversation: Conversation, command: c.Resume, _: c.Facts, now: Instant) -> Change:
    require_state(conversation, "resume", OWNED)
    require_owner(conversation, command.actor)
    require_state(conversation, "resume", frozenset({ConversationState.HELD}))
    resumed = replace(
        conversation,
        state=ConversationState.CONNECTED,
        held_at=None,
        affinity_until=slid_window(conversation, now),
    )
    return Change(resumed, (Event("conversation.resumed", conversation.agent_id),))


def park(conversation: Conversation, command: c.Park, _: c.Facts, now: Instant) -> Change:
    require_state(conversation, "park", OWNED)
    require_owner(conversation, command.actor)
    require_state(conversation, "park", CONNECTED_OR_HELD)
    parked = replace(
        conversation,
        state=ConversationState.PARKED,
        held_at=None,
        parked_until=command.until,
        weight_percent=0,
        is_override=False,
        consulted_agent_id=None,
        affinity_until=slid_window(conversation, now),
    )
    detail: dict[str, object] = {"until": command.until, "reason": command.reason}
    return Change(parked, (Event("conversation.parked", conversation.agent_id, detail),))


def unpark(conversation: Conversation, command: c.Unpark, facts: c.Facts, now: Instant) -> Change:
    """Give a parked conversation back to its owner, or to the queue when he has no room."""
    require_state(conversation, "unpark", frozenset({ConversationState.PARKED}))
    require_owner_or_supervisor(conversation, command.actor)
    owner, event = facts.candidate, Event("conversation.unparked", conversation.agent_id)
    if owner and owner.is_eligible and owner.agent_id == conversation.agent_id:
        return Change(
            connected_to(conversation, owner.agent_id, owner.weight_percent, now), (event,)
        )
    return Change(back_in_queue_for_owner(conversation, facts, now), (event,))


def transfer_to_workgroup(
    conversation: Conversation, command: c.TransferToWorkgroup, facts: c.Facts, now: Instant
) -> Change:
    _require_transferable(conversation, command.actor)
    giver = conversation.agent_id
    policy = facts.entered_policy or facts.policy
    queued = back_in_queue(
        passing_over(conversation, giver, facts, now),
        workgroup_id=command.workgroup_id,
        preferred_agent_id=None,
        queued_at=conversation.queued_at if policy.keeps_age_on_transfer else now,
        affinity_until=slid_window(conversation, now),
    )
    detail: dict[str, object] = {
        "from_workgroup_id": conversation.workgroup_id,
        "to_workgroup_id": command.workgroup_id,
        "comment": command.comment,
        **_by(command.actor, giver),
    }
    entered = entering(queued, policy, now)
    return Change(entered, (Event("conversation.transferred", giver, detail),))


def transfer_to_agent(
    conversation: Conversation, command: c.TransferToAgent, facts: c.Facts, now: Instant
) -> Change:
    """Offer the conversation to a named agent; a supervisor may do so over the agent's capacity.

    Whom the owner consulted knows it already: he gets it at once, without an offer.
    """
    _require_transferable(conversation, command.actor)
    if command.override_capacity and not command.actor.is_supervisor:
        raise OverrideNeedsSupervisor(command.agent_id)
    standing = _standing_of_named(facts, command)
    is_override = not standing.is_eligible
    giver = conversation.agent_id
    detail: dict[str, object] = {"to_agent_id": command.agent_id, "comment": command.comment}
    detail |= _by(command.actor, giver)
    if command.override_capacity:
        detail |= {"override_capacity": is_override, "by": command.actor.principal_id}
    queued = back_in_queue(
        passing_over(conversation, giver, facts, now),
        preferred_agent_id=None,
        is_override=is_override,
        affinity_until=slid_window(conversation, now),
    )
    if command.agent_id == conversation.consulted_agent_id:
        told = Event("conversation.transferred", giver, {**detail, "consulted": True})
        connected = connected_to(queued, command.agent_id, standing.weight_percent, now)
        return Change(connected, (told, Event("conversation.connected", command.agent_id)))
    widening = widening_from_here(queued, facts.policy, now)
    alerts, offered = alerting(widening, (command.offer_id,), (standing,), facts, now)
    return Change(alerts, (Event("conversation.transferred", giver, detail), *offered))


def _standing_of_named(facts: c.Facts, command: c.TransferToAgent) -> c.Standing:
    standing = facts.candidate
    lacks_only_room = standing is not None and ROOM_REASONS.issuperset(standing.reasons)
    if standing is not None and command.override_capacity and lacks_only_room:
        return standing
    return require_standing(facts)


def _require_transferable(conversation: Conversation, actor: c.Actor) -> None:
    require_owner_or_supervisor_of_open(conversation, "transfer", actor)
    if not actor.is_supervisor:
        require_state(conversation, "transfer", OWNED)


def send_reply(
    conversation: Conversation, command: c.SendReply, facts: c.Facts, now: Instant
) -> Change:
    """Take a reply; its row is written in the same transaction."""
    if not conversation.is_open:
        raise ConversationEnded("reply", conversation.state)
    require_owner(conversation, command.actor)
    if conversation.state is ConversationState.HELD:
        raise ConversationHeld("reply")
    require_state(conversation, "reply", frozenset({ConversationState.CONNECTED}))
    require_sayable(conversation, command, facts)
    _require_carried(conversation, command)
    accepted = replace(
        conversation,
        unsettled_replies=conversation.unsettled_replies + 1,
        affinity_until=slid_window(conversation, now),
    )
    event = Event("reply.accepted", conversation.agent_id, {"reply_id": command.reply_id})
    return Change(accepted, (event,))


def require_sayable(conversation: Conversation, command: c.SendReply, facts: c.Facts) -> None:
    """Refuse words that may not be said with this visibility, whatever the conversation's state.

    Raises:
        PublicAnswerToPrivateConversation: it is to be confirmed first.
        VisibilityNotSpoken: the network cannot carry it.
        CannotInitiateDirectMessage: the network forbids the first private word.
    """
    is_private = conversation.media_type is MediaType.SOCIAL_DIRECT_MESSAGE
    if is_private and command.visibility is Visibility.PUBLIC and not command.confirm_public:
        raise PublicAnswerToPrivateConversation(conversation.id)
    _require_spoken(conversation, command)
    may_go_private = facts.customer_wrote_privately or facts.may_write_first
    if command.visibility is Visibility.PRIVATE and not is_private and not may_go_private:
        raise CannotInitiateDirectMessage(conversation.network, conversation.customer_id)


def _require_spoken(conversation: Conversation, command: c.SendReply) -> None:
    """Refuse what the network cannot carry, where it is known."""
    known = command.capabilities
    if known is None:
        return
    is_answered = known.reply_depth is not ReplyDepth.NONE
    if not is_answered or command.visibility not in known.visibilities:
        raise VisibilityNotSpoken(conversation.network, command.visibility)


def _require_carried(conversation: Conversation, command: c.SendReply) -> None:
    """Refuse files that the network does not take; where no connector is known it takes none."""
    known = command.capabilities or Capabilities()
    rule = known.attachments_of(command.visibility)
    require_taken(rule, conversation.network, command.attachments)


def disconnect(
    conversation: Conversation, command: c.Disconnect, facts: c.Facts, now: Instant
) -> Change:
    """End the conversation; what remains is at most the wrap-up, for which a code is enough."""
    require_owner_or_supervisor_of_open(conversation, "disconnect", command.actor)
    require_state(conversation, "disconnect", CONNECTED_OR_HELD)
    _require_known_code(facts.policy, command.wrap_up_code)
    ended_by = command.actor.agent_id or "supervisor"
    ended = replace(
        at_its_end(conversation, ended_by, now),
        state=ConversationState.WRAPUP,
        wrap_up_code=command.wrap_up_code,
    )
    detail = {"ended_by": ended_by, **_by(command.actor, conversation.agent_id)}
    disconnected = Event("conversation.disconnected", conversation.agent_id, detail)
    mode = facts.policy.wrap_up_mode
    if mode is WrapUpMode.NONE or command.wrap_up_code is not None:
        return completion(ended, (disconnected,))
    if mode is WrapUpMode.TIMEBOXED:
        ended = replace(ended, wrap_up_until=now + facts.policy.wrap_up_timeout_s * 1000)
    return Change(ended, (disconnected,))


def _require_known_code(policy: c.Policy, code: str | None) -> None:
    """Refuse a code that is not on the workgroup's list, if it has one."""
    if code is not None and policy.wrap_up_codes and code not in policy.wrap_up_codes:
        raise UnknownWrapUpCode(code, ", ".join(policy.wrap_up_codes))


def finish_wrap_up(
    conversation: Conversation, command: c.FinishWrapUp, facts: c.Facts, _: Instant
) -> Change:
    """Note the code; done is done, where the workgroup wants one only with a code."""
    if conversation.is_final:
        raise ConversationEnded("wrapup", conversation.state)
    require_owner_or_supervisor(conversation, command.actor)
    if conversation.state is not ConversationState.WRAPUP:
        raise IllegalTransition("wrapup", conversation.state)
    _require_known_code(facts.policy, command.wrap_up_code)
    code = command.wrap_up_code or conversation.wrap_up_code
    if command.done and code is None and facts.policy.wrap_up_mode is WrapUpMode.MANDATORY:
        allowed = ", ".join(facts.policy.wrap_up_codes) or "any"
        raise WrapUpCodeRequired(conversation.id, allowed)
    coded = replace(conversation, wrap_up_code=code)
    return completion(coded) if command.done else Change(coded)


def discard(conversation: Conversation, command: c.Discard, _: c.Facts, now: Instant) -> Change:
    require_owner_or_supervisor_of_open(conversation, "discard", command.actor)
    ended_by = command.cause or command.actor.agent_id or "supervisor"
    discarded = replace(
        at_its_end(conversation, ended_by, now),
        state=ConversationState.DISCARDED,
        weight_percent=0,
    )
    detail: dict[str, object] = {"reason": command.reason, "ended_by": ended_by}
    detail |= _by(command.actor, conversation.agent_id)
    return Change(discarded, (Event("conversation.discarded", conversation.agent_id, detail),))


def release(conversation: Conversation, command: c.Release, facts: c.Facts, now: Instant) -> Change:
    if not command.actor.is_supervisor:
        raise NotYourConversation(command.actor.agent_id, conversation.agent_id)
    require_state(conversation, "release", OWNED)
    owner = conversation.agent_id
    queued = back_in_queue(passing_over(conversation, owner, facts, now), preferred_agent_id=None)
    detail: dict[str, object] = {"reason": command.reason, **_by(command.actor, owner)}
    entered = entering(queued, facts.policy, now)
    return Change(entered, (Event("conversation.released", owner, detail),))


def _by(actor: c.Actor, owner: str | None) -> dict[str, object]:
    """Say who did what the owner did not do himself; the system's doings have causes instead."""
    is_own = actor.agent_id is not None and actor.agent_id == owner
    return {} if is_own or actor.principal_id is None else {"by": actor.principal_id}

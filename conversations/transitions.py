"""What all commands share: who may, and what a conversation is in its next state."""

from dataclasses import dataclass, replace

from conversations import commands as c
from conversations.errors import (
    AgentAtCapacity,
    AgentNotEligible,
    ConversationEnded,
    IllegalTransition,
    NotYourConversation,
)
from conversations.model import (
    Conversation,
    ConversationState,
    Event,
    Instant,
    Offer,
    PassedOver,
)

ROOM_REASONS = frozenset({"capacity", "maximum_count"})
"""The reasons of `acd.eligibility` that mean: only room is missing."""

CONNECTED_OR_HELD = frozenset({ConversationState.CONNECTED, ConversationState.HELD})
OWNED = CONNECTED_OR_HELD | {ConversationState.PARKED}


@dataclass(frozen=True, slots=True)
class Change:
    conversation: Conversation
    events: tuple[Event, ...] = ()
    not_responding_agent_ids: tuple[str, ...] = ()


def is_all_answered(conversation: Conversation) -> bool:
    """Whether every post is covered by a sent reply and no reply is on its way."""
    return conversation.unanswered_count <= 0 and conversation.unsettled_replies == 0


def require_state(
    conversation: Conversation, command: str, allowed: frozenset[ConversationState]
) -> None:
    if conversation.state in allowed:
        return
    if not conversation.is_open:
        raise ConversationEnded(command, conversation.state)
    raise IllegalTransition(command, conversation.state)


def require_owner(conversation: Conversation, actor: c.Actor) -> None:
    if actor.agent_id is None or actor.agent_id != conversation.agent_id:
        raise NotYourConversation(actor.agent_id, conversation.agent_id)


def require_owner_or_supervisor(conversation: Conversation, actor: c.Actor) -> None:
    if not actor.is_supervisor:
        require_owner(conversation, actor)


def require_owner_or_supervisor_of_open(
    conversation: Conversation, command: str, actor: c.Actor
) -> None:
    if not conversation.is_open:
        raise ConversationEnded(command, conversation.state)
    require_owner_or_supervisor(conversation, actor)


def require_standing(facts: c.Facts) -> c.Standing:
    standing = facts.candidate
    if standing is None:
        raise AgentNotEligible("?", "unknown agent")
    if standing.is_eligible:
        return standing
    if ROOM_REASONS.issuperset(standing.reasons):
        raise AgentAtCapacity(standing.agent_id, standing.load_percent, standing.weight_percent)
    raise AgentNotEligible(standing.agent_id, ", ".join(standing.reasons))


def slid_window(conversation: Conversation, now: Instant) -> Instant:
    return max(conversation.affinity_until, now + conversation.affinity_window_s * 1000)


def entering(conversation: Conversation, policy: c.Policy, now: Instant) -> Conversation:
    """Begin to wait in a workgroup: its rings start from here."""
    first = policy.rings[0] if policy.rings else None
    return replace(
        conversation,
        ring=0,
        ring_since=now if first else None,
        ring_until=now + first.after_s * 1000 if first else None,
    )


def widening_from_here(conversation: Conversation, policy: c.Policy, now: Instant) -> Conversation:
    """Let the rings that are still closed wait from here; whom the open ones reach may get it."""
    closed = policy.rings[conversation.ring :]
    return replace(
        conversation,
        ring_since=now if policy.rings else None,
        ring_until=now + closed[0].after_s * 1000 if closed else None,
    )


def back_in_queue(conversation: Conversation, **fields: object) -> Conversation:
    """Return the conversation to its queue with its original age, owned by nobody."""
    cleared: dict[str, object] = {
        "state": ConversationState.QUEUED,
        "agent_id": None,
        "offers": (),
        "weight_percent": 0,
        "is_override": False,
        "held_at": None,
        "parked_until": None,
        "preferred_until": None,
        "consulted_agent_id": None,
    }
    return replace(conversation, **{**cleared, **fields})  # type: ignore[arg-type]


def back_in_queue_for_owner(
    conversation: Conversation, facts: c.Facts, now: Instant
) -> Conversation:
    return entering(
        back_in_queue(
            conversation,
            preferred_agent_id=conversation.agent_id,
            preferred_until=now + facts.policy.preferred_agent_wait_s * 1000,
        ),
        facts.policy,
        now,
    )


def _pass_over(
    conversation: Conversation, agent_id: str, until: Instant, now: Instant
) -> tuple[PassedOver, ...]:
    others = (p for p in conversation.passed_over if p.agent_id != agent_id and p.until > now)
    return (*others, PassedOver(agent_id, until))


def passing_over(
    conversation: Conversation, agent_id: str | None, facts: c.Facts, now: Instant
) -> Conversation:
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


def alerting(
    conversation: Conversation,
    offer_ids: tuple[str, ...],
    standings: tuple[c.Standing, ...],
    facts: c.Facts,
    now: Instant,
) -> tuple[Conversation, tuple[Event, ...]]:
    """Offer the conversation to one agent or to several at once, and tell each."""
    expires_at = now + facts.policy.offer_timeout_s * 1000
    offers = tuple(
        Offer(offer_id, standing.agent_id, expires_at, standing.weight_percent)
        for offer_id, standing in zip(offer_ids, standings, strict=True)
    )
    alerts = replace(
        conversation,
        state=ConversationState.ALERTING,
        offers=offers,
        weight_percent=offers[0].weight_percent,
        offered_at=now,
    )
    told = (
        Event(
            "conversation.offered",
            offer.agent_id,
            {"offer_id": offer.id, "expires_at": offer.expires_at},
        )
        for offer in offers
    )
    return alerts, tuple(told)


def without_offer(conversation: Conversation, agent_id: str) -> Conversation:
    """Take one agent's offer back; with the last one the conversation is back in its queue."""
    left = tuple(offer for offer in conversation.offers if offer.agent_id != agent_id)
    if not left:
        return back_in_queue(conversation)
    return replace(conversation, offers=left, weight_percent=left[0].weight_percent)


def rescinded(offer: Offer, reason: str) -> Event:
    return Event(
        "conversation.offer_expired", offer.agent_id, {"offer_id": offer.id, "reason": reason}
    )


def connected_to(
    conversation: Conversation, agent_id: str, weight_percent: int, now: Instant
) -> Conversation:
    return replace(
        conversation,
        state=ConversationState.CONNECTED,
        agent_id=agent_id,
        offers=(),
        weight_percent=weight_percent,
        preferred_agent_id=None,
        preferred_until=None,
        passed_over=(),
        ring_until=None,
        connected_at=now,
        held_at=None,
        parked_until=None,
        affinity_until=slid_window(conversation, now),
    )


def at_its_end(conversation: Conversation, ended_by: str, now: Instant) -> Conversation:
    return replace(
        conversation,
        offers=(),
        held_at=None,
        parked_until=None,
        preferred_until=None,
        passed_over=(),
        ring_until=None,
        consulted_agent_id=None,
        ended_at=now,
        ended_by=ended_by,
    )


def completion(
    conversation: Conversation, events: tuple[Event, ...] = (), cause: str | None = None
) -> Change:
    completed = replace(
        conversation,
        state=ConversationState.COMPLETED,
        weight_percent=0,
        wrap_up_until=None,
    )
    detail: dict[str, object] = {"cause": cause} if cause else {}
    told = Event("conversation.completed", conversation.agent_id, detail)
    return Change(completed, (*events, told))

"""Conversations in every state, and what decisions about them depend on."""

from dataclasses import replace
from typing import Any

from conversations import commands as c
from conversations.errors import ConversationError
from conversations.lifecycle import Decision, decide
from conversations.model import (
    FINAL_STATES,
    Conversation,
    ConversationState,
    Instant,
    MediaType,
    Offer,
    Visibility,
)

NOW: Instant = 1_750_000_000_000
OWNER, OTHER = "agent-1", "agent-2"
WINDOW_S = 3600
POLICY = c.Policy()

QUEUED = Conversation(
    id="cv-1",
    state=ConversationState.QUEUED,
    media_type=MediaType.SOCIAL_CONVERSATION,
    network="simulated",
    account_id="account-1",
    channel_id="channel-1",
    workgroup_id="workgroup-1",
    customer_id="customer-1",
    affinity_key="key-1",
    affinity_window_s=WINDOW_S,
    priority=50,
    created_at=NOW - 60_000,
    queued_at=NOW - 60_000,
    last_post_at=NOW - 60_000,
    affinity_until=NOW - 60_000 + WINDOW_S * 1000,
    post_count=1,
    version=7,
)


def in_state(state: ConversationState, **fields: Any) -> Conversation:
    """Return a conversation in the state: offered to, owned by or ended by the first agent."""
    shape: dict[str, Any] = {"state": state}
    match state:
        case ConversationState.ALERTING:
            shape |= {"offers": (Offer("offer-1", OWNER, NOW + 20_000, 25),), "weight_percent": 25}
        case ConversationState.CONNECTED | ConversationState.HELD:
            shape |= {"agent_id": OWNER, "weight_percent": 25}
        case ConversationState.PARKED:
            shape |= {"agent_id": OWNER}
        case ConversationState.WRAPUP:
            shape |= {"agent_id": OWNER, "weight_percent": 25, "ended_by": OWNER}
            shape |= {"ended_at": NOW - 1_000}
        case _ if state in FINAL_STATES:
            shape |= {"agent_id": OWNER, "ended_at": NOW - 1_000, "ended_by": OWNER}
    return replace(QUEUED, **{**shape, **fields})


def answered(**fields: Any) -> Conversation:
    """Return a connected conversation whose one post has its sent reply."""
    return in_state(ConversationState.CONNECTED, answered_count=1, **fields)


def agent(agent_id: str = OWNER) -> c.Actor:
    return c.Actor(agent_id)


SUPERVISOR = c.Actor(is_supervisor=True)


def eligible(agent_id: str = OWNER, *, weight_percent: int = 25) -> c.Facts:
    return c.Facts(POLICY, c.Standing(agent_id, (), weight_percent, 0))


def ineligible(*reasons: str, agent_id: str = OWNER) -> c.Facts:
    return c.Facts(POLICY, c.Standing(agent_id, reasons, 25, 90))


def done(
    conversation: Conversation,
    command: c.Command,
    facts: c.Facts | None = None,
    now: Instant = NOW,
) -> Decision:
    """Decide what must not be refused."""
    decision = decide(conversation, command, facts or eligible(), now)
    assert isinstance(decision, Decision), decision
    return decision


def refused(
    conversation: Conversation,
    command: c.Command,
    facts: c.Facts | None = None,
    now: Instant = NOW,
) -> str:
    """Decide what must be refused; return the refusal's code."""
    refusal = decide(conversation, command, facts or eligible(), now)
    assert isinstance(refusal, ConversationError), refusal
    return refusal.code


def reply_by(actor: c.Actor, **fields: Any) -> c.SendReply:
    command = c.SendReply(actor, "reply-1", Visibility.PUBLIC, confirm_public=False)
    return replace(command, **fields)


def decide_code(
    conversation: Conversation, command: c.Command, facts: c.Facts, now: Instant
) -> str:
    """Decide; return the new state, or the refusal's code."""
    decision = decide(conversation, command, facts, now)
    if isinstance(decision, ConversationError):
        return decision.code
    assert decision.conversation.version == conversation.version + 1
    return decision.conversation.state

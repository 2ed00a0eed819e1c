"""Rings: how the circle of agents widens while a conversation waits."""

from dataclasses import replace

from conversations import commands as c
from conversations.model import Conversation, ConversationState, Event, Instant, Ring
from conversations.transitions import Change, require_state


def open_ring(conversation: Conversation, _: c.OpenRing, facts: c.Facts, now: Instant) -> Change:
    """Open every ring whose turn it is, and tell which; one that adds nobody costs no waiting."""
    require_state(conversation, "open_ring", frozenset({ConversationState.QUEUED}))
    rings = facts.policy.rings
    ring = conversation.ring
    while ring < len(rings) and _is_its_turn(conversation, ring, facts, now):
        ring += 1
    next_ring = rings[ring] if ring < len(rings) else None
    opened = replace(
        conversation,
        ring=ring,
        ring_until=None if next_ring is None else _opens_at(conversation, next_ring),
    )
    if ring == conversation.ring:
        return Change(opened)
    return Change(opened, (Event("conversation.ring_opened", detail={"ring": ring}),))


def _opens_at(conversation: Conversation, ring: Ring) -> Instant:
    since = conversation.ring_since
    return (conversation.queued_at if since is None else since) + ring.after_s * 1000


def _is_its_turn(conversation: Conversation, ring: int, facts: c.Facts, now: Instant) -> bool:
    """Whether the ring with this number opens now; `ring` are open already."""
    next_ring = facts.policy.rings[ring]
    if now >= _opens_at(conversation, next_ring):
        return True
    if next_ring.at_once_if_nobody and _reach(facts, ring) == 0:
        return True
    just_opened = ring > conversation.ring
    return just_opened and _reach(facts, ring) <= _reach(facts, ring - 1)


def _reach(facts: c.Facts, ring: int) -> int:
    """Return how many agents the circle reaches with so many rings open."""
    return facts.reach[ring] if ring < len(facts.reach) else 0

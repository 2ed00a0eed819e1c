"""In what order conversations wait: priority ages, so nothing starves."""

from conversations.model import Conversation, Instant

MS_PER_PRIORITY_POINT = 6_000
"""One point of priority outweighs six seconds of waiting: 50 points are five minutes."""


def queue_rank(conversation: Conversation) -> int:
    """Return the conversation's place in its queue; the lowest comes first.

    The score `priority + age / 6 s` grows equally for all who wait, so their order never changes
    and can be kept in an index: this is the moment at which the score would have been zero.
    """
    return conversation.queued_at - conversation.priority * MS_PER_PRIORITY_POINT


def score(conversation: Conversation, now: Instant) -> float:
    """Return priority plus age in priority points: what the decision record shows."""
    return (now - queue_rank(conversation)) / MS_PER_PRIORITY_POINT

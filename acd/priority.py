"""In what order conversations wait: priority ages, so nothing starves."""

from acd.model import QueueOrder
from conversations.model import Conversation, Instant

MS_PER_POINT = 6_000
"""A point of score is six seconds of waiting: 50 points of priority are five minutes."""

STRICT_STEP = 10**15
"""More than any time weighs: where priority is strict, one point of it outweighs all waiting."""


def queue_rank(conversation: Conversation, order: QueueOrder) -> int:
    """Return the conversation's place in its queue; the lowest comes first.

    The score grows equally for all who wait in one workgroup, so their order never changes and
    can be kept in an index.
    """
    weights = order.weights
    since = (
        weights.time_in_queue * conversation.queued_at
        + weights.time_in_system * conversation.created_at
    )
    if order.is_strict:
        return since - conversation.priority * STRICT_STEP
    return since - weights.priority * conversation.priority * MS_PER_POINT


def score(conversation: Conversation, order: QueueOrder, now: Instant) -> float:
    """Return the weighted sum of priority, time in queue and time in system, in points."""
    weights = order.weights
    waited_ms = weights.time_in_queue * (now - conversation.queued_at) + weights.time_in_system * (
        now - conversation.created_at
    )
    return weights.priority * conversation.priority + waited_ms / MS_PER_POINT


def rank_with_skill(rank: int, order: QueueOrder, fit_percent: float) -> float:
    """Place a conversation before others for whom no agent with room fits as well."""
    return rank - order.weights.skill * fit_percent * MS_PER_POINT

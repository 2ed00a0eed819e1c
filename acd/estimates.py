"""How long a conversation will probably wait, and when that is too long."""

from dataclasses import dataclass

from conversations.model import Instant

WINDOW_MS = 30 * 60_000
"""Conversations that were answered within the last half hour tell how long one waits."""

FEWEST_SAMPLES = 5
"""So many of them at least, or there is no estimate: one lucky pick-up promises nothing."""


@dataclass(frozen=True, slots=True)
class RecentAnswers:
    """How many conversations were answered within the window, and how long they all waited."""

    count: int
    waited_ms: int


def since(now: Instant) -> Instant:
    """Return when the window began; what was answered at that very moment is in it."""
    return now - WINDOW_MS


def estimated_wait_ms(answers: RecentAnswers, waited_ms: int) -> int | None:
    """Return the mean wait minus the time already waited, never less than nothing.

    None with too few samples.
    """
    if answers.count < FEWEST_SAMPLES:
        return None
    return max(0, answers.waited_ms // answers.count - waited_ms)


def is_too_long(estimate_ms: int | None, limit_s: int | None) -> bool:
    """Whether an arrival overflows: only an estimate that exceeds the limit says so."""
    return estimate_ms is not None and limit_s is not None and estimate_ms > limit_s * 1000

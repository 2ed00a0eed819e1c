"""Service level: which part of a queue's conversations was answered within the target.

Of a queue's entries, `answered` were picked up, `abandoned` were withdrawn by their customer
(never inferred from silence), and `flowed out` left in any other way: by transfer, overflow or
discard. Those that still wait count nowhere yet.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from acd.calendar import BusinessHours, open_ms_between, subtract_open_ms
from conversations.model import Instant, MediaType


class WayOut(StrEnum):
    """How a conversation left a queue."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    FLOWED_OUT = "flowed_out"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class Target:
    """So many percent are to be answered within so many seconds."""

    target_s: int = 300
    percent: int = 80


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """A workgroup's targets and what counts: Genesys' three switches, with their defaults.

    A short abandon is one within `short_abandon_s` of the entry; it never counts.
    """

    target: Target = Target()
    media_types: dict[MediaType, Target] = field(default_factory=dict)
    counts_abandons: bool = True
    counts_flow_outs: bool = False
    short_abandon_s: int = 0

    def target_of(self, media_type: MediaType) -> Target:
        return self.media_types.get(media_type, self.target)


@dataclass(frozen=True, slots=True)
class Counts:
    """How the entries of one queue and media type ended; flow-outs include what was discarded."""

    answered: int = 0
    answered_in_time: int = 0
    abandoned: int = 0
    abandoned_shortly: int = 0
    flowed_out: int = 0


def counted_waits(counts: Counts, level: ServiceLevel) -> int:
    """Return how many waits the service level is reckoned from."""
    counted = counts.answered
    if level.counts_abandons:
        counted += counts.abandoned - counts.abandoned_shortly
    if level.counts_flow_outs:
        counted += counts.flowed_out
    return counted


def reached_percent(counts: Counts, level: ServiceLevel) -> float | None:
    """Return the service level that was reached, None while nothing counts."""
    counted = counted_waits(counts, level)
    return round(100 * counts.answered_in_time / counted, 2) if counted else None


def is_in_time(waited_ms: int, target: Target) -> bool:
    """Whether a wait met the target; one of exactly the target did."""
    return waited_ms <= target.target_s * 1000


def waited_ms(entered_at: Instant, until: Instant, stopping: BusinessHours | None) -> int:
    """Return how long a conversation waited; with hours, the clock stops outside of them."""
    if stopping is None:
        return max(0, until - entered_at)
    return open_ms_between(stopping, entered_at, until)


def late_since(now: Instant, target: Target, stopping: BusinessHours | None) -> Instant | None:
    """Return until when one must have entered to be late now; None: nobody can be late yet.

    Exactly those who have waited longer than the target are late.
    """
    late_ms = target.target_s * 1000 + 1
    if stopping is None:
        return now - late_ms
    return subtract_open_ms(stopping, now, late_ms)

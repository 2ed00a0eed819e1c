"""Where a conversation waits that comes into a workgroup: there, or where it overflows to."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from acd.calendar import BusinessHours, is_open
from acd.estimates import is_too_long
from conversations.model import Instant


class Cause(StrEnum):
    """Why a conversation does not wait where it came to."""

    CLOSED = "closed"
    OVERFLOW = "overflow"


class WhenClosed(StrEnum):
    """What a closed workgroup does with what comes."""

    QUEUE = "queue"
    OVERFLOW = "overflow"
    AUTOMATIC_REPLY = "automatic_reply"


@dataclass(frozen=True, slots=True)
class Entrance:
    """A workgroup's settings for what comes in; without hours it is always open."""

    hours: BusinessHours | None = None
    when_closed: WhenClosed = WhenClosed.QUEUE
    closed_to: str | None = None
    automatic_reply: str | None = None
    longest_estimate_s: int | None = None
    crowded_to: str | None = None

    def is_closed(self, at: Instant) -> bool:
        return self.hours is not None and not is_open(self.hours, at)


@dataclass(frozen=True, slots=True)
class Hop:
    """One step to another workgroup."""

    workgroup_id: str
    cause: Cause


@dataclass(frozen=True, slots=True)
class Way:
    """The steps to the queue in which it is to wait, and what the customer is told meanwhile."""

    hops: tuple[Hop, ...] = ()
    automatic_reply: str | None = None


def way_from(
    workgroup_id: str,
    entrance_of: Callable[[str], Entrance],
    estimate_ms_of: Callable[[str], int | None],
    now: Instant,
) -> Way:
    """Say where a conversation goes that comes into the workgroup now.

    `estimate_ms_of` tells how long a new arrival will probably wait in a workgroup; it is asked
    only where there is a limit. A circle cannot be set up; if one is there all the same, the way
    ends before it closes.
    """
    hops: list[Hop] = []
    seen = {workgroup_id}
    here = workgroup_id
    while (hop := _hop_from(here, entrance_of(here), estimate_ms_of, now)) is not None:
        if hop.workgroup_id in seen:
            break
        hops.append(hop)
        here = hop.workgroup_id
        seen.add(here)
    last = entrance_of(here)
    answers = last.when_closed is WhenClosed.AUTOMATIC_REPLY and last.is_closed(now)
    return Way(tuple(hops), last.automatic_reply if answers else None)


def _hop_from(
    workgroup_id: str,
    entrance: Entrance,
    estimate_ms_of: Callable[[str], int | None],
    now: Instant,
) -> Hop | None:
    if entrance.is_closed(now):
        if entrance.when_closed is not WhenClosed.OVERFLOW or entrance.closed_to is None:
            return None
        return Hop(entrance.closed_to, Cause.CLOSED)
    if entrance.crowded_to is None or entrance.longest_estimate_s is None:
        return None
    if not is_too_long(estimate_ms_of(workgroup_id), entrance.longest_estimate_s):
        return None
    return Hop(entrance.crowded_to, Cause.OVERFLOW)

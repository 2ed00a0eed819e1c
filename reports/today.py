"""The service level of today, of every workgroup, without counting the whole day each time.

A wait that ended is never changed. So what ended a minute ago is counted once and kept, and only
the last minute is read again: a million closed conversations cost nothing.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import Connection, RowMapping

from acd.calendar import local_midnight
from acd.service_level import (
    Counts,
    ServiceLevel,
    Target,
    WayOut,
    is_in_time,
    reached_percent,
)
from conversations.model import Instant, MediaType
from storage import queues, standing
from storage.calendars import service_level_from, time_zone_of
from storage.standing import EndedWait

SETTLED_MS = 60_000
"""So much later every transaction that ended a wait is committed, or never will be."""

Key = tuple[str, MediaType]


@dataclass(frozen=True, slots=True)
class Basis:
    """What counts are counted by; under another one they are counted anew."""

    midnight: Instant
    target: Target
    short_abandon_s: int


@dataclass(frozen=True, slots=True)
class ReachedToday:
    """A workgroup's service level since its midnight, by media type and of all together."""

    since: Instant
    by_media_type: dict[MediaType, tuple[Target, Counts, float | None]]
    percent: float | None


@dataclass
class Today:
    """Keeps what was counted; one for each process, used by one reader at a time."""

    _settled_until: Instant = 0
    _kept: dict[Key, tuple[Basis, Counts]] = field(default_factory=dict)

    def reached(
        self, connection: Connection, workgroups: Iterable[RowMapping], now: Instant
    ) -> dict[str, ReachedToday]:
        """Return what each workgroup has reached."""
        settled_until = max(self._settled_until, now - SETTLED_MS)
        fresh = standing.ended_waits(connection, self._settled_until or settled_until, now + 1)
        settling = _by_key(wait for wait in fresh if wait.left_at < settled_until)
        unsettled = _by_key(wait for wait in fresh if wait.left_at >= settled_until)
        found = {}
        for row in workgroups:
            level, midnight = service_level_from(row), local_midnight(time_zone_of(row), now)
            counts = {}
            for media_type in MediaType:
                key = (row["id"], media_type)
                basis = Basis(midnight, level.target_of(media_type), level.short_abandon_s)
                kept = self._kept.get(key)
                if kept is not None and kept[0] == basis:
                    settled = _plus(kept[1], settling.get(key, ()), basis)
                else:
                    period = (midnight, settled_until)
                    settled = queues.counts_between(connection, row, media_type, period)
                self._kept[key] = (basis, settled)
                counts[media_type] = _plus(settled, unsettled.get(key, ()), basis)
            found[row["id"]] = _reached(midnight, level, counts)
        self._settled_until = settled_until
        return found


def _by_key(waits: Iterable[EndedWait]) -> dict[Key, list[EndedWait]]:
    found: dict[Key, list[EndedWait]] = defaultdict(list)
    for wait in waits:
        found[(wait.workgroup_id, wait.media_type)].append(wait)
    return found


def _plus(counts: Counts, waits: Iterable[EndedWait], basis: Basis) -> Counts:
    """Count further waits in; those from before midnight are of yesterday."""
    todays = [wait for wait in waits if wait.left_at >= basis.midnight]
    answered = [wait for wait in todays if wait.outcome is WayOut.ANSWERED]
    abandoned = [wait for wait in todays if wait.outcome is WayOut.ABANDONED]
    short_ms = basis.short_abandon_s * 1000
    return Counts(
        answered=counts.answered + len(answered),
        answered_in_time=counts.answered_in_time
        + sum(is_in_time(wait.waited_ms, basis.target) for wait in answered),
        abandoned=counts.abandoned + len(abandoned),
        abandoned_shortly=counts.abandoned_shortly
        + sum(wait.waited_ms < short_ms for wait in abandoned),
        flowed_out=counts.flowed_out + len(todays) - len(answered) - len(abandoned),
    )


def _reached(
    midnight: Instant, level: ServiceLevel, counts: dict[MediaType, Counts]
) -> ReachedToday:
    by_media_type = {
        media_type: (level.target_of(media_type), each, reached_percent(each, level))
        for media_type, each in counts.items()
    }
    return ReachedToday(midnight, by_media_type, reached_percent(total(counts.values()), level))


def total(counts: Iterable[Counts]) -> Counts:
    """Add counts up, each judged by its own target."""
    every = list(counts)
    return Counts(
        answered=sum(each.answered for each in every),
        answered_in_time=sum(each.answered_in_time for each in every),
        abandoned=sum(each.abandoned for each in every),
        abandoned_shortly=sum(each.abandoned_shortly for each in every),
        flowed_out=sum(each.flowed_out for each in every),
    )

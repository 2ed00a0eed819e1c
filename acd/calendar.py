"""When a workgroup is open: business hours and holidays by the clock on its wall.

Open is what the wall shows: an interval is open at every instant whose local date and time lie
in it. So what a clock change leaves out is never open, and what it repeats counts both times.
An interval belongs to the day on which it begins; a holiday replaces those that begin on its date.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from conversations.model import Instant

MINUTE_MS = 60_000
DAY_MS = 86_400_000
DAY_MIN = 1_440
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

SETTLED_DAYS = 16
"""Without holidays it changes within a week; a clock change can swallow one week's interval."""

HORIZON_DAYS = 3_660
"""Ten years: a moment that is farther away counts as never."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_EPOCH_WEEKDAY = 3
_TIME_OF_DAY = re.compile(r"(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)")


@dataclass(frozen=True, slots=True)
class OpenInterval:
    """From a minute of its day up to, not including, another; from 1440 on it is the next day's."""

    from_min: int
    to_min: int


@dataclass(frozen=True, slots=True)
class Holiday:
    """A date with intervals of its own, closed if it has none."""

    day: date
    intervals: tuple[OpenInterval, ...] = ()


@dataclass(frozen=True, slots=True)
class BusinessHours:
    """A time zone of the IANA database, seven days of intervals from Monday on, and holidays."""

    time_zone: str
    weekly: tuple[tuple[OpenInterval, ...], ...]
    holidays: tuple[Holiday, ...] = ()


@lru_cache(maxsize=1)
def time_zones() -> frozenset[str]:
    """Return the names that a calendar may use; not the machine's own idea of local time."""
    return frozenset(available_timezones()) - {"localtime", "Factory"}


def interval_between(from_time: str, to_time: str) -> OpenInterval:
    """Read an interval from two times of day; one that ends earlier ends on the next day.

    Raises:
        ValueError: a time is not HH:MM, or the interval is empty.
    """
    from_min, to_min = _minute_of(from_time), _minute_of(to_time)
    if from_min == DAY_MIN:
        raise ValueError("an interval begins before 24:00")
    if from_min == to_min:
        raise ValueError(f"{from_time} to {to_time} is empty; a whole day is 00:00 to 24:00")
    return OpenInterval(from_min, to_min if to_min > from_min else to_min + DAY_MIN)


def _minute_of(time_of_day: str) -> int:
    found = _TIME_OF_DAY.fullmatch(time_of_day)
    if found is None:
        raise ValueError(f"{time_of_day} is no time of day: HH:MM from 00:00 to 24:00")
    hours, minutes = found.groups()
    return DAY_MIN if hours is None else int(hours) * 60 + int(minutes)


def disorder_of(hours: BusinessHours) -> str | None:
    """Say what is out of order: intervals that overlap, a date twice, a calendar never open."""
    days = [
        *((WEEKDAYS[n], intervals) for n, intervals in enumerate(hours.weekly)),
        *((holiday.day.isoformat(), holiday.intervals) for holiday in hours.holidays),
    ]
    for name, intervals in days:
        for one, other in pairwise(intervals):
            if other.from_min < one.to_min:
                return f"the intervals of {name} are not in order, or overlap"
    for n, intervals in enumerate(hours.weekly):
        following = hours.weekly[(n + 1) % len(WEEKDAYS)]
        if intervals and following and intervals[-1].to_min - DAY_MIN > following[0].from_min:
            return f"the last interval of {WEEKDAYS[n]} reaches into the first of the next day"
    dates = [holiday.day for holiday in hours.holidays]
    if len(set(dates)) < len(dates):
        return "a date is named twice as a holiday"
    if not any(intervals for _, intervals in days):
        return "they are never open"
    return None


def is_open(hours: BusinessHours, at: Instant) -> bool:
    return any(start <= at < end for start, end in _spans(hours, at // DAY_MS))


def next_change(hours: BusinessHours, at: Instant) -> Instant | None:
    """Return when it opens or closes next after this moment; None when it never does again."""
    now_open = is_open(hours, at)
    for day in _days_of_change(hours, at // DAY_MS):
        for edge in (edge for span in _spans(hours, day) for edge in span):
            if edge > at and is_open(hours, edge) is not now_open:
                return edge
    return None


def open_ms_between(hours: BusinessHours, start: Instant, end: Instant) -> int:
    """Return for how long it is open from one moment to a later one."""
    return sum(
        max(0, min(closes, end) - max(opens, start))
        for day in range(start // DAY_MS, end // DAY_MS + 1)
        for opens, closes in _spans(hours, day)
    )


def add_open_ms(hours: BusinessHours, at: Instant, open_ms: int) -> Instant | None:
    """Return the first moment by which it has been open for so long; None when that is never."""
    if open_ms <= 0:
        return at
    left_ms = open_ms
    for day in range(at // DAY_MS, at // DAY_MS + HORIZON_DAYS):
        for opens, closes in _spans(hours, day):
            begins = max(opens, at)
            if closes - begins >= left_ms:
                return begins + left_ms
            left_ms -= max(0, closes - begins)
    return None


def subtract_open_ms(hours: BusinessHours, at: Instant, open_ms: int) -> Instant | None:
    """Return the last moment since which it has been open for so long; None: it has not been."""
    if open_ms <= 0:
        return at
    left_ms = open_ms
    for day in range(at // DAY_MS, at // DAY_MS - HORIZON_DAYS, -1):
        for opens, closes in reversed(_spans(hours, day)):
            ends = min(closes, at)
            if ends - opens >= left_ms:
                return ends - left_ms
            left_ms -= max(0, ends - opens)
    return None


def local_midnight(time_zone: str, at: Instant) -> Instant:
    """Return when the local day of this moment began."""
    zone = ZoneInfo(time_zone)
    local = _utc(at).astimezone(zone)
    midnight = datetime(local.year, local.month, local.day, tzinfo=zone)
    return (midnight.astimezone(UTC) - _EPOCH) // timedelta(milliseconds=1)


def _days_of_change(hours: BusinessHours, day: int) -> Iterator[int]:
    """Yield the days in which the next change must lie: those to come, those around holidays."""
    reached = day + SETTLED_DAYS
    yield from range(day, reached)
    for holiday in sorted(holiday.day.toordinal() - _EPOCH_ORDINAL for holiday in hours.holidays):
        yield from range(max(reached, holiday - 2), holiday + SETTLED_DAYS)
        reached = max(reached, holiday + SETTLED_DAYS)


@lru_cache(maxsize=8_192)
def _spans(hours: BusinessHours, day: int) -> tuple[tuple[Instant, Instant], ...]:
    """Return when it is open within one day of UTC, in order and apart from each other."""
    found: list[tuple[Instant, Instant]] = []
    for start, end, offset_ms in _segments(hours.time_zone, day):
        for local_start, local_end in _local_spans(hours, start + offset_ms, end + offset_ms):
            opens, closes = max(local_start - offset_ms, start), min(local_end - offset_ms, end)
            if opens < closes:
                found.append((opens, closes))
    joined: list[tuple[Instant, Instant]] = []
    for opens, closes in sorted(found):
        if joined and opens <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(closes, joined[-1][1]))
        else:
            joined.append((opens, closes))
    return tuple(joined)


def _local_spans(
    hours: BusinessHours, local_start: int, local_end: int
) -> Iterator[tuple[int, int]]:
    """Yield the intervals that touch this stretch of the wall's clock, the day before's too."""
    for day in range(local_start // DAY_MS - 1, local_end // DAY_MS + 1):
        for interval in _intervals_of(hours, day):
            midnight = day * DAY_MS
            yield (
                midnight + interval.from_min * MINUTE_MS,
                midnight + interval.to_min * MINUTE_MS,
            )


def _intervals_of(hours: BusinessHours, day: int) -> tuple[OpenInterval, ...]:
    for holiday in hours.holidays:
        if holiday.day.toordinal() - _EPOCH_ORDINAL == day:
            return holiday.intervals
    return hours.weekly[(day + _EPOCH_WEEKDAY) % len(WEEKDAYS)]


@lru_cache(maxsize=8_192)
def _segments(time_zone: str, day: int) -> tuple[tuple[Instant, Instant, int], ...]:
    """Cut one day of UTC where the zone's offset changes, which it does at most once a day."""
    zone = ZoneInfo(time_zone)
    start, end = day * DAY_MS, (day + 1) * DAY_MS
    first, last = _offset_ms(zone, start), _offset_ms(zone, end)
    if first == last:
        return ((start, end, first),)
    before, after = start, end
    while after - before > 1:
        middle = (before + after) // 2
        if _offset_ms(zone, middle) == first:
            before = middle
        else:
            after = middle
    if after == end:
        return ((start, end, first),)
    return ((start, after, first), (after, end, last))


def _offset_ms(zone: ZoneInfo, at: Instant) -> int:
    offset = _utc(at).astimezone(zone).utcoffset() or timedelta()
    return offset // timedelta(milliseconds=1)


def _utc(at: Instant) -> datetime:
    return _EPOCH + timedelta(milliseconds=at)

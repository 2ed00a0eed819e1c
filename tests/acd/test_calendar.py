"""Business hours against somebody who looks at the clock on the wall every minute."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acd.calendar import (
    DAY_MS,
    MINUTE_MS,
    BusinessHours,
    Holiday,
    OpenInterval,
    add_open_ms,
    disorder_of,
    interval_between,
    is_open,
    local_midnight,
    next_change,
    open_ms_between,
    subtract_open_ms,
    time_zones,
)

CLOSED: tuple[OpenInterval, ...] = ()
NINE_TO_FIVE = (interval_between("09:00", "17:00"),)
OFFICE = BusinessHours("Europe/Berlin", (*[NINE_TO_FIVE] * 5, CLOSED, CLOSED))
CLOCK_CHANGES = [
    ("Europe/Berlin", "2026-03-29T01:00"),
    ("Europe/Berlin", "2026-10-25T01:00"),
    ("America/New_York", "2026-03-08T07:00"),
    ("America/New_York", "2026-11-01T06:00"),
    ("Australia/Lord_Howe", "2026-04-04T15:00"),  # by half an hour
    ("Australia/Lord_Howe", "2026-10-03T15:30"),
    ("Asia/Kolkata", "2026-06-01T00:00"),  # none at all, and half an hour beside
    ("Pacific/Apia", "2011-12-30T10:00"),  # a whole day is left out
    ("Africa/Casablanca", "2026-02-15T02:00"),
    ("America/Havana", "2026-03-08T05:00"),  # midnight does not exist
]


def utc(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def at(text: str, zone: str = "Europe/Berlin", fold: int = 0) -> int:
    local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return round(local.timestamp() * 1000)


def is_open_on_the_wall(hours: BusinessHours, instant: int) -> bool:
    """Look at the wall: its own arithmetic, nothing of the calendar's."""
    wall = datetime.fromtimestamp(instant / 1000, ZoneInfo(hours.time_zone)).replace(tzinfo=None)
    own = {holiday.day: holiday.intervals for holiday in hours.holidays}
    for day in (wall.date(), wall.date() - timedelta(days=1)):
        midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - the wall has no zone
        for interval in own.get(day, hours.weekly[day.weekday()]):
            opens = midnight + timedelta(minutes=interval.from_min)
            closes = midnight + timedelta(minutes=interval.to_min)
            if opens <= wall < closes:
                return True
    return False


@st.composite
def intervals(draw: st.DrawFn) -> tuple[OpenInterval, ...]:
    edges = draw(st.lists(st.integers(0, 1_440), unique=True, max_size=4).map(sorted))
    found = [OpenInterval(*pair) for pair in zip(edges[::2], edges[1::2], strict=False)]
    if found and found[-1].from_min > 1_000 and draw(st.booleans()):
        found[-1] = OpenInterval(found[-1].from_min, 1_440 + draw(st.integers(1, 400)))
    return tuple(found)


@st.composite
def around_a_clock_change(draw: st.DrawFn) -> tuple[BusinessHours, int]:
    zone, change = draw(st.sampled_from(CLOCK_CHANGES))
    moment = utc(change)
    local = datetime.fromtimestamp(moment / 1000, ZoneInfo(zone)).date()
    near = st.integers(-2, 2).map(lambda days: local + timedelta(days=days))
    own = draw(st.dictionaries(near, intervals(), max_size=2))
    weekly = tuple(draw(intervals()) for _ in range(7))
    holidays = tuple(Holiday(day, its) for day, its in sorted(own.items()))
    start = moment + draw(st.integers(-2_000, 200)) * MINUTE_MS
    return BusinessHours(zone, weekly, holidays), start


WALK_MIN = 2_000


@settings(max_examples=40, deadline=None)
@given(around_a_clock_change(), st.integers(0, MINUTE_MS - 1))
def test_it_is_open_when_the_wall_says_so(case: tuple[BusinessHours, int], rest_ms: int) -> None:
    hours, start = case
    for minute in range(0, WALK_MIN, 3):
        instant = start + minute * MINUTE_MS
        assert is_open(hours, instant + rest_ms) == is_open_on_the_wall(hours, instant)


@settings(max_examples=40, deadline=None)
@given(
    around_a_clock_change(),
    st.integers(0, WALK_MIN * MINUTE_MS),
    st.integers(0, WALK_MIN * MINUTE_MS),
)
def test_the_open_time_is_the_sum_of_the_open_minutes(
    case: tuple[BusinessHours, int], one: int, other: int
) -> None:
    hours, start = case
    since, until = start + min(one, other), start + max(one, other)
    walked = 0
    minute = since // MINUTE_MS * MINUTE_MS
    while minute < until:
        if is_open_on_the_wall(hours, minute):
            walked += min(minute + MINUTE_MS, until) - max(minute, since)
        minute += MINUTE_MS
    assert open_ms_between(hours, since, until) == walked


@settings(max_examples=40, deadline=None)
@given(around_a_clock_change(), st.integers(0, MINUTE_MS - 1))
def test_the_next_change_is_the_first_minute_that_differs(
    case: tuple[BusinessHours, int], rest_ms: int
) -> None:
    hours, start = case
    was_open = is_open_on_the_wall(hours, start)
    walked = next(
        (
            start + minute * MINUTE_MS
            for minute in range(1, WALK_MIN)
            if is_open_on_the_wall(hours, start + minute * MINUTE_MS) is not was_open
        ),
        None,
    )
    found = next_change(hours, start + rest_ms)
    if walked is None:
        assert found is None or found >= start + WALK_MIN * MINUTE_MS
    else:
        assert found == walked


@settings(max_examples=60, deadline=None)
@given(around_a_clock_change(), st.integers(1, 3 * DAY_MS))
def test_a_deadline_is_the_first_moment_with_enough_open_time(
    case: tuple[BusinessHours, int], open_ms: int
) -> None:
    hours, start = case
    due = add_open_ms(hours, start, open_ms)
    if due is None:
        assert open_ms_between(hours, start, start + 400 * DAY_MS) < open_ms
        return
    assert open_ms_between(hours, start, due) == open_ms
    assert open_ms_between(hours, start, due - 1) == open_ms - 1


@settings(max_examples=60, deadline=None)
@given(around_a_clock_change(), st.integers(1, 3 * DAY_MS))
def test_counted_back_it_is_the_last_moment_with_enough_open_time(
    case: tuple[BusinessHours, int], open_ms: int
) -> None:
    hours, end = case
    since = subtract_open_ms(hours, end, open_ms)
    if since is None:
        assert open_ms_between(hours, end - 400 * DAY_MS, end) < open_ms
        return
    assert open_ms_between(hours, since, end) == open_ms
    assert open_ms_between(hours, since + 1, end) == open_ms - 1


def test_it_opens_and_closes_to_the_millisecond() -> None:
    opens, closes = at("2026-11-24T09:00"), at("2026-11-24T17:00")
    assert [is_open(OFFICE, opens + ms) for ms in (-1, 0)] == [False, True]
    assert [is_open(OFFICE, closes + ms) for ms in (-1, 0)] == [True, False]
    assert next_change(OFFICE, opens - 1) == opens
    assert next_change(OFFICE, opens) == closes
    assert next_change(OFFICE, closes - 1) == closes
    assert next_change(OFFICE, closes) == at("2026-11-25T09:00")


def test_the_deadline_may_be_the_closing_itself() -> None:
    morning, evening = at("2026-11-24T09:00"), at("2026-11-24T17:00")
    assert add_open_ms(OFFICE, morning, 8 * 3_600_000) == evening
    assert add_open_ms(OFFICE, morning, 8 * 3_600_000 + 1) == at("2026-11-25T09:00") + 1
    assert add_open_ms(OFFICE, evening, 0) == evening


def test_a_weekend_stops_the_clock() -> None:
    friday = at("2026-11-27T16:30")
    assert add_open_ms(OFFICE, friday, 3_600_000) == at("2026-11-30T09:30")
    assert open_ms_between(OFFICE, friday, at("2026-11-30T09:30")) == 3_600_000


def test_the_hour_that_is_left_out_is_never_open() -> None:
    night = (interval_between("02:00", "03:00"),)
    hours = BusinessHours("Europe/Berlin", (night,) * 7)
    saturday = at("2026-03-28T12:00")
    assert next_change(hours, saturday) == at("2026-03-30T02:00")
    assert open_ms_between(hours, saturday, at("2026-03-29T12:00")) == 0


def test_the_hour_that_is_repeated_is_open_twice() -> None:
    night = (interval_between("02:00", "02:30"),)
    hours = BusinessHours("Europe/Berlin", (night,) * 7)
    first, second = at("2026-10-25T02:00"), at("2026-10-25T02:00", fold=1)
    assert second - first == 3_600_000
    assert next_change(hours, first - 1) == first
    assert next_change(hours, first) == first + 30 * MINUTE_MS
    assert next_change(hours, first + 30 * MINUTE_MS) == second
    assert open_ms_between(hours, first, second + 3_600_000) == 3_600_000


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    night = (interval_between("22:00", "06:00"),)
    christmas = Holiday(date(2026, 12, 25))
    hours = BusinessHours("Europe/Berlin", (night,) * 7, (christmas,))
    assert is_open(hours, at("2026-12-25T05:59:59.999"))
    assert not is_open(hours, at("2026-12-25T06:00"))
    assert not is_open(hours, at("2026-12-25T23:00"))
    assert not is_open(hours, at("2026-12-26T05:00"))
    assert is_open(hours, at("2026-12-26T22:00"))


def test_a_holiday_may_have_its_own_hours() -> None:
    eve = Holiday(date(2026, 12, 24), (interval_between("10:00", "12:00"),))
    hours = BusinessHours("Europe/Berlin", OFFICE.weekly, (eve,))
    assert next_change(hours, at("2026-12-24T00:00")) == at("2026-12-24T10:00")
    assert next_change(hours, at("2026-12-24T10:00")) == at("2026-12-24T12:00")
    assert next_change(hours, at("2026-12-24T12:00")) == at("2026-12-25T09:00")


def test_round_the_clock_changes_only_for_a_holiday() -> None:
    always = ((interval_between("00:00", "24:00"),),) * 7
    assert next_change(BusinessHours("Europe/Berlin", always), at("2026-03-28T12:00")) is None
    far = Holiday(date(2029, 1, 1))
    hours = BusinessHours("Europe/Berlin", always, (far,))
    assert next_change(hours, at("2026-03-28T12:00")) == at("2029-01-01T00:00")
    assert next_change(hours, at("2029-01-01T00:00")) == at("2029-01-02T00:00")
    assert next_change(hours, at("2029-01-02T00:00")) is None


def test_a_month_of_holidays_ends() -> None:
    days = tuple(Holiday(date(2026, 7, 31) + timedelta(days=n)) for n in range(1, 32))
    hours = BusinessHours("Europe/Berlin", OFFICE.weekly, days)
    assert next_change(hours, at("2026-07-31T17:00")) == at("2026-09-01T09:00")
    assert add_open_ms(hours, at("2026-07-31T17:00"), 1) == at("2026-09-01T09:00") + 1


def test_what_is_never_open_has_no_deadline() -> None:
    hours = BusinessHours("Europe/Berlin", (CLOSED,) * 7)
    assert add_open_ms(hours, at("2026-07-31T17:00"), 1) is None
    assert subtract_open_ms(hours, at("2026-07-31T17:00"), 1) is None
    assert next_change(hours, at("2026-07-31T17:00")) is None
    assert disorder_of(hours) == "they are never open"


@pytest.mark.parametrize(
    ("from_time", "to_time", "expected"),
    [
        ("00:00", "24:00", OpenInterval(0, 1_440)),
        ("09:30", "17:05", OpenInterval(570, 1_025)),
        ("22:00", "06:00", OpenInterval(1_320, 1_800)),
        ("22:00", "00:00", OpenInterval(1_320, 1_440)),
        ("23:59", "23:58", OpenInterval(1_439, 2_878)),
    ],
)
def test_an_interval_is_read(from_time: str, to_time: str, expected: OpenInterval) -> None:
    assert interval_between(from_time, to_time) == expected


@pytest.mark.parametrize(
    ("from_time", "to_time"),
    [
        ("9:00", "17:00"),
        ("24:01", "10:00"),
        ("25:00", "10:00"),
        ("10:60", "11:00"),
        ("10:00", "10:00"),
        ("24:00", "06:00"),
        ("24:00", "24:00"),
        ("10:00 ", "11:00"),
        ("10:00", ""),
        ("10:00", "11:00\n"),
        ("\u0661\u0660:00", "11:00"),
    ],
)
def test_a_time_that_is_none_is_refused(from_time: str, to_time: str) -> None:
    with pytest.raises(ValueError, match=r"interval|empty|time of day"):
        interval_between(from_time, to_time)


MORNING, NIGHT = interval_between("08:00", "12:00"), interval_between("22:00", "09:00")
EARLY = interval_between("06:00", "10:00")


@pytest.mark.parametrize(
    ("weekly", "holidays", "told"),
    [
        ((NINE_TO_FIVE,) * 7, (), None),
        (((interval_between("08:00", "09:00"), *NINE_TO_FIVE),) * 7, (), None),
        (((*NINE_TO_FIVE, MORNING), *[CLOSED] * 6), (), "of mon are not in order"),
        (((MORNING, *NINE_TO_FIVE), *[CLOSED] * 6), (), "of mon are not in order"),
        (((NIGHT,), (EARLY,), *[CLOSED] * 5), (), "last interval of mon reaches into"),
        (((EARLY,), *[CLOSED] * 5, (NIGHT,)), (), "last interval of sun reaches into"),
        ((NINE_TO_FIVE,) * 7, (Holiday(date(2026, 1, 1)),) * 2, "named twice"),
        (
            (NINE_TO_FIVE,) * 7,
            (Holiday(date(2026, 1, 1), (EARLY, MORNING)),),
            "of 2026-01-01 are not in order",
        ),
        ((CLOSED,) * 7, (Holiday(date(2026, 1, 1), (EARLY,)),), None),
    ],
)
def test_disorder_is_named(
    weekly: tuple[tuple[OpenInterval, ...], ...], holidays: tuple[Holiday, ...], told: str | None
) -> None:
    found = disorder_of(BusinessHours("Europe/Berlin", weekly, holidays))
    assert found is None if told is None else told in (found or "")


def test_time_zones_are_those_of_iana() -> None:
    assert {"Europe/Berlin", "Australia/Lord_Howe", "UTC"} <= time_zones()
    assert not {"Europe", "localtime", "posixrules", "../etc/passwd", ""} & time_zones()


@pytest.mark.parametrize(
    ("zone", "moment", "midnight"),
    [
        ("UTC", "2026-11-24T23:59:59.999", "2026-11-24T00:00"),
        ("UTC", "2026-11-24T00:00", "2026-11-24T00:00"),
        ("Europe/Berlin", "2026-11-24T23:30", "2026-11-24T23:00"),
        ("America/Havana", "2026-03-08T12:00", "2026-03-08T05:00"),
    ],
)
def test_the_local_day_begins_at_its_midnight(zone: str, moment: str, midnight: str) -> None:
    assert local_midnight(zone, utc(moment)) == utc(midnight)

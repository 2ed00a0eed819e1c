"""The service level against its definition, entry by entry."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acd.calendar import BusinessHours, interval_between, open_ms_between
from acd.service_level import (
    Counts,
    ServiceLevel,
    Target,
    WayOut,
    is_in_time,
    late_since,
    reached_percent,
    waited_ms,
)
from conversations.model import MediaType

NOW = 1_795_000_000_000
OFFICE = BusinessHours("Europe/Berlin", ((interval_between("09:00", "17:00"),),) * 7)


@dataclass(frozen=True, slots=True)
class Entry:
    way: WayOut
    waited_ms: int


ENTRIES = st.lists(
    st.builds(Entry, st.sampled_from(list(WayOut)), st.integers(0, 600_000)), max_size=30
)
LEVELS = st.builds(
    ServiceLevel,
    st.builds(Target, st.integers(1, 600)),
    counts_abandons=st.booleans(),
    counts_flow_outs=st.booleans(),
    short_abandon_s=st.integers(0, 60),
)


def counted(entries: list[Entry], level: ServiceLevel) -> Counts:
    answered = [e for e in entries if e.way is WayOut.ANSWERED]
    abandoned = [e for e in entries if e.way is WayOut.ABANDONED]
    return Counts(
        answered=len(answered),
        answered_in_time=sum(is_in_time(e.waited_ms, level.target) for e in answered),
        abandoned=len(abandoned),
        abandoned_shortly=sum(e.waited_ms < level.short_abandon_s * 1000 for e in abandoned),
        flowed_out=sum(e.way in {WayOut.FLOWED_OUT, WayOut.DISCARDED} for e in entries),
    )


def does_count(entry: Entry, level: ServiceLevel) -> bool:
    match entry.way:
        case WayOut.ANSWERED:
            return True
        case WayOut.ABANDONED:
            return level.counts_abandons and entry.waited_ms >= level.short_abandon_s * 1000
        case _:
            return level.counts_flow_outs


@given(ENTRIES, LEVELS)
def test_it_is_the_share_answered_in_time_of_what_counts(
    entries: list[Entry], level: ServiceLevel
) -> None:
    those = [entry for entry in entries if does_count(entry, level)]
    good = [
        e for e in those if e.way is WayOut.ANSWERED and e.waited_ms <= level.target.target_s * 1000
    ]
    found = reached_percent(counted(entries, level), level)
    if not those:
        assert found is None
    else:
        assert found == round(100 * len(good) / len(those), 2)
        assert 0 <= found <= 100


@pytest.mark.parametrize(
    ("level", "percent"),
    [
        (ServiceLevel(), 66.67),  # 8 of 10 answered + 2 abandoned
        (ServiceLevel(counts_flow_outs=True), 57.14),  # … + 2 flowed out
        (ServiceLevel(counts_abandons=False), 80.0),
        (ServiceLevel(counts_abandons=False, counts_flow_outs=True), 66.67),
    ],
)
def test_the_switches_change_what_counts(level: ServiceLevel, percent: float) -> None:
    assert reached_percent(Counts(10, 8, 2, 0, 2), level) == percent


def test_a_short_abandon_never_counts() -> None:
    assert reached_percent(Counts(8, 8, 2, 2, 0), ServiceLevel()) == 100.0


def test_nothing_answered_in_time_is_zero_and_nothing_at_all_is_unknown() -> None:
    assert reached_percent(Counts(answered=3), ServiceLevel()) == 0.0
    assert reached_percent(Counts(flowed_out=3), ServiceLevel()) is None


@pytest.mark.parametrize(("waited", "in_time"), [(0, True), (300_000, True), (300_001, False)])
def test_exactly_the_target_is_in_time(waited: int, *, in_time: bool) -> None:
    assert is_in_time(waited, Target(300)) is in_time


def test_a_media_type_may_have_its_own_target() -> None:
    own = {MediaType.SOCIAL_DIRECT_MESSAGE: Target(60, 95)}
    level = ServiceLevel(Target(300, 80), own)
    assert level.target_of(MediaType.SOCIAL_DIRECT_MESSAGE) == Target(60, 95)
    assert level.target_of(MediaType.SOCIAL_CONVERSATION) == Target(300, 80)


INSTANTS = st.integers(NOW - 3 * 86_400_000, NOW)


@given(INSTANTS, INSTANTS)
def test_a_clock_that_stops_counts_open_time_only(one: int, other: int) -> None:
    entered_at, until = min(one, other), max(one, other)
    assert waited_ms(entered_at, until, None) == until - entered_at
    stopped = waited_ms(entered_at, until, OFFICE)
    assert stopped == open_ms_between(OFFICE, entered_at, until)
    assert stopped <= until - entered_at


@settings(deadline=None)
@given(INSTANTS, st.integers(1, 30_000), st.sampled_from([None, OFFICE]))
def test_late_are_those_who_waited_longer_than_the_target(
    now: int, target_s: int, stopping: BusinessHours | None
) -> None:
    target = Target(target_s)
    since = late_since(now, target, stopping)
    assert since is not None
    assert waited_ms(since, now, stopping) == target_s * 1000 + 1
    assert is_in_time(waited_ms(since + 1, now, stopping), target)


def test_a_workgroup_that_says_nothing_has_the_default_of_80_percent_in_5_minutes() -> None:
    assert ServiceLevel() == ServiceLevel(Target(300, 80), {}, short_abandon_s=0)
    assert Counts() == Counts(0, 0, 0, 0, 0)


def test_nobody_is_late_where_it_was_never_open_so_long() -> None:
    never = BusinessHours("Europe/Berlin", ((),) * 7)
    assert late_since(NOW, Target(1), never) is None

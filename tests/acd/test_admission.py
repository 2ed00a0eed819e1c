"""Where a conversation waits, whatever workgroups are closed or crowded."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.admission import Cause, Entrance, Hop, Way, WhenClosed, way_from
from acd.calendar import BusinessHours, interval_between

NOW = 1_750_000_000_000
"""A Sunday afternoon."""

NINE_TO_FIVE, NEVER = (interval_between("09:00", "17:00"),), ()
SUNDAYS = BusinessHours("UTC", (NEVER,) * 6 + (NINE_TO_FIVE,))
WORKDAYS = BusinessHours("UTC", (NINE_TO_FIVE,) * 5 + (NEVER,) * 2)
SORRY = "We are closed."
NAMES = ["a", "b", "c", "d"]


def entrances() -> st.SearchStrategy[Entrance]:
    somewhere = st.none() | st.sampled_from(NAMES)
    return st.builds(
        Entrance,
        hours=st.sampled_from([None, SUNDAYS, WORKDAYS]),
        when_closed=st.sampled_from(list(WhenClosed)),
        closed_to=somewhere,
        automatic_reply=st.just(SORRY),
        longest_estimate_s=st.none() | st.integers(0, 100),
        crowded_to=somewhere,
    )


ESTIMATES = st.none() | st.integers(0, 100_000)


@given(
    st.fixed_dictionaries({name: entrances() for name in NAMES}),
    st.fixed_dictionaries(dict.fromkeys(NAMES, ESTIMATES)),
)
def test_each_step_has_its_cause_and_the_last_workgroup_keeps_it(
    settings: dict[str, Entrance], estimates: dict[str, int | None]
) -> None:
    way = way_from("a", settings.__getitem__, estimates.__getitem__, NOW)
    here = "a"
    for hop in way.hops:
        entrance = settings[here]
        if hop.cause is Cause.CLOSED:
            assert entrance.hours is WORKDAYS
            assert hop.workgroup_id == entrance.closed_to
        else:
            assert entrance.hours is not WORKDAYS
            assert hop.workgroup_id == entrance.crowded_to
            assert (estimates[here] or 0) > (entrance.longest_estimate_s or 0) * 1000
        here = hop.workgroup_id
    passed = ["a", *(hop.workgroup_id for hop in way.hops)]
    assert len(set(passed)) == len(passed)
    last = settings[here]
    is_answered = last.hours is WORKDAYS and last.when_closed is WhenClosed.AUTOMATIC_REPLY
    assert way.automatic_reply == (SORRY if is_answered else None)


def one(entrance: Entrance, estimate_ms: int | None = None) -> Way:
    return way_from("a", lambda _: entrance, lambda _: estimate_ms, NOW)


CLOSED = Entrance(WORKDAYS, WhenClosed.OVERFLOW, "b", SORRY)


@pytest.mark.parametrize("when_closed", [WhenClosed.QUEUE, WhenClosed.AUTOMATIC_REPLY])
def test_only_overflow_leads_elsewhere_while_it_is_closed(when_closed: WhenClosed) -> None:
    assert one(replace(CLOSED, when_closed=when_closed)).hops == ()


def test_it_opens_and_closes_to_the_millisecond() -> None:
    settings = {"a": replace(CLOSED, hours=SUNDAYS), "b": Entrance()}
    opens, closes = 1_749_978_000_000, 1_750_006_800_000
    for moment, is_closed in (
        (opens - 1, True),
        (opens, False),
        (closes - 1, False),
        (closes, True),
    ):
        way = way_from("a", settings.__getitem__, lambda _: None, moment)
        assert way.hops == ((Hop("b", Cause.CLOSED),) if is_closed else ())


@pytest.mark.parametrize(
    ("estimate_ms", "overflows"), [(None, False), (60_000, False), (60_001, True)]
)
def test_it_overflows_when_the_estimate_exceeds_the_limit(
    estimate_ms: int | None, *, overflows: bool
) -> None:
    settings = {"a": Entrance(longest_estimate_s=60, crowded_to="b"), "b": Entrance()}
    way = way_from("a", settings.__getitem__, lambda _: estimate_ms, NOW)
    assert way.hops == ((Hop("b", Cause.OVERFLOW),) if overflows else ())


def test_a_closed_workgroup_is_not_crowded() -> None:
    crowded = replace(CLOSED, when_closed=WhenClosed.QUEUE, longest_estimate_s=1, crowded_to="b")
    assert one(crowded, 100_000).hops == ()
    assert one(replace(crowded, hours=SUNDAYS), 100_000).hops == (Hop("b", Cause.OVERFLOW),)


@pytest.mark.parametrize(
    "half", [Entrance(longest_estimate_s=1), Entrance(crowded_to="b"), Entrance(crowded_to="a")]
)
def test_half_a_setting_lets_nothing_overflow(half: Entrance) -> None:
    assert one(half, 100_000).hops == ()


def test_the_estimate_is_not_asked_for_without_a_limit() -> None:
    asked: list[str] = []

    def estimate_ms_of(workgroup_id: str) -> int | None:
        asked.append(workgroup_id)
        return None

    way_from("a", lambda _: Entrance(SUNDAYS), estimate_ms_of, NOW)
    assert asked == []

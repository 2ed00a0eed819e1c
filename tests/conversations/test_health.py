"""A channel's health: what was seen decides it, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations import health
from conversations.health import Condition, Failed, Health, Heard, Limited, Read, after
from conversations.networks import Trouble
from conversations.replies import LONGEST_WAIT_S

FAILED = Failed(Trouble.DOWN, "the network answered 500")
REFUSED = Failed(Trouble.UNAUTHORISED, "the token was revoked")


def seen(*sightings: health.Sighting, before: Condition | None = None) -> Condition:
    condition = before or Condition()
    for sighting in sightings:
        condition = after(condition, sighting)
    return condition


@pytest.mark.parametrize(
    ("sightings", "expected"),
    [
        ([], Health.HEALTHY),
        ([Read()], Health.HEALTHY),
        ([FAILED], Health.DEGRADED),
        ([FAILED, FAILED], Health.DEGRADED),
        ([FAILED, FAILED, FAILED], Health.DOWN),
        ([FAILED, FAILED, FAILED, Read()], Health.HEALTHY),
        ([FAILED, FAILED, Read(), FAILED], Health.DEGRADED),
        ([Limited(30)], Health.LIMITED),
        ([Limited(30), Read()], Health.HEALTHY),
        ([FAILED, FAILED, Limited(30), FAILED], Health.DEGRADED),
        ([REFUSED], Health.UNAUTHORISED),
        ([REFUSED, Read()], Health.HEALTHY),
        ([Read(missed=True)], Health.HEALTHY),
        ([Read(missed=True), Read(missed=True)], Health.DEGRADED),
        ([Read(missed=True), Read(), Read(missed=True)], Health.DEGRADED),
        ([Read(missed=True), Heard(), Read(missed=True)], Health.HEALTHY),
        ([Read(missed=True), Read(missed=True), Heard()], Health.HEALTHY),
        ([FAILED, Heard()], Health.DEGRADED),
        ([REFUSED, Heard()], Health.UNAUTHORISED),
        ([Limited(30), Heard()], Health.LIMITED),
    ],
)
def test_health_follows_from_what_was_seen(
    sightings: list[health.Sighting], expected: Health
) -> None:
    assert seen(*sightings).health is expected


def test_the_detail_names_the_reason_and_goes_with_it() -> None:
    assert seen(FAILED).detail == "the network answered 500"
    assert seen(Limited(30)).detail == "the network takes no calls for 30 s"
    assert seen(FAILED, Read()).detail is None


@given(failures=st.integers(0, 10_000), chance=st.floats(0, 1))
def test_no_pause_is_longer_than_the_longest(failures: int, chance: float) -> None:
    pause = health.pause_s(Trouble.DOWN, failures, chance)
    assert 0 <= pause <= health.LONGEST_PAUSE_S


def test_pauses_grow_and_are_spread_over_their_whole_length() -> None:
    assert [health.pause_s(Trouble.DOWN, n, 1.0) for n in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]
    assert health.pause_s(Trouble.DOWN, 5, 0.0) == 0.0
    assert health.pause_s(Trouble.DOWN, 5, 0.5) == 8.0


def test_refused_credentials_are_tried_seldom() -> None:
    assert health.pause_s(Trouble.UNAUTHORISED, 1, 0.0) == 30
    assert health.pause_s(Trouble.UNAUTHORISED, 9, 0.5) == 45
    assert health.pause_s(Trouble.UNAUTHORISED, 9, 1.0) == 60


def test_a_network_that_asks_for_time_gets_a_tenth_more_and_a_second_at_most() -> None:
    waited = [health.wait_s(asked, 1.0) for asked in (-1.0, 0.0, 5.0, 10.0, 100.0)]
    assert waited == [0.0, 0.0, 5.5, 11.0, 101.0]
    assert health.wait_s(100.0, 0.5) == 100.5


def test_what_was_missed_is_forgiven_by_the_line_and_counted_by_polls() -> None:
    missed = seen(Read(missed=True))
    assert (missed.missed, seen(Heard(), before=missed).missed) == (1, 0)
    limited = seen(Limited(30), before=missed)
    assert (limited.missed, seen(Heard(), before=limited).missed) == (1, 0)


@given(asked=st.floats(0, 1e12), chance=st.floats(0, 1))
def test_what_a_network_asks_for_is_waited_for_and_never_less(asked: float, chance: float) -> None:
    waited = health.wait_s(asked, chance)
    assert waited >= min(asked, LONGEST_WAIT_S)
    assert waited <= LONGEST_WAIT_S + 1

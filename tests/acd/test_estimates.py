"""The estimated wait: never negative, never from too few, too long only beyond the limit."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.estimates import (
    FEWEST_SAMPLES,
    WINDOW_MS,
    RecentAnswers,
    estimated_wait_ms,
    is_too_long,
    since,
)

WAITS = st.lists(st.integers(0, 10_000_000), min_size=FEWEST_SAMPLES, max_size=50)


@given(WAITS, st.integers(0, 20_000_000))
def test_it_is_the_mean_wait_minus_the_time_already_waited(waits: list[int], waited: int) -> None:
    found = estimated_wait_ms(RecentAnswers(len(waits), sum(waits)), waited)
    assert found is not None
    assert found >= 0
    expected = max(Fraction(0), Fraction(sum(waits), len(waits)) - waited)
    assert expected - 1 < found <= expected


@given(WAITS, st.integers(0, 10_000_000), st.integers(0, 10_000_000))
def test_whoever_has_waited_longer_is_told_no_longer_wait(
    waits: list[int], one: int, other: int
) -> None:
    answers = RecentAnswers(len(waits), sum(waits))
    longer, shorter = (
        estimated_wait_ms(answers, max(one, other)),
        estimated_wait_ms(answers, min(one, other)),
    )
    assert longer is not None
    assert shorter is not None
    assert longer <= shorter


@pytest.mark.parametrize(
    ("count", "estimate"), [(0, None), (FEWEST_SAMPLES - 1, None), (FEWEST_SAMPLES, 60_000)]
)
def test_too_few_samples_say_nothing(count: int, estimate: int | None) -> None:
    assert estimated_wait_ms(RecentAnswers(count, count * 60_000), 0) == estimate


@pytest.mark.parametrize(
    ("estimate_ms", "limit_s", "is_due"),
    [
        (60_000, 60, False),
        (60_001, 60, True),
        (None, 60, False),
        (60_001, None, False),
        (None, None, False),
        (0, 0, False),
        (1, 0, True),
    ],
)
def test_it_is_too_long_when_it_exceeds_the_limit(
    estimate_ms: int | None, limit_s: int | None, *, is_due: bool
) -> None:
    assert is_too_long(estimate_ms, limit_s) is is_due


def test_five_answers_are_enough() -> None:
    assert FEWEST_SAMPLES == 5


def test_the_window_is_half_an_hour() -> None:
    assert since(WINDOW_MS) == 0
    assert WINDOW_MS == 1_800_000

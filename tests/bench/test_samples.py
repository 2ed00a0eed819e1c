import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.samples import Spread, percentile, ratio, spread

SAMPLES = st.lists(st.floats(0, 1e6), min_size=1, max_size=200)


def test_the_median_of_a_hundred_is_the_fiftieth() -> None:
    assert percentile([float(n) for n in range(1, 101)], 50) == 50


def test_the_99th_percentile_of_a_hundred_leaves_one_above() -> None:
    assert percentile([float(n) for n in range(100, 0, -1)], 99) == 99


def test_the_99th_percentile_of_few_samples_is_the_worst() -> None:
    assert percentile([3.0, 1.0, 2.0], 99) == 3


def test_one_sample_is_every_percentile() -> None:
    assert percentile([7.0], 1) == percentile([7.0], 100) == 7


@given(SAMPLES, st.floats(0.1, 100))
def test_a_percentile_was_measured_and_covers_its_share(
    samples: list[float], percent: float
) -> None:
    found = percentile(samples, percent)

    covered = sum(1 for sample in samples if sample <= found)
    assert found in samples
    assert covered * 100 >= percent * len(samples) * (1 - 1e-9)


@pytest.mark.parametrize("percent", [0, -1, 101])
def test_there_is_no_percentile_outside_of_percent(percent: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        percentile([1.0], percent)


def test_nothing_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="at least one"):
        percentile([], 50)


def test_the_spread_names_the_median_and_both_ends() -> None:
    assert spread([3.0, 1.0, 10.0]) == Spread(median=3.0, low=1.0, high=10.0)


def test_a_ratio_is_measured_by_its_bound() -> None:
    assert ratio(90, 100) == 0.9


def test_a_bound_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        ratio(90, 0)

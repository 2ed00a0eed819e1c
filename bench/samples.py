"""What many measurements come to: percentiles of one run, median and spread of several."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


def percentile(samples: Sequence[float], percent: float) -> float:
    """Return the smallest sample that at least `percent` of all do not exceed (nearest rank).

    Nothing is interpolated: what is reported was measured.

    Raises:
        ValueError: there is no sample, or no such percentile.
    """
    if not samples:
        raise ValueError("a percentile needs at least one sample")
    if not 0 < percent <= 100:  # noqa: PLR2004 - percent
        raise ValueError(f"a percentile is above 0 and at most 100, not {percent}")
    rank = math.ceil(len(samples) * percent / 100)
    return sorted(samples)[rank - 1]


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of the repetitions with the lowest and the highest of them."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    return Spread(statistics.median(values), min(values), max(values))


def ratio(measured: float, bound: float) -> float:
    """Return measured ÷ bound.

    Raises:
        ValueError: a bound of nothing says nothing.
    """
    if bound <= 0:
        raise ValueError(f"a bound is above 0, not {bound}")
    return measured / bound

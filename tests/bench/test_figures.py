import math
from collections import Counter

import pytest

from bench.figures import FIGURES, Figure, Line, at_least, at_most, lines
from bench.measurements import NAMES
from bench.samples import Spread


def test_a_latency_reaches_its_goal_from_below() -> None:
    assert at_most(10).is_reached(10)
    assert not at_most(10).is_reached(10.1)


def test_a_rate_reaches_its_goal_from_above() -> None:
    assert at_least(0.8).is_reached(0.8)
    assert not at_least(0.8).is_reached(0.79)


def test_twice_as_good_as_the_goal_is_a_reserve_of_two_either_way() -> None:
    assert at_most(10).reserve(5) == at_least(10).reserve(20) == 2


def test_a_latency_of_nothing_has_every_reserve_and_a_rate_of_nothing_none() -> None:
    assert at_most(10).reserve(0) == math.inf
    assert at_least(10).reserve(0) == 0


def test_the_median_decides_whether_a_goal_is_reached() -> None:
    line = Line(Figure("x.y", "a latency", "ms", at_most(10)), Spread(9, 2, 30))

    assert line.is_reached


def test_a_figure_without_a_goal_is_neither_reached_nor_missed() -> None:
    assert Line(Figure("x.y", "a memory", "MiB"), Spread(1, 1, 1)).is_reached is None


def test_lines_come_in_the_order_of_the_report() -> None:
    one = Spread(1, 1, 1)
    found = lines({"claims.sqlite": one, "ingest.pages_ratio": one})

    assert [line.figure.name for line in found] == ["ingest.pages_ratio", "claims.sqlite"]


def test_every_figure_has_one_name_and_a_measurement_that_exists() -> None:
    assert max(Counter(figure.name for figure in FIGURES).values()) == 1
    assert {figure.measurement for figure in FIGURES} == set(NAMES)


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("ingest.pages_ratio", 0.8),
        ("lifecycles.ratio_1", 1.0),
        ("lifecycles.ratio_16", 1.0),
        ("history.back_to_back", 45),
        ("offers.unloaded_p50", 10),
        ("offers.unloaded_p99", 50),
        ("offers.loaded_p99", 1000),
        ("commands.unloaded_p50", 10),
        ("commands.unloaded_p99", 50),
        ("events.delivered_p95", 100),
        ("open.cost_ratio", 1.1),
        ("claims.postgresql", 1000),
    ],
)
def test_the_goals_of_the_design_stand(name: str, limit: float) -> None:
    (figure,) = [figure for figure in FIGURES if figure.name == name]

    assert figure.goal is not None
    assert figure.goal.limit == limit

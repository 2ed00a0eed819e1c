"""Percent of an agent: by user, else workgroup, else default; never above 100."""

from dataclasses import replace

import pytest

from acd.model import Utilization
from acd.utilization import Level, fits, is_below_maximum, levelled_utilization_of, utilization_of
from tests.acd.samples import AGENT, POLICY, PRIVATE, PUBLIC, agent, weighing


def taken_one_after_the_other(percents: list[int]) -> int:
    """Count how many of these fit, taken in this order until the first that does not."""
    load = 0
    for count, percent in enumerate(percents):
        if not fits(agent(load_percent=load), Utilization(percent)):
            return count
        load += percent
    return len(percents)


@pytest.mark.parametrize(
    ("percents", "fitting"),
    [
        ([100] * 2, 1),  # one call
        ([25] * 5, 4),  # four chats
        ([25, 25] + [10] * 6, 7),  # two chats and five e-mails
        ([25] + [10] * 8, 8),  # one chat and seven e-mails: an eighth would make 105
        ([15] * 7, 6),
        ([101], 0),
        ([1] * 101, 100),
        ([50, 51], 1),
        ([50, 50, 0], 3),
    ],
)
def test_a_new_one_fits_if_the_sum_stays_at_100(percents: list[int], fitting: int) -> None:
    assert taken_one_after_the_other(percents) == fitting


def test_the_user_comes_before_the_workgroup_before_the_default() -> None:
    own = replace(AGENT, utilization={PUBLIC: Utilization(10)})
    assert utilization_of(own, weighing(40), PUBLIC).percent == 10
    assert utilization_of(AGENT, weighing(40), PUBLIC).percent == 40
    assert utilization_of(AGENT, POLICY, PUBLIC).percent == 25
    assert utilization_of(own, weighing(40), PRIVATE).percent == 25


@pytest.mark.parametrize(
    ("maximum", "carried", "is_below"),
    [(None, 99, True), (2, 1, True), (2, 2, False), (0, 0, False)],
)
def test_a_maximum_counts_conversations_of_that_media_type(
    maximum: int | None, carried: int, *, is_below: bool
) -> None:
    busy = agent(load_count={PUBLIC: carried, PRIVATE: 50})
    assert is_below_maximum(busy, Utilization(1, maximum), PUBLIC) is is_below


def test_a_utilization_names_the_level_that_it_came_from() -> None:
    own = agent(utilization={PUBLIC: Utilization(10, 3)})
    assert levelled_utilization_of(own, weighing(50), PUBLIC) == (Level.AGENT, Utilization(10, 3))
    assert levelled_utilization_of(AGENT, weighing(50, 2), PUBLIC) == (
        Level.WORKGROUP,
        Utilization(50, 2),
    )
    assert levelled_utilization_of(own, weighing(50), PRIVATE) == (Level.DEFAULT, Utilization(25))

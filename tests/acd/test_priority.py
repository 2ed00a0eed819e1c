"""In what order conversations wait: the documented score, and the place that never changes."""

from dataclasses import replace

import pytest

from acd.model import QueueOrder, ScoreWeights
from acd.priority import MS_PER_POINT, queue_rank, rank_with_skill, score
from tests.acd.samples import waiting
from tests.conversations.samples import NOW

MINUTE_MS = 60_000
PLAIN = QueueOrder()
STRICT = QueueOrder(is_strict=True)


def order(**weights: int) -> QueueOrder:
    nothing = {"skill": 0, "priority": 0, "time_in_queue": 0, "time_in_system": 0}
    return QueueOrder(ScoreWeights(**nothing | weights))


def test_ten_points_of_priority_are_a_minute_of_waiting() -> None:
    urgent = waiting(1, priority=60, queued_at=NOW)
    old = waiting(2, priority=50, queued_at=NOW - MINUTE_MS)

    assert score(urgent, PLAIN, NOW) == score(old, PLAIN, NOW) == 60
    assert queue_rank(urgent, PLAIN) == queue_rank(old, PLAIN)


@pytest.mark.parametrize(
    ("weights", "points"),
    [
        ({"priority": 1}, 50),
        ({"priority": 3}, 150),
        ({"time_in_queue": 1}, 10),
        ({"time_in_queue": 2}, 20),
        ({"time_in_system": 1}, 30),
        ({"time_in_system": 2}, 60),
        ({"priority": 1, "time_in_queue": 1, "time_in_system": 1}, 90),
    ],
)
def test_a_score_is_the_weighted_sum_of_what_counts(weights: dict[str, int], points: float) -> None:
    conversation = waiting(queued_at=NOW - MINUTE_MS, created_at=NOW - 3 * MINUTE_MS)

    assert score(conversation, order(**weights), NOW) == points


@pytest.mark.parametrize(
    "weights",
    [
        {"priority": 1, "time_in_queue": 1},
        {"priority": 2, "time_in_queue": 1, "time_in_system": 3},
        {"time_in_system": 1},
    ],
)
def test_who_has_the_higher_score_has_the_lower_rank(weights: dict[str, int]) -> None:
    one = waiting(1, priority=10, queued_at=NOW - 9 * MINUTE_MS, created_at=NOW - 9 * MINUTE_MS)
    moved = waiting(2, priority=70, queued_at=NOW - MINUTE_MS, created_at=NOW - 20 * MINUTE_MS)
    young = waiting(3, priority=90, queued_at=NOW, created_at=NOW)
    by = order(**weights)

    by_score = sorted((one, moved, young), key=lambda c: -score(c, by, NOW))
    by_rank = sorted((one, moved, young), key=lambda c: queue_rank(c, by))

    assert [c.id for c in by_rank] == [c.id for c in by_score]


def test_a_rank_moves_by_as_much_as_a_score_does() -> None:
    """A place in the index and a score in a record say the same, at any moment."""
    by = order(priority=2, time_in_queue=3, time_in_system=1)
    one = waiting(1, priority=10, queued_at=NOW - 900_000, created_at=NOW - 1_200_000)
    other = waiting(2, priority=70, queued_at=NOW - 60_000, created_at=NOW - 60_000)

    difference = score(one, by, NOW) - score(other, by, NOW)

    assert queue_rank(other, by) - queue_rank(one, by) == difference * MS_PER_POINT


def test_a_strict_priority_outweighs_a_century_of_waiting() -> None:
    urgent = waiting(1, priority=51, queued_at=NOW)
    ancient = waiting(2, priority=50, queued_at=NOW - 100 * 365 * 24 * 60 * MINUTE_MS)
    low = waiting(3, priority=2, queued_at=ancient.queued_at)

    assert queue_rank(urgent, STRICT) < queue_rank(ancient, STRICT) < queue_rank(low, STRICT)


def test_under_a_strict_priority_equals_go_by_their_wait() -> None:
    first = waiting(1, queued_at=NOW - 1)
    second = replace(first, id="cv-2", queued_at=NOW)

    assert queue_rank(first, STRICT) < queue_rank(second, STRICT)


def test_strictness_changes_the_place_but_not_the_score() -> None:
    assert score(waiting(), STRICT, NOW) == score(waiting(), PLAIN, NOW)


def test_a_better_fit_is_worth_its_points_of_waiting() -> None:
    by = order(skill=2, time_in_queue=1)

    assert rank_with_skill(0, by, 30) == -60 * MS_PER_POINT
    assert rank_with_skill(7, by, 0) == 7
    assert rank_with_skill(7, order(), 30) == 7

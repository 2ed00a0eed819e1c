"""Licences of user or station: every combination of marks, allocations, counts and holders."""

from itertools import product

import pytest

from acd.licences import (
    Allocation,
    LicenceKind,
    Pool,
    is_licensed,
    licence_to_take,
    needs_one,
)

USER, STATION = LicenceKind.USER, LicenceKind.STATION
MARKS = [(), (USER,), (STATION,), (USER, STATION)]
HELD = [None, USER, STATION]


def pools(user: Pool, station: Pool) -> dict[LicenceKind, Pool]:
    return {USER: user, STATION: station}


def concurrent(kind: LicenceKind, count: int | None, in_use: int = 0) -> Pool:
    return Pool(kind, Allocation.CONCURRENT, count, in_use)


@pytest.mark.parametrize(
    ("marked", "held", "of_user", "of_station"), list(product(MARKS, HELD, Allocation, Allocation))
)
def test_either_licence_is_enough_and_a_concurrent_one_has_to_be_held(
    marked: tuple[LicenceKind, ...],
    held: LicenceKind | None,
    of_user: Allocation,
    of_station: Allocation,
) -> None:
    by_user = USER in marked and (of_user is Allocation.ASSIGNED or held is USER)
    by_station = STATION in marked and (of_station is Allocation.ASSIGNED or held is STATION)
    told = is_licensed(marked, held, {USER: of_user, STATION: of_station})
    assert told is (by_user or by_station)


@pytest.mark.parametrize(
    ("count", "in_use", "has_free"),
    [(None, 10_000, True), (0, 0, False), (1, 0, True), (1, 1, False), (2, 1, True), (1, 2, False)],
)
def test_a_licence_is_free_below_the_count_only(
    count: int | None, in_use: int, *, has_free: bool
) -> None:
    assert concurrent(USER, count, in_use).has_free is has_free


def test_a_log_in_takes_nothing_where_an_assigned_licence_is_enough() -> None:
    assigned = Pool(STATION, Allocation.ASSIGNED, 1, 1)
    both = pools(concurrent(USER, 0), assigned)
    assert not needs_one((USER, STATION), both)
    assert not needs_one((STATION,), both)
    assert needs_one((USER,), both)
    assert not needs_one((), both)


def test_the_users_licence_is_taken_before_the_stations() -> None:
    free = pools(concurrent(USER, 1), concurrent(STATION, 1))
    assert licence_to_take((STATION, USER), free) is USER
    assert licence_to_take((STATION,), free) is STATION


def test_the_stations_licence_helps_when_no_users_is_free() -> None:
    short = pools(concurrent(USER, 1, 1), concurrent(STATION, 1))
    assert licence_to_take((USER, STATION), short) is STATION
    assert licence_to_take((USER,), short) is None

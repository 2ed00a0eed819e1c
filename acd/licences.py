"""Licences: who may be given conversations, and whether one is free at the log-in."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum


class LicenceKind(StrEnum):
    """Whose licence it is: the person's, or that of the place where the person sits."""

    STATION = "station"
    USER = "user"


class Allocation(StrEnum):
    """Assigned: a licence belongs to whoever is marked. Concurrent: to whoever is logged in."""

    ASSIGNED = "assigned"
    CONCURRENT = "concurrent"


@dataclass(frozen=True, slots=True)
class Pool:
    """The licences of a kind: how many there are (None: no limit), and how many are used."""

    kind: LicenceKind
    allocation: Allocation
    count: int | None
    in_use: int = 0

    @property
    def has_free(self) -> bool:
        return self.count is None or self.in_use < self.count


Pools = Mapping[LicenceKind, Pool]

PREFERENCE = (LicenceKind.USER, LicenceKind.STATION)
"""A person's own licence comes first: it stays when the person changes places."""


def is_licensed(
    marked: Collection[LicenceKind],
    held: LicenceKind | None,
    allocations: Mapping[LicenceKind, Allocation],
) -> bool:
    """Whether a licence of either kind is there.

    `marked` says where the mark is: on the user, on the station. An assigned licence is the mark
    itself, a concurrent one has to be held besides.
    """
    return any(allocations[kind] is Allocation.ASSIGNED or held is kind for kind in marked)


def needs_one(marked: Collection[LicenceKind], pools: Pools) -> bool:
    """Whether a log-in has to take a licence: there are marks, but none that is enough."""
    if not marked:
        return False
    return all(pools[kind].allocation is Allocation.CONCURRENT for kind in marked)


def licence_to_take(marked: Collection[LicenceKind], pools: Pools) -> LicenceKind | None:
    """Choose the free licence that a log-in takes; None when there is none."""
    return next((k for k in PREFERENCE if k in marked and pools[k].has_free), None)

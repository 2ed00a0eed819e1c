"""X's ids: numbers that tell when what they name was made."""

import re

from conversations.model import Instant

_FIRST_MS = 1_288_834_974_657
"""X's ids count milliseconds from 4 November 2010."""

_BITS_BELOW = 22
_OLDEST_WITH_TIME = 10**14
"""Smaller ids are from before, or were made up: they tell no time."""

_NUMBER = re.compile("[0-9]{1,19}")


def number(value: object) -> int | None:
    """Return an id to compare by: as texts, 999 would follow 1000."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return int(value)
    return None


def id_at(moment: Instant) -> int:
    """Return the smallest id of that moment; 0 before there were such ids."""
    return max(0, moment - _FIRST_MS) << _BITS_BELOW


def moment_of(value: int) -> Instant | None:
    """Return when the id was made."""
    return (value >> _BITS_BELOW) + _FIRST_MS if value >= _OLDEST_WITH_TIME else None

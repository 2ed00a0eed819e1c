"""Which passwords are refused: those that are guessed first. No other rule (ASVS 5.0, 6.2)."""

import functools
from collections.abc import Collection

SHORTEST = 8
LONGEST = 256
ADVISED = 15
OWN_WORDS = ("parley",)


@functools.cache
def _common() -> frozenset[str]:
    """Return the passwords of the lists of breaches that are long enough to be chosen here."""
    from zxcvbn.frequency_lists import (  # type: ignore[import-untyped]  # noqa: PLC0415 - 30 ms
        FREQUENCY_LISTS,
    )

    ranked = FREQUENCY_LISTS["passwords"]
    return frozenset(one.casefold() for one in ranked if len(one) >= SHORTEST)


def is_guessed_first(password: str, about: Collection[str] = ()) -> bool:
    """Whether the password is a common one, or its owner's or this program's name."""
    folded = password.casefold()
    names = {name.casefold() for name in (*about, *OWN_WORDS)}
    return folded in _common() or folded in names or folded in {name * 2 for name in names}

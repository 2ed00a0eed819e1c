"""How far a network was read that lists the newest first and shows some things late."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from conversations.model import Instant, Post, Unreadable, Visibility

OVERLAP_MS = 300_000
"""What is shown later than this after it was said is left to the deliveries."""
MOST_RECENT = 500
"""So many are remembered by name, and all others that bear the oldest one's time."""
_DIGEST_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Found:
    """Something that a list had, and when it was said."""

    at: Instant
    external_id: str
    content: Post | Unreadable
    visibility: Visibility = Visibility.PUBLIC


@dataclass(frozen=True, slots=True)
class Reached:
    """The newest moment that was handed out, and what was handed out shortly before it."""

    at: Instant = 0
    recent: dict[str, Instant] = field(default_factory=dict)

    @property
    def floor(self) -> Instant:
        """The moment from which on there may be something new."""
        if len(self.recent) >= MOST_RECENT:
            return max(self.at - OVERLAP_MS, min(self.recent.values()))
        return max(0, self.at - OVERLAP_MS)

    def is_new(self, found: Found) -> bool:
        return found.at >= self.floor and _digest(found.external_id) not in self.recent

    def after(self, handed: Sequence[Found]) -> "Reached":
        if not handed:
            return self
        at = max(self.at, *(found.at for found in handed))
        known = self.recent | {_digest(found.external_id): found.at for found in handed}
        oldest = sorted(known.values())[-MOST_RECENT:][0]  # what bears one time stays together
        floor = max(oldest, at - OVERLAP_MS)
        return Reached(at, {d: moment for d, moment in known.items() if moment >= floor})


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the public and the private were read."""

    public: Reached = Reached()
    private: Reached = Reached()

    @property
    def text(self) -> str:
        return json.dumps(
            {"public": _shown(self.public), "private": _shown(self.private)},
            separators=(",", ":"),
        )

    def is_new(self, found: Found) -> bool:
        return self._of(found).is_new(found)

    def _of(self, found: Found) -> Reached:
        return self.public if found.visibility is Visibility.PUBLIC else self.private


def cursor_from(text: str | None) -> Cursor:
    """Read a cursor; a foreign one begins anew, and what is known is not taken twice."""
    try:
        value = json.loads(text or "")
        return Cursor(_reached(value["public"]), _reached(value["private"]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Cursor()


def in_order(found: Iterable[Found]) -> list[Found]:
    """Put what was listed newest first into the order in which it was said."""
    oldest_first = list({one.external_id: one for one in found}.values())[::-1]
    return sorted(oldest_first, key=lambda one: one.at)


def handed_out(
    cursor: Cursor, waiting: Sequence[Found], limit: int
) -> tuple[list[Found], list[Found], Cursor]:
    """Return the oldest of each kind, so many at most, what goes on waiting, and how far it is."""
    taken: dict[Visibility, list[Found]] = {Visibility.PUBLIC: [], Visibility.PRIVATE: []}
    rest: list[Found] = []
    for found in waiting:
        if not cursor.is_new(found):
            continue
        mine = taken[found.visibility]
        (mine if len(mine) < max(1, limit) else rest).append(found)
    public, private = taken[Visibility.PUBLIC], taken[Visibility.PRIVATE]
    reached = Cursor(cursor.public.after(public), cursor.private.after(private))
    return in_time(public + private), rest, reached


def in_time(found: Iterable[Found]) -> list[Found]:
    return sorted(found, key=lambda one: one.at)


def _digest(external_id: str) -> str:
    return hashlib.sha256(external_id.encode()).hexdigest()[:_DIGEST_LENGTH]


def _shown(reached: Reached) -> list[object]:
    return [reached.at, {digest: reached.at - moment for digest, moment in reached.recent.items()}]


def _reached(value: list[object]) -> Reached:
    at, ages = value
    if type(at) is not int or not isinstance(ages, dict):
        raise ValueError
    if any(type(age) is not int for age in ages.values()):
        raise ValueError
    return Reached(at, {str(digest): at - age for digest, age in ages.items()})

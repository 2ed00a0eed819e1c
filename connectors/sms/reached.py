"""How far a list that shows late what came early was read: a cursor with a memory of a minute."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.fields import mapping
from conversations.model import Instant

OVERLAP_MS = 60_000
"""A message may come into the list behind a younger one: so much is looked at again."""
MOST_SEEN = 2_000
_KEY_LENGTH = 12
"""The end of an identifier is enough to tell apart what came within a minute."""


@dataclass(frozen=True, slots=True)
class Reached:
    """The newest moment that was read, what was seen shortly before, and from when on."""

    at: Instant = 0
    seen: Mapping[str, Instant] = field(default_factory=dict)
    floor: Instant = 0

    @property
    def text(self) -> str:
        cursor = {"at": self.at, "floor": self.floor, "seen": dict(self.seen)}
        return json.dumps(cursor, separators=(",", ":"))

    @property
    def looked_at_from(self) -> Instant:
        return max(self.at - OVERLAP_MS, self.floor)

    def knows(self, key: str) -> bool:
        return key[-_KEY_LENGTH:] in self.seen

    def past(self, given: Mapping[str, Instant]) -> "Reached":
        """Return how far it is read when these were handed out, too."""
        at = max([self.at, *given.values()])
        seen = dict(self.seen) | {key[-_KEY_LENGTH:]: when for key, when in given.items()}
        recent = sorted(seen.items(), key=lambda one: one[1])
        recent = [one for one in recent if one[1] >= at - OVERLAP_MS]
        forgotten, kept = recent[:-MOST_SEEN], recent[-MOST_SEEN:]
        floor = max([self.floor, *(when + 1 for _, when in forgotten)])
        return Reached(at, dict(kept), floor)


def reached_from(cursor: str | None) -> Reached:
    """Read a cursor; a foreign one begins anew."""
    try:
        read = mapping(json.loads(cursor or ""))
    except (ValueError, RecursionError):
        return Reached()
    at, floor, seen = read.get("at"), read.get("floor"), mapping(read.get("seen"))
    if type(at) is not int or type(floor) is not int:
        return Reached()
    return Reached(at, {key: when for key, when in seen.items() if type(when) is int}, floor)

"""How far a Matrix account was read: a sync token, and what of the following was handed out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.fields import mapping


@dataclass(frozen=True, slots=True)
class SyncCursor:
    """`given` names for each room the last event that was handed out of what follows `since`.

    `joined` are rooms that were entered since: there the token knows nothing of the time before.
    """

    since: str | None = None
    given: Mapping[str, str] = field(default_factory=dict)
    joined: tuple[str, ...] = ()
    invited: tuple[str, ...] = ()
    """Rooms that could not be entered yet."""

    @property
    def text(self) -> str:
        cursor = {
            "since": self.since,
            "given": dict(self.given),
            "joined": self.joined,
            "invited": self.invited,
        }
        return json.dumps(cursor, separators=(",", ":"))


def cursor_from(text: str | None) -> SyncCursor:
    """Read a cursor; a foreign one begins anew."""
    try:
        read = mapping(json.loads(text or ""))
    except (ValueError, RecursionError):
        return SyncCursor()
    since, given = read.get("since"), mapping(read.get("given"))
    if not isinstance(since, str | None) or "since" not in read:
        return SyncCursor()
    kept = {room: event for room, event in given.items() if isinstance(event, str)}
    return SyncCursor(since, kept, _rooms(read.get("joined")), _rooms(read.get("invited")))


def _rooms(value: object) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()

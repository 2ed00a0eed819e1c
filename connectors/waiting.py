"""What was read from a network that lists the newest first, and waits to be handed out."""

from collections import OrderedDict
from typing import Generic, TypeVar

Entry = TypeVar("Entry")

MOST_BACKLOGS = 64


class Waiting(Generic[Entry]):
    """Remembers what follows a cursor, so that a backlog is not listed anew for every page.

    What is forgotten, by a restart or for want of room, is listed again: only calls are lost.
    """

    def __init__(self) -> None:
        self._after: OrderedDict[tuple[str, str], list[Entry]] = OrderedDict()

    def take(self, channel_id: str, cursor: str | None) -> list[Entry]:
        """Return what is known to follow the cursor, once; nothing when that is not known."""
        return self._after.pop((channel_id, cursor or ""), [])

    def keep(self, channel_id: str, cursor: str, entries: list[Entry]) -> None:
        """Remember what follows a cursor that was just given out."""
        if not entries:
            return
        self._after[channel_id, cursor] = entries
        while len(self._after) > MOST_BACKLOGS:
            self._after.popitem(last=False)

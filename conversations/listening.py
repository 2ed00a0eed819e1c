"""Who listens to a channel and how a page came: what keeps two listeners from minding one."""

from dataclasses import dataclass
from enum import StrEnum


class Via(StrEnum):
    """How a listener got a page."""

    POLL = "poll"
    RECONCILING = "reconciling"
    """A poll beside a line that brings posts by itself: it finds what the line did not bring."""
    LINE = "line"


@dataclass(frozen=True, slots=True)
class Listening:
    """A listener with its fence: the epoch that it took the channel over with."""

    epoch: int
    via: Via = Via.POLL


class ListenerReplaced(Exception):
    """Another listener took the channel over; whatever this one still brings is not taken."""

    def __init__(self, channel_id: str, epoch: int) -> None:
        super().__init__(f"channel {channel_id} is no longer listened to under epoch {epoch}")

"""Who looks at a conversation and who types: when a lease changes, and when it is worth writing."""

from dataclasses import dataclass
from enum import StrEnum

from conversations.model import Instant

LEASE_MS = 15_000
RENEWED_EVERY_MS = 5_000
"""A lease that was prolonged less than this ago says the same as one prolonged now."""


class Activity(StrEnum):
    LOOKING = "looking"
    TYPING = "typing"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Lease:
    """What somebody does at a conversation, since when, and until when that counts."""

    activity: Activity
    since: Instant
    until: Instant

    def holds(self, now: Instant) -> bool:
        return self.until > now


def renewed(before: Lease | None, activity: Activity, now: Instant) -> Lease | None:
    """Return the lease to be written, None where nothing has to be.

    What somebody goes on doing keeps its beginning; who goes had to be there.
    """
    is_there = before is not None and before.holds(now)
    if activity is Activity.GONE:
        return Lease(activity, now, now) if is_there else None
    if before is None or not is_there or before.activity is not activity:
        return Lease(activity, now, now + LEASE_MS)
    if before.until - now > LEASE_MS - RENEWED_EVERY_MS:
        return None
    return Lease(activity, before.since, now + LEASE_MS)

"""Time points: milliseconds inside, RFC 3339 with milliseconds on the wire."""

import time
from datetime import UTC, datetime, timedelta

from simulated_network.model import Instant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now() -> Instant:
    return time.time_ns() // 1_000_000


def rfc3339(instant: Instant) -> str:
    """Return the time point in UTC with three digits of milliseconds and a Z."""
    at = _EPOCH + timedelta(milliseconds=instant)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def instant(at: datetime) -> Instant:
    """Return the milliseconds of an aware time point, exact for every year."""
    return (at - _EPOCH) // timedelta(milliseconds=1)

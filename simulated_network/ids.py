"""Ids like snowflakes: 63 bits that carry the time and never go back."""

import sqlite3

from simulated_network.model import Instant

EPOCH_MS = 1_288_834_974_657
"""The epoch of real snowflakes, so that recorded posts and new ones share one scale."""
SEQUENCE_BITS = 22
LARGEST_ID = 2**63 - 1


class IdSource:
    """Gives each post, person and account the next id; call it inside a write transaction only."""

    def __init__(self) -> None:
        self._last = 0

    def take(self, db: sqlite3.Connection, now: Instant) -> int:
        """Return an id above every generated one, also after a restart or a clock set back."""
        if self._last == 0:
            self._last = _largest_generated(db)
        self._last = max((now - EPOCH_MS) << SEQUENCE_BITS, self._last + 1)
        while _is_taken(db, self._last):
            self._last += 1
        return self._last


def _largest_generated(db: sqlite3.Connection) -> int:
    row = db.execute(
        "SELECT max(coalesce((SELECT max(id) FROM posts WHERE id_generated), 0),"
        " coalesce((SELECT max(id) FROM people), 0), coalesce((SELECT max(id) FROM accounts), 0))"
    ).fetchone()
    return int(row[0])


def _is_taken(db: sqlite3.Connection, wanted: int) -> bool:
    return db.execute("SELECT 1 FROM posts WHERE id = ?", (wanted,)).fetchone() is not None

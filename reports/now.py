"""The floor of this moment, read once for all who look at it."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, RowMapping

from conversations.model import Instant
from reports.today import ReachedToday, Today
from storage import clock, standing
from storage.database import Database
from storage.standing import Standing

FRESH_FOR_S = 0.5
"""Many wallboards cost no more than one: they share a reading so long."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The floor as it was read at one moment."""

    at: Instant
    workgroups: Sequence[RowMapping]
    standings: dict[str, Standing]
    today: dict[str, ReachedToday]


@dataclass
class LatestReading:
    """The newest reading, shared by all who ask within half a second."""

    database: Database
    _today: Today = field(default_factory=Today)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _reading: Reading | None = None
    _read_at_s: float = 0.0

    async def get(self) -> Reading:
        async with self._turn:
            if self._reading is None or time.monotonic() - self._read_at_s > FRESH_FOR_S:
                self._reading = await self.database.read(self._read)
                self._read_at_s = time.monotonic()
            return self._reading

    def _read(self, connection: Connection) -> Reading:
        now = clock.now(connection)
        workgroups = standing.all_workgroups(connection)
        today = self._today.reached(connection, workgroups, now)
        return Reading(now, workgroups, standing.standings(connection), today)

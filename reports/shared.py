"""One reading of the database for all who look at the same moment."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sqlalchemy import Connection

from storage.database import Database

FRESH_FOR_S = 0.5
"""Many wallboards cost no more than one: they share a reading so long."""

T = TypeVar("T")


@dataclass
class Shared(Generic[T]):
    """The newest reading, shared by all who ask within half a second."""

    database: Database
    read: Callable[[Connection], T]
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _newest: tuple[float, T] | None = None

    async def get(self) -> T:
        async with self._turn:
            if self._newest is None or time.monotonic() - self._newest[0] > FRESH_FOR_S:
                reading = await self.database.read(self.read)
                self._newest = (time.monotonic(), reading)
            return self._newest[1]

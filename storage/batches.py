"""Bookkeeping of bells in batches: many small facts, one transaction, nobody waits."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Generic, TypeVar

import structlog
from sqlalchemy import Connection

from storage.database import Database, DatabaseUnavailable

log = structlog.get_logger()
Fact = TypeVar("Fact")

GATHERING_S = 1.0
"""On SQLite every write holds the one lock: bookkeeping takes it once a second, not more."""

LARGEST_BATCH = 500


class Batch(Generic[Fact]):
    """Gathers facts for a second and writes them together; what cannot be written is dropped.

    Only for facts that the sweep makes good when they are lost.
    """

    def __init__(self, database: Database, write: Callable[[Connection, list[Fact]], None]) -> None:
        self._database = database
        self._write = write
        self._facts: list[Fact] = []
        self._writing: asyncio.Task[None] | None = None

    def add(self, fact: Fact) -> None:
        self._facts.append(fact)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_soon())

    async def _write_soon(self) -> None:
        await asyncio.sleep(GATHERING_S)
        while self._facts:
            facts, self._facts = self._facts[:LARGEST_BATCH], self._facts[LARGEST_BATCH:]
            try:
                await self._database.write(lambda k, facts=facts: self._write(k, facts))  # type: ignore[misc]
            except DatabaseUnavailable as error:
                log.warning("bookkeeping_dropped", facts=len(facts), error=str(error))

    async def close(self) -> None:
        """Write what is still there."""
        if self._writing is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._writing

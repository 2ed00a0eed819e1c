"""Repeats of one idempotency key take turns inside this process, for a bounded time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

LONGEST_WAIT_S = 5.0

Key = tuple[str, str]


class StillTaken(Exception):
    """The command with the same key has not ended within 5 s."""


class Turns:
    """One at a time for each (principal, key)."""

    def __init__(self) -> None:
        self._locks: dict[Key, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def turn(self, key: Key) -> AsyncIterator[None]:
        """Hold the key's turn.

        Raises:
            StillTaken: nobody gave it up in time.
        """
        lock, waiting = self._locks.get(key, (asyncio.Lock(), 0))
        self._locks[key] = (lock, waiting + 1)
        try:
            try:
                async with asyncio.timeout(LONGEST_WAIT_S):
                    await lock.acquire()
            except TimeoutError:
                raise StillTaken from None
            try:
                yield
            finally:
                lock.release()
        finally:
            lock, waiting = self._locks[key]
            self._locks[key] = (lock, waiting - 1)
            if waiting == 1:
                del self._locks[key]

"""Argon2id beside the event loop: a few at a time, because each takes 64 MiB and all processors."""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

T = TypeVar("T")

AT_ONCE = 2
MOST_WAITING = 32
"""So many wait at most: a password takes a tenth of a second, and nobody waits longer for one."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a password is the one, and whether its hash is of former parameters."""

    is_right: bool
    is_outdated: bool = False


class PasswordHashing:
    """Hashes and verifies passwords in threads of its own."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="passwords")
        self._nobodys: str | None = None
        self._waiting = 0

    @property
    def is_full(self) -> bool:
        return self._waiting >= MOST_WAITING

    async def hash(self, password: str) -> str:
        return await self._run(lambda: self._hasher.hash(_raw(password)))

    async def verify(self, hashed: str | None, password: str) -> Verdict:
        """Compare; where there is no hash it takes as long, and it is never right."""
        return await self._run(lambda: self._verify(hashed, _raw(password)))

    async def _run(self, work: Callable[[], T]) -> T:
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1

    def _verify(self, hashed: str | None, password: bytes) -> Verdict:
        # Made at the first question of any kind: it tells nothing about whom it was asked for.
        if self._nobodys is None:
            self._nobodys = self._hasher.hash(secrets.token_bytes())
        try:
            is_right = self._hasher.verify(hashed or self._nobodys, password)
        except (VerificationError, InvalidHashError):
            return Verdict(is_right=False)
        if hashed is None:
            return Verdict(is_right=False)
        return Verdict(is_right, self._hasher.check_needs_rehash(hashed))

    async def close(self) -> None:
        await asyncio.to_thread(self._threads.shutdown)


def _raw(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")

"""The running network: its ledger, what waits for news, its clock, its faults and limits."""

import asyncio
import contextlib
import random
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from simulated_network import publishing, times
from simulated_network.database import Database, Writing
from simulated_network.faults import FaultPlan, Hit
from simulated_network.model import Account, Refusal
from simulated_network.rates import Rates

Result = TypeVar("Result")

PUBLIC_PAGE = 0
"""Stands beside the accounts' ids where somebody waits for news."""


class Bell:
    """Wakes whoever waits; take `next_ring` before looking, and nothing is missed."""

    def __init__(self) -> None:
        self.next_ring = asyncio.Event()

    def ring(self) -> None:
        self.next_ring.set()
        self.next_ring = asyncio.Event()


class World:
    """Everything that a request may touch."""

    def __init__(self, state: Path, *, seed: int, base_url: str, keep_alive_ms: int) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self.base_url = base_url
        self.keep_alive_s = keep_alive_ms / 1000
        self.faults = FaultPlan(seed)
        self.rates = Rates()
        self.closing = asyncio.Event()
        self.bells: defaultdict[int, Bell] = defaultdict(Bell)
        self._clock_bell = Bell()
        self._ledger = Database(state / "ledger.sqlite3", chance=random.Random(seed))
        self.read = self._ledger.read

    async def write(self, change: Callable[[Writing], Result]) -> Result:
        """Make a change durable, then wake whom it concerns."""
        result, writing = await self._ledger.write(change)
        for account_id in writing.touched:
            self.bells[account_id].ring()
        if writing.is_public_page_touched:
            self.bells[PUBLIC_PAGE].ring()
        if writing.is_clock_touched:
            self._clock_bell.ring()
        return result

    async def keep_time(self) -> None:
        """Let posts become visible and customers answer when it is time, for ever."""
        while True:
            ring = self._clock_bell.next_ring
            due_at = await self.read(publishing.next_due_at)
            if due_at is not None and due_at <= times.now():
                await self.write(publishing.catch_up)
                continue
            wait_s = None if due_at is None else (due_at - times.now()) / 1000
            await wait_for_ring(ring, timeout_s=wait_s)

    def admit(self, account: Account, operation: str) -> Hit:
        """Count a call of the account against its limits and say which fault it meets.

        Raises:
            Refusal: the account is suspended, or has no call left in this window.
        """
        if account.suspended:
            raise Refusal(403, "account_suspended", f"@{account.handle} is suspended")
        limit = account.limits.get(operation)
        if limit is not None:
            wait_s = self.rates.wait_s(account.id, operation, limit, at_s=time.monotonic())
            if wait_s is not None:
                raise Refusal(
                    429,
                    "rate_limited",
                    f"{limit.calls} calls in {limit.window_s} s are used up for {operation}",
                    headers={"Retry-After": str(wait_s)},
                )
        return self.faults.hit(account.handle, operation)

    def stop_streams(self) -> None:
        """Let every stream end, so that the server can."""
        self.closing.set()
        for bell in list(self.bells.values()):
            bell.ring()

    def close(self) -> None:
        self._ledger.close()


async def wait_for_ring(ring: asyncio.Event, *, timeout_s: float | None) -> bool:
    """Wait for a ring; says whether there was one."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(ring.wait(), timeout_s)
        return True
    return False

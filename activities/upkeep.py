"""The sweep's one activity: look after what a crash may have left, and beat the marker."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from temporalio import activity

from activities.ports import Upkeep

PAUSE_S = 2.0
BEAT_EVERY_S = 10.0
FORGET_EVERY_S = 600.0
ROUND_S = 3600.0


@dataclass(frozen=True)
class UpkeepActivities:
    """`advance_marker` moves Temporal's mark to a beat and returns its beat before, 0 if it is new;
    `ring_terminated` rings the conversations whose workflows were terminated by hand;
    `start_listeners` starts the listeners that are missing.
    """

    upkeep: Upkeep
    advance_marker: Callable[[int], Awaitable[int]]
    ring_terminated: Callable[[], Awaitable[int]]
    start_listeners: Callable[[], Awaitable[int]]

    @activity.defn
    async def sweep(self) -> None:
        """Sweep for an hour; a retry simply goes on."""
        started = time.monotonic()
        beat_at = forgot_at = 0.0
        while time.monotonic() - started < ROUND_S and not activity.is_worker_shutdown():
            activity.heartbeat()
            now = time.monotonic()
            if now - beat_at >= BEAT_EVERY_S:
                await self._beat()
                await self.ring_terminated()
                beat_at = now
            if now - forgot_at >= FORGET_EVERY_S:
                await self.upkeep.forget_old()
                forgot_at = now
            await self.upkeep.ring_again()
            await self.upkeep.sign_off_absent_agents()
            await self.upkeep.ask_everywhere()
            await self.start_listeners()
            await asyncio.sleep(PAUSE_S)

    async def _beat(self) -> None:
        """Start over when Temporal's mark is behind the database's: it is new or from a backup."""
        known = await self.upkeep.known_beat()
        before = await self.advance_marker(known + 1)
        if before < known:
            forgotten = await self.upkeep.start_over()
            activity.logger.warning(
                "Temporal is new or was restored: open conversations are rung again",
                extra={"conversations": forgotten},
            )
        await self.upkeep.keep_beat(known + 1)

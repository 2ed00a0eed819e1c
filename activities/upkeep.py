"""The sweep's one activity: look after what a crash may have left, and beat the marker."""

import asyncio
import time
from dataclasses import dataclass

from temporalio import activity

from activities.ports import TemporalUpkeep, Upkeep

PAUSE_S = 2.0
BEAT_EVERY_S = 10.0
FORGET_EVERY_S = 600.0
ROUND_S = 3600.0


@dataclass(frozen=True)
class UpkeepActivities:
    upkeep: Upkeep
    temporal: TemporalUpkeep

    @activity.defn
    async def sweep(self) -> None:
        """Sweep for an hour; a retry simply goes on."""
        started = time.monotonic()
        beat_at = forgot_at = -FORGET_EVERY_S
        while time.monotonic() - started < ROUND_S and not activity.is_worker_shutdown():
            activity.heartbeat()
            now = time.monotonic()
            if now - beat_at >= BEAT_EVERY_S:
                await self._beat()
                beat_at = now
            if now - forgot_at >= FORGET_EVERY_S:
                await self.upkeep.forget_old()
                forgot_at = now
            await self._look_around()
            await asyncio.sleep(PAUSE_S)

    async def _look_around(self) -> None:
        await self.upkeep.ring_again()
        await self.upkeep.sign_off_agents()
        await self.upkeep.release_from_lost_agents()
        await self.upkeep.take_lost_offers_back()
        await self.upkeep.ask_everywhere()
        await self.temporal.start_listeners(await self.upkeep.listened_channels())

    async def _beat(self) -> None:
        """Start over when Temporal's mark is behind the database's: it is new or from a backup."""
        known = await self.upkeep.known_beat()
        before = await self.temporal.advance_marker(known + 1)
        if before < known:
            forgotten = await self.upkeep.start_over()
            activity.logger.warning(
                "Temporal is new or was restored: open conversations are rung again",
                extra={"conversations": forgotten},
            )
        await self.upkeep.keep_beat(known + 1)
        await self.upkeep.ring_those(await self.temporal.terminated_conversations())

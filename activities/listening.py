"""Ask a network for new posts, page by page, and take them in."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from temporalio import activity

from activities.ports import Intake, Listener
from conversations.messages import ListenTo
from conversations.networks import ListenedChannel, NetworkTrouble, Page

ROUND_S = 3600.0
HEARTBEAT_EVERY_S = 3.0
TROUBLE_PAUSE_S = 5.0


@dataclass(frozen=True)
class ListeningActivities:
    intake: Intake
    listeners: Mapping[str, Listener]

    @activity.defn
    async def listen(self, listen_to: ListenTo) -> bool:
        """Listen for an hour; return whether the channel is still to be listened to.

        A retry relies on the cursor in the database: a page is never skipped, at most repeated.
        """
        started = time.monotonic()
        while time.monotonic() - started < ROUND_S and not activity.is_worker_shutdown():
            channel = await self.intake.channel(listen_to.channel_id)
            if channel is None:
                return False
            await self._pause(await self._listen_once(listen_to, channel))
        return True

    async def _listen_once(self, listen_to: ListenTo, channel: ListenedChannel) -> float:
        """Fetch and take in one page; return the seconds until the next one."""
        if channel.wait_ms:
            return channel.wait_ms / 1000
        listener = self.listeners[listen_to.network]
        activity.heartbeat(channel.cursor)
        try:
            page = await listener.fetch(channel.account, channel.cursor, channel.post_limit)
        except NetworkTrouble as trouble:
            await self.intake.report_trouble(listen_to.channel_id, str(trouble))
            return TROUBLE_PAUSE_S
        await self.intake.take_in(listen_to.channel_id, page)
        return _until_next(page, channel)

    async def _pause(self, pause_s: float) -> None:
        until = time.monotonic() + pause_s
        while (left := until - time.monotonic()) > 0 and not activity.is_worker_shutdown():
            activity.heartbeat()
            await asyncio.sleep(min(left, HEARTBEAT_EVERY_S))


def _until_next(page: Page, channel: ListenedChannel) -> float:
    if page.retry_after_s is not None:
        return page.retry_after_s
    return 0.0 if page.goes_on else channel.poll_interval_ms / 1000

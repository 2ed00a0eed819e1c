"""Hear what a network says, page by page, and take it in."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from temporalio import activity

from activities.ports import Intake
from conversations.capabilities import Delivery
from conversations.connector import Connector
from conversations.messages import ListenTo
from conversations.networks import ListenedChannel, NetworkTrouble, Page

ROUND_S = 3600.0
HEARTBEAT_EVERY_S = 3.0
FIRST_TROUBLE_PAUSE_S = 1.0
LONGEST_TROUBLE_PAUSE_S = 30.0
"""A network in trouble is asked ever more seldom."""

RECONNECT_PAUSE_S = 0.5
BACKFILL_EVERY_S = 60.0
"""What is streamed or brought is polled so often, too: only a poll knows what is missing."""

CHECK_EVERY_S = 3.0
"""A stream ends so soon after its channel was switched off or its account changed."""


@dataclass(frozen=True)
class ListeningActivities:
    intake: Intake
    connectors: Mapping[str, Connector]

    @activity.defn
    async def listen(self, listen_to: ListenTo) -> bool:
        """Listen for an hour; return whether the channel is still to be listened to.

        A retry relies on the cursor in the database: a page is never skipped, at most repeated.
        """
        ends_at, trouble_pause_s = time.monotonic() + ROUND_S, FIRST_TROUBLE_PAUSE_S
        while (began_at := time.monotonic()) < ends_at and not activity.is_worker_shutdown():
            channel = await self.intake.channel(listen_to.channel_id)
            if channel is None:
                return False
            try:
                pause_s = await self._listen_once(listen_to, channel, ends_at)
                trouble_pause_s = FIRST_TROUBLE_PAUSE_S
            except NetworkTrouble as trouble:
                await self.intake.report_trouble(listen_to.channel_id, trouble)
                if time.monotonic() - began_at > LONGEST_TROUBLE_PAUSE_S:  # a line that broke late
                    trouble_pause_s = FIRST_TROUBLE_PAUSE_S
                pause_s = trouble_pause_s
                trouble_pause_s = min(trouble_pause_s * 2, LONGEST_TROUBLE_PAUSE_S)
            await self._pause(pause_s)
        return True

    async def _listen_once(
        self, listen_to: ListenTo, channel: ListenedChannel, ends_at: float
    ) -> float:
        """Take in one page, or all that a stream brings; return the seconds until the next."""
        if channel.wait_ms:
            return channel.wait_ms / 1000
        activity.heartbeat(channel.cursor)
        listener = self.connectors[listen_to.network]
        if listener.delivery(channel.account) is Delivery.STREAM:
            return await self._follow(listen_to, channel, ends_at)
        return await self._poll(listen_to, channel)

    async def _poll(self, listen_to: ListenTo, channel: ListenedChannel) -> float:
        listener = self.connectors[listen_to.network]
        page = await listener.fetch(channel)
        await self.intake.take_in(listen_to.channel_id, page)
        if page.retry_after_s is not None:
            return page.retry_after_s
        if page.goes_on:
            return 0.0
        interval_s = channel.poll_interval_ms / 1000
        if listener.delivery(channel.account) is Delivery.POLL:
            return interval_s
        return max(interval_s, BACKFILL_EVERY_S)

    async def _follow(self, listen_to: ListenTo, channel: ListenedChannel, ends_at: float) -> float:
        """Take in what a stream brings; return when it ends, the channel changes or time is up.

        The first poll follows the line's first sign of life, so that nothing falls in between.
        """
        poll_at, check_at = None, time.monotonic() + CHECK_EVERY_S
        async with aclosing(_arrivals(self.connectors[listen_to.network], channel)) as arrivals:
            async for page in arrivals:
                activity.heartbeat()
                if page is not None and page.retry_after_s is not None:
                    return page.retry_after_s
                if page is not None and (page.posts or page.unreadable):
                    await self.intake.take_in(listen_to.channel_id, page)
                if page is not None and poll_at is None:
                    poll_at = time.monotonic()
                if poll_at is not None and time.monotonic() >= poll_at:
                    poll_at = time.monotonic() + await self._catch_up(listen_to)
                if time.monotonic() >= check_at:
                    check_at = time.monotonic() + CHECK_EVERY_S
                    now = await self.intake.channel(listen_to.channel_id)
                    if now is None or now.account != channel.account or check_at > ends_at:
                        return 0.0
        return RECONNECT_PAUSE_S

    async def _catch_up(self, listen_to: ListenTo) -> float:
        """Poll until nothing more is waiting; return the seconds until the next time."""
        while not activity.is_worker_shutdown():
            channel = await self.intake.channel(listen_to.channel_id)
            if channel is None:
                break
            if channel.wait_ms:
                return channel.wait_ms / 1000
            activity.heartbeat(channel.cursor)
            if pause_s := await self._poll(listen_to, channel):
                return pause_s
        return 0.0

    async def _pause(self, pause_s: float) -> None:
        until = time.monotonic() + pause_s
        while (left := until - time.monotonic()) > 0 and not activity.is_worker_shutdown():
            activity.heartbeat()
            await asyncio.sleep(min(left, HEARTBEAT_EVERY_S))


async def _arrivals(
    listener: Connector, channel: ListenedChannel
) -> AsyncGenerator[Page | None, None]:
    """Yield what arrives, and None while nothing does; ends with the stream or the worker."""
    async with aclosing(listener.stream(channel)) as pages:
        arriving = asyncio.ensure_future(anext(pages, None))
        try:
            while not activity.is_worker_shutdown():
                await asyncio.wait({arriving}, timeout=HEARTBEAT_EVERY_S)
                if not arriving.done():
                    yield None
                    continue
                if (page := arriving.result()) is None:
                    return
                yield page
                arriving = asyncio.ensure_future(anext(pages, None))
        finally:
            arriving.cancel()
            await asyncio.gather(arriving, return_exceptions=True)

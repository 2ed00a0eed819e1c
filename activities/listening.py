"""Hear what a network says, page by page, and take it in."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from temporalio import activity

from activities.ports import Intake
from conversations import health
from conversations.budgets import poll_allowance
from conversations.capabilities import Delivery
from conversations.connector import Connector
from conversations.listening import ListenerReplaced, Listening, Via
from conversations.messages import ListenTo
from conversations.networks import ListenedChannel, NetworkTrouble, Page

ROUND_S = 3600.0
HEARTBEAT_EVERY_S = 3.0
LASTING_LINE_S = 30.0
"""A line that broke later than this was a good one: it is opened again at once."""

RECONNECT_PAUSE_S = 0.5
BACKFILL_EVERY_S = 60.0
"""What is streamed or brought is polled so often, too: only a poll knows what is missing."""

CHECK_EVERY_S = 3.0
"""A stream or a long pause ends so soon after its channel or its account was changed."""


@dataclass(frozen=True)
class ListeningActivities:
    intake: Intake
    connectors: Mapping[str, Connector]

    @activity.defn
    async def listen(self, listen_to: ListenTo) -> bool:
        """Listen for an hour; return whether the channel is still to be listened to.

        A retry relies on the cursor in the database: a page is never skipped, at most repeated.
        """
        epoch = await self.intake.take_over(listen_to.channel_id)
        connector = self.connectors[listen_to.network]
        return await _Round(self.intake, connector, listen_to.channel_id, epoch).run()


@dataclass
class _Round:
    """One activity's time at a channel, fenced by its epoch."""

    intake: Intake
    connector: Connector
    channel_id: str
    epoch: int
    ends_at: float = field(default_factory=lambda: time.monotonic() + ROUND_S)
    failures: int = 0

    async def run(self) -> bool:
        try:
            while time.monotonic() < self.ends_at and not activity.is_worker_shutdown():
                channel = await self._channel()
                if channel is None:
                    return False
                await self._pause(await self._attempt(channel), channel)
        except ListenerReplaced:
            activity.logger.info("another listener took over", extra={"epoch": self.epoch})
        return True

    async def _channel(self) -> ListenedChannel | None:
        channel = await self.intake.channel(self.channel_id)
        if channel is not None and channel.epoch not in (None, self.epoch):
            raise ListenerReplaced(self.channel_id, self.epoch)
        return channel

    async def _attempt(self, channel: ListenedChannel) -> float:
        """Listen once, whatever comes of it; return the seconds until the next time."""
        began_at = time.monotonic()
        try:
            pause_s = await self._listen_once(channel)
        except NetworkTrouble as trouble:
            if time.monotonic() - began_at > LASTING_LINE_S:
                self.failures = 0
            self.failures += 1
            known = await self.intake.report_trouble(self.channel_id, trouble, self.epoch)
            failures = max(self.failures, known)
            return health.pause_s(trouble.trouble, failures, random.random())  # noqa: S311
        self.failures = 0
        return pause_s

    async def _listen_once(self, channel: ListenedChannel) -> float:
        """Take in one page, or all that a stream brings; return the seconds until the next."""
        if channel.wait_ms:
            return channel.wait_ms / 1000
        activity.heartbeat(channel.cursor)
        if self.connector.delivery(channel.account) is Delivery.STREAM:
            return await self._follow(channel)
        return await self._poll(channel)

    async def _poll(self, channel: ListenedChannel) -> float:
        allowance = poll_allowance(self.connector.capabilities(channel.account))
        if allowance is not None:
            wait_ms = await self.intake.take_allowance(channel.account.id, allowance)
            if wait_ms:
                return wait_ms / 1000
        is_only_way = self.connector.delivery(channel.account) is Delivery.POLL
        page = await self.connector.fetch(channel)
        await self._take_in(page, Via.POLL if is_only_way else Via.RECONCILING)
        if page.retry_after_s is not None:
            return health.wait_s(page.retry_after_s, random.random())  # noqa: S311
        if page.goes_on:
            return 0.0
        interval_s = channel.poll_interval_ms / 1000
        return interval_s if is_only_way else max(interval_s, BACKFILL_EVERY_S)

    async def _take_in(self, page: Page, via: Via) -> None:
        await self.intake.take_in(self.channel_id, page, Listening(self.epoch, via))

    async def _follow(self, channel: ListenedChannel) -> float:
        """Take in what a stream brings; return when it ends, the channel changes or time is up.

        The first poll follows the line's first sign of life, so that nothing falls in between.
        """
        poll_at, check_at = None, time.monotonic() + CHECK_EVERY_S
        async with aclosing(_arrivals(self.connector, channel)) as arrivals:
            async for page in arrivals:
                activity.heartbeat()
                if page is not None and _tells(page):
                    await self._take_in(page, Via.LINE)
                if page is not None and page.retry_after_s is not None:
                    return health.wait_s(page.retry_after_s, random.random())  # noqa: S311
                if page is not None and poll_at is None:
                    poll_at = time.monotonic()
                if poll_at is not None and time.monotonic() >= poll_at:
                    poll_at = time.monotonic() + await self._catch_up()
                if time.monotonic() >= check_at:
                    check_at = time.monotonic() + CHECK_EVERY_S
                    if check_at > self.ends_at or await self._is_changed(channel):
                        return 0.0
        return RECONNECT_PAUSE_S

    async def _catch_up(self) -> float:
        """Poll until nothing more is waiting; return the seconds until the next time."""
        while not activity.is_worker_shutdown():
            channel = await self._channel()
            if channel is None:
                break
            if channel.wait_ms:
                return channel.wait_ms / 1000
            activity.heartbeat(channel.cursor)
            if pause_s := await self._poll(channel):
                return pause_s
        return 0.0

    async def _is_changed(self, before: ListenedChannel) -> bool:
        """Say whether the channel is set up in another way, or its account is."""
        channel = await self._channel()
        return channel is None or _set_up(channel) != _set_up(before)

    async def _pause(self, pause_s: float, channel: ListenedChannel) -> None:
        """Wait, but no longer than until somebody changes what it is waited for."""
        began_at = time.monotonic()
        until, check_at = began_at + pause_s, began_at + CHECK_EVERY_S
        is_long = pause_s > CHECK_EVERY_S * 3
        while (left := until - time.monotonic()) > 0 and not activity.is_worker_shutdown():
            activity.heartbeat()
            await asyncio.sleep(min(left, HEARTBEAT_EVERY_S))
            if not is_long or time.monotonic() < check_at:
                continue
            check_at = time.monotonic() + CHECK_EVERY_S
            if check_at > self.ends_at or await self._is_changed(channel):
                return


def _set_up(channel: ListenedChannel) -> ListenedChannel:
    return replace(channel, cursor=None, wait_ms=0)


def _tells(page: Page) -> bool:
    """Tell a page from a sign of life."""
    is_limited = page.retry_after_s is not None
    return bool(page.posts or page.unreadable or page.changes) or is_limited


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

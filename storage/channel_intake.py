"""A listened channel: its settings at every round, its pages taken in, its cursor moved after."""

import time
from collections.abc import Sequence
from dataclasses import replace

from conversations.capabilities import Allowance
from conversations.channels import belongs, is_wanted
from conversations.connector import Connector
from conversations.health import Failed, Heard, Limited, Read, Sighting, after
from conversations.listening import Listening, Via
from conversations.model import Instant, Post
from conversations.networks import (
    Account,
    Delivered,
    ListenedChannel,
    NetworkTrouble,
    Page,
    Trouble,
)
from conversations.post_changes import CLOCKS_DIFFER_MS
from storage import accounts, budgets, channels, clock, intake, leases
from storage.database import Database
from storage.ingest import Taken
from storage.intake import ChannelWithAccount, PageIntake, Progress, condition_from
from storage.secrets import Seal, SecretsUnreadable

UNREADABLE_PAUSE_MS = 30_000
REPLIES_FIRST_MS = 1_000
"""A poll waits so much longer than a reply for a rate-limited account."""

NOTED_EVERY_S = 60.0
"""So old at most is the moment at which a silent channel was last caught up."""


class ChannelIntake:
    """The port `activities.ports.Intake`."""

    def __init__(self, database: Database, pages: PageIntake, seal: Seal) -> None:
        self._database = database
        self._pages = pages
        self._seal = seal
        self._noted_at: dict[str, float] = {}

    async def channel(self, channel_id: str) -> ListenedChannel | None:
        """Return the channel as it is set up now; None when nothing is to be listened to.

        One whose secrets no key opens is left alone for a while, and its health says so.
        """
        try:
            return await self.called(channel_id)
        except SecretsUnreadable as reason:
            trouble = NetworkTrouble(str(reason), Trouble.UNAUTHORISED)
            await self.report_trouble(channel_id, trouble)
            nobody = Account("", "", {})
            return ListenedChannel(nobody, UNREADABLE_PAUSE_MS, 1, None, UNREADABLE_PAUSE_MS)

    async def called(self, channel_id: str) -> ListenedChannel | None:
        """Return the channel for what its network brings.

        Raises:
            SecretsUnreadable: its account's secrets were sealed with a key that is not here.
        """
        found = await self._find(channel_id)
        if found is None or not found.channel["enabled"]:
            return None
        account_id = found.channel["account_id"]
        credentials = self._seal.open(account_id, found.secrets)
        return ListenedChannel(
            account=Account(account_id, found.network, found.settings, credentials),
            poll_interval_ms=found.channel["poll_interval_ms"],
            post_limit=found.channel["post_limit"],
            cursor=found.channel["cursor"],
            wait_ms=await self._wait_ms(account_id),
            id=channel_id,
            handles=tuple(found.channel["handles"]),
            keywords=tuple(found.channel["keywords"]),
            since=_since(found),
            epoch=found.channel["listener_epoch"],
            account_version=found.channel["account_version"],
        )

    async def _find(self, channel_id: str) -> ChannelWithAccount | None:
        return await self._database.read(lambda k: intake.channel_with_account(k, channel_id))

    async def _wait_ms(self, account_id: str) -> int:
        until, now = await self._database.read(
            lambda k: (leases.paused_until(k, account_id), clock.now(k))
        )
        return until - now + REPLIES_FIRST_MS if until > now else 0

    async def take_over(self, channel_id: str) -> int:
        return await self._database.write(lambda k: intake.take_over(k, channel_id))

    async def take_allowance(self, account_id: str, allowance: Allowance) -> int:
        kept_percent = allowance.kept_for_replies_percent
        return await self._database.write(
            lambda k: budgets.take(
                k, account_id, allowance, clock.now(k), kept_percent=kept_percent
            )
        )

    async def take_in(
        self, channel_id: str, page: Page, listening: Listening | None = None
    ) -> None:
        """Store a page, then move the cursor; without a listener it is what a network brought.

        Raises:
            ListenerReplaced: another listener took the channel over; nothing more was stored.
        """
        found, now = await self._database.read(
            lambda k: (intake.channel_with_account(k, channel_id), clock.now(k))
        )
        if found is None:
            return
        page = replace(page, posts=[_by_our_clock(post, now) for post in page.posts])
        epoch = listening.epoch if listening else None
        fence = intake.unfenced if epoch is None else intake.fence_of(channel_id, epoch)
        since = _since(found) if listening else None
        ours, left_out = _chosen(page, found, since)
        taken = await self._pages.take_in(found.source, ours, page.unreadable, page.changes, fence)
        seen = _seen(page, found, taken, listening)
        if seen is None:
            return
        progress = Progress(page.cursor, left_out, _is_caught_up(page, listening))
        if self._tells_nothing_new(found, seen, progress):
            return
        await self._database.write(lambda k: intake.note(k, channel_id, seen, epoch, progress))
        self._noted_at[channel_id] = time.monotonic()

    def _tells_nothing_new(
        self, found: ChannelWithAccount, seen: Sighting, progress: Progress
    ) -> bool:
        """Spare the database a write at every poll of a silent network, but for one a minute."""
        row = found.channel
        if progress.cursor not in (None, row["cursor"]) or progress.left_out:
            return False
        condition = condition_from(row)
        if after(condition, seen) != condition:
            return False
        noted_at = self._noted_at.get(row["id"])
        is_recent = noted_at is not None and time.monotonic() - noted_at < NOTED_EVERY_S
        return is_recent or not progress.is_caught_up

    async def take_delivery(
        self, channel_id: str, connector: Connector, delivered: Delivered
    ) -> None:
        """Take in what a network brought to one channel for its account, or for others.

        A post goes to the first channel of its account that it belongs to, the called one first.
        """
        for address, page in delivered.pages.items():
            for target in await self._targets(channel_id, connector, address):
                await self.take_in(target, page)
                page = replace(page, unreadable=())  # noqa: PLW2901 - quarantined once

    async def _targets(
        self, channel_id: str, connector: Connector, address: str | None
    ) -> Sequence[str]:
        """Return the channels that a page is offered to: those of the account that it names.

        Only accounts that share the secret of the signature are reached from another's URL.
        """
        called = await self._find(channel_id)
        if called is None:
            return ()
        account_id = called.channel["account_id"]
        name, signed_by = connector.address_setting, connector.signing_setting
        if address is not None and name and called.settings.get(name) != address:
            secret = self._seal.open(account_id, called.secrets).get(signed_by or "")
            candidates = await self._database.read(
                lambda k: accounts.with_setting(k, called.network, name, address)
            )
            matching = [
                row["id"]
                for row in candidates
                if self._seal.open(row["id"], row["secrets"]).get(signed_by or "") == secret
            ]
            if not matching:  # an account that is not set up here: nobody's business
                return ()
            account_id = matching[0]
        found = await self._database.read(lambda k: channels.enabled_of(k, account_id))
        return sorted(found, key=lambda one: one != channel_id)

    async def report_trouble(
        self, channel_id: str, trouble: NetworkTrouble, epoch: int | None = None
    ) -> int:
        seen = Failed(trouble.trouble, str(trouble))
        noted = await self._database.write(lambda k: intake.note(k, channel_id, seen, epoch))
        return noted.failures


def _since(found: ChannelWithAccount) -> Instant:
    """Return from when on a channel wants posts: it does not begin with a flood."""
    row = found.channel
    return max(0, int(row["created_at"]) - int(row["backfill_s"]) * 1000)


def _by_our_clock(post: Post, now: Instant) -> Post:
    """Return the post as one of about now when it says that it is to come.

    Else replies would answer it for ever, as the newest one, and later posts would count as late.
    """
    latest = now + CLOCKS_DIFFER_MS
    return post if post.created_at <= latest else replace(post, created_at=latest)


def _chosen(page: Page, found: ChannelWithAccount, since: Instant | None) -> tuple[list[Post], int]:
    """Return the channel's posts, and how many of them it does not want."""
    row = found.channel
    ours = [
        post
        for post in page.posts
        if post.is_own or belongs(post, handles=row["handles"], keywords=row["keywords"])
    ]
    wanted = [
        post
        for post in ours
        if post.is_own
        or (is_wanted(post, row["include"]) and (since is None or post.created_at >= since))
    ]
    return wanted, len(ours) - len(wanted)


def _seen(
    page: Page, found: ChannelWithAccount, taken: Taken, listening: Listening | None
) -> Sighting | None:
    """Return what a page says about how well the channel is heard."""
    if page.retry_after_s is not None:
        return Limited(page.retry_after_s)
    via = listening.via if listening else Via.LINE
    if via is Via.LINE and page.cursor is None:
        return Heard() if page.posts or page.changes else None
    is_late = via is Via.RECONCILING and bool(taken.accepted) and not page.goes_on
    return Read(missed=is_late and found.channel["cursor"] is not None)


def _is_caught_up(page: Page, listening: Listening | None) -> bool:
    is_polled = listening is not None and listening.via is not Via.LINE
    return is_polled and not page.goes_on and page.retry_after_s is None

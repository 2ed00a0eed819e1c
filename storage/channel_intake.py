"""A listened channel: its settings at every round, its pages taken in, its cursor moved after."""

from collections.abc import Sequence

from conversations.channels import belongs
from conversations.connector import Connector
from conversations.model import Post
from conversations.networks import (
    Account,
    Delivered,
    ListenedChannel,
    NetworkTrouble,
    Page,
    Trouble,
)
from storage import accounts, channels, clock, intake, replies
from storage.database import Database
from storage.intake import ChannelWithAccount, PageIntake
from storage.secrets import Seal, SecretsUnreadable

UNREADABLE_PAUSE_MS = 30_000
REPLIES_FIRST_MS = 1_000
"""A poll waits so much longer than a reply for a rate-limited account."""


class ChannelIntake:
    """The port `activities.ports.Intake`."""

    def __init__(self, database: Database, pages: PageIntake, seal: Seal) -> None:
        self._database = database
        self._pages = pages
        self._seal = seal

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
        )

    async def _find(self, channel_id: str) -> ChannelWithAccount | None:
        return await self._database.read(lambda k: intake.channel_with_account(k, channel_id))

    async def _wait_ms(self, account_id: str) -> int:
        until, now = await self._database.read(
            lambda k: (replies.paused_until(k, account_id), clock.now(k))
        )
        return until - now + REPLIES_FIRST_MS if until > now else 0

    async def take_in(self, channel_id: str, page: Page) -> None:
        found = await self._find(channel_id)
        if found is None:
            return
        ours = [post for post in page.posts if post.is_own or _belongs(post, found)]
        await self._pages.take_in(found.source, ours, page.unreadable)
        if _tells_nothing_new(page, found):
            return
        await self._database.write(lambda k: intake.move_cursor(k, channel_id, page.cursor))

    async def take_delivery(
        self, channel_id: str, connector: Connector, delivered: Delivered
    ) -> None:
        """Take in what a network brought to one channel for its account, or for others.

        A post goes to the first channel of its account that it belongs to, the called one first.
        """
        for address, page in delivered.pages.items():
            targets = await self._targets(channel_id, connector, address)
            for target in targets:
                await self.take_in(target, page)

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

    async def report_trouble(self, channel_id: str, trouble: NetworkTrouble) -> None:
        detail = str(trouble)
        await self._database.write(lambda k: intake.report_health(k, channel_id, "trouble", detail))


def _belongs(post: Post, channel: ChannelWithAccount) -> bool:
    row = channel.channel
    return belongs(post, handles=row["handles"], keywords=row["keywords"])


def _tells_nothing_new(page: Page, channel: ChannelWithAccount) -> bool:
    """Spare the database a write at every poll of a silent network."""
    row = channel.channel
    return page.cursor in (None, row["cursor"]) and row["health"] == "ok"

"""Mastodon: mentions, direct posts and hashtags in, by poll or stream; answers under one key.

Written from https://docs.joinmastodon.org/methods/ (4.5); what speaks its API speaks with us.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import ClassVar

import httpx

from connectors.base import BaseConnector
from connectors.guard import STRICT, Guard
from connectors.mastodon.calls import KEPT_FOR_REPLIES_PERCENT, MastodonCalls
from connectors.mastodon.reading import MastodonReading, Roots
from connectors.mastodon.replies import MastodonReplies, is_key_forgotten
from connectors.mastodon.stream import MastodonStream
from connectors.mastodon.wire import status_id_of
from conversations.capabilities import (
    Allowance,
    Capabilities,
    CountingUnit,
    Delivery,
    LengthRule,
)
from conversations.connector import Setting
from conversations.model import Instant, Visibility
from conversations.networks import Account, ListenedChannel, Page
from conversations.replies import Outcome, ReadBack, Reply

LONGEST_NAME = 32
"""Room for the customer's name before every answer: `@`, 30 characters, a blank."""

_CALLS = "calls"
_ALLOWANCE = Allowance(_CALLS, 300, 300, KEPT_FOR_REPLIES_PERCENT)


class MastodonConnector(BaseConnector):
    """Speaks with any instance; a reply's id is its idempotency key there, for an hour."""

    network: ClassVar[str] = "mastodon"
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting("url", "the instance, for example https://mastodon.social"),
        Setting("delivery", "poll (the default) or stream", is_required=False),
        Setting(
            "reply_visibility",
            "public (the default) or unlisted, which keeps answers out of public timelines",
            is_required=False,
        ),
        Setting(
            "max_characters", "when the instance takes other lengths than 500", is_required=False
        ),
        Setting("access_token", "of an application with read and write", is_secret=True),
    )

    def __init__(self, client: httpx.AsyncClient, guard: Guard = STRICT) -> None:
        super().__init__(client, guard)
        self._calls = MastodonCalls(client)
        self._roots = Roots(self._calls)
        self._reading = MastodonReading(self._calls, self._roots)
        self._streaming = MastodonStream(client, self._calls, self._roots)
        self._replies = MastodonReplies(self._calls)

    def capabilities(self, account: Account) -> Capabilities:
        """Return Mastodon's usual limits until the instance has told its own."""
        known = self._calls.known(account)
        told = account.settings.get("max_characters")
        most = told if type(told) is int and told > LONGEST_NAME else known.most_characters
        return Capabilities(
            deliveries=frozenset({Delivery.POLL, Delivery.STREAM}),
            visibilities=frozenset(Visibility),
            may_initiate_private=True,
            length=LengthRule(
                CountingUnit.MASTODON, max(1, most - LONGEST_NAME), known.link_length
            ),
            attachments=known.attachments,
            can_edit=True,
            can_delete=True,
            has_idempotency=True,
            read_back=ReadBack.RECEIVER_DEDUPLICATES,
            allowances=(_ALLOWANCE,),
            poll_allowance=_CALLS,
            public_reply_allowance=_CALLS,
            private_reply_allowance=_CALLS,
        )

    async def fetch(self, channel: ListenedChannel) -> Page:
        """Return what is new.

        Raises:
            NetworkTrouble: the instance did not answer, or refused the token.
        """
        return await self._reading.page(channel)

    async def stream(self, channel: ListenedChannel) -> AsyncGenerator[Page, None]:
        """Yield what comes, with edits and deletions.

        Raises:
            NetworkTrouble: a line broke, or could not be opened.
        """
        async with aclosing(self._streaming.pages(channel)) as pages:
            async for page in pages:
                yield page

    def read_back(self, account: Account, reply: Reply, now: Instant) -> ReadBack:
        """Let the network fold attempts while it surely knows the key; look for it later."""
        del account
        if is_key_forgotten(reply, now):
            return ReadBack.LOOK_UP
        return ReadBack.RECEIVER_DEDUPLICATES

    async def publish(self, account: Account, reply: Reply) -> Outcome:
        outcome = await self._replies.publish(account, reply)
        if outcome.external_id is not None:
            root_id = reply.thread_root or status_id_of(reply.in_reply_to) or outcome.external_id
            self._roots.remember(account, outcome.external_id, root_id)
        return outcome

    async def look_up(self, account: Account, reply: Reply) -> Outcome:
        return await self._replies.look_up(account, reply)

    async def edit(self, account: Account, reply: Reply, text: str) -> Outcome:
        return await self._replies.edit(account, reply, text)

    async def delete(self, account: Account, reply: Reply) -> Outcome:
        return await self._replies.delete(account, reply)

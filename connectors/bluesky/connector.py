"""Bluesky: mentions, replies, quotes and direct messages in; answers as records that never change.

Written from the lexicons of https://github.com/bluesky-social/atproto.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import ClassVar

import httpx

from connectors.base import BaseConnector
from connectors.bluesky.calls import BlueskyCalls
from connectors.bluesky.chat import BlueskyChat, ChatPage
from connectors.bluesky.pictures import PICTURES
from connectors.bluesky.reading import BlueskyReading
from connectors.bluesky.replies import BlueskyReplies
from connectors.bluesky.stream import BlueskyStream
from connectors.guard import STRICT, Guard
from connectors.patience import Busy
from conversations.attachments import NO_ATTACHMENTS
from conversations.capabilities import (
    Allowance,
    Capabilities,
    CountingUnit,
    Delivery,
    LengthRule,
)
from conversations.connector import Setting
from conversations.model import Post, Unreadable, Visibility
from conversations.networks import Account, ListenedChannel, Page
from conversations.replies import Outcome, ReadBack, Reply

_CALLS, _WRITES = "calls", "writes"
_ALLOWANCES = (
    Allowance(_CALLS, 3_000, 300, 20),
    Allowance(_WRITES, 1_666, 3_600),  # 5,000 points an hour, three for each record
)


class BlueskyConnector(BaseConnector):
    """Speaks with any PDS; a reply's record key follows from its id and time."""

    network: ClassVar[str] = "bluesky"
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting("handle", "the account's name, for example acme.bsky.social"),
        Setting("url", "its server, when that is not bsky.social's", is_required=False),
        Setting("delivery", "poll (the default) or stream", is_required=False),
        Setting(
            "direct_messages",
            "true when the app password may read and send direct messages",
            is_required=False,
        ),
        Setting("jetstream_url", "where the stream is, when not Bluesky's own", is_required=False),
        Setting("app_password", "made for Parley in the account's settings", is_secret=True),
    )

    def __init__(self, client: httpx.AsyncClient, guard: Guard = STRICT) -> None:
        super().__init__(client, guard)
        self._calls = BlueskyCalls(client)
        self._reading = BlueskyReading(self._calls)
        self._chat = BlueskyChat(self._calls)
        self._streaming = BlueskyStream(self._calls, guard)
        self._replies = BlueskyReplies(self._calls)

    def capabilities(self, account: Account) -> Capabilities:
        has_chat = _has_chat(account)
        public = frozenset({Visibility.PUBLIC})
        return Capabilities(
            deliveries=frozenset({Delivery.POLL, Delivery.STREAM}),
            visibilities=frozenset(Visibility) if has_chat else public,
            may_initiate_private=has_chat,
            length=LengthRule(CountingUnit.GRAPHEMES, 300, most_bytes=3_000),
            private_length=LengthRule(CountingUnit.GRAPHEMES, 1_000, most_bytes=10_000),
            attachments=PICTURES,
            private_attachments=NO_ATTACHMENTS,
            can_delete=True,
            can_change_private=False,
            has_idempotency=True,
            read_back=ReadBack.LOOK_UP,
            allowances=_ALLOWANCES,
            poll_allowance=_CALLS,
            public_reply_allowance=_WRITES,
            private_reply_allowance=_CALLS,
        )

    async def fetch(self, channel: ListenedChannel) -> Page:
        """Return what is new, public and private.

        Raises:
            NetworkTrouble: the network did not answer, or refused the app password.
        """
        public, _, private = (channel.cursor or "").partition("|")
        try:
            pieces, position, goes_on = await self._reading.pieces(channel, public)
            chat = ChatPage(private)
            if _has_chat(channel.account):
                chat = await self._chat.page(channel, private)
            posts = [piece.what for piece in pieces if isinstance(piece.what, Post)]
            posts = await self._calls.named(channel.account, [*posts, *chat.posts])
        except Busy as busy:
            return Page(retry_after_s=busy.retry_after_s)
        self._streaming.remember(channel.account, posts)
        unreadable = [piece.what for piece in pieces if isinstance(piece.what, Unreadable)]
        return Page(
            posts=sorted(posts, key=lambda post: (post.created_at, post.external_id)),
            unreadable=[*unreadable, *chat.unreadable],
            changes=chat.changes,
            cursor=f"{position.text}|{chat.revision}",
            goes_on=goes_on or chat.goes_on,
        )

    async def stream(self, channel: ListenedChannel) -> AsyncGenerator[Page, None]:
        """Yield what comes over Jetstream, with edits and deletions.

        Raises:
            NetworkTrouble: the line broke, or could not be opened.
        """
        async with aclosing(self._streaming.pages(channel)) as pages:
            async for page in pages:
                yield page

    async def publish(self, account: Account, reply: Reply) -> Outcome:
        return await self._replies.publish(account, reply)

    async def look_up(self, account: Account, reply: Reply) -> Outcome:
        return await self._replies.look_up(account, reply)

    async def delete(self, account: Account, reply: Reply) -> Outcome:
        return await self._replies.delete(account, reply)


def _has_chat(account: Account) -> bool:
    return account.settings.get("direct_messages") in (True, "true", "yes", "on")

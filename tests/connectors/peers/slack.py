"""The Slack of `emulate`, behind the fault proxy; it pushes no events."""

import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from connectors.slack.connector import SlackConnector
from connectors.slack.wire import html_free, joined_id, split_id
from conversations.model import Visibility
from conversations.networks import Account
from tests.connectors.fault_proxy import FaultProxy
from tests.connectors.loopback import loopback_client
from tests.connectors.peer import Peer, Published
from tests.peers import emulate

CARE, CUSTOMER = "care", "customer_1"
TOKENS = 40
SAID_WITH_ONE = 10
"""The server lets a token make 5,000 calls an hour; asking for a channel's threads takes many."""

SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


@dataclass
class SlackPeer:
    connector: SlackConnector
    account: Account
    proxy: FaultProxy
    server: httpx.AsyncClient
    chats: dict[Visibility, str]
    said: Iterator[int] = field(default_factory=itertools.count)
    turn: int = 0

    def change_tokens(self) -> None:
        self.turn = next(self.said) // SAID_WITH_ONE % TOKENS
        self.account.credentials["bot_token"] = token_of(CARE, self.turn)

    async def calls(self, user: str, method: str, **form: Any) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {token_of(user, self.turn)}"}
        answer = await self.server.post(f"/api/{method}", data=form, headers=headers)
        result: dict[str, Any] = answer.raise_for_status().json()
        assert result["ok"], result
        return result

    async def customer_says(
        self, text: str, *, visibility: Visibility = Visibility.PUBLIC, to: str | None = None
    ) -> str:
        self.change_tokens()
        place = split_id(to)
        chat = place[0] if place else self.chats[visibility]
        thread = {"thread_ts": place[1]} if place else {}
        said = await self.calls(CUSTOMER, "chat.postMessage", channel=chat, text=text, **thread)
        return joined_id(chat, said["ts"])

    async def published(self) -> Sequence[Published]:
        us = self.account.settings["bot_user_id"]
        return [
            Published(joined_id(chat, one["ts"]), html_free(one["text"]), seen_by)
            for seen_by, chat in self.chats.items()
            for one in await self._all(chat)
            if one["user"] == us
        ]

    async def _all(self, chat: str) -> list[dict[str, Any]]:
        """Return what is in the channel and below its messages."""
        listed = await self.calls(CARE, "conversations.history", channel=chat, limit=1_000)
        found = list(listed["messages"])
        for root in listed["messages"]:
            if root.get("reply_count"):
                thread = {"channel": chat, "ts": root["ts"]}
                answers = await self.calls(CARE, "conversations.replies", **thread)
                found += [one for one in answers["messages"] if one["ts"] != root["ts"]]
        return found

    def is_publishing(self, method: str, path: str) -> bool:
        return (method, path) == ("POST", "/api/chat.postMessage")


def token_of(user: str, turn: int) -> str:
    return f"xoxb-{user}-{turn}"


SEED = {
    "team": {"name": "Care", "domain": "care"},
    "users": [
        {"name": "care", "real_name": "Care", "email": "care@example.com"},
        {"name": "customer_1", "real_name": "Customer One", "email": "customer_1@example.com"},
    ],
    "channels": [{"name": "support"}],
    "tokens": [
        {"token": token_of(user, turn), "user": user, "scopes": ["chat:write"]}
        for user in (CARE, CUSTOMER)
        for turn in range(TOKENS)
    ],
}


@asynccontextmanager
async def peer(folder: Path) -> AsyncIterator[Peer]:
    """Start the server with a channel, and a direct message between the customer and the brand."""
    with emulate.running(folder, "slack", SEED) as url:
        proxy = FaultProxy(url)
        direct = httpx.AsyncClient(base_url=url, trust_env=False, timeout=30)
        with proxy.running():
            async with loopback_client() as client, direct as server:
                account = Account(
                    "ac-1", "slack", {"url": proxy.url}, {"bot_token": token_of(CARE, 0)}
                )
                one = SlackPeer(SlackConnector(client), account, proxy, server, {})
                us = (await one.calls(CARE, "auth.test"))["user_id"]
                account.settings["bot_user_id"] = us
                listed = await one.calls(CARE, "conversations.list")
                (support,) = [c["id"] for c in listed["channels"] if c["name"] == "support"]
                opened = await one.calls(CUSTOMER, "conversations.open", users=us)
                account.settings["channel_ids"] = [support, opened["channel"]["id"]]
                one.chats[Visibility.PUBLIC] = support
                one.chats[Visibility.PRIVATE] = opened["channel"]["id"]
                proxy.hits = one.is_publishing
                yield one

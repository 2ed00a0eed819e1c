"""The simulated network's own server, behind the fault proxy."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from connectors.simulated import SimulatedConnector
from conversations.model import Visibility
from conversations.networks import Account
from tests.connectors.fault_proxy import FaultProxy
from tests.connectors.loopback import loopback_client
from tests.connectors.peer import Peer, Published, ShownFile
from tests.simulated_network.network import TOKEN, Network


@dataclass
class SimulatedPeer:
    connector: SimulatedConnector
    account: Account
    proxy: FaultProxy
    network: Network

    async def customer_says(
        self, text: str, *, visibility: Visibility = Visibility.PUBLIC, to: str | None = None
    ) -> str:
        more = {"reply_to": to} if to else {}
        if visibility is Visibility.PRIVATE:
            more |= {"visibility": "private", "to": "acme"}
        post = self.network.says("customer_1", f"@acme {text}", **more)
        return str(post["id"])

    async def published(self) -> Sequence[Published]:
        ledger = self.network.made("GET", "/control/ledger")
        posts = [post for post in ledger["posts"] if post["id"] not in ledger["deleted"]]
        return [
            Published(
                p["id"], p["text"], Visibility(p["visibility"]), p.get("reply_to"), self._files(p)
            )
            for p in posts
            if p["author"]["kind"] == "account"
        ]

    def _files(self, post: dict[str, Any]) -> tuple[ShownFile, ...]:
        shown = []
        for one in post["media"]:
            answer = httpx.get(self.network.url + httpx.URL(one["url"]).path, trust_env=False)
            kind = answer.headers["content-type"]
            shown.append(ShownFile(kind, answer.content, one["alt_text"]))
        return tuple(shown)

    def is_publishing(self, method: str, path: str) -> bool:
        return (method, path) == ("POST", "/api/posts")


@asynccontextmanager
async def peer(folder: Path) -> AsyncIterator[Peer]:
    """Start the server with the account @acme."""
    network = Network(folder)
    network.start()
    try:
        network.account()
        proxy = FaultProxy(network.url)
        settings = {"url": proxy.url, "handle": "acme"}
        account = Account("ac-1", "simulated", settings, {"token": TOKEN})
        with proxy.running():
            async with loopback_client() as client:
                one = SimulatedPeer(SimulatedConnector(client), account, proxy, network)
                proxy.hits = one.is_publishing
                yield one
    finally:
        network.stop()

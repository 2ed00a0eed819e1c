"""Bluesky's own PDS and AppView, behind the fault proxy; direct messages are not in them."""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from connectors.bluesky.connector import BlueskyConnector
from connectors.bluesky.wire import POST
from connectors.fields import rfc_3339
from conversations.model import Visibility
from conversations.networks import Account
from tests.connectors.delivering import now_ms
from tests.connectors.fault_proxy import FaultProxy
from tests.connectors.loopback import loopback_client
from tests.connectors.peer import Peer, Published, ShownFile
from tests.peers.bluesky import running

PASSWORD = "password-of-the-test"


@dataclass
class Repository:
    """Somebody's account on the server, beside the connector and the proxy."""

    client: httpx.AsyncClient
    did: str
    handle: str
    token: str

    @classmethod
    async def sign_up(cls, url: str, name: str) -> "Repository":
        client = httpx.AsyncClient(base_url=f"{url}/xrpc/", timeout=30, trust_env=False)
        handle = f"{name}{secrets.token_hex(3)}.test"
        body = {"handle": handle, "email": f"{name}@{handle}", "password": PASSWORD}
        made = await client.post("com.atproto.server.createAccount", json=body)
        told = made.raise_for_status().json()
        return cls(client, told["did"], handle, told["accessJwt"])

    async def call(self, method: str, name: str, **what: Any) -> Any:
        headers = {"authorization": f"Bearer {self.token}"}
        answer = await self.client.request(method, name, headers=headers, **what)
        return answer.raise_for_status().json()

    async def write(self, record: dict[str, Any]) -> dict[str, Any]:
        body = {"repo": self.did, "collection": POST, "record": {"$type": POST, **record}}
        return dict(await self.call("POST", "com.atproto.repo.createRecord", json=body))


@dataclass
class BlueskyNetworkPeer:
    connector: BlueskyConnector
    account: Account
    proxy: FaultProxy
    brand: Repository
    customer: Repository

    async def customer_says(
        self, text: str, *, visibility: Visibility = Visibility.PUBLIC, to: str | None = None
    ) -> str:
        name = f"@{self.brand.handle}"
        mention = {"$type": "app.bsky.richtext.facet#mention", "did": self.brand.did}
        index = {"byteStart": 0, "byteEnd": len(name)}
        record: dict[str, Any] = {
            "text": f"{name} {text}",
            "createdAt": rfc_3339(now_ms()),
            "facets": [{"index": index, "features": [mention]}],
        }
        if to is not None:
            page = await self.customer.call("GET", "app.bsky.feed.getPosts", params={"uris": [to]})
            parent = {k: page["posts"][0][k] for k in ("uri", "cid")}
            root = page["posts"][0]["record"].get("reply", {}).get("root", parent)
            record["reply"] = {"root": root, "parent": parent}
        return str((await self.customer.write(record))["uri"])

    async def published(self) -> Sequence[Published]:
        found: list[Published] = []
        cursor: dict[str, str] = {}
        while True:
            params = {"repo": self.brand.did, "collection": POST, "limit": 100, **cursor}
            page = await self.brand.call("GET", "com.atproto.repo.listRecords", params=params)
            found += [
                Published(
                    one["uri"],
                    one["value"]["text"],
                    in_reply_to=one["value"].get("reply", {}).get("parent", {}).get("uri"),
                    files=await self._files(one["value"]),
                )
                for one in page["records"]
            ]
            if not page.get("cursor"):
                return found
            cursor = {"cursor": page["cursor"]}

    async def _files(self, record: dict[str, Any]) -> tuple[ShownFile, ...]:
        shown = []
        for one in record.get("embed", {}).get("images", []):
            params = {"did": self.brand.did, "cid": one["image"]["ref"]["$link"]}
            blob = await self.brand.client.get("com.atproto.sync.getBlob", params=params)
            kind = blob.raise_for_status().headers["content-type"]
            shown.append(ShownFile(kind, blob.content, one["alt"]))
        return tuple(shown)

    def is_publishing(self, method: str, path: str) -> bool:
        return (method, path) == ("POST", "/xrpc/com.atproto.repo.putRecord")


@asynccontextmanager
async def peer(folder: Path) -> AsyncIterator[Peer]:
    """Start the whole network with a brand and a customer on it."""
    async with AsyncExitStack() as stack:
        url = stack.enter_context(running(folder))
        brand = await Repository.sign_up(url, "acme")
        stack.push_async_callback(brand.client.aclose)
        customer = await Repository.sign_up(url, "ana")
        stack.push_async_callback(customer.client.aclose)
        proxy = stack.enter_context(FaultProxy(url).running())
        settings = {"url": proxy.url, "handle": brand.handle}
        account = Account("ac-1", "bluesky", settings, {"app_password": PASSWORD})
        client = await stack.enter_async_context(loopback_client())
        one = BlueskyNetworkPeer(BlueskyConnector(client), account, proxy, brand, customer)
        proxy.hits = one.is_publishing
        yield one

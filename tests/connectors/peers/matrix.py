"""Synapse with a customer and the brand, in a room of two and in one of everybody."""

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from connectors.matrix.calls import joined_id, split_id
from connectors.matrix.connector import MatrixConnector
from conversations.model import Visibility
from conversations.networks import Account
from tests.connectors.fault_proxy import FaultProxy
from tests.connectors.loopback import loopback_client
from tests.connectors.peer import Peer, Published, ShownFile
from tests.peers import synapse

CLIENT = "/_matrix/client/v3"


@dataclass
class User:
    """Somebody who is logged in to the server beside the connector and the proxy."""

    id: str
    token: str
    server: httpx.AsyncClient

    async def calls(self, method: str, path: str, **what: Any) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self.token}"}
        answer = await self.server.request(method, CLIENT + path, headers=headers, **what)
        result: dict[str, Any] = answer.raise_for_status().json()
        return result

    async def sends(self, room: str, content: dict[str, Any], kind: str = "m.room.message") -> str:
        path = f"/rooms/{quote(room)}/send/{kind}/{uuid.uuid4().hex}"
        return str((await self.calls("PUT", path, json=content))["event_id"])

    async def opens(self, **how: Any) -> str:
        return str((await self.calls("POST", "/createRoom", json=how))["room_id"])


@dataclass
class MatrixPeer:
    connector: MatrixConnector
    account: Account
    proxy: FaultProxy
    customer: User
    brand: User
    rooms: dict[Visibility, str]

    async def customer_says(
        self, text: str, *, visibility: Visibility = Visibility.PUBLIC, to: str | None = None
    ) -> str:
        place = split_id(to)
        content: dict[str, Any] = {"msgtype": "m.text", "body": text}
        if place is not None:
            content["m.relates_to"] = {"m.in_reply_to": {"event_id": place[1]}}
        room = place[0] if place else self.rooms[visibility]
        return joined_id(room, await self.customer.sends(room, content))

    async def published(self) -> Sequence[Published]:
        return [
            one for seen_by, room in self.rooms.items() for one in await self._said(room, seen_by)
        ]

    async def _said(self, room: str, seen_by: Visibility) -> list[Published]:
        """Return what the brand's messages say now."""
        kinds = '{"types":["m.room.message"]}'
        params = {"dir": "b", "limit": "1000", "filter": kinds}
        path = f"/rooms/{quote(room)}/messages"
        said = (await self.customer.calls("GET", path, params=params))["chunk"]
        mine = [one for one in said if one["sender"] == self.brand.id and "body" in one["content"]]
        news: dict[str, str] = {}
        for one in mine:
            relation = one["content"].get("m.relates_to", {})
            if relation.get("rel_type") == "m.replace":
                news.setdefault(relation["event_id"], one["content"]["m.new_content"]["body"])
        return [
            _published(room, one, news, seen_by, await self._files(one["content"]))
            for one in mine
            if one["content"].get("m.relates_to", {}).get("rel_type") != "m.replace"
        ]

    async def _files(self, content: dict[str, Any]) -> tuple[ShownFile, ...]:
        if "url" not in content:
            return ()
        path = f"/_matrix/client/v1/media/download/{content['url'].removeprefix('mxc://')}"
        headers = {"authorization": f"Bearer {self.customer.token}"}
        answer = await self.customer.server.get(path, headers=headers)
        kind = answer.raise_for_status().headers["content-type"]
        return (ShownFile(kind, answer.content),)

    def is_publishing(self, method: str, path: str) -> bool:
        return method == "PUT" and "/send/m.room.message/" in path


def _published(
    room: str,
    event: dict[str, Any],
    news: dict[str, str],
    seen_by: Visibility,
    files: tuple[ShownFile, ...],
) -> Published:
    relation = event["content"].get("m.relates_to", {})
    answered = relation.get("m.in_reply_to", {}).get("event_id")
    text = news.get(event["event_id"], event["content"]["body"])
    in_reply_to = joined_id(room, answered) if answered else None
    return Published(joined_id(room, event["event_id"]), text, seen_by, in_reply_to, files)


async def _logged_in(server: httpx.AsyncClient, user: str) -> User:
    who = {"type": "m.id.user", "user": user}
    body = {"type": "m.login.password", "password": f"{user}-pw", "identifier": who}
    answer = (await server.post(f"{CLIENT}/login", json=body)).raise_for_status().json()
    return User(answer["user_id"], answer["access_token"], server)


@asynccontextmanager
async def peer(folder: Path) -> AsyncIterator[Peer]:
    """Start the server; the connector itself accepts the customer's invitation."""
    with synapse.running(folder, ("care", "customer_1")) as url:
        proxy = FaultProxy(url)
        direct = httpx.AsyncClient(base_url=url, trust_env=False, timeout=60)
        with proxy.running():
            async with loopback_client() as client, direct as server:
                brand, customer = [await _logged_in(server, n) for n in ("care", "customer_1")]
                everybody = await customer.opens(preset="public_chat", name="Kettle forum")
                await brand.calls("POST", f"/join/{quote(everybody)}")
                two = await customer.opens(
                    is_direct=True, invite=[brand.id], preset="trusted_private_chat"
                )
                rooms = {Visibility.PUBLIC: everybody, Visibility.PRIVATE: two}
                settings = {"url": proxy.url, "user_id": brand.id}
                account = Account("ac-1", "matrix", settings, {"access_token": brand.token})
                connector = MatrixConnector(client)
                one = MatrixPeer(connector, account, proxy, customer, brand, rooms)
                proxy.hits = one.is_publishing
                yield one

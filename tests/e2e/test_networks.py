"""The whole of Parley on each network: a post comes, an agent answers, it is there once."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from conversations.replies import ReadBack
from tests.connectors.delivering import hears, said, unique, visibilities
from tests.connectors.fault_proxy import Fault
from tests.connectors.opened import opened_peer, speaks
from tests.connectors.peer import Peer
from tests.e2e.running import Caller, Json, Running, eventually

__all__ = ["opened_peer"]

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

ARRIVES_WITHIN_S = 60


@pytest.fixture(scope="module")
def parley(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(tmp_path_factory.mktemp("parley")).start()
    yield running
    running.stop()


class Brand:
    """The peer's account set up in Parley, with a channel and an agent who takes everything."""

    def __init__(self, parley: Running, peer: Peer) -> None:
        self.admin, name = parley.admin, unique(peer.account.network).replace(" ", "_")
        workgroup = self._made("/workgroups", name, {"offer_timeout_s": 120})
        account = self._made(
            "/accounts",
            name,
            {
                "network": peer.account.network,
                "settings": peer.account.settings,
                "credentials": peer.account.credentials,
            },
        )
        self.channel = self._made(
            "/channels",
            name,
            {
                "account_id": account["id"],
                "workgroup_id": workgroup["id"],
                "poll_interval_ms": 300,
            },
        )
        agent = self.admin.ok(
            "POST",
            "/agents",
            {
                "username": name,
                "name": name,
                "workgroups": [workgroup["id"]],
                "presence_lease": False,
            },
        )
        key = self.admin.ok("POST", f"/agents/{agent['id']}/keys", {})["key"]
        self.agent = Caller(parley, key)
        self.agent.ok("PUT", "/agents/me/status", {"routing_status": "on_queue"})

    def _made(self, path: str, name: str, body: Json) -> Any:
        return self.admin.ok("POST", path, {"name": name, **body})

    def takes(self, words: str) -> str:
        """Pick the conversation with these words up as soon as it is offered; return its path."""

        def offered() -> str | None:
            query = f"?channel_id={self.channel['id']}&state=alerting"
            for one in self.admin.ok("GET", f"/conversations{query}")["items"]:
                path = f"/conversations/{one['id']}"
                told = self.admin.ok("GET", f"{path}/timeline")["items"]
                if any(words in e["post"]["text"] for e in told if e["kind"] == "post"):
                    return path
            return None

        path: str = eventually(offered, "the post is offered", ARRIVES_WITHIN_S)
        self.agent.ok("POST", f"{path}/pickup", {})
        return path

    def answers(self, path: str, text: str) -> str:
        """Answer and wait until the network has said what became of it; return the state."""
        reply = self.agent.ok("POST", f"{path}/replies", {"text": text})

        def settled() -> str | None:
            state: str = self.admin.ok("GET", f"/replies/{reply['id']}")["state"]
            return state if state in {"sent", "rejected", "needs_human"} else None

        found: str = eventually(settled, "the reply is settled", ARRIVES_WITHIN_S)
        return found

    def is_healthy(self) -> bool:
        path = f"/channels/{self.channel['id']}"
        return bool(self.admin.ok("GET", path)["health"] == "healthy")


async def test_a_post_is_answered_once_through_a_fault(parley: Running, opened: Peer) -> None:
    if not hears(opened):
        pytest.skip(f"nothing can be asked for on {opened.account.network}")
    words, answer = unique("where is my parcel?"), unique("on its way")
    brand = await asyncio.to_thread(Brand, parley, opened)

    await opened.customer_says(words, visibility=visibilities(opened)[0])
    path = await asyncio.to_thread(brand.takes, words)
    if not speaks(opened):
        return
    opened.proxy.plan(Fault.ACCEPTED_THEN_RESET)
    state = await asyncio.to_thread(brand.answers, path, answer)

    read_back = opened.connector.capabilities(opened.account).read_back
    assert state == ("needs_human" if read_back is ReadBack.IMPOSSIBLE else "sent")
    assert len(await said(opened, answer)) == 1

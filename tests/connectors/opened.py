"""Each network's server, started once for the tests of a module."""

import importlib
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from conversations.capabilities import ReplyDepth
from tests.connectors.peer import Peer
from tests.peers.base import NotInstalled

PEERS = sorted(path.stem for path in (Path(__file__).parent / "peers").glob("*.py"))
SLOW = frozenset({"bluesky_network"})
"""Peers that only `make test-peers` starts."""


def named(*names: str) -> list[object]:
    """Return peers as parameters; slow ones say so."""
    return [pytest.param(name, marks=[pytest.mark.peers] if name in SLOW else []) for name in names]


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="opened", params=named(*PEERS))
async def opened_peer(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Peer]:
    """Start a network's server; one that is not installed is named, never passed over silently."""
    module = importlib.import_module(f"tests.connectors.peers.{request.param}")
    async with AsyncExitStack() as stack:
        try:
            folder = tmp_path_factory.mktemp(request.param)
            peer = await stack.enter_async_context(module.peer(folder))
        except NotInstalled as reason:
            if os.environ.get("PARLEY_PEERS") == "required":
                raise
            pytest.skip(f"{request.param} is not installed: {reason}")
        yield peer


def speaks(peer: Peer) -> bool:
    """Whether one can answer on the network."""
    return peer.connector.capabilities(peer.account).reply_depth is not ReplyDepth.NONE

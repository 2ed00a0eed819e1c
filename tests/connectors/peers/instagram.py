"""A fake Graph API with an Instagram account, behind the fault proxy."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from connectors.instagram.connector import InstagramConnector
from tests.connectors.meta.graph_peer import TOKEN, graph_peer
from tests.connectors.peer import Peer
from tests.fakes.graph_ledger import GraphLedger


@asynccontextmanager
async def peer(folder: Path) -> AsyncIterator[Peer]:
    """Serve an account that published a picture, and a customer of it."""
    del folder
    ledger = GraphLedger()
    place = ledger.place("acme", TOKEN, "instagram")
    named = {"instagram_id": place.id, "username": "acme"}
    async with graph_peer(InstagramConnector, ledger, place, **named) as one:
        yield one

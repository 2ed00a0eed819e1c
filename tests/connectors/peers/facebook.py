"""A fake Graph API with a page, behind the fault proxy."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from connectors.facebook.connector import FacebookConnector
from tests.connectors.meta.graph_peer import TOKEN, graph_peer
from tests.connectors.peer import Peer
from tests.fakes.graph_ledger import GraphLedger


@asynccontextmanager
async def peer(folder: Path) -> AsyncIterator[Peer]:
    """Serve a page that published something, and a customer of it."""
    del folder
    ledger = GraphLedger()
    page = ledger.place("Acme", TOKEN)
    async with graph_peer(FacebookConnector, ledger, page, page_id=page.id) as one:
        yield one

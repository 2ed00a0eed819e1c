"""A small server of feeds, behind the fault proxy."""

import hashlib
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.feed.connector import FeedConnector
from connectors.fields import rfc_3339
from conversations.model import Visibility
from conversations.networks import Account
from tests.connectors.delivering import now_ms
from tests.connectors.fault_proxy import FaultProxy
from tests.connectors.loopback import loopback_client
from tests.connectors.peer import Peer, Published
from tests.fakes.served import served

ATOM = 'xmlns="http://www.w3.org/2005/Atom"'


@dataclass
class FeedServer:
    """Serves what it is given, with an ETag as servers of files do."""

    documents: dict[str, bytes] = field(default_factory=dict)
    entries: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{name}", self._serve)])

    async def _serve(self, request: Request) -> Response:
        self.asked.append(dict(request.headers))
        name = request.path_params["name"]
        body = self.documents.get(name) or self._written().encode()
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        headers = {"etag": etag, **self.headers}
        is_known = request.headers.get("if-none-match") == etag
        status = 304 if is_known else 200
        self.statuses.append(status)
        return Response(b"" if is_known else body, status, headers, "application/atom+xml")

    def _written(self) -> str:
        newest_first = "".join(reversed(self.entries))
        return f"<feed {ATOM}><title>Blog</title>{newest_first}</feed>"

    def write(self, text: str) -> str:
        """Add an entry, and return its id."""
        entry_id = f"urn:uuid:{uuid.uuid4()}"
        self.entries.append(
            f"<entry><id>{entry_id}</id><title>Word</title><updated>{rfc_3339(now_ms())}</updated>"
            f"<author><name>ana</name></author><content>{escape(text)}</content></entry>"
        )
        return entry_id


@dataclass
class FeedPeer:
    connector: FeedConnector
    account: Account
    proxy: FaultProxy
    server: FeedServer

    async def customer_says(
        self, text: str, *, visibility: Visibility = Visibility.PUBLIC, to: str | None = None
    ) -> str:
        return self.server.write(text)

    async def published(self) -> Sequence[Published]:
        return []

    def is_publishing(self, method: str, path: str) -> bool:
        return False


@asynccontextmanager
async def peer(folder: Path) -> AsyncIterator[Peer]:
    """Start the server with an empty feed."""
    del folder
    server = FeedServer()
    with served(server.app) as url:
        proxy = FaultProxy(url)
        with proxy.running():
            settings = {"url": f"{proxy.url}/feed", "username": "parley"}
            account = Account("ac-1", "feed", settings, {"password": "feed-password"})
            async with loopback_client() as client:
                yield FeedPeer(FeedConnector(client), account, proxy, server)

"""A fake X, and a connector that may call it."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from connectors.x.connector import XConnector
from tests.connectors.loopback import loopback_client
from tests.connectors.x.account import running_fake
from tests.fakes.x import FakeX


@pytest.fixture
def fake() -> Iterator[FakeX]:
    with running_fake() as one:
        yield one


@pytest_asyncio.fixture
async def x() -> AsyncIterator[XConnector]:
    async with loopback_client() as client:
        yield XConnector(client)

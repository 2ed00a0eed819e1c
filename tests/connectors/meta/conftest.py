"""One account of each of Meta's networks, with the fake Graph API behind it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.connectors.meta.world import World, world


@pytest_asyncio.fixture(name="brand", params=["messenger", "instagram"])
async def a_brand(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with world(request.param) as one:
        yield one


@pytest_asyncio.fixture(name="page")
async def a_page() -> AsyncIterator[World]:
    async with world("messenger") as one:
        yield one


@pytest_asyncio.fixture(name="account")
async def an_account() -> AsyncIterator[World]:
    async with world("instagram") as one:
        yield one

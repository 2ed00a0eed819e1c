"""The application behind a real server: streams need one."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest_asyncio
import uvicorn

from api.main import create_app
from settings import Settings
from tests.api.conftest import ADMIN_KEY, Caller, Floor
from tests.ports import free_port


@dataclass
class Served:
    url: str
    floor: Floor


@pytest_asyncio.fixture
async def served(settings: Settings) -> AsyncIterator[Served]:
    port = free_port()
    config = uvicorn.Config(
        create_app(settings), port=port, log_level="error", timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells it so
        await asyncio.sleep(0.02)
    url = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=url) as http:
        yield Served(url, await Floor(Caller(http, ADMIN_KEY)).set_up())
    server.should_exit = True
    await serving

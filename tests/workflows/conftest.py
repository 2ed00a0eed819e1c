"""A worker on a real Temporal dev server, workflows sandboxed, and a floor beside it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr
from temporalio.client import Client, WorkflowHandle

from settings import Settings, WorkerSettings
from tests.floor import Floor
from tests.receiver import Receiver
from worker import QUEUES, Parts, opened, workers
from workflows.addresses import conversation_workflow_id


@dataclass
class World:
    """What a test of the whole Temporal side stands in."""

    floor: Floor
    parts: Parts
    receiver: Receiver
    _stack: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)

    @property
    def client(self) -> Client:
        return self.parts.client

    def workflow(self, conversation_id: str) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(conversation_workflow_id(conversation_id))

    async def events(self, conversation_id: str) -> list[str]:
        """Return the kinds of the events in the workflow's history."""
        history = await self.workflow(conversation_id).fetch_history()
        return [
            str(event.WhichOneof("attributes")).removesuffix("_event_attributes")
            for event in history.events
        ]

    async def start_worker(self) -> None:
        await self._stack.enter_async_context(workers(self.parts, QUEUES))

    async def stop_worker(self) -> None:
        await self._stack.aclose()


async def eventually(probe: Callable[[], Awaitable[Any]], what: str, within_s: float = 15.0) -> Any:
    """Return the first truthy answer of the probe."""
    answer: Any = None
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            while True:
                answer = await probe()
                if answer:
                    return answer
                await asyncio.sleep(0.05)
    raise AssertionError(f"{what}: not within {within_s} s, last seen: {answer!r}")


@pytest_asyncio.fixture
async def world(
    temporal_address: str, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    """Open a world whose database lives by the real clock; what it leaves open is terminated."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)
    settings = Settings(
        secret_key=SecretStr("a secret of the tests, long enough"),
        database_url=SecretStr(sqlite_url),
        internal_targets=("127.0.0.0/8",),
        worker=WorkerSettings(sandbox=True, shutdown_grace_s=1),
    )
    receiver = Receiver()
    async with opened(settings) as parts:
        floor = Floor(parts.database, following=parts.following, settings=receiver.settings)
        made = World(floor, parts, receiver)
        await made.start_worker()
        yield made
        await made.stop_worker()
        async for left in parts.client.list_workflows('ExecutionStatus = "Running"'):
            with contextlib.suppress(Exception):
                await parts.client.get_workflow_handle(left.id).terminate()
    receiver.close()

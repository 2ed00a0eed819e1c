"""The bounds against a real dev server of the test's own."""

import asyncio
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from temporalio.client import Client

from bench.bounds import arrivals_per_s, bare_worker, connect, lifecycles_per_s
from bench.claims import on_sqlite
from bench.instance import free_ports
from operation.ports import LOOPBACK, accepts_connections
from operation.temporal_program import obtain_program
from operation.temporal_server import dev_server_command

pytestmark = pytest.mark.long


@pytest.fixture
async def address(tmp_path: Path) -> AsyncIterator[str]:
    _, port = free_ports()
    program = await asyncio.to_thread(obtain_program, lambda _: None)
    command = dev_server_command(program, database=tmp_path / "temporal.db", port=port)
    server = await asyncio.create_subprocess_exec(*command, stdout=DEVNULL, stderr=DEVNULL)
    try:
        while not await accepts_connections(port):  # noqa: ASYNC110 - it cannot tell us
            await asyncio.sleep(0.1)
        yield f"{LOOPBACK}:{port}"
    finally:
        server.terminate()
        await server.wait()


@pytest.fixture
async def client(address: str) -> Client:
    return await connect(address)


async def test_every_bare_workflow_runs_its_local_activity(address: str, client: Client) -> None:
    async with bare_worker(address) as worker:
        assert await arrivals_per_s(client, worker, 20, 8) > 0
        assert await arrivals_per_s(client, worker, 10, 8) > 0

        assert worker.touched == 30


async def test_a_bare_life_has_about_as_many_events_as_the_laboratory_found(
    address: str, client: Client
) -> None:
    async with bare_worker(address):
        rate, events = await lifecycles_per_s(client, 4, 2)

    assert rate > 0
    assert len(events) == 4
    assert all(35 <= found <= 55 for found in events)


async def test_the_bare_worker_leaves_when_it_is_left(address: str) -> None:
    async with bare_worker(address) as worker:
        assert psutil.pid_exists(worker.pid)

    assert not psutil.pid_exists(worker.pid)


async def test_all_waiting_conversations_are_claimed() -> None:
    assert await on_sqlite(agents=5) > 0

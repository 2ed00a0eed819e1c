"""The bounds: what the same Temporal server does for bare workflows, driven as Parley is."""

import asyncio
import itertools
import os
import sys
import time
import uuid
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter

from bench.bare import BARE_QUEUE, BareArrival, BareLifecycle

ROOT = Path(__file__).resolve().parent.parent
READY_WITHIN_S = 60.0
STOPS_WITHIN_S = 20.0
RPC_TIMEOUT = timedelta(seconds=30)


async def connect(address: str) -> Client:
    """Connect as Parley does, to the server that Parley uses."""
    return await Client.connect(address, data_converter=pydantic_data_converter)


class BareWorker:
    """A running process of `bench.bare_worker`."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._touched = 0
        self._changed = asyncio.Event()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def touched(self) -> int:
        """How many local activities have run since the process began."""
        return self._touched

    async def until_ready(self) -> None:
        async with asyncio.timeout(READY_WITHIN_S):
            line = await self._out.readline()
        if line.strip() != b"ready":
            raise RuntimeError("the bare worker ended before it was ready")

    async def listen(self) -> None:
        """Read what the process prints, to its end: an undrained pipe would block it."""
        async for line in self._out:
            self._touched = int(line)
            self._changed.set()

    async def until_touched(self, total: int) -> None:
        while self._touched < total:
            self._changed.clear()
            await self._changed.wait()

    async def stop(self) -> None:
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), STOPS_WITHIN_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    @property
    def _out(self) -> asyncio.StreamReader:
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        return self._process.stdout


@asynccontextmanager
async def bare_worker(address: str) -> AsyncIterator[BareWorker]:
    """Run a worker for the bare workflows in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.bare_worker"),
        cwd=ROOT,
        env={**os.environ, "TEMPORAL_ADDRESS": address},
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
    )
    worker = BareWorker(process)
    try:
        await worker.until_ready()
        listening = asyncio.create_task(worker.listen())
        yield worker
        listening.cancel()
    finally:
        await worker.stop()


async def at_once(total: int, clients: int, one: Callable[[int], Awaitable[object]]) -> None:
    """Do `one` so many times, with so many at work: each begins its next when it is done."""
    numbers = iter(range(total))

    async def work() -> None:
        for number in numbers:
            await one(number)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(clients, total)):
            group.create_task(work())


async def arrivals_per_s(client: Client, worker: BareWorker, total: int, clients: int) -> float:
    """Start bare workflows by signal; the last one's local activity ends the measurement."""
    run = uuid.uuid4().hex
    wanted = worker.touched + total

    async def arrive(number: int) -> None:
        await client.start_workflow(
            BareArrival.run,
            f"{run}-{number}",
            id=f"bare-arrival/{run}-{number}",
            task_queue=BARE_QUEUE,
            start_signal="post_received",
            start_signal_args=["hello"],
            rpc_timeout=RPC_TIMEOUT,
        )

    began_s = time.perf_counter()
    await at_once(total, clients, arrive)
    await worker.until_touched(wanted)
    return total / (time.perf_counter() - began_s)


async def lifecycles_per_s(client: Client, total: int, clients: int) -> tuple[float, list[int]]:
    """Let bare workflows take a conversation's steps; return the rate and their histories' sizes.

    The last update is answered by the task that completes the workflow: nothing is left behind.
    """
    handles: list[WorkflowHandle[BareLifecycle, str]] = []
    began_s = time.perf_counter()
    await at_once(total, clients, lambda _: _live(client, handles))
    rate = total / (time.perf_counter() - began_s)
    for handle in handles:
        await handle.result()
    looked_at = itertools.islice(handles, 20)
    return rate, [len((await handle.fetch_history()).events) for handle in looked_at]


async def _live(client: Client, handles: list[WorkflowHandle[BareLifecycle, str]]) -> None:
    workflow_id = f"bare-lifecycle/{uuid.uuid4().hex}"
    handle = await client.start_workflow(
        BareLifecycle.run,
        workflow_id,
        id=workflow_id,
        task_queue=BARE_QUEUE,
        start_signal="post_received",
        start_signal_args=["one"],
        rpc_timeout=RPC_TIMEOUT,
    )
    handles.append(handle)
    for text in ("two", "three"):
        await handle.signal(BareLifecycle.post_received, text)
    await handle.signal(BareLifecycle.offered, "agent")
    await handle.execute_update(BareLifecycle.pick_up, "agent")
    await handle.execute_update(BareLifecycle.hold)
    await handle.execute_update(BareLifecycle.resume)
    await handle.execute_update(BareLifecycle.reply, "hello")
    await handle.execute_update(BareLifecycle.disconnect)

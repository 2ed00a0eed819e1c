"""From an event's commit to a client of the stream."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import httpx

from bench.bounds import at_once
from bench.caller import LOOPBACK
from bench.floor import Floor, floor
from bench.instance import Parley
from bench.look import look_into
from bench.samples import percentile
from bench.sizes import Sizes

AGENTS = 20
CLIENTS = 16
PAUSE_S = 0.1
LAST_EVENTS_S = 2.0


class Viewers:
    """Streams that note how old each event is when it arrives.

    An event's moment is the database's clock in its transaction, shortly before the commit: the
    age is a little more than the delivery took. Database and viewers share a machine.
    """

    def __init__(self) -> None:
        self.ages_ms: list[float] = []

    async def view(self, port: int, key: str) -> None:
        headers = {"Authorization": f"Bearer {key}", "Accept": "text/event-stream"}
        url = f"http://{LOOPBACK}:{port}/api/v1/events"
        async with (
            httpx.AsyncClient(trust_env=False, timeout=None) as client,  # noqa: S113 - it is a stream
            client.stream("GET", url, headers=headers) as stream,
        ):
            stream.raise_for_status()
            async for line in stream.aiter_lines():
                if line.startswith("data:"):
                    self._note(line.removeprefix("data:"))

    def _note(self, raw: str) -> None:
        arrived_s = time.time()
        at = datetime.fromisoformat(json.loads(raw)["at"])
        self.ages_ms.append((arrived_s - at.timestamp()) * 1000)

    def take(self) -> list[float]:
        """Return the ages since the last call."""
        taken, self.ages_ms = self.ages_ms, []
        if not taken:
            raise RuntimeError("no event was delivered")
        return taken


@asynccontextmanager
async def watching(parley: Parley, made: Floor) -> AsyncIterator[Viewers]:
    """Open a stream for every agent, as the desks of a floor do."""
    viewers = Viewers()
    tasks = [asyncio.create_task(viewers.view(parley.port, a.key)) for a in made.agents.values()]
    await asyncio.sleep(1.0)
    try:
        yield viewers
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def measure(parley: Parley, sizes: Sizes) -> dict[str, float]:
    """Watch by a floor's streams while one agent works, then while sixteen clients do."""
    async with floor(parley, AGENTS) as made, look_into(parley.database_url) as look:
        await made.live()
        await look.until_synced()
        async with watching(parley, made) as viewers:
            await _one_agent_works(made, sizes.samples // 3)
            quiet = viewers.take()
            await at_once(sizes.lifecycles_16 // 2, CLIENTS, lambda _: made.live())
            await look.until_synced()
            await asyncio.sleep(LAST_EVENTS_S)
            busy = viewers.take()
    return {
        "events.delivered_p50": percentile(quiet, 50),
        "events.delivered_p95": percentile(quiet, 95),
        "events.busy_p95": percentile(busy, 95),
    }


async def _one_agent_works(made: Floor, commands: int) -> None:
    conversation_id, agent = await made.connect()
    for number in range(commands + commands % 2):
        await made.command(agent, conversation_id, ("hold", "resume")[number % 2])
        await asyncio.sleep(PAUSE_S)
    await asyncio.sleep(LAST_EVENTS_S)

"""From a post's sending to its committed offer: unloaded, and under a load that does not wait."""

import asyncio
import random
import time

from bench.bounds import at_once
from bench.floor import TEXTS, Floor, floor
from bench.instance import Parley
from bench.look import look_into
from bench.samples import percentile
from bench.sizes import Sizes

AGENTS = 20
CLIENTS = 16
PAUSE_S = 0.05
LOAD = 0.7
"""Of what 16 clients reach: above it a queue grows and the latency is that of the queue."""

SEED = 20_261_101


async def measure(parley: Parley, sizes: Sizes) -> dict[str, float]:
    async with floor(parley, AGENTS) as made, look_into(parley.database_url) as look:
        await made.live()
        unloaded = await _unloaded(made, sizes.samples)
        await look.until_synced()
        rate = LOAD * await _capacity(made, round(sizes.lifecycles_16 / 2))
        await look.until_synced()
        loaded = await _loaded(made, rate, sizes.load_s)
    async with floor(parley, sizes.crowd) as made, look_into(parley.database_url) as look:
        await made.live()
        crowded = await _unloaded(made, sizes.samples)
        await look.until_synced()
    return {
        "offers.crowd_p50": percentile(crowded, 50),
        "offers.crowd_p99": percentile(crowded, 99),
        "offers.unloaded_p50": percentile(unloaded, 50),
        "offers.unloaded_p99": percentile(unloaded, 99),
        "offers.loaded_p50": percentile(loaded, 50),
        "offers.loaded_p99": percentile(loaded, 99),
        "offers.load": rate,
    }


async def _unloaded(made: Floor, samples: int) -> list[float]:
    """Send one post at a time; between two the conversation lives on to its end."""
    latencies: list[float] = []
    for _ in range(samples):
        posts = made.posts(1)
        conversation_id, latency_ms = await _offered(made, posts, time.perf_counter())
        latencies.append(latency_ms)
        await made.handle(conversation_id)
        await asyncio.sleep(PAUSE_S)
    return latencies


async def _capacity(made: Floor, lives: int) -> float:
    began_s = time.perf_counter()
    await at_once(lives, CLIENTS, lambda _: made.live())
    return lives / (time.perf_counter() - began_s)


async def _loaded(made: Floor, rate: float, for_s: float) -> list[float]:
    """Let customers come at random, however slow the answers are.

    Each latency counts from the moment at which the post was to be sent. Clients that wait for
    answers would send less just when it is slow, and the slowness would hardly be seen.
    """
    draw = random.Random(SEED)
    latencies: list[float] = []

    async def arrive(due_s: float) -> None:
        conversation_id, latency_ms = await _offered(made, made.posts(1, TEXTS), due_s)
        latencies.append(latency_ms)
        await made.handle(conversation_id)

    due_s = time.perf_counter()
    end_s = due_s + for_s
    async with asyncio.TaskGroup() as group:
        while (due_s := due_s + draw.expovariate(rate)) < end_s:
            await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
            group.create_task(arrive(due_s))
    return latencies


async def _offered(
    made: Floor, posts: list[dict[str, object]], since_s: float
) -> tuple[str, float]:
    """Send and look; the latency ends at the 202 when the offer stands by then, else when it does.

    The look itself is not counted when it finds the offer at once.
    """
    (conversation_id,) = await made.send(posts)
    answered_s = time.perf_counter()
    found = await made.admin.ok("GET", f"/conversations/{conversation_id}")
    if not found["offer"]:
        await made.offered_to(conversation_id)
        answered_s = time.perf_counter()
    return conversation_id, (answered_s - since_s) * 1000

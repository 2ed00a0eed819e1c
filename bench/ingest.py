"""Posts per second until their workflows have seen them, beside bare starts by signal."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bench.bounds import arrivals_per_s, at_once, bare_worker, connect
from bench.floor import Floor, floor
from bench.instance import Parley, cpu_ms_each, cpu_of, cpu_s
from bench.look import Look, look_into
from bench.samples import ratio
from bench.sizes import Sizes

PAGE = 100
BOUND_CALLERS = (8, 32)
"""The better of both counts: the bound is to be as high as the server can."""

POSTERS = 8


@dataclass(frozen=True, slots=True)
class _Rates:
    answered: float
    synced: float


async def measure(parley: Parley, sizes: Sizes) -> dict[str, float]:
    """Nobody is on queue: the conversations wait, so that only the ingest is measured."""
    bound = await _bound(parley, sizes.pages * PAGE)
    async with floor(parley) as made, look_into(parley.database_url) as look:
        await _pages(made, look, 1)
        before = cpu_of(parley)
        pages = await _pages(made, look, sizes.pages)
        cpu = cpu_ms_each(before, cpu_of(parley), sizes.pages * PAGE)
        singles = await _singles(made, look, sizes.single_posts)
    best = bound["ingest.bound"]
    return {
        **bound,
        "ingest.pages_ratio": ratio(pages.synced, best),
        "ingest.singles_ratio": ratio(singles.synced, best),
        "ingest.pages_synced": pages.synced,
        "ingest.pages_answered": pages.answered,
        "ingest.singles_synced": singles.synced,
        "ingest.singles_answered": singles.answered,
        **{f"ingest.cpu_{process}": cpu[process] for process in ("temporal", "worker", "api")},
    }


async def _bound(parley: Parley, total: int) -> dict[str, float]:
    client = await connect(parley.temporal_address)
    found: list[dict[str, float]] = []
    async with bare_worker(parley.temporal_address) as worker:
        await arrivals_per_s(client, worker, PAGE, BOUND_CALLERS[0])
        for callers in BOUND_CALLERS:
            before = {**cpu_of(parley), "worker": cpu_s(worker.pid)}
            rate = await arrivals_per_s(client, worker, total, callers)
            cpu = cpu_ms_each(before, {**cpu_of(parley), "worker": cpu_s(worker.pid)}, total)
            shares = {f"ingest.bound_cpu_{p}": cpu[p] for p in ("temporal", "worker", "caller")}
            found.append({"ingest.bound": rate, **shares})
    return max(found, key=lambda one: one["ingest.bound"])


async def _pages(made: Floor, look: Look, pages: int) -> _Rates:
    """Send one page after the other, as a poll does."""

    async def send() -> None:
        for _ in range(pages):
            await made.send(made.posts(PAGE))

    return await _rates(send, look, pages * PAGE)


async def _singles(made: Floor, look: Look, posts: int) -> _Rates:
    """Send posts one by one over several connections, as a webhook does."""
    return await _rates(
        lambda: at_once(posts, POSTERS, lambda _: made.send(made.posts(1))), look, posts
    )


async def _rates(send: Callable[[], Awaitable[None]], look: Look, posts: int) -> _Rates:
    began_s = time.perf_counter()
    await send()
    answered_s = time.perf_counter() - began_s
    await look.until_synced()
    return _Rates(posts / answered_s, posts / (time.perf_counter() - began_s))

"""Whole lives of conversations per second, beside bare workflows that take the same steps."""

import time

from bench.bounds import at_once, bare_worker, connect, lifecycles_per_s
from bench.floor import Floor, floor
from bench.instance import Parley, cpu_ms_each, cpu_of, cpu_s
from bench.look import Look, look_into
from bench.samples import percentile, ratio
from bench.sizes import Sizes

AGENTS = 20
CLIENTS = (1, 16)
PARTS = ("temporal", "worker", "caller")


async def measure(parley: Parley, sizes: Sizes) -> dict[str, float]:
    """Count a life as ended for its client at the disconnect, for the rate when all is seen."""
    totals = dict(zip(CLIENTS, (sizes.lifecycles_1, sizes.lifecycles_16), strict=True))
    values = await _bound(parley, totals)
    cpu: dict[str, float] = {}
    async with floor(parley, AGENTS) as made, look_into(parley.database_url) as look:
        await made.live()
        for clients, total in totals.items():
            await look.until_synced()
            made.reply_waits_ms.clear()
            before = cpu_of(parley)
            rate = await lives_per_s(made, look, total, clients)
            cpu = cpu_ms_each(before, cpu_of(parley), total)
            values[f"lifecycles.rate_{clients}"] = rate
            values[f"lifecycles.reply_{clients}"] = percentile(made.reply_waits_ms, 50)
            values[f"lifecycles.ratio_{clients}"] = ratio(
                rate, values[f"lifecycles.bound_{clients}"]
            )
    return values | {f"lifecycles.cpu_{process}": used for process, used in cpu.items()}


async def _bound(parley: Parley, totals: dict[int, int]) -> dict[str, float]:
    client = await connect(parley.temporal_address)
    values: dict[str, float] = {}
    async with bare_worker(parley.temporal_address) as worker:
        await lifecycles_per_s(client, 1, 1)
        for clients, total in totals.items():
            before = {**cpu_of(parley), "worker": cpu_s(worker.pid)}
            values[f"lifecycles.bound_{clients}"], _ = await lifecycles_per_s(
                client, total, clients
            )
            cpu = cpu_ms_each(before, {**cpu_of(parley), "worker": cpu_s(worker.pid)}, total)
            values |= {f"lifecycles.bound_cpu_{part}": cpu[part] for part in PARTS}
    return values


async def lives_per_s(made: Floor, look: Look, total: int, clients: int) -> float:
    """Take conversations through their lives; the rate counts when the last workflow is done."""
    began_s = time.perf_counter()
    await at_once(total, clients, lambda _: made.live())
    await look.until_synced()
    return total / (time.perf_counter() - began_s)

"""What many open conversations cost: the worker's memory, and the price of one more life."""

import psutil

from bench.bounds import at_once
from bench.floor import Floor, add_channel, floor
from bench.instance import Parley, cpu_ms_each, cpu_of
from bench.lifecycles import lives_per_s
from bench.look import Look, look_into
from bench.samples import ratio
from bench.sizes import Sizes

AGENTS = 20
CLIENTS = 4
PAGE = 100
MIB = 1024 * 1024
NOBODYS_SKILL = [{"skill": "volapuk", "min_proficiency": 50}]


async def measure(parley: Parley, sizes: Sizes) -> dict[str, float]:
    """Let the open ones wait in the working agents' own queue, for a skill that nobody has."""
    few, more, most = sizes.open_conversations
    async with floor(parley, AGENTS) as made, look_into(parley.database_url) as look:
        await at_once(CLIENTS * 2, CLIENTS, lambda _: made.live())
        channel_id = await add_channel(made, "a wall in Volapük", required_skills=NOBODYS_SKILL)
        await look.until_synced()
        empty = _worker_rss(parley)
        costs: list[float] = []
        memories: list[float] = [empty]
        opened = 0
        for wanted in (few, more, most):
            await _open(made, look, channel_id, wanted - opened)
            opened = wanted
            memories.append(_worker_rss(parley))
            costs.append(await _cost(parley, made, look, sizes.cost_lifecycles))
    full = memories[-1]
    return {
        "open.memory_per_conversation": (full - empty) * 1024 / most,
        "open.rss_empty": empty,
        "open.rss_full": full,
        "open.conversations": float(most),
        "open.cost_few": costs[0],
        "open.cost_more": costs[1],
        "open.cost_most": costs[2],
        "open.cost_ratio": ratio(costs[2], costs[0]),
    }


async def _open(made: Floor, look: Look, channel_id: str, count: int) -> None:
    """Open page by page; the workflows catch up in between, so that none is left to the sweep."""
    for start in range(0, count, PAGE):
        await made.send(made.posts(min(PAGE, count - start)), channel_id)
        await look.until_synced()


async def _cost(parley: Parley, made: Floor, look: Look, lives: int) -> float:
    """Return the CPU time of Temporal, worker and API together for one life, in milliseconds.

    CPU time and not time on the clock: a neighbour on the machine changes the latter more.
    """
    before = cpu_of(parley)
    await lives_per_s(made, look, lives, CLIENTS)
    cpu = cpu_ms_each(before, cpu_of(parley), lives)
    return sum(used for process, used in cpu.items() if process != "caller")


def _worker_rss(parley: Parley) -> float:
    pid = parley.pid("worker")
    if pid is None:
        raise RuntimeError("the worker is not a process of this Parley")
    return float(psutil.Process(pid).memory_info().rss) / MIB

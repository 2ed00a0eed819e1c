"""What an agent waits for: a command, a refusal, a look."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from bench.bounds import at_once
from bench.caller import Caller
from bench.floor import Floor, floor
from bench.instance import Parley
from bench.look import look_into
from bench.samples import percentile
from bench.sizes import Sizes

AGENTS = 16
PAUSE_S = 0.02
CONFLICT = 409
VERBS = ("hold", "resume")


async def measure(parley: Parley, sizes: Sizes) -> dict[str, float]:
    """Hold and resume, by turns; the refusal is a resume of what is not held."""
    async with floor(parley, AGENTS) as made, look_into(parley.database_url) as look:
        talks = [await made.connect() for _ in range(AGENTS)]
        conversation_id, agent = talks[0]
        path = f"/conversations/{conversation_id}"
        await look.until_synced()
        alone = await _alone(
            sizes.samples, lambda n: made.command(agent, conversation_id, VERBS[n % 2])
        )
        await look.until_synced()
        refused = await _alone(sizes.samples, lambda _: _refused(agent, f"{path}/resume"))
        read = await _alone(sizes.samples, lambda _: agent.ok("GET", path))
        await look.until_synced()
        together = await _together(made, talks, sizes.samples)
    shares = {"unloaded": alone, "at_16": together, "refusal": refused, "read": read}
    return {
        f"commands.{name}_p{percent}": percentile(latencies, percent)
        for name, latencies in shares.items()
        for percent in (50, 99)
    }


async def _alone(samples: int, one: Callable[[int], Awaitable[object]]) -> list[float]:
    """Do one after the other, with a pause: an even number leaves all as it was."""
    latencies: list[float] = []
    for number in range(samples + samples % 2):
        latencies.append(await _timed(one(number)))
        await asyncio.sleep(PAUSE_S)
    return latencies


async def _together(made: Floor, talks: list[tuple[str, Caller]], samples: int) -> list[float]:
    """Let every agent command without a pause: sixteen are under way at any time."""
    latencies: list[float] = []

    async def work(place: int) -> None:
        conversation_id, agent = talks[place]
        for number in range(max(2, samples // 8)):
            command = made.command(agent, conversation_id, VERBS[number % 2])
            latencies.append(await _timed(command))

    await at_once(len(talks), len(talks), work)
    return latencies


async def _refused(agent: Caller, path: str) -> None:
    answer = await agent.call("POST", path, {})
    if answer.status != CONFLICT:
        raise RuntimeError(f"a refusal was expected, not {answer.status}")


async def _timed(doing: Awaitable[object]) -> float:
    began_s = time.perf_counter()
    await doing
    return (time.perf_counter() - began_s) * 1000

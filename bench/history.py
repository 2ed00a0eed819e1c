"""How many events a conversation's life leaves in Temporal's history."""

import statistics
from collections.abc import Sequence

from temporalio.client import Client

from bench.bounds import at_once, bare_worker, connect, lifecycles_per_s
from bench.floor import floor
from bench.instance import Parley
from bench.look import look_into
from bench.sizes import Sizes
from workflows.addresses import conversation_workflow_id

AGENTS = 20


async def measure(parley: Parley, sizes: Sizes) -> dict[str, float]:
    client = await connect(parley.temporal_address)
    async with bare_worker(parley.temporal_address):
        _, bare = await lifecycles_per_s(client, sizes.histories, 1)
    quick: list[str] = []
    slow: list[str] = []
    async with floor(parley, AGENTS) as made, look_into(parley.database_url) as look:

        async def live_quickly(_: int) -> None:
            quick.append(await made.live())

        async def live_slowly(_: int) -> None:
            slow.append(await made.live_slowly(sizes.human_pause_s))

        await at_once(sizes.histories, 1, live_quickly)
        await at_once(sizes.histories, AGENTS, live_slowly)
        await look.until_synced()
    return {
        "history.back_to_back": await _events(client, quick),
        "history.human_pace": await _events(client, slow),
        "history.bound": statistics.median(bare),
    }


async def _events(client: Client, conversation_ids: Sequence[str]) -> float:
    """Return the median; histories are complete, the workflows have ended."""
    sizes: list[int] = []
    for conversation_id in conversation_ids:
        handle = client.get_workflow_handle(conversation_workflow_id(conversation_id))
        await handle.result()
        sizes.append(len((await handle.fetch_history()).events))
    return statistics.median(sizes)

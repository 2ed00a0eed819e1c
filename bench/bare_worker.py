"""Serve the bounds' workflows in a process of their own: `python -m bench.bare_worker`.

Its options are those of Parley's worker for conversations. It prints `ready`, then how many local
activities have run whenever that changes, and ends when its standard input does: whoever started
it cannot leave it behind.
"""

import asyncio
import sys
from typing import TextIO

from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from bench.bare import BARE_QUEUE, BareArrival, BareLifecycle, say, touch, touched
from worker import CONVERSATION_WORKER
from workflows.connection import connect

TELLS_EVERY_S = 0.02


async def serve() -> None:
    """Serve until nobody holds the standard input any more."""
    async with Worker(
        await connect(),
        task_queue=BARE_QUEUE,
        workflows=[BareArrival, BareLifecycle],
        activities=[touch, say],
        workflow_runner=UnsandboxedWorkflowRunner(),
        **CONVERSATION_WORKER,
    ):
        telling = asyncio.create_task(_tell(sys.stdout))
        await asyncio.to_thread(sys.stdin.read)
        telling.cancel()


async def _tell(out: TextIO) -> None:
    print("ready", file=out, flush=True)
    told = 0
    while True:
        await asyncio.sleep(TELLS_EVERY_S)
        if len(touched) != told:
            told = len(touched)
            print(told, file=out, flush=True)


if __name__ == "__main__":
    asyncio.run(serve())

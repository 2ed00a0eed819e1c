"""Ring a conversation's bell: start its workflow if need be, and tell it what happened."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import timedelta

import structlog
from temporalio.client import Client
from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from conversations.messages import BellRung, ConversationStart
from workflows.addresses import CONVERSATIONS_QUEUE, conversation_workflow_id
from workflows.conversation import ConversationWorkflow

log = structlog.get_logger()

RPC_TIMEOUT = timedelta(seconds=5)
LARGEST_QUEUE = 400
LONGEST_WAIT_S = 0.1
GATHERING_S = 0.2
"""Bells of one conversation within so short a time are one."""

LAST_BELLS_S = 1.0
RINGERS = 8
"""More callers at once only raise the latency: one Temporal server takes 220-290 bells a second."""


class Ringer:
    """Rings bells behind the callers' backs; what cannot be rung is left to the sweep.

    The queue is bounded: a caller waits at most 100 ms for a place. A Temporal that is away
    therefore never stops ingest or commands.
    """

    def __init__(self, client: Client, rung: Callable[[str, int], None]) -> None:
        self._client = client
        self._rung = rung
        self._waiting: dict[str, tuple[str, str, int]] = {}
        self._queue: asyncio.Queue[str] = asyncio.Queue(LARGEST_QUEUE)
        self._last_rung_at: dict[str, float] = {}
        self._ringers: list[asyncio.Task[None]] = []
        self.dropped = 0

    def start(self) -> None:
        self._ringers = [asyncio.create_task(self._serve()) for _ in range(RINGERS)]

    async def ring(self, conversation_id: str, network: str, event: str, version: int) -> None:
        """Queue one bell; a bell of the same conversation that still waits takes it along."""
        is_waiting = conversation_id in self._waiting
        if not is_waiting or self._waiting[conversation_id][2] < version:
            self._waiting[conversation_id] = (network, event, version)
        if is_waiting:
            return
        try:
            async with asyncio.timeout(LONGEST_WAIT_S):
                await self._queue.put(conversation_id)
        except TimeoutError:
            self._waiting.pop(conversation_id, None)
            self.dropped += 1

    async def _serve(self) -> None:
        while True:
            conversation_id = await self._queue.get()
            try:
                await self._serve_one(conversation_id)
            finally:
                self._queue.task_done()

    async def _serve_one(self, conversation_id: str) -> None:
        loop = asyncio.get_running_loop()
        since = loop.time() - self._last_rung_at.get(conversation_id, 0.0)
        if since < GATHERING_S:
            loop.call_later(GATHERING_S - since, self._put_back, conversation_id)
            return
        bell = self._waiting.pop(conversation_id, None)
        if bell is not None:
            self._remember(conversation_id, loop.time())
            await self._ring_now(conversation_id, *bell)

    def _put_back(self, conversation_id: str) -> None:
        try:
            self._queue.put_nowait(conversation_id)
        except asyncio.QueueFull:
            self._waiting.pop(conversation_id, None)
            self.dropped += 1

    def _remember(self, conversation_id: str, at: float) -> None:
        if len(self._last_rung_at) > LARGEST_QUEUE * 4:
            recent = {i: t for i, t in self._last_rung_at.items() if at - t < GATHERING_S}
            self._last_rung_at = recent
        self._last_rung_at[conversation_id] = at

    async def _ring_now(self, conversation_id: str, network: str, event: str, version: int) -> None:
        try:
            await ring(self._client, conversation_id, network, BellRung(event, version))
        except (RPCError, RuntimeError, OSError) as error:
            self.dropped += 1
            log.warning(
                "bell_not_rung", conversation_id=conversation_id, error=type(error).__name__
            )
            return
        self._rung(conversation_id, version)

    async def close(self) -> None:
        """Ring what waits, for a second at most, and stop."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_BELLS_S):
                await self._queue.join()
        for ringer in self._ringers:
            ringer.cancel()
        await asyncio.gather(*self._ringers, return_exceptions=True)


async def ring(client: Client, conversation_id: str, network: str, bell: BellRung) -> None:
    """Signal the conversation's workflow, starting it when it does not run.

    A completed one stays completed: its conversation has ended and every reply is settled, so
    the bell counts as seen. A terminated one is started again.

    Raises:
        RPCError: Temporal did not take the bell.
    """
    network_attribute = SearchAttributeKey.for_keyword("ParleyNetwork")
    try:
        await client.start_workflow(
            ConversationWorkflow.run,
            ConversationStart(conversation_id, network),
            id=conversation_workflow_id(conversation_id),
            task_queue=CONVERSATIONS_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            search_attributes=TypedSearchAttributes(
                [SearchAttributePair(network_attribute, network)]
            ),
            static_summary=f"conversation on {network}",
            start_signal=bell.event,
            start_signal_args=[bell],
            rpc_timeout=RPC_TIMEOUT,
        )
    except WorkflowAlreadyStartedError:
        return

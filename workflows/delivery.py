"""Ring a conversation's bell: start its workflow if need be, and tell it what happened."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
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

from conversations.messages import Bell, BellRung, ConversationStart
from workflows.addresses import CONVERSATIONS_QUEUE, conversation_workflow_id
from workflows.conversation import AGENT, STATE, WORKGROUP, ConversationWorkflow

log = structlog.get_logger()

NETWORK = SearchAttributeKey.for_keyword("ParleyNetwork")

NUDGED = "nudged"
_COMPLETED_STAYS = WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY
_REOPENED = WorkflowIDReusePolicy.ALLOW_DUPLICATE
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

    def __init__(
        self,
        client: Client,
        rung: Callable[[str, int], None],
        over: Callable[[str, int], None],
    ) -> None:
        """Call `rung` for a bell that Temporal took, `over` for one of a completed workflow."""
        self._client = client
        self._rung = rung
        self._over = over
        self._waiting: dict[str, Bell] = {}
        self._queue: asyncio.Queue[str] = asyncio.Queue(LARGEST_QUEUE)
        self._last: dict[str, tuple[float, int]] = {}
        self._ringers: list[asyncio.Task[None]] = []
        self.dropped = 0

    def start(self) -> None:
        self._ringers = [asyncio.create_task(self._serve()) for _ in range(RINGERS)]

    async def ring(self, bells: Sequence[Bell]) -> None:
        """Queue bells, waiting for places at most 100 ms in all.

        A bell takes an older one of its conversation that still waits along. One that is older
        than what was rung is not rung, but for a nudge: the sweep knows why it rings again.
        """
        deadline = asyncio.get_running_loop().time() + LONGEST_WAIT_S
        for bell in bells:
            rung = self._last.get(bell.conversation_id, (0.0, 0))[1]
            if bell.event != NUDGED and bell.version <= rung:
                continue
            waiting = self._waiting.get(bell.conversation_id)
            if waiting is None or waiting.version < bell.version:
                self._waiting[bell.conversation_id] = bell
            if waiting is None or bell.is_urgent:
                await self._enqueue(bell.conversation_id, deadline)

    async def _enqueue(self, conversation_id: str, deadline: float) -> None:
        try:
            async with asyncio.timeout_at(deadline):
                await self._queue.put(conversation_id)
        except TimeoutError:
            self._put_back(conversation_id)

    async def _serve(self) -> None:
        while True:
            conversation_id = await self._queue.get()
            try:
                await self._serve_one(conversation_id)
            finally:
                self._queue.task_done()

    async def _serve_one(self, conversation_id: str) -> None:
        loop = asyncio.get_running_loop()
        since = loop.time() - self._last.get(conversation_id, (0.0, 0))[0]
        waiting = self._waiting.get(conversation_id)
        if since < GATHERING_S and waiting is not None and not waiting.is_urgent:
            loop.call_later(GATHERING_S - since, self._put_back, conversation_id)
            return
        bell = self._waiting.pop(conversation_id, None)
        if bell is not None:
            self._remember(bell, loop.time())
            await self._ring_now(bell)

    def _put_back(self, conversation_id: str) -> None:
        try:
            self._queue.put_nowait(conversation_id)
        except asyncio.QueueFull:
            self._waiting.pop(conversation_id, None)
            self.dropped += 1

    def _remember(self, bell: Bell, at: float) -> None:
        if len(self._last) > LARGEST_QUEUE * 4:
            self._last = {i: last for i, last in self._last.items() if at - last[0] < GATHERING_S}
        self._last[bell.conversation_id] = (at, bell.version)

    async def _ring_now(self, bell: Bell) -> None:
        try:
            is_told = await ring(self._client, bell)
        except (RPCError, RuntimeError, OSError) as error:
            self.dropped += 1
            self._last.pop(bell.conversation_id, None)
            log.warning(
                "bell_not_rung",
                conversation_id=bell.conversation_id,
                error=type(error).__name__,
            )
            return
        note = self._rung if is_told else self._over
        note(bell.conversation_id, bell.version)

    async def close(self) -> None:
        """Ring what waits, for a second at most, and stop."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_BELLS_S):
                await self._queue.join()
        for ringer in self._ringers:
            ringer.cancel()
        await asyncio.gather(*self._ringers, return_exceptions=True)


async def ring(client: Client, bell: Bell) -> bool:
    """Signal the conversation's workflow, starting it when it does not run.

    Returns False for a completed one, which stays completed: its conversation has ended and every
    reply is settled, so the bell counts as seen. A terminated one is started again, and so is one
    that completed before its conversation was reopened.

    Raises:
        RPCError: Temporal did not take the bell.
    """
    try:
        await client.start_workflow(
            ConversationWorkflow.run,
            ConversationStart(bell.conversation_id, bell.network),
            id=conversation_workflow_id(bell.conversation_id),
            task_queue=CONVERSATIONS_QUEUE,
            id_reuse_policy=_REOPENED if bell.is_reopened else _COMPLETED_STAYS,
            search_attributes=_search_attributes(bell),
            static_summary=f"conversation on {bell.network}",
            start_signal=bell.event,
            start_signal_args=[BellRung(bell.event, bell.version)],
            rpc_timeout=RPC_TIMEOUT,
        )
    except WorkflowAlreadyStartedError:
        return False
    return True


def _search_attributes(bell: Bell) -> TypedSearchAttributes:
    """Show at the start what is known: the workflow need not say the same again."""
    known = [SearchAttributePair(NETWORK, bell.network)]
    if bell.shown is not None:
        known.append(SearchAttributePair(STATE, bell.shown.state))
        known.append(SearchAttributePair(WORKGROUP, bell.shown.workgroup_id))
        if bell.shown.agent_id is not None:
            known.append(SearchAttributePair(AGENT, bell.shown.agent_id))
    return TypedSearchAttributes(known)

"""What the sweep does in Temporal: the mark, terminated conversations, listeners, itself."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from conversations.messages import ListenTo
from workflows.addresses import (
    LISTENERS_QUEUE,
    MAINTENANCE_QUEUE,
    MARKER_ID,
    SWEEP_ID,
    conversation_id_of,
    listener_workflow_id,
)
from workflows.listener import ListenerWorkflow
from workflows.marker import MarkerWorkflow
from workflows.sweep import SweepWorkflow

RPC_TIMEOUT = timedelta(seconds=5)
LOOK_BACK = timedelta(days=1)
OVERLAP = timedelta(minutes=1)
"""Visibility lags: what ended shortly before the last look is looked at once more."""

LARGEST_LOOK = 10_000
LISTENERS_AGAIN_AFTER_S = 60.0
"""A listener lives on by itself; this finds one that was ended by hand."""

ENDED_BADLY = 'ExecutionStatus IN ("Terminated", "Failed", "TimedOut", "Canceled")'


async def advance_marker(client: Client, beat: int) -> int:
    """Move Temporal's mark to the beat and return its beat before: 0 when this Temporal is new."""
    handle: WorkflowHandle[MarkerWorkflow, None] = client.get_workflow_handle(MARKER_ID)
    try:
        return await handle.execute_update(MarkerWorkflow.advance, beat, rpc_timeout=RPC_TIMEOUT)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
    await client.start_workflow(
        MarkerWorkflow.run,
        0,
        id=MARKER_ID,
        task_queue=MAINTENANCE_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary="by its beat the database recognises this Temporal",
        rpc_timeout=RPC_TIMEOUT,
    )
    return await handle.execute_update(MarkerWorkflow.advance, beat, rpc_timeout=RPC_TIMEOUT)


async def keep_sweeping(client: Client) -> None:
    """Start the sweep if it does not run, as after the loss of all of Temporal's data."""
    await client.start_workflow(
        SweepWorkflow.run,
        id=SWEEP_ID,
        task_queue=MAINTENANCE_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        static_summary="the net under bells, presence and matches",
        rpc_timeout=RPC_TIMEOUT,
    )


async def start_listeners(client: Client, channels: Sequence[tuple[str, str]]) -> int:
    """Start the listener of every (channel id, network) that has none; return how many."""
    started = 0
    for channel_id, network in channels:
        try:
            await client.start_workflow(
                ListenerWorkflow.run,
                ListenTo(channel_id, network),
                id=listener_workflow_id(channel_id),
                task_queue=LISTENERS_QUEUE,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                static_summary=f"listens on {network}",
                rpc_timeout=RPC_TIMEOUT,
            )
        except WorkflowAlreadyStartedError:
            continue
        started += 1
    return started


class TemporalMaintenance:
    """The port `activities.ports.TemporalUpkeep`."""

    def __init__(self, client: Client, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock_s = clock_s
        self._listening: frozenset[tuple[str, str]] = frozenset()
        self._all_started_at_s = -LISTENERS_AGAIN_AFTER_S
        self._since = datetime.now(UTC) - LOOK_BACK
        self._known: dict[str, datetime] = {}

    async def advance_marker(self, beat: int) -> int:
        before = await advance_marker(self._client, beat)
        if before < beat - 1:  # it is new or was restored: what ran in the other does not run here
            self._listening = frozenset()
        return before

    async def start_listeners(self, channels: Sequence[tuple[str, str]]) -> int:
        """Start those that are new here; now and then all, should one have been ended by hand."""
        now_s = self._clock_s()
        is_time_for_all = now_s - self._all_started_at_s >= LISTENERS_AGAIN_AFTER_S
        known = frozenset() if is_time_for_all else self._listening
        started = await start_listeners(self._client, [c for c in channels if c not in known])
        self._listening = frozenset(channels)
        if is_time_for_all:
            self._all_started_at_s = now_s
        return started

    async def terminated_conversations(self) -> list[str]:
        """Return the conversations of workflows that did not come to their own end, each once."""
        looked_at = datetime.now(UTC)
        since = self._since.isoformat()
        query = f'WorkflowType = "Conversation" AND {ENDED_BADLY} AND CloseTime > "{since}"'
        found: list[str] = []
        async for ended in self._client.list_workflows(query, limit=LARGEST_LOOK):
            if ended.run_id not in self._known:
                self._known[ended.run_id] = looked_at
                found.append(conversation_id_of(ended.id))
        self._since = looked_at - OVERLAP
        self._known = {i: at for i, at in self._known.items() if looked_at - at < LOOK_BACK}
        return found

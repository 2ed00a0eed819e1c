"""Run the workers: `python worker.py [--queue NAME]`; composition root of the Temporal side."""

import asyncio
import contextlib
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

import structlog
import typer
from prometheus_client import Counter, Gauge
from sqlalchemy import select
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import PollerBehaviorAutoscaling, UnsandboxedWorkflowRunner, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

import logs
from activities.conversations import ConversationActivities
from activities.listening import ListeningActivities
from activities.replies import ReplyActivities
from activities.upkeep import UpkeepActivities
from connectors.calls import new_client
from connectors.guard import Guard
from connectors.registry import NETWORKS, connectors, listened_networks
from connectors.splitting import as_posts
from conversations.connector import Connector
from probes import Probes
from settings import Settings
from storage import bells
from storage.affinity_key import AffinityKey
from storage.asking import Following
from storage.batches import Batch
from storage.channel_intake import ChannelIntake
from storage.clock import now
from storage.database import Database, DatabaseUnavailable, open_database
from storage.intake import PageIntake
from storage.reply_store import ReplyStore
from storage.secrets import Seal
from storage.syncing import ConversationSync, Seen
from storage.upkeep import DatabaseUpkeep
from workflows.addresses import (
    CONVERSATIONS_QUEUE,
    LISTENERS_QUEUE,
    MAINTENANCE_QUEUE,
    replies_queue,
)
from workflows.connection import connect
from workflows.conversation import ConversationWorkflow
from workflows.delivery import Ringer
from workflows.listener import ListenerWorkflow
from workflows.maintenance import TemporalMaintenance, keep_sweeping
from workflows.marker import MarkerWorkflow
from workflows.sweep import SweepWorkflow

log = structlog.get_logger()

REPLIES = Counter(
    "parley_replies", "Attempts and look-ups by what the reply was afterwards", ("network", "state")
)
BELLS_DROPPED = Gauge("parley_worker_bells_dropped", "Bells of this worker left to the sweep")
BELLS_NOT_SEEN = Gauge(
    "parley_bells_not_seen", "Conversations whose newest version no workflow has seen, to 1,000"
)

ALL = "all"
QUEUES = (
    CONVERSATIONS_QUEUE,
    *(replies_queue(network) for network in NETWORKS),
    LISTENERS_QUEUE,
    MAINTENANCE_QUEUE,
)

CONCURRENT_WORKFLOW_TASKS = 16
"""There is one interpreter lock: more only adds contention and deadlock alarms."""

CACHED_CONVERSATIONS = 10_000
CONCURRENT_REPLIES = 50
LISTENED_CHANNELS = 1_000
"""Each is one long activity that mostly waits."""

STICKY_TIMEOUT = timedelta(seconds=2)
"""The whole delay of an idle conversation after its worker has died."""

CONVERSATION_WORKER: dict[str, Any] = {
    "max_concurrent_workflow_tasks": CONCURRENT_WORKFLOW_TASKS,
    "max_cached_workflows": CACHED_CONVERSATIONS,
    "sticky_queue_schedule_to_start_timeout": STICKY_TIMEOUT,
    "workflow_task_poller_behavior": PollerBehaviorAutoscaling(),
}
"""How conversations are served; the bench's bare worker has the same."""

SWEEP_CHECK_S = 15.0


@dataclass(frozen=True)
class Parts:
    """What the activities are made of, opened once a process."""

    settings: Settings
    client: Client
    database: Database
    following: Following
    conversations: ConversationSync
    replies: ReplyStore
    intake: ChannelIntake
    upkeep: DatabaseUpkeep
    connectors: Mapping[str, Connector]


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Parts]:
    """Open the database and Temporal, and plug everything together."""
    secret_key, *previous = settings.secret_keys
    database = open_database(settings.database_url.get_secret_value())
    client = await connect()
    rung = Batch[tuple[str, int]](database, lambda k, facts: bells.note_rung(k, facts, now(k)))
    seen = Batch[Seen](database, bells.note_seen)
    ringer = Ringer(
        client,
        lambda conversation_id, version: rung.add((conversation_id, version)),
        lambda conversation_id, version: seen.add((conversation_id, version, None)),
    )
    following = Following(database, ringer.ring)
    seal = Seal(secret_key, previous)
    process = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    pages = PageIntake(database, following, AffinityKey(secret_key, previous))
    guard = Guard.allowing(settings.internal_targets)
    http = new_client(guard)
    spoken = connectors(http, guard)
    ringer.start()
    BELLS_DROPPED.set_function(lambda: ringer.dropped)
    try:
        yield Parts(
            settings=settings,
            client=client,
            database=database,
            following=following,
            conversations=ConversationSync(database, following, seen),
            replies=ReplyStore(
                database,
                following,
                seal,
                process=process,
                count=lambda network, state: REPLIES.labels(network, state).inc(),
            ),
            intake=ChannelIntake(database, pages, seal),
            upkeep=DatabaseUpkeep(
                database, following, listened_networks(spoken), settings.presence_grace_s
            ),
            connectors=spoken,
        )
    finally:
        await following.close()
        await ringer.close()
        await rung.close()
        await seen.close()
        await http.aclose()
        await database.close()


@asynccontextmanager
async def workers(parts: Parts, queues: Sequence[str]) -> AsyncIterator[list[Worker]]:
    """Start a worker for each queue; they drain when this is left."""
    async with AsyncExitStack() as stack:
        running = []
        for queue in queues:
            worker = Worker(
                parts.client,
                task_queue=queue,
                graceful_shutdown_timeout=timedelta(seconds=parts.settings.worker.shutdown_grace_s),
                **_served(queue, parts),
            )
            running.append(await stack.enter_async_context(worker))
        yield running


def _served(queue: str, parts: Parts) -> dict[str, Any]:
    runner = (
        SandboxedWorkflowRunner() if parts.settings.worker.sandbox else UnsandboxedWorkflowRunner()
    )
    if queue == CONVERSATIONS_QUEUE:
        acts = ConversationActivities(parts.conversations)
        return {
            "workflows": [ConversationWorkflow],
            "activities": [acts.sync, acts.cancel],
            "workflow_runner": runner,
            **CONVERSATION_WORKER,
        }
    if queue == LISTENERS_QUEUE:
        listening = ListeningActivities(parts.intake, parts.connectors)
        return {
            "workflows": [ListenerWorkflow],
            "activities": [listening.listen],
            "workflow_runner": runner,
            "max_concurrent_activities": LISTENED_CHANNELS,
        }
    if queue == MAINTENANCE_QUEUE:
        upkeep = UpkeepActivities(parts.upkeep, TemporalMaintenance(parts.client))
        return {
            "workflows": [SweepWorkflow, MarkerWorkflow],
            "activities": [upkeep.sweep],
            "workflow_runner": runner,
        }
    sending = ReplyActivities(parts.replies, parts.connectors, as_posts)
    return {
        "activities": [sending.send_replies],
        "max_concurrent_activities": CONCURRENT_REPLIES,
        "activity_task_poller_behavior": PollerBehaviorAutoscaling(initial=1),
    }


async def run(settings: Settings, queues: Sequence[str]) -> None:
    """Serve the queues until a signal to stop; a second one stops at once."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop_or_leave(stopping))
    async with opened(settings) as parts, workers(parts, queues):
        probes = Probes({"database": _database_check(parts), "temporal": _temporal_check(parts)})
        server = await probes.serve(settings.worker.host, settings.worker.port)
        log.info("worker_ready", queue=",".join(queues))
        try:
            await _sweep_until(stopping, parts, queues)
        finally:
            server.close()
    log.info("worker_stopped")


def _stop_or_leave(stopping: asyncio.Event) -> Callable[[], None]:
    def stop() -> None:
        if stopping.is_set():
            os._exit(1)
        stopping.set()

    return stop


async def _sweep_until(stopping: asyncio.Event, parts: Parts, queues: Sequence[str]) -> None:
    """Keep the sweep alive, which a Temporal that lost its data has forgotten, too."""
    while not stopping.is_set():
        if MAINTENANCE_QUEUE in queues:
            await _look_after_the_sweep(parts)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SWEEP_CHECK_S):
                await stopping.wait()


async def _look_after_the_sweep(parts: Parts) -> None:
    try:
        await keep_sweeping(parts.client)
        BELLS_NOT_SEEN.set(await parts.database.read(bells.backlog))
    except (RPCError, RuntimeError, DatabaseUnavailable) as error:
        log.warning("sweep_not_started", error=type(error).__name__)


def _database_check(parts: Parts) -> Callable[[], Any]:
    async def check() -> str | None:
        await parts.database.read(lambda k: k.execute(select(1)).scalar_one())
        return None

    return check


def _temporal_check(parts: Parts) -> Callable[[], Any]:
    async def check() -> str | None:
        is_healthy = await parts.client.service_client.check_health()
        return None if is_healthy else "not serving"

    return check


def main(
    queue: Annotated[str, typer.Option(help=f"One of {', '.join(QUEUES)}, or all.")] = ALL,
) -> None:
    """Serve one of Parley's queues, or all of them."""
    if queue not in (*QUEUES, ALL):
        known = ", ".join((*QUEUES, ALL))
        raise typer.BadParameter(f"there is no queue {queue!r}; there are {known}")
    settings = Settings()
    logs.configure(settings.log.format, settings.log.level)
    asyncio.run(run(settings, QUEUES if queue == ALL else [queue]))


if __name__ == "__main__":
    typer.run(main)

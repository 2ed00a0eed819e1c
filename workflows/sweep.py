"""The net under everything: what nobody told, what nobody saw, and who went away."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.upkeep import UpkeepActivities

ROUND = timedelta(hours=1)
"""A sweep's activity returns after an hour, so that new code gets its turn."""

HEARTBEAT_TIMEOUT = timedelta(seconds=15)
RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=10))


@workflow.defn(name="Sweep")
class SweepWorkflow:
    """Keeps one process sweeping, wherever it runs. Nothing waits for the sweep in normal life."""

    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity_method(
            UpkeepActivities.sweep,
            start_to_close_timeout=ROUND + timedelta(minutes=5),
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            retry_policy=RETRY,
            summary="sweep",
        )
        workflow.continue_as_new()

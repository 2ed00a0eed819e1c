"""One channel that is polled or streamed: a long activity that goes on wherever a worker lives."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.listening import ListeningActivities
    from conversations.messages import ListenTo

ROUND = timedelta(hours=1)
HEARTBEAT_TIMEOUT = timedelta(seconds=15)
RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))


@workflow.defn(name="Listener")
class ListenerWorkflow:
    """Listens to a channel until it is switched off. The true cursor is in the database."""

    @workflow.run
    async def run(self, listen_to: ListenTo) -> None:
        is_wanted = await workflow.execute_activity_method(
            ListeningActivities.listen,
            listen_to,
            start_to_close_timeout=ROUND + timedelta(minutes=5),
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            retry_policy=RETRY,
            summary=f"listen on {listen_to.network}",
        )
        if is_wanted:
            workflow.continue_as_new(listen_to)

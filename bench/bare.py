"""The bounds' workflows: what Temporal takes for the same steps when nothing else is done."""

from datetime import timedelta

from temporalio import activity, workflow

BARE_QUEUE = "bare"
TIMEOUT = timedelta(seconds=20)

touched: list[str] = []
"""The workflows whose local activity has run in this process."""


@activity.defn
async def touch(workflow_id: str) -> str:
    """Do what a `sync` does for Temporal: take an id, return a little."""
    touched.append(workflow_id)
    return workflow_id


@activity.defn
async def say(text: str) -> str:
    """Stand for the call to a network."""
    return text


@workflow.defn(name="BareArrival")
class BareArrival:
    """Is signalled into life, runs one local activity and then waits, as a conversation does."""

    @workflow.init
    def __init__(self, arrival: str) -> None:
        self._arrival = arrival
        self._is_over = False

    @workflow.run
    async def run(self, arrival: str) -> None:
        await workflow.execute_local_activity(touch, arrival, start_to_close_timeout=TIMEOUT)
        await workflow.wait_condition(lambda: self._is_over)

    @workflow.signal
    def post_received(self, text: str) -> None:
        """Nothing more: the signal is the cost."""

    @workflow.signal
    def end(self) -> None:
        self._is_over = True


@workflow.defn(name="BareLifecycle")
class BareLifecycle:
    """The steps of a conversation's life with the agents' verbs as updates."""

    @workflow.init
    def __init__(self, name: str) -> None:
        self._name = name
        self._state = "queued"
        self._posts = 0

    @workflow.run
    async def run(self, name: str) -> str:  # noqa: ARG002 - Temporal gives `run` what it gives `__init__`
        await workflow.wait_condition(lambda: self._state == "completed")
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._state

    @workflow.signal
    def post_received(self, text: str) -> None:  # noqa: ARG002
        self._posts += 1

    @workflow.signal
    def offered(self, agent: str) -> None:  # noqa: ARG002
        self._state = "alerting"

    @workflow.update
    async def pick_up(self, agent: str) -> str:  # noqa: ARG002
        return self._become("connected")

    @workflow.update
    async def hold(self) -> str:
        return self._become("held")

    @workflow.update
    async def resume(self) -> str:
        return self._become("connected")

    @workflow.update
    async def reply(self, text: str) -> str:
        return await workflow.execute_activity(say, text, start_to_close_timeout=TIMEOUT)

    @workflow.update
    async def disconnect(self) -> str:
        return self._become("completed")

    def _become(self, state: str) -> str:
        self._state = state
        return self._state

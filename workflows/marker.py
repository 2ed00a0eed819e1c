"""A mark in Temporal by which the database recognises one that is new or restored."""

from temporalio import workflow

LONGEST_HISTORY_BEATS = 500


@workflow.defn(name="Marker")
class MarkerWorkflow:
    """Carries the last beat that this Temporal has seen."""

    @workflow.init
    def __init__(self, beat: int) -> None:
        self._beat = beat
        self._beats_in_this_run = 0

    @workflow.run
    async def run(self, beat: int) -> None:  # noqa: ARG002 - Temporal gives `run` what it gives `__init__`
        await workflow.wait_condition(lambda: self._beats_in_this_run >= LONGEST_HISTORY_BEATS)
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(self._beat)

    @workflow.update
    async def advance(self, beat: int) -> int:
        """Take the new beat over and return the one before it."""
        before, self._beat = self._beat, max(self._beat, beat)
        self._beats_in_this_run += 1
        return before

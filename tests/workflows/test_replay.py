"""Yesterday's conversations still run: recorded histories are replayed by today's code."""

import json
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from temporalio.workflow import NondeterminismError

from workflows.conversation import ConversationWorkflow

HISTORIES = sorted(Path(__file__).parent.parent.joinpath("histories").glob("*.json"))
OLDEST = Path(__file__).parent.parent / "histories" / "at_human_pace.0.1.0.json"


def replayer(runner: WorkflowRunner) -> Replayer:
    return Replayer(
        workflows=[ConversationWorkflow],
        data_converter=pydantic_data_converter,
        workflow_runner=runner,
    )


def read(history: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json("conversation/recorded", history.read_text())


def test_there_are_histories() -> None:
    assert len(HISTORIES) >= 4


@pytest.mark.parametrize("history", HISTORIES, ids=lambda path: path.stem)
@pytest.mark.parametrize(
    "runner", [SandboxedWorkflowRunner(), UnsandboxedWorkflowRunner()], ids=["sandbox", "plain"]
)
async def test_recorded_histories_still_replay(history: Path, runner: WorkflowRunner) -> None:
    recorded = read(history)

    await replayer(runner).replay_workflow(recorded)


def started_with(history: Path, **more: object) -> WorkflowHistory:
    """Return the history of an older workflow as if its start had shown what its first sync saw."""
    told = json.loads(history.read_text())
    seen = next(
        event["upsertWorkflowSearchAttributesEventAttributes"]["searchAttributes"]
        for event in told["events"]
        if "upsertWorkflowSearchAttributesEventAttributes" in event
    )
    started = told["events"][0]["workflowExecutionStartedEventAttributes"]
    started |= {"searchAttributes": seen, **more}
    return WorkflowHistory.from_json("conversation/recorded", told)


async def test_a_run_that_continues_another_shows_its_own() -> None:
    recorded = started_with(OLDEST, continuedExecutionRunId="the-run-before")

    await replayer(UnsandboxedWorkflowRunner()).replay_workflow(recorded)


async def test_a_run_that_was_started_showing_does_not_show_the_same_again() -> None:
    with pytest.raises(NondeterminismError):
        await replayer(UnsandboxedWorkflowRunner()).replay_workflow(started_with(OLDEST))


@pytest.mark.parametrize("history", HISTORIES, ids=lambda path: path.stem)
async def test_code_that_leaves_a_command_out_does_not_replay(
    history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seeded bug: a workflow that shows nothing any more."""
    monkeypatch.setattr(ConversationWorkflow, "_show", lambda _self, _seen: None)

    with pytest.raises(NondeterminismError):
        await replayer(UnsandboxedWorkflowRunner()).replay_workflow(read(history))

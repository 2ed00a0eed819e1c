"""Which listeners the sweep starts, and when it asks again; Temporal is a fake here."""

from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from temporalio.client import Client
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from workflows.maintenance import LISTENERS_AGAIN_AFTER_S, TemporalMaintenance

CARE, SALES = ("ch_care", "x"), ("ch_sales", "mastodon")


class FakeMarker:
    def __init__(self) -> None:
        self.beat = 0

    async def execute_update(self, _update: object, beat: int, **_: object) -> int:
        before, self.beat = self.beat, max(self.beat, beat)
        return before


@dataclass
class FakeTemporal:
    """Knows which workflows run, and what was asked of it."""

    running: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    marker: FakeMarker = field(default_factory=FakeMarker)
    is_away: bool = False

    async def start_workflow(self, *_: object, id: str, **__: Any) -> None:  # noqa: A002 - its own word
        if self.is_away:
            raise RPCError("away", RPCStatusCode.UNAVAILABLE, b"")
        self.asked.append(id)
        if id in self.running:
            raise WorkflowAlreadyStartedError(id, "Listener")
        self.running.add(id)

    def get_workflow_handle(self, _workflow_id: str) -> FakeMarker:
        return self.marker


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def temporal() -> FakeTemporal:
    return FakeTemporal()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def maintenance(temporal: FakeTemporal, clock: Clock) -> TemporalMaintenance:
    return TemporalMaintenance(cast("Client", temporal), clock)


async def test_a_listener_is_started_once_and_not_asked_for_again(
    maintenance: TemporalMaintenance, temporal: FakeTemporal
) -> None:
    assert await maintenance.start_listeners([CARE, SALES]) == 2
    assert await maintenance.start_listeners([CARE, SALES]) == 0

    assert temporal.asked == ["listener/ch_care", "listener/ch_sales"]


async def test_one_that_runs_elsewhere_already_is_not_started(
    maintenance: TemporalMaintenance, temporal: FakeTemporal
) -> None:
    temporal.running.add("listener/ch_care")

    assert await maintenance.start_listeners([CARE, SALES]) == 1


async def test_a_new_channel_is_listened_to_at_once_and_alone(
    maintenance: TemporalMaintenance, temporal: FakeTemporal
) -> None:
    await maintenance.start_listeners([CARE])

    assert await maintenance.start_listeners([CARE, SALES]) == 1
    assert temporal.asked == ["listener/ch_care", "listener/ch_sales"]


async def test_a_channel_that_was_switched_off_and_on_is_started_again(
    maintenance: TemporalMaintenance, temporal: FakeTemporal
) -> None:
    await maintenance.start_listeners([CARE, SALES])
    await maintenance.start_listeners([CARE])
    temporal.running.remove("listener/ch_sales")

    assert await maintenance.start_listeners([CARE, SALES]) == 1


async def test_one_that_was_ended_by_hand_is_found_within_a_minute(
    maintenance: TemporalMaintenance, temporal: FakeTemporal, clock: Clock
) -> None:
    await maintenance.start_listeners([CARE, SALES])
    temporal.running.remove("listener/ch_care")
    clock.now_s = LISTENERS_AGAIN_AFTER_S - 1
    assert await maintenance.start_listeners([CARE, SALES]) == 0

    clock.now_s = LISTENERS_AGAIN_AFTER_S

    assert await maintenance.start_listeners([CARE, SALES]) == 1


async def test_a_temporal_that_was_away_is_asked_again(
    maintenance: TemporalMaintenance, temporal: FakeTemporal
) -> None:
    temporal.is_away = True
    with pytest.raises(RPCError):
        await maintenance.start_listeners([CARE])
    temporal.is_away = False

    assert await maintenance.start_listeners([CARE]) == 1


async def test_a_temporal_that_lost_its_data_is_given_all_listeners_at_once(
    maintenance: TemporalMaintenance, temporal: FakeTemporal
) -> None:
    await maintenance.advance_marker(1)
    await maintenance.start_listeners([CARE, SALES])
    await maintenance.advance_marker(2)
    assert await maintenance.start_listeners([CARE, SALES]) == 0
    temporal.running.clear()
    temporal.marker.beat = 0

    await maintenance.advance_marker(3)

    assert await maintenance.start_listeners([CARE, SALES]) == 2

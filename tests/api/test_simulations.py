"""`POST /simulations` on a small floor that worked through the API."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from api import simulations
from tests.api.conftest import Caller, Floor, Json


def moment(seconds: float = 0) -> str:
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def worked(floor: Floor) -> tuple[Json, list[Caller]]:
    """Let two agents take four conversations, and return the period."""
    start = moment()
    agents = [await floor.agent() for _ in range(2)]
    for customer in range(4):
        opened = await floor.open(f"customer-{customer}")
        offer = (await floor.admin.ok("GET", f"/conversations/{opened}"))["offer"]
        for agent in agents:
            me = await agent.ok("GET", "/agents/me")
            if me["id"] == offer["agent_id"]:
                await agent.ok("POST", f"/conversations/{opened}/pickup", {})
    await asyncio.sleep(0.05)
    return {"from": start, "until": moment()}, agents


async def test_nothing_different_repeats_what_happened(floor: Floor) -> None:
    period, _ = await worked(floor)

    said = await floor.admin.ok("POST", "/simulations", period)

    assert said["actual"]["conversations"] == said["simulated"]["conversations"] == 4
    assert said["actual"]["assignments"] == said["simulated"]["assignments"]
    assert (said["compared"], said["changed_agent"]) == (4, 0)
    assert said["simulated"]["service_level_percent"][floor.workgroup] == 100.0


async def test_settings_rules_and_agents_can_be_different(floor: Floor) -> None:
    period, agents = await worked(floor)
    first = (await agents[0].ok("GET", "/agents/me"))["id"]

    alone = {"agents": {first: {"enabled": False}}}
    said = await floor.admin.ok("POST", "/simulations", {**period, **alone})
    assert first in said["actual"]["assignments"]
    assert first not in said["simulated"]["assignments"]
    assert said["changed_agent"] == 2

    full = {"utilization": {"social_conversation": {"percent": 100}}}
    patch = {"workgroups": {floor.workgroup: full}}
    said = await floor.admin.ok("POST", "/simulations", {**period, **patch})
    assert said["simulated"]["unmatched"] == 2

    rules = [{"name": "none of it", "then": [{"action": "discard", "reason": "spam"}]}]
    said = await floor.admin.ok("POST", "/simulations", {**period, "rule_set": {"rules": rules}})
    assert said["simulated"]["conversations"] == 0
    assert said["actual"]["conversations"] == 4


async def test_what_cannot_be_simulated_is_refused_with_its_reason(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    period, _ = await worked(floor)
    cases: tuple[tuple[Json, str], ...] = (
        ({**period, "until": period["from"]}, "invalid_request"),
        ({**period, "from": moment(-32 * 86_400)}, "invalid_request"),
        ({**period, "until": moment(60)}, "period_not_over"),
        ({**period, "workgroups": {"nowhere": {}}}, "unknown_reference"),
        ({**period, "agents": {"nobody": {}}}, "unknown_reference"),
        ({**period, "workgroups": {floor.workgroup: {"offers_at_once": 0}}}, "invalid_request"),
        (
            {**period, "workgroups": {floor.workgroup: {"rings": [_ring_to("nowhere")]}}},
            "unknown_reference",
        ),
        ({**period, "rule_set": {"rules": [{"name": "x"}]}}, "invalid_request"),
        (
            {**period, "rule_set": {"trigger": "ring_step", "rules": []}},
            "invalid_request",
        ),
    )
    for body, code in cases:
        await floor.admin.refused("POST", "/simulations", body, 422, code)

    monkeypatch.setattr("storage.traffic.MOST_CONVERSATIONS", 3)
    await floor.admin.refused("POST", "/simulations", period, 422, "too_much_traffic")
    monkeypatch.setattr("storage.traffic.MOST_CONVERSATIONS", 10_000)

    monkeypatch.setattr(simulations, "TIME_LIMIT_S", 0.01)
    await floor.admin.refused("POST", "/simulations", period, 422, "simulation_too_long")


def _ring_to(workgroup_id: str) -> Json:
    return {"after_s": 10, "workgroups": [workgroup_id]}


async def test_the_api_goes_on_answering_and_a_second_one_is_refused(floor: Floor) -> None:
    period, _ = await worked(floor)
    running = asyncio.create_task(floor.admin.ok("POST", "/simulations", period))
    await asyncio.sleep(0.1)

    await floor.admin.refused("POST", "/simulations", period, 409, "simulation_in_progress")
    before = asyncio.get_running_loop().time()
    await floor.admin.ok("GET", "/workgroups")

    assert asyncio.get_running_loop().time() - before < 1
    assert (await running)["changed_agent"] == 0


async def test_a_repeated_key_gives_the_answer_again(floor: Floor) -> None:
    period, _ = await worked(floor)

    first = await floor.admin.call("POST", "/simulations", period, key="once")
    again = await floor.admin.call("POST", "/simulations", period, key="once")

    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"

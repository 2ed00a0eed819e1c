"""What would have happened: a period's recorded traffic under other settings or rules."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Annotated, Any, cast

from fastapi import Response
from fastapi.exceptions import RequestValidationError
from pydantic import Field, model_validator
from sqlalchemy import RowMapping

from acd.model import Agent, Utilization
from acd.rule_facts import Trigger
from acd.rule_reading import MOST_RULES, read_rules
from acd.rules import RuleSet
from acd.what_if import Comparison, Setting, Traffic
from api.agents import MediaTypes, SkillBody
from api.context import Context, ContextOf
from api.errors import Problem, unprocessable
from api.fields import Body, Id, Moment, Shape, rfc3339
from api.idempotency import Answer, Carried
from api.routes import COMMANDS, new_router
from api.setup import patched
from api.simulation_process import SimulationFailed, compare_apart
from api.workgroups import UtilizationLevels, WorkgroupBody, body_of, values_of
from storage import clock, floor_record
from storage.calendars import overflow_targets
from storage.simulated_settings import setting_of
from storage.traffic import Period, PeriodNotKept, TooMuchTraffic
from storage.traffic_reading import read_traffic

router = new_router("simulations")

LONGEST_PERIOD_MS = 31 * 24 * 3_600_000
TIME_LIMIT_S = 20.0
MOST_PATCHES = 200

_turn = asyncio.Semaphore(1)
"""One simulation at a time in a process: they are heavy, and nobody waits for them."""


class SimulatedRulesBody(Body):
    """Rules that are asked at arrivals instead of those in force."""

    trigger: Annotated[Trigger, Field(strict=False)] = Trigger.ARRIVAL
    rules: Annotated[list[dict[str, Any]], Field(max_length=MOST_RULES)]

    @model_validator(mode="after")
    def _be_for_arrivals(self) -> "SimulatedRulesBody":
        if self.trigger is not Trigger.ARRIVAL:
            raise ValueError("only rules for arrivals are simulated")
        return self


class SimulatedAgentBody(Body):
    """What is to be different about an agent; what is left out stays as it was."""

    skills: Annotated[list[SkillBody], Field(max_length=100)] | None = None
    workgroups: Annotated[list[Id], Field(max_length=200)] | None = None
    utilization: UtilizationLevels | None = None
    media_types: MediaTypes | None = None
    licensed: bool | None = None
    enabled: bool | None = None


class SimulationBody(Body):
    """Which period, and what is to be different; nothing different repeats what happened."""

    start: Annotated[Moment, Field(alias="from")]
    until: Moment
    rule_set: SimulatedRulesBody | None = None
    workgroups: Annotated[
        dict[Id, dict[str, Any]],
        Field(max_length=MOST_PATCHES, description="Merge patches of workgroups, by id"),
    ] = {}
    agents: Annotated[dict[Id, SimulatedAgentBody], Field(max_length=MOST_PATCHES)] = {}

    @model_validator(mode="after")
    def _be_a_period(self) -> "SimulationBody":
        if self.until <= self.start:
            raise ValueError("until must be later than from")
        if self.until - self.start > LONGEST_PERIOD_MS:
            raise ValueError("a period is at most 31 days long")
        return self


class WaitsShape(Shape):
    """From the queue to the first pick-up."""

    answered: int
    mean_ms: float
    p50_ms: int
    p95_ms: int
    longest_ms: int


class OutcomeShape(Shape):
    conversations: int
    waits: WaitsShape
    service_level_percent: dict[str, float | None]
    assignments: Annotated[dict[str, int], Field(description="First pick-ups by agent")]
    missed: Annotated[int, Field(description="Offers that nobody took in time")]
    overflowed: int
    unmatched: Annotated[int, Field(description="Still waiting for a first agent at the end")]


class SimulationShape(Shape):
    start: Annotated[str, Field(alias="from")]
    until: str
    actual: OutcomeShape
    simulated: OutcomeShape
    compared: Annotated[int, Field(description="Picked up in both")]
    changed_agent: Annotated[int, Field(description="Of these, by another agent")]


@router.post("/simulations", response_model=SimulationShape, responses=COMMANDS)
async def create_simulation(body: SimulationBody, context: ContextOf, once: Carried) -> Response:
    """Repeat a period's traffic under other settings; nothing is changed."""

    async def work() -> Answer:
        comparison = await _within_limits(context, body)
        return Answer(200, _shape(body, comparison))

    return await once.run_in_parts(work)


async def _within_limits(context: Context, body: SimulationBody) -> Comparison:
    """Simulate, one at a time and not for ever.

    Raises:
        Problem: 409 another one runs; 422 too much traffic, too old, or it took too long.
    """
    if _turn.locked():
        raise Problem(409, "simulation_in_progress", "another simulation is running: try again")
    try:
        async with _turn, asyncio.timeout(TIME_LIMIT_S):
            return await _simulate(context, body)
    except TimeoutError as error:
        limit = f"it took longer than {TIME_LIMIT_S:g} s: choose a shorter period"
        raise unprocessable("simulation_too_long", ["body", "until"], limit) from error
    except TooMuchTraffic as error:
        raise unprocessable("too_much_traffic", ["body", "until"], str(error)) from error
    except PeriodNotKept as error:
        raise unprocessable("period_not_kept", ["body", "from"], str(error)) from error
    except SimulationFailed as error:
        raise Problem(500, "simulation_failed", str(error)) from error


async def _simulate(context: Context, body: SimulationBody) -> Comparison:
    database = context.database
    if body.until > await database.read(clock.now):
        raise unprocessable("period_not_over", ["body", "until"], "is later than now")
    rows = await database.read(lambda k: floor_record.workgroups_at(k, body.start))
    settings = _settings(rows, body.workgroups)
    _require_known(rows, body)
    rules = _rules(body.rule_set)
    traffic = await read_traffic(database, Period(body.start, body.until), rules)
    return await compare_apart(_with_agents(traffic, body.agents), settings)


def _settings(
    rows: Mapping[str, Mapping[str, Any]], patches: Mapping[str, dict[str, Any]]
) -> list[Setting]:
    """Return the workgroups' settings with the patches, judged as a PATCH judges them."""
    found: list[Setting] = []
    for workgroup_id, row in rows.items():
        patch = patches.get(workgroup_id)
        values = dict(row)
        if patch:
            known = body_of(cast("RowMapping", row))
            values |= values_of(_patched(workgroup_id, known, patch))
        found.append(setting_of(values))
    return found


def _patched(workgroup_id: str, known: Mapping[str, Any], patch: dict[str, Any]) -> WorkgroupBody:
    try:
        return patched(WorkgroupBody, known, patch)
    except RequestValidationError as error:
        at = ("body", "workgroups", workgroup_id)
        raise RequestValidationError(
            [{**one, "loc": (*at, *one["loc"][1:])} for one in error.errors()]
        ) from error


def _require_known(rows: Mapping[str, Any], body: SimulationBody) -> None:
    """Refuse patches of what does not exist, and workgroups that they name and do not exist.

    Raises:
        Problem: 422, with the place.
    """
    for workgroup_id, patch in body.workgroups.items():
        _require(rows, [workgroup_id], "workgroups")
        added = (one for ring in patch.get("rings") or () for one in ring.get("workgroups", ()))
        _require(rows, added, f"workgroups.{workgroup_id}.rings")
        told = {"business_hours": None, "overflow": None} | patch
        elsewhere = (to for _, to in overflow_targets(told))
        _require(rows, elsewhere, f"workgroups.{workgroup_id}.overflow")
    for agent_id, agent in body.agents.items():
        _require(rows, agent.workgroups or (), f"agents.{agent_id}.workgroups")


def _require(rows: Mapping[str, Any], workgroup_ids: Iterable[str], where: str) -> None:
    for workgroup_id in workgroup_ids:
        if workgroup_id not in rows:
            at = ["body", *where.split(".")]
            raise unprocessable("unknown_reference", at, f"there is no {workgroup_id}")


def _rules(body: SimulatedRulesBody | None) -> RuleSet | None:
    if body is None:
        return None
    reading = read_rules(body.rules, body.trigger, ("body", "rule_set", "rules"))
    if reading.faults:
        raise RequestValidationError(
            [{"loc": f.path, "msg": f.reason, "type": "routing_rule"} for f in reading.faults]
        )
    return RuleSet(body.trigger, reading.rules)


def _with_agents(traffic: Traffic, patches: Mapping[str, SimulatedAgentBody]) -> Traffic:
    """Let the agents be different for the whole period.

    Raises:
        Problem: 422, one was not there.
    """
    present = {state.agent.id for state in traffic.states}
    for agent_id in patches:
        if agent_id not in present:
            at = ["body", "agents", agent_id]
            raise unprocessable("unknown_reference", at, "this agent was not there in the period")
    states = tuple(
        replace(state, agent=_changed(state.agent, patches.get(state.agent.id)))
        for state in traffic.states
    )
    return replace(traffic, states=states)


def _changed(agent: Agent, patch: SimulatedAgentBody | None) -> Agent:
    if patch is None:
        return agent
    changes: dict[str, Any] = {}
    if patch.skills is not None:
        changes["skills"] = {one.skill: one.proficiency for one in patch.skills}
    if patch.workgroups is not None:
        changes["workgroup_ids"] = frozenset(patch.workgroups)
    if patch.utilization is not None:
        changes["utilization"] = {
            media_type: Utilization(level.percent, level.max)
            for media_type, level in patch.utilization.items()
        }
    if patch.media_types is not None:
        changes["may_get"] = frozenset(patch.media_types)
    if patch.licensed is not None:
        changes["is_licensed"] = patch.licensed
    if patch.enabled is not None:
        changes["is_enabled"] = patch.enabled
    return replace(agent, **changes)


def _shape(body: SimulationBody, comparison: Comparison) -> dict[str, Any]:
    return {
        "from": rfc3339(body.start),
        "until": rfc3339(body.until),
        "actual": asdict(comparison.actual),
        "simulated": asdict(comparison.simulated),
        "compared": comparison.compared,
        "changed_agent": comparison.changed_agent,
    }

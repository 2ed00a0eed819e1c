"""Rings, several offers at once, automatic acceptance, overrides and scores in the database."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import Connection, select, update

from acd.priority import queue_rank
from api.workgroups import WorkgroupBody, values_of
from conversations import commands as c
from conversations.errors import ConversationError, OverrideNeedsSupervisor
from conversations.model import RequiredSkill, RoutingStatus
from storage import conversations, events, setup, workgroups
from storage.conversation_tables import ConversationRow
from storage.database import Database
from storage.rows import conversation_from, queue_order_from
from storage.setup_tables import AgentRow
from storage.upkeep import DatabaseUpkeep
from tests.clocks import Clock
from tests.floor import Floor
from tests.history import World, read_history
from tests.invariants import violations_when_quiet

AGENTS = AgentRow.__table__  # type: ignore[attr-defined]
CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]


@pytest.fixture
async def floor(database: Database) -> AsyncIterator[Floor]:
    made = Floor(database)
    yield made
    await made.following.close()


async def workgroup(floor: Floor, name: str = "care", **settings: object) -> str:
    """Create a workgroup as the API does, rings and all."""
    values = values_of(WorkgroupBody.model_validate({"name": name, **settings}))
    return await floor.database.write(lambda k: workgroups.create(k, values))


async def patch(floor: Floor, workgroup_id: str, **settings: object) -> None:
    def change(connection: Connection) -> None:
        row = workgroups.lock(connection, workgroup_id)
        assert row is not None
        body = {name: row[name] for name in WorkgroupBody.model_fields} | settings
        workgroups.change(connection, row, values_of(WorkgroupBody.model_validate(body)))

    await floor.database.write(change)
    await floor.following.ask([workgroup_id])


async def let_due_happen(floor: Floor, conversation_id: str) -> None:
    outcome = await floor.database.write(lambda k: conversations.let_due_happen(k, conversation_id))
    await floor.follow(outcome)


async def offered_to(floor: Floor, conversation_id: str) -> list[str]:
    return [offer.agent_id for offer in (await floor.get(conversation_id)).offers]


async def load_of(floor: Floor, agent_id: str) -> tuple[int, int]:
    query = select(AGENTS.c.utilization, AGENTS.c.override_percent).where(AGENTS.c.id == agent_id)
    return await floor.database.read(lambda k: tuple(k.execute(query).one()))


async def require_sound(floor: Floor) -> None:
    while await floor.database.write(events.number_events):
        pass
    history = await floor.database.read(read_history)
    assert list(violations_when_quiet(history, World())) == []


async def test_a_ring_adds_its_agents_at_its_time_and_not_before(
    floor: Floor, clock: Clock
) -> None:
    helpers = await workgroup(floor, "helpers")
    care = await workgroup(floor, rings=[{"after_s": 30, "workgroups": [helpers]}])
    helper = await floor.agent(helpers)
    waits = await floor.open(await floor.channel(care), "kim")
    clock.instant += 29_999
    await let_due_happen(floor, waits)
    assert await offered_to(floor, waits) == []
    clock.instant += 1
    await let_due_happen(floor, waits)
    assert await offered_to(floor, waits) == [helper]


async def test_an_agent_of_an_open_ring_is_asked_when_he_becomes_free(
    floor: Floor, clock: Clock
) -> None:
    helpers = await workgroup(floor, "helpers")
    care = await workgroup(floor, rings=[{"after_s": 0, "workgroups": [helpers]}])
    helper = await floor.agent(helpers, on_queue=False)
    waits = await floor.open(await floor.channel(care), "kim")
    await let_due_happen(floor, waits)
    await floor.status(helper, RoutingStatus.ON_QUEUE)
    await floor.following.close()
    assert await offered_to(floor, waits) == [helper]


async def test_rings_drop_and_lower_skills_one_after_the_other(floor: Floor, clock: Clock) -> None:
    await workgroup(
        floor, "makes the skills known", required_skills=[{"skill": "german"}, {"skill": "billing"}]
    )
    care = await workgroup(
        floor,
        required_skills=[{"skill": "german", "min_proficiency": 80}, {"skill": "billing"}],
        rings=[
            {"after_s": 10, "lower_skills": [{"skill": "german", "min_proficiency": 20}]},
            {"after_s": 20, "drop_skills": ["billing"]},
        ],
    )
    halting = await floor.agent(care, skills={"german": 30, "billing": 1})
    without_billing = await floor.agent(care, skills={"german": 30})
    channel = await floor.channel(care)
    first, second = await floor.open(channel, "kim"), await floor.open(channel, "robin")
    await floor.database.write(
        lambda k: k.execute(update(AGENTS).where(AGENTS.c.id == halting).values(utilization=75))
    )
    clock.instant += 10_000
    await let_due_happen(floor, first)
    await let_due_happen(floor, second)
    assert await offered_to(floor, first) == [halting]
    assert await offered_to(floor, second) == []
    clock.instant += 10_000
    await let_due_happen(floor, second)
    assert await offered_to(floor, second) == [without_billing]


async def test_a_ring_that_adds_nobody_costs_no_waiting(floor: Floor, clock: Clock) -> None:
    nobody = await workgroup(floor, "nobody")
    helpers = await workgroup(floor, "helpers")
    care = await workgroup(
        floor,
        rings=[
            {"after_s": 10, "workgroups": [nobody]},
            {"after_s": 600, "workgroups": [helpers]},
        ],
    )
    helper = await floor.agent(helpers)
    waits = await floor.open(await floor.channel(care), "kim")
    clock.instant += 10_000
    await let_due_happen(floor, waits)
    assert (await floor.get(waits)).ring == 2
    assert await offered_to(floor, waits) == [helper]


@pytest.mark.parametrize("is_there", [True, False])
async def test_a_ring_may_open_at_once_if_nobody_is_in_the_circle(
    floor: Floor, *, is_there: bool
) -> None:
    helpers = await workgroup(floor, "helpers")
    ring = {"after_s": 600, "workgroups": [helpers], "at_once_if_nobody": True}
    care = await workgroup(floor, rings=[ring])
    if is_there:
        await floor.agent(care, utilization=100)
    helper = await floor.agent(helpers)
    waits = await floor.open(await floor.channel(care), "kim")
    assert await offered_to(floor, waits) == ([] if is_there else [helper])


async def test_the_first_of_several_accepts_and_the_others_are_free_again(floor: Floor) -> None:
    care = await workgroup(floor, offers_at_once=3)
    agents = [await floor.agent(care) for _ in range(4)]
    waits = await floor.open(await floor.channel(care), "kim")
    alerted = await offered_to(floor, waits)
    assert len(alerted) == 3
    assert [await load_of(floor, a) for a in alerted] == [(25, 0)] * 3
    outcomes = await asyncio.gather(*(floor.pick_up(waits, a) for a in alerted))
    won = [outcome for outcome in outcomes if outcome.refusal is None]
    assert len(won) == 1
    assert {outcome.refusal.code for outcome in outcomes if outcome.refusal} == {
        "not_your_conversation"
    }
    owner = (await floor.get(waits)).agent_id
    for agent in agents:
        assert await load_of(floor, agent) == ((25, 0) if agent == owner else (0, 0))
    await require_sound(floor)


async def test_one_of_several_declines_and_the_others_go_on_alerting(floor: Floor) -> None:
    care = await workgroup(floor, offers_at_once=2)
    for _ in range(2):
        await floor.agent(care)
    waits = await floor.open(await floor.channel(care), "kim")
    first, second = await offered_to(floor, waits)
    await floor.command(waits, c.Decline(c.Actor(first), None, None))
    assert await offered_to(floor, waits) == [second]
    await floor.status(second, RoutingStatus.OFF_QUEUE)
    assert await offered_to(floor, waits) == []
    await require_sound(floor)


async def test_when_nobody_of_several_takes_it_all_are_not_responding(
    floor: Floor, clock: Clock
) -> None:
    care = await workgroup(floor, offers_at_once=2)
    for _ in range(2):
        await floor.agent(care)
    waits = await floor.open(await floor.channel(care), "kim")
    clock.instant += 20_300
    await let_due_happen(floor, waits)
    statuses = select(AGENTS.c.routing_status)
    found = await floor.database.read(lambda k: set(k.execute(statuses).scalars()))
    assert found == {"not_responding"}
    await require_sound(floor)


async def test_a_workgroup_may_return_what_was_not_taken_and_leave_the_agent_on_queue(
    floor: Floor, clock: Clock
) -> None:
    care = await workgroup(floor, offer_timeout_action="return_to_queue", decline_backoff_s=10)
    agent = await floor.agent(care)
    waits = await floor.open(await floor.channel(care), "kim")
    clock.instant += 20_300
    await let_due_happen(floor, waits)
    assert await offered_to(floor, waits) == []
    clock.instant += 10_000
    await let_due_happen(floor, waits)
    assert await offered_to(floor, waits) == [agent]


async def test_with_automatic_acceptance_the_chosen_is_connected_at_once(floor: Floor) -> None:
    care = await workgroup(floor, auto_accept=True)
    agent = await floor.agent(care)
    waits = await floor.open(await floor.channel(care), "kim")
    conversation = await floor.get(waits)
    assert (conversation.state, conversation.agent_id) == ("connected", agent)
    assert await load_of(floor, agent) == (25, 0)
    await require_sound(floor)


async def test_a_supervisor_may_override_capacity_and_it_is_counted_apart(floor: Floor) -> None:
    care = await workgroup(floor)
    agent = await floor.agent(care)
    channel = await floor.channel(care)
    for n in range(4):
        await floor.connect(channel, f"customer-{n}")
    waits = await floor.open(channel, "kim")
    plain = c.TransferToAgent(c.SYSTEM, agent, "of_1", None)
    assert await code_of(floor, waits, plain) == "agent_at_capacity"
    agents_own = c.TransferToAgent(c.Actor(agent), agent, "of_2", None, override_capacity=True)
    assert await code_of(floor, waits, agents_own) in {
        "not_your_conversation",
        OverrideNeedsSupervisor("").code,
    }
    override = c.TransferToAgent(c.SYSTEM, agent, "of_3", None, override_capacity=True)
    assert await code_of(floor, waits, override) is None
    assert await load_of(floor, agent) == (100, 25)
    await floor.pick_up(waits, agent)
    assert await load_of(floor, agent) == (100, 25)
    await require_sound(floor)
    await floor.command(waits, c.Disconnect(c.Actor(agent), None))
    assert await load_of(floor, agent) == (100, 0)
    await require_sound(floor)


async def code_of(floor: Floor, conversation_id: str, command: c.Command) -> str | None:
    refusal: ConversationError | None = (await floor.command(conversation_id, command)).refusal
    return refusal.code if refusal else None


async def test_an_override_is_of_capacity_and_of_nothing_else(floor: Floor) -> None:
    care = await workgroup(floor)
    stranger = await floor.agent(await workgroup(floor, "others"))
    waits = await floor.open(await floor.channel(care), "kim")
    override = c.TransferToAgent(c.SYSTEM, stranger, "of_1", None, override_capacity=True)
    assert await code_of(floor, waits, override) == "agent_not_eligible"


@pytest.mark.parametrize(
    "order",
    [
        {"score_weights": {"priority": 3, "time_in_queue": 2, "time_in_system": 5, "skill": 1}},
        {"strict_priority": True},
    ],
)
async def test_a_new_order_ranks_everybody_who_waits_as_the_rule_does(
    floor: Floor, clock: Clock, order: dict[str, object]
) -> None:
    care = await workgroup(floor)
    for n, priority in enumerate((0, 50, 100)):
        channel = await floor.channel(care, priority=priority)
        await floor.open(channel, f"customer-{n}")
        clock.instant += 60_000
    await patch(floor, care, **order)

    def read(connection: Connection) -> list[tuple[int, int]]:
        workgroup_row = workgroups.get(connection, care)
        assert workgroup_row is not None
        by = queue_order_from(workgroup_row)
        rows = connection.execute(select(CONVERSATIONS)).mappings()
        return [(row["queue_rank"], queue_rank(conversation_from(row), by)) for row in rows]

    ranks = await floor.database.read(read)
    assert len(ranks) == 3
    assert all(stored == by_rule for stored, by_rule in ranks)


async def test_who_was_ranked_by_an_order_that_was_changing_is_ranked_again(
    floor: Floor, clock: Clock
) -> None:
    care = await workgroup(floor)
    waits = await floor.open(await floor.channel(care), "kim")
    rank = select(CONVERSATIONS.c.queue_rank).where(CONVERSATIONS.c.id == waits)
    await patch(floor, care, strict_priority=True)
    right = await floor.database.read(lambda k: k.execute(rank).scalar_one())
    stale = update(CONVERSATIONS).where(CONVERSATIONS.c.id == waits).values(queue_rank=1)
    await floor.database.write(lambda k: k.execute(stale))
    await DatabaseUpkeep(floor.database, floor.following, frozenset()).ask_everywhere()
    assert await floor.database.read(lambda k: k.execute(rank).scalar_one()) == right


async def test_strict_priority_goes_before_any_age(floor: Floor, clock: Clock) -> None:
    care = await workgroup(floor, strict_priority=True)
    old = await floor.open(await floor.channel(care, priority=10), "kim")
    clock.instant += 7 * 86_400_000
    urgent = await floor.open(await floor.channel(care, priority=11), "robin")
    whole = {"social_conversation": {"percent": 100}}
    await floor.agent(care, own_utilization=whole)
    assert await offered_to(floor, urgent) != []
    assert await offered_to(floor, old) == []


async def test_with_a_weight_for_skill_a_freed_expert_gets_what_he_is_best_at(
    floor: Floor, clock: Clock
) -> None:
    care = await workgroup(floor, score_weights={"skill": 1})
    plain = await floor.open(await floor.channel(care), "kim")
    clock.instant += 60_000
    channel = replace(await floor.channel(care), required_skills=(RequiredSkill("billing"),))
    special = await floor.open(channel, "robin")
    whole = {"social_conversation": {"percent": 100}}
    await floor.agent(care, own_utilization=whole, skills={"billing": 90})
    assert await offered_to(floor, special) != []
    assert await offered_to(floor, plain) == []


async def test_a_workgroup_in_a_ring_is_in_use(floor: Floor) -> None:
    helpers = await workgroup(floor, "helpers")
    await workgroup(floor, rings=[{"after_s": 30, "workgroups": [helpers]}])
    with pytest.raises(setup.InUse):
        await floor.database.write(lambda k: workgroups.remove(k, helpers))

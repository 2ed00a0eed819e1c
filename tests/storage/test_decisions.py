"""Decision records: evaluated again, they come out byte for byte; bounded looks see what all do."""

import random
from dataclasses import replace
from typing import Any, cast

import pytest
from sqlalchemy import Connection, RowMapping, select

from acd.matching import choose_agent
from acd.shortlist import shortlist
from conversations import commands as c
from conversations.model import Conversation, MediaType, PassedOver, RequiredSkill, RoutingStatus
from storage import clock, explaining, shortlists
from storage.candidates import agents_named
from storage.conversation_tables import ConversationRow
from storage.database import Database
from storage.journal import Journal
from storage.log_tables import DecisionRow
from storage.rows import conversation_from, routing_policy_from
from storage.setup_tables import AgentRow
from tests.floor import Floor

AGENTS = AgentRow.__table__  # type: ignore[attr-defined]
CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]
DECISIONS = DecisionRow.__table__  # type: ignore[attr-defined]
ORDERS: tuple[list[str], ...] = (
    [],
    ["lowest_utilization", "longest_idle"],
    ["round_robin"],
    ["skill_fit", "preferred_agent", "longest_idle"],
    ["nearest", "lowest_utilization"],
)


async def crowd(floor: Floor, draw: random.Random, *workgroup_ids: str) -> list[str]:
    """Fill workgroups with agents of every kind."""
    own = {MediaType.SOCIAL_CONVERSATION.value: {"percent": draw.choice([10, 40, 60])}}
    return [
        await floor.agent(
            *draw.sample(workgroup_ids, draw.randint(1, len(workgroup_ids))),
            on_queue=draw.random() < 0.8,
            skills={s: draw.randint(0, 100) for s in ("german", "billing") if draw.random() < 0.6},
            own_utilization=own if draw.random() < 0.3 else {},
            utilization=draw.choice([0, 0, 25, 50, 80, 100]),
            licensed=draw.random() < 0.9,
            enabled=draw.random() < 0.95,
            offered_at=draw.randint(0, 5),
            place={"lat": draw.uniform(-60, 60), "lon": draw.uniform(-179, 179)},
        )
        for _ in range(30)
    ]


def asking(draw: random.Random, waiting: Conversation, agent_ids: list[str]) -> Conversation:
    required = [RequiredSkill("german", draw.choice([0, 50])), RequiredSkill("billing")]
    return replace(
        waiting,
        required_skills=tuple(draw.sample(required, draw.randint(0, 2))),
        preferred_skills=(RequiredSkill("billing", 30),) if draw.random() < 0.5 else (),
        ring=draw.randint(0, 1),
        preferred_agent_id=draw.choice([None, draw.choice(agent_ids)]),
        preferred_until=draw.choice([None, waiting.created_at + 10**9]),
        passed_over=(PassedOver(draw.choice(agent_ids), waiting.created_at + 10**9),)
        if draw.random() < 0.4
        else (),
    )


@pytest.mark.parametrize("seed", range(4))
async def test_a_bounded_look_chooses_whom_a_look_at_everybody_chooses(
    database: Database, seed: int
) -> None:
    draw = random.Random(seed)
    floor = Floor(database)
    near, far = await floor.workgroup(), await floor.workgroup()
    agent_ids = await crowd(floor, draw, near, far)
    opened = await floor.open(await floor.channel(await floor.workgroup()), "kim")
    rings = [{"after_s": 5, "workgroups": [far], "drop_skills": ["german"]}]

    def compare(connection: Connection, order: list[str]) -> None:
        row = connection.execute(select(CONVERSATIONS).where(CONVERSATIONS.c.id == opened))
        waiting = replace(conversation_from(row.mappings().one()), workgroup_id=near)
        workgroup = dict(Journal(connection, 0).workgroup(near))
        policy = routing_policy_from(
            cast("RowMapping", workgroup | {"rings": rings, "agent_order": order})
        )
        now = clock.now(connection)
        everybody = agents_named(connection, agent_ids, now)
        for _ in range(25):
            conversation = asking(draw, waiting, agent_ids)
            seen = shortlists.look(connection, conversation, policy, now, 1)
            by_rule = shortlist(conversation, everybody, policy, seen.most)
            assert dict(seen.shortlist.stopped_before) == dict(by_rule.stopped_before)
            if seen.most is not None:
                assert [a.id for a in seen.shortlist.agents] == [a.id for a in by_rule.agents]
            assert set(map(str, seen.shortlist.agents)) == set(map(str, by_rule.agents))
            by_all = choose_agent(
                conversation, shortlist(conversation, everybody, policy, None), policy, now
            )
            by_few = choose_agent(conversation, seen.shortlist, policy, now)
            assert by_few.chosen == by_all.chosen
            assert by_few.candidates == by_all.candidates

    for order in ORDERS:
        await database.read(lambda k, order=order: compare(k, order))  # type: ignore[misc]


async def records(database: Database) -> list[dict[str, Any]]:
    query = select(DECISIONS.c.record).order_by(DECISIONS.c.at, DECISIONS.c.id)
    return await database.read(lambda k: list(k.execute(query).scalars()))


@pytest.mark.parametrize("offers_at_once", [1, 3])
async def test_every_offer_of_a_busy_floor_comes_out_again_byte_for_byte(
    database: Database, offers_at_once: int
) -> None:
    draw = random.Random(offers_at_once)
    floor = Floor(database)
    workgroup_id = await floor.workgroup(offers_at_once=offers_at_once)
    channel = await floor.channel(workgroup_id)
    agent_ids = [await floor.agent(workgroup_id, on_queue=False) for _ in range(12)]
    conversation_ids = [await floor.open(channel, f"customer-{n}") for n in range(30)]
    for agent_id in agent_ids:
        await floor.status(agent_id, RoutingStatus.ON_QUEUE)
    for conversation_id in draw.sample(conversation_ids, 10):
        offer = (await floor.get(conversation_id)).offer
        if offer is not None:
            await floor.pick_up(conversation_id, offer.agent_id)
            await floor.command(conversation_id, c.Disconnect(c.Actor(offer.agent_id), None))
    told = [record for record in await records(database) if record["chosen"]]
    assert len(told) >= 20
    for record in told:
        again = await database.read(lambda k, r=record: explaining.evaluate(k, r))  # type: ignore[misc]
        assert again is not None
        assert explaining.is_reproduced(record, again), record


async def test_every_agents_reason_is_told_as_it_was_then(database: Database) -> None:
    floor = Floor(database)
    workgroup_id = await floor.workgroup(required_skills=[{"skill": "german"}])
    skills = {"german": 60}
    off = await floor.agent(workgroup_id, on_queue=False, skills=skills)
    dumb = await floor.agent(workgroup_id)
    stranger = await floor.agent(await floor.workgroup(), skills=skills)
    best = await floor.agent(workgroup_id, skills={"german": 90})
    good = await floor.agent(workgroup_id, skills=skills)
    await floor.open(await floor.channel(workgroup_id), "kim")
    await floor.status(off, RoutingStatus.ON_QUEUE)
    (record,) = [r for r in await records(database) if r["chosen"]]
    again = await database.read(lambda k: explaining.evaluate(k, record))
    assert again is not None
    told = {a: again.tell_of(a) for a in (off, dumb, stranger, best, good, "ag_nobody")}
    assert {a: (t.outcome, t.reasons) for a, t in told.items()} == {
        off: ("not_eligible", ("not_on_queue",)),
        dumb: ("not_eligible", ("missing_skill",)),
        stranger: ("not_eligible", ("not_a_member",)),
        best: ("chosen", ()),
        good: ("runner_up", ()),
        "ag_nobody": ("not_there", ()),
    }


async def test_a_record_does_not_grow_with_the_floor(database: Database) -> None:
    sizes = []
    for agents in (10, 40):
        floor = Floor(database)
        workgroup_id = await floor.workgroup()
        for _ in range(agents):
            await floor.agent(workgroup_id)
        before = len(await records(database))
        await floor.open(await floor.channel(workgroup_id), f"customer-{agents}")
        (record,) = (await records(database))[before:]
        sizes.append(len(explaining.canonical(record)))
    assert abs(sizes[1] - sizes[0]) < 20

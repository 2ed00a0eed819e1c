"""Sets of routing rules: versions, order, what they name, what they bound."""

import asyncio

import pytest
from sqlalchemy import select

from acd.rule_facts import Trigger
from storage import (
    rules,
    setup,
    workgroups,
)
from storage.database import Database
from tests.floor import Floor
from tests.storage.rule_floor import (
    RULE_SETS,
    SKILLS,
    changed,
    in_force,
    records,
    rule,
)


async def test_a_change_counts_at_once_and_every_version_stays(database: Database) -> None:
    floor = Floor(database)
    source = await floor.channel(await floor.workgroup())
    set_id = await in_force(
        floor, Trigger.ARRIVAL, rule({"action": "set_priority", "priority": 60})
    )

    seen = [(await floor.get(await floor.open(source, "a"))).priority]
    await changed(floor, set_id, rule({"action": "set_priority", "priority": 70}))
    seen.append((await floor.get(await floor.open(source, "b"))).priority)
    await changed(floor, set_id, rule({"action": "set_priority", "priority": 80}), enabled=False)
    seen.append((await floor.get(await floor.open(source, "c"))).priority)

    assert seen == [60, 70, 50]
    query = select(rules.VERSIONS).order_by(rules.VERSIONS.c.version)
    kept = await database.read(lambda k: list(k.execute(query).mappings()))
    assert [row["version"] for row in kept] == [1, 2, 3]
    assert [row["rules"][0]["then"][0]["priority"] for row in kept] == [60, 70, 80]


async def test_sets_are_asked_by_position_and_each_builds_on_the_one_before(
    database: Database,
) -> None:
    floor = Floor(database)
    source = await floor.channel(await floor.workgroup())
    raising = rule({"action": "raise_priority", "by": 5}, stop=True)
    await in_force(floor, Trigger.ARRIVAL, raising, position=2)
    await in_force(
        floor, Trigger.ARRIVAL, rule({"action": "set_priority", "priority": 20}), position=1
    )

    conversation_id = await floor.open(source, "ada")

    assert (await floor.get(conversation_id)).priority == 25
    told = await records(floor, conversation_id)
    assert sorted((r["before"]["priority"], r["after"]["priority"]) for r in told) == [
        (20, 25),
        (50, 20),
    ]


async def test_what_rules_name_exists_and_stays(database: Database) -> None:
    floor = Floor(database)
    workgroup = await floor.workgroup()
    with pytest.raises(setup.UnknownReference, match="wg_nothing"):
        await in_force(
            floor,
            Trigger.ARRIVAL,
            rule({"action": "set_workgroup", "workgroup_id": "wg_nothing"}),
        )
    with pytest.raises(setup.UnknownReference, match="ag_nobody"):
        await in_force(
            floor, Trigger.ARRIVAL, rule({"action": "prefer_agent", "agent_id": "ag_nobody"})
        )
    set_id = await in_force(
        floor,
        Trigger.ARRIVAL,
        rule(
            {"action": "set_workgroup", "workgroup_id": workgroup},
            {"action": "require_skill", "skill": "refunds"},
        ),
        enabled=False,
    )

    with pytest.raises(setup.InUse, match="routing rules"):
        await database.write(lambda k: workgroups.remove(k, workgroup))
    names = await database.read(lambda k: list(k.execute(select(SKILLS.c.name)).scalars()))
    assert names == ["refunds"]

    await changed(floor, set_id, rule({"action": "set_priority", "priority": 1}))
    await database.write(lambda k: workgroups.remove(k, workgroup))


async def test_a_trigger_changes_never_and_has_a_bounded_number_of_rules(
    database: Database,
) -> None:
    floor = Floor(database)
    hundred = [rule({"action": "set_priority", "priority": 1}, name=str(n)) for n in range(100)]
    set_id = await in_force(floor, Trigger.ARRIVAL, *hundred)
    await in_force(floor, Trigger.ARRIVAL, *hundred)

    with pytest.raises(setup.NeverChanges):
        await changed(floor, set_id, *hundred, trigger=Trigger.RING_STEP.value)
    with pytest.raises(rules.TooManyRules):
        await in_force(floor, Trigger.ARRIVAL, hundred[0])
    await in_force(floor, Trigger.ARRIVAL, hundred[0], enabled=False)
    await in_force(floor, Trigger.RING_STEP, hundred[0])


async def test_rules_of_another_version_of_parley_stop_no_post(database: Database) -> None:
    floor = Floor(database)
    set_id = await in_force(
        floor, Trigger.ARRIVAL, rule({"action": "set_priority", "priority": 60})
    )
    await database.write(
        lambda k: k.execute(
            RULE_SETS.update()
            .where(RULE_SETS.c.id == set_id)
            .values(rules=[{"name": "later", "then": [{"action": "sing"}]}], version=2)
        )
    )
    source = await floor.channel(await floor.workgroup())

    assert (await floor.get(await floor.open(source, "ada"))).priority == 50


async def test_a_page_that_arrives_while_rules_change_is_routed_by_one_version(
    database: Database,
) -> None:
    floor = Floor(database)
    source = await floor.channel(await floor.workgroup(), threading="post")
    set_id = await in_force(
        floor, Trigger.ARRIVAL, rule({"action": "set_priority", "priority": 10})
    )

    async def keep_changing() -> None:
        for priority in range(11, 31):
            await changed(floor, set_id, rule({"action": "set_priority", "priority": priority}))

    async def keep_posting(customer: str) -> list[str]:
        taken = [await floor.post(source, customer, "one", "two", "three") for _ in range(8)]
        return [i for one in taken for i in one.conversation_ids.values()]

    opened, _, more = await asyncio.gather(
        keep_posting("ada"), keep_changing(), keep_posting("bob")
    )

    for conversation_id in (*opened, *more):
        (record,) = await records(floor, conversation_id)
        conversation = await floor.get(conversation_id)
        assert conversation.priority == 9 + record["rule_set_version"]

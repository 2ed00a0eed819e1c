"""Routing rules where they matter: in the transaction of an arrival, a transfer, a ring step."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import Connection, select

from acd.rule_facts import Trigger
from acd.rule_reading import rule_set
from conversations import commands as c
from conversations.model import Conversation, ConversationState, Location, RequiredSkill, Visibility
from storage import (
    conversations,
    customers,
    rule_asking,
    rule_records,
    rules,
    setup,
    workgroups,
)
from storage.database import Database
from storage.log_tables import DecisionRow
from storage.setup_tables import RuleSetRow, SkillRow
from tests.clocks import Clock
from tests.conversations.samples import SUPERVISOR
from tests.floor import Floor

DECISIONS = DecisionRow.__table__  # type: ignore[attr-defined]
RULE_SETS = RuleSetRow.__table__  # type: ignore[attr-defined]
SKILLS = SkillRow.__table__  # type: ignore[attr-defined]

VIP = {"fact": "author.followers", "at_least": 1_000}
VIENNA = {"country": "AT", "place": "Vienna", "lat": 48.2, "lon": 16.37}
BERLIN = {"country": "DE", "place": "Berlin", "lat": 52.5, "lon": 13.4}


async def in_force(floor: Floor, trigger: Trigger, *listed: dict[str, Any], **settings: Any) -> str:
    values = {"trigger": trigger.value, "rules": list(listed), "name": None}
    values |= {"position": 0, "enabled": True} | settings
    read = rule_set(list(listed), trigger)
    return await floor.database.write(lambda k: rules.create(k, values, read))


async def changed(floor: Floor, rule_set_id: str, *listed: dict[str, Any], **settings: Any) -> None:
    def change(connection: Connection) -> None:
        row = rules.lock(connection, rule_set_id)
        assert row is not None
        kept = {name: row[name] for name in ("trigger", "name", "position", "enabled")}
        values = {**kept, "rules": list(listed), **settings}
        rules.change(connection, row, values, rule_set(list(listed), Trigger(row["trigger"])))

    await floor.database.write(change)


def rule(*actions: dict[str, Any], name: str = "rule", **more: Any) -> dict[str, Any]:
    return {"name": name, "then": list(actions), **more}


async def records(floor: Floor, conversation_id: str) -> list[dict[str, Any]]:
    query = (
        select(DECISIONS.c.record)
        .where(DECISIONS.c.conversation_id == conversation_id)
        .order_by(DECISIONS.c.at, DECISIONS.c.id)
    )
    found = await floor.database.read(lambda k: list(k.execute(query).scalars()))
    return [record for record in found if record.get("kind") == "rules"]


async def test_a_rule_routes_an_arrival_before_anybody_is_asked(database: Database) -> None:
    floor = Floor(database)
    first, second = await floor.workgroup(), await floor.workgroup()
    await floor.agent(first)
    agent_id = await floor.agent(second, skills={"language:de": 60})
    await in_force(
        floor,
        Trigger.ARRIVAL,
        rule(
            {"action": "set_workgroup", "workgroup_id": second},
            {"action": "set_priority", "priority": 90},
            {"action": "require_skill", "skill_from": "post.language", "min_proficiency": 50},
            {"action": "prefer_skill", "skill": "refunds"},
            {"action": "tag", "tags": ["urgent"]},
            when={"fact": "post.text", "contains_any": ["refund"]},
        ),
    )
    source = await floor.channel(first)

    routed = await floor.get(await floor.open(source, "ada", "A refund please", language="de-AT"))
    plain = await floor.get(await floor.open(source, "bob", "Hello"))

    assert (routed.workgroup_id, routed.priority, routed.tags) == (second, 90, ("urgent",))
    assert routed.required_skills == (RequiredSkill("language:de", 50),)
    assert routed.preferred_skills == (RequiredSkill("refunds", 0),)
    assert routed.offer.agent_id == agent_id
    assert (plain.workgroup_id, plain.priority, plain.tags) == (first, 50, ())


async def test_what_a_rule_discards_is_ended_at_once_and_its_post_is_kept(
    database: Database,
) -> None:
    floor = Floor(database)
    workgroup = await floor.workgroup()
    await floor.agent(workgroup)
    await in_force(
        floor,
        Trigger.ARRIVAL,
        rule(
            {"action": "discard", "reason": "an advert"},
            when={"fact": "post.text", "contains_any": ["casino"]},
        ),
    )
    source = await floor.channel(workgroup)

    conversation = await floor.get(await floor.open(source, "spammer", "Best casino"))

    assert conversation.state is ConversationState.DISCARDED
    assert conversation.ended_by == rule_asking.ROUTING_RULES
    assert (conversation.post_count, conversation.offers) == (1, ())
    again = await floor.get(await floor.open(source, "spammer", "I mean it: where is my order?"))
    assert again.continues == conversation.id
    assert again.offer is not None


async def test_the_trace_is_a_decision_record_of_every_arrival(database: Database) -> None:
    floor = Floor(database)
    set_id = await in_force(
        floor,
        Trigger.ARRIVAL,
        rule({"action": "set_priority", "priority": 90}, name="important", when=VIP),
    )
    source = await floor.channel(await floor.workgroup())

    (record,) = await records(floor, await floor.open(source, "ada"))

    assert (record["rule_set_id"], record["rule_set_version"]) == (set_id, 1)
    assert record["fired"] == []
    assert record["rules"][0]["when"] == {
        "fact": "author.followers",
        "at_least": 1000,
        "seen": None,
        "missing": True,
        "result": False,
    }


async def test_without_rules_nothing_is_recorded(database: Database) -> None:
    floor = Floor(database)
    source = await floor.channel(await floor.workgroup())

    assert await records(floor, await floor.open(source, "ada")) == []


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


async def test_a_location_leads_to_the_nearest_workgroup(database: Database) -> None:
    floor = Floor(database)
    vienna = await floor.workgroup(location=VIENNA)
    berlin = await floor.workgroup(location=BERLIN)
    await in_force(
        floor,
        Trigger.ARRIVAL,
        rule({"action": "nearest_workgroup", "workgroup_ids": [berlin, vienna]}),
    )
    source = await floor.channel(await floor.workgroup())

    graz = await floor.open(source, "ada", location=Location(lat=47.07, lon=15.44))
    potsdam = await floor.open(source, "bob", location=Location(lat=52.4, lon=13.06))
    nowhere = await floor.open(source, "eve")

    assert (await floor.get(graz)).workgroup_id == vienna
    assert (await floor.get(potsdam)).workgroup_id == berlin
    assert (await floor.get(nowhere)).workgroup_id == source.workgroup_id


async def test_the_customers_own_agent_is_preferred(database: Database) -> None:
    floor = Floor(database)
    workgroup = await floor.workgroup()
    await floor.agent(workgroup)
    own = await floor.agent(workgroup)
    source = await floor.channel(workgroup, threading="post")
    first = await floor.get(await floor.open(source, "ada"))
    await database.write(lambda k: customers.set_own_agent(k, first.customer_id, own))
    await in_force(
        floor,
        Trigger.ARRIVAL,
        rule(
            {"action": "prefer_agent", "agent": "customers_own"},
            when={"fact": "customer.is_known", "equals": True},
        ),
    )

    await floor.open(source, "a stranger")
    second = await floor.get(await floor.open(source, "ada"))

    assert second.offer.agent_id == own


async def test_a_customers_tags_are_seen_from_the_next_conversation_on(
    database: Database,
) -> None:
    floor = Floor(database)
    source = await floor.channel(await floor.workgroup(), threading="post")
    first = await floor.get(await floor.open(source, "ada"))
    await in_force(
        floor,
        Trigger.ARRIVAL,
        rule(
            {"action": "set_priority", "priority": 95},
            when={"fact": "customer.tags", "contains_any": ["vip"]},
        ),
    )
    await database.write(lambda k: customers.set_tags(k, first.customer_id, ["VIP"]))

    assert (await floor.get(await floor.open(source, "ada"))).priority == 95
    assert (await floor.get(await floor.open(source, "bob"))).priority == 50


async def test_transfers_have_rules_of_their_own_for_each_media_type(database: Database) -> None:
    floor = Floor(database)
    first, second = await floor.workgroup(), await floor.workgroup()
    for trigger, priority in (
        (Trigger.TRANSFER_CONVERSATION, 71),
        (Trigger.TRANSFER_DIRECT_MESSAGE, 72),
    ):
        await in_force(floor, trigger, rule({"action": "set_priority", "priority": priority}))
    source = await floor.channel(first)
    public = await floor.open(source, "ada")
    private = await floor.open(source, "bob", visibility=Visibility.PRIVATE)

    for conversation_id in (public, private):
        outcome = await floor.command(
            conversation_id, c.TransferToWorkgroup(SUPERVISOR, second, None)
        )
        assert outcome.refusal is None

    assert (await floor.get(public)).priority == 71
    assert (await floor.get(private)).priority == 72
    assert [r["trigger"] for r in await records(floor, public)] == ["transfer_conversation"]


async def test_a_rule_may_lead_a_transfer_elsewhere_with_its_age(database: Database) -> None:
    floor = Floor(database)
    first, second, third = [await floor.workgroup() for _ in range(3)]
    agent_id = await floor.agent(third)
    await in_force(
        floor,
        Trigger.TRANSFER_CONVERSATION,
        rule(
            {"action": "set_workgroup", "workgroup_id": third},
            when={"fact": "conversation.workgroup_id", "equals": second},
        ),
    )
    source = await floor.channel(first)
    before = await floor.get(await floor.open(source, "ada"))

    await floor.command(before.id, c.TransferToWorkgroup(SUPERVISOR, second, None))

    after = await floor.get(before.id)
    assert (after.workgroup_id, after.queued_at) == (third, before.queued_at)
    assert after.offer.agent_id == agent_id


async def test_whom_a_human_named_is_never_changed_by_a_rule(database: Database) -> None:
    floor = Floor(database)
    first, second = await floor.workgroup(), await floor.workgroup()
    await in_force(
        floor,
        Trigger.TRANSFER_CONVERSATION,
        rule(
            {"action": "set_workgroup", "workgroup_id": second},
            {"action": "require_skill", "skill": "rare"},
            {"action": "tag", "tags": ["handed over"]},
        ),
    )
    giver = await floor.agent(first)
    source = await floor.channel(first)
    conversation_id = await floor.open(source, "ada")
    await floor.pick_up(conversation_id, giver)
    taker = await floor.agent(first)

    await floor.command(conversation_id, c.TransferToAgent(c.Actor(giver), taker, "of_named", None))

    conversation: Conversation = await floor.get(conversation_id)
    assert conversation.offer is not None
    assert conversation.offer.agent_id == taker
    assert (conversation.workgroup_id, conversation.required_skills) == (first, ())
    assert conversation.tags == ("handed over",)
    assert "an agent was named" in (await records(floor, conversation_id))[0]["limited"]
    assert (await floor.pick_up(conversation_id, taker)).refusal is None


async def test_a_ring_step_asks_its_rules(database: Database, clock: Clock) -> None:
    floor = Floor(database)
    second, helpers = await floor.workgroup(), await floor.workgroup()
    await floor.agent(helpers, own_utilization={"social_conversation": {"percent": 100}})
    await floor.connect(await floor.channel(helpers), "bob")
    rings = [{"after_s": 30, "workgroups": [helpers]}, {"after_s": 60}]
    first = await floor.workgroup(rings=rings)
    await in_force(
        floor,
        Trigger.RING_STEP,
        rule(
            {"action": "set_workgroup", "workgroup_id": second},
            {"action": "raise_priority", "by": 30},
            when={
                "all": [
                    {"fact": "conversation.ring", "at_least": 2},
                    {"fact": "conversation.waited_s", "at_least": 60},
                ]
            },
        ),
    )
    conversation_id = await floor.open(await floor.channel(first), "ada")

    seen = []
    for _ in range(2):
        clock.advance(s=30)
        outcome = await database.write(lambda k: conversations.let_due_happen(k, conversation_id))
        assert outcome.conversation is not None
        seen.append((outcome.conversation.workgroup_id, outcome.conversation.priority))

    assert seen == [(first, 50), (second, 80)]
    assert [r["fired"] for r in await records(floor, conversation_id)] == [[], ["rule"]]


async def test_workgroups_without_anybody_do_not_pass_a_conversation_to_and_fro_for_ever(
    database: Database,
) -> None:
    floor = Floor(database)
    rings = [{"after_s": 30, "at_once_if_nobody": True}]
    first, second = await floor.workgroup(rings=rings), await floor.workgroup(rings=rings)
    await in_force(
        floor,
        Trigger.RING_STEP,
        *(
            rule(
                {"action": "set_workgroup", "workgroup_id": there},
                name=here,
                when={"fact": "conversation.workgroup_id", "equals": here},
                stop=True,
            )
            for here, there in ((first, second), (second, first))
        ),
    )

    conversation_id = await floor.open(await floor.channel(first), "ada")
    await floor.following.close()

    conversation = await floor.get(conversation_id)
    assert (conversation.workgroup_id, conversation.ring) == (second, 1)
    told = await records(floor, conversation.id)
    assert [r.get("limited") is not None for r in told] == [False, True]


async def test_every_record_is_reproduced_and_a_forged_one_is_not(database: Database) -> None:
    floor = Floor(database)
    first = await floor.workgroup()
    second = await floor.workgroup(location=VIENNA)
    looks = [
        {"fact": "customer.is_known", "equals": False},
        {"fact": "time.is_open", "workgroup_id": first, "equals": True},
        {"fact": "author.followers", "is_present": False},
        {"fact": "time.of_day", "time_zone": "Europe/Vienna", "at_least": "00:00"},
    ]
    listed = rule(
        {"action": "nearest_workgroup", "workgroup_ids": [second]},
        {"action": "require_skill", "skill_from": "location.place"},
        {"action": "tag", "tags": ["b", "a"]},
        when={"any": looks},
    )
    for trigger in (Trigger.ARRIVAL, Trigger.TRANSFER_CONVERSATION):
        await in_force(floor, trigger, listed)
    source = await floor.channel(first)
    conversation_id = await floor.open(source, "ada", location=Location(lat=48.1, lon=16.3))
    await floor.command(conversation_id, c.TransferToWorkgroup(SUPERVISOR, first, None))

    told = await records(floor, conversation_id)

    assert [record["trigger"] for record in told] == ["arrival", "transfer_conversation"]
    for record in told:
        forged = {**record, "after": {**record["after"], "priority": 99}}
        again = [
            await database.read(lambda k, r=one: rule_records.is_reproduced(k, r))  # type: ignore[misc]
            for one in (record, forged)
        ]
        assert again == [True, False]


async def test_a_ring_step_may_discard(database: Database, clock: Clock) -> None:
    floor = Floor(database)
    workgroup = await floor.workgroup(rings=[{"after_s": 30}])
    await in_force(floor, Trigger.RING_STEP, rule({"action": "discard", "reason": "too late"}))
    conversation_id = await floor.open(await floor.channel(workgroup), "ada")

    clock.advance(s=30)
    await database.write(lambda k: conversations.let_due_happen(k, conversation_id))

    assert (await floor.get(conversation_id)).state is ConversationState.DISCARDED


async def test_rules_look_at_business_hours(database: Database) -> None:
    floor = Floor(database)
    hours = {"time_zone": "UTC", "weekly": {}, "holidays": [], "when_closed": "queue"}
    closed = await floor.workgroup(business_hours=hours)
    always = await floor.workgroup()
    await in_force(
        floor,
        Trigger.ARRIVAL,
        rule(
            {"action": "set_workgroup", "workgroup_id": always},
            when={"fact": "time.is_open", "workgroup_id": closed, "equals": False},
        ),
    )

    conversation = await floor.get(await floor.open(await floor.channel(closed), "ada"))

    assert conversation.workgroup_id == always


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

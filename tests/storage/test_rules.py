"""Routing rules where they matter: in the transaction of an arrival, a transfer, a ring step."""

from acd.rule_facts import Trigger
from conversations import commands as c
from conversations.model import Conversation, ConversationState, Location, RequiredSkill, Visibility
from storage import (
    conversations,
    customers,
    rule_asking,
    rule_records,
)
from storage.database import Database
from tests.clocks import Clock
from tests.conversations.samples import SUPERVISOR
from tests.floor import Floor
from tests.storage.rule_floor import BERLIN, VIENNA, VIP, in_force, records, rule


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

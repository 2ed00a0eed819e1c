"""The conversation's workflow on a real dev server: bells, deadlines, replies, operators."""

import asyncio
import json

from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError

from conversations import commands as c
from conversations.messages import Bell
from conversations.model import ConversationState
from storage import bells, clock, replies
from tests.workflows.conftest import World, eventually
from workflows.delivery import ring
from workflows.maintenance import TemporalMaintenance, advance_marker

WORDS = "My order 1234 never came, says the customer"
ANSWER = "We are looking into it, says the agent"
MOST_EVENTS = 45


async def finished(world: World, conversation_id: str) -> None:
    async def is_completed() -> bool:
        description = await world.workflow(conversation_id).describe()
        return description.status is WorkflowExecutionStatus.COMPLETED

    await eventually(is_completed, "the workflow completes")


async def lifecycle(world: World) -> str:
    """Burst of three, offer, pick up, hold, resume, reply, disconnect."""
    floor = world.floor
    workgroup = await floor.workgroup()
    source = await floor.channel(workgroup)
    agent = await floor.agent(workgroup)
    opened = await floor.open(source, "customer", WORDS, "It is order 1234", "Hello?")
    await floor.pick_up(opened, agent)
    await floor.command(opened, c.Hold(c.Actor(agent)))
    await floor.command(opened, c.Resume(c.Actor(agent)))
    await floor.reply(opened, agent, ANSWER)
    await floor.command(opened, c.Disconnect(c.Actor(agent), None))
    await finished(world, opened)
    return opened


async def test_a_whole_life_fits_into_45_events(world: World) -> None:
    opened = await lifecycle(world)

    end = await world.workflow(opened).result()
    assert end["state"] == "completed"
    assert len(await world.events(opened)) <= MOST_EVENTS
    assert list(world.receiver.published.values()) == [1]


async def test_a_history_holds_no_word_of_anybody(world: World) -> None:
    opened = await lifecycle(world)

    history = (await world.workflow(opened).fetch_history()).to_json()
    for word in ("order 1234", "looking into", "customer"):
        assert word not in history


async def test_operators_see_state_agent_and_network(world: World) -> None:
    floor = world.floor
    source = await floor.channel(workgroup := await floor.workgroup())
    await floor.agent(workgroup)
    opened, agent = await floor.connect(source, "customer")

    async def shown() -> bool:
        query = (
            f'ParleyState = "connected" AND ParleyAgent = "{agent}" AND'
            f' ParleyWorkgroup = "{workgroup}" AND ParleyNetwork = "webhook"'
        )
        return (await world.client.count_workflows(query)).count == 1

    await eventually(shown, "the search attributes tell the state")
    told = await world.workflow(opened).query("describe")
    assert told["snapshot"]["state"] == "connected"
    assert told["is_sending"] is False


async def test_what_is_shown_at_the_start_is_not_shown_again(world: World) -> None:
    floor = world.floor
    source = await floor.channel(workgroup := await floor.workgroup())
    agent = await floor.agent(workgroup)
    opened = await floor.open(source, "customer")

    async def is_seen() -> bool:
        try:
            return bool((await world.workflow(opened).query("describe"))["snapshot"])
        except RPCError:  # its bell is still gathered with others
            return False

    await eventually(is_seen, "the workflow has seen the offer")
    history = await world.workflow(opened).fetch_history()
    given = history.events[0].workflow_execution_started_event_attributes.search_attributes
    values = {name: json.loads(value.data) for name, value in given.indexed_fields.items()}
    assert values == {
        "ParleyState": "alerting",
        "ParleyWorkgroup": workgroup,
        "ParleyAgent": agent,
        "ParleyNetwork": "webhook",
    }
    assert "upsert_workflow_search_attributes" not in await world.events(opened)


async def test_an_offer_that_nobody_takes_goes_back_by_the_alarm(world: World) -> None:
    floor = world.floor
    source = await floor.channel(workgroup := await floor.workgroup(offer_timeout_s=1))
    await floor.agent(workgroup)
    opened = await floor.open(source, "customer")

    async def is_queued() -> bool:
        return bool((await floor.get(opened)).state is ConversationState.QUEUED)

    await eventually(is_queued, "the alarm lets the offer expire", 5)


async def test_a_burst_of_posts_moves_no_timer(world: World) -> None:
    floor = world.floor
    source = await floor.channel(workgroup := await floor.workgroup())
    agent = await floor.agent(workgroup)
    opened, _ = await floor.connect(source, "customer")
    for _ in range(10):
        await floor.post(source, "customer", "more")
        await asyncio.sleep(0.05)
    await floor.command(opened, c.Disconnect(c.Actor(agent), None))
    await finished(world, opened)

    kinds = await world.events(opened)
    assert kinds.count("timer_started") <= 1
    assert kinds.count("timer_canceled") == 0


async def test_repeated_late_and_reordered_bells_do_no_harm(world: World) -> None:
    floor = world.floor
    source = await floor.channel(workgroup := await floor.workgroup())
    await floor.agent(workgroup)
    opened, _ = await floor.connect(source, "customer")
    version = (await floor.get(opened)).version

    async def is_seen() -> bool:
        told = await world.workflow(opened).query("describe")
        return bool(told["snapshot"] and told["snapshot"]["version"] == version)

    await eventually(is_seen, "the workflow has seen the pick-up")
    syncs = (await world.events(opened)).count("marker_recorded")
    for old in (version, 1, version - 1, version, 2):
        await ring(world.client, Bell(opened, "webhook", "commanded", old))
    await asyncio.sleep(0.5)

    assert (await world.events(opened)).count("marker_recorded") == syncs


async def test_a_late_bell_starts_no_second_life(world: World) -> None:
    opened = await lifecycle(world)
    first_run = (await world.workflow(opened).describe()).run_id

    await ring(world.client, Bell(opened, "webhook", "nudged", 99))

    description = await world.workflow(opened).describe()
    assert (description.run_id, description.status) == (
        first_run,
        WorkflowExecutionStatus.COMPLETED,
    )


async def test_a_slow_network_stops_no_deadline(world: World) -> None:
    world.receiver.fault = lambda _reply_id, _attempt: "slow"
    floor = world.floor
    wrap_up = {"mode": "timeboxed", "timeout_s": 1}
    source = await floor.channel(workgroup := await floor.workgroup(wrap_up=wrap_up))
    agent = await floor.agent(workgroup)
    opened, _ = await floor.connect(source, "customer")
    await floor.reply(opened, agent)
    await floor.command(opened, c.Disconnect(c.Actor(agent), None))

    async def wrapped_up_while_sending() -> bool:
        conversation = await floor.get(opened)
        is_done = conversation.state is ConversationState.COMPLETED
        return bool(is_done and conversation.unsettled_replies == 1)

    await eventually(wrapped_up_while_sending, "the wrap-up ends while the reply is slow", 2.8)
    await finished(world, opened)
    assert list(world.receiver.published.values()) == [1]


async def test_a_reply_whose_answer_was_lost_is_said_once(world: World) -> None:
    world.receiver.fault = lambda _reply_id, attempt: "lost" if attempt == 1 else "ok"
    floor = world.floor
    source = await floor.channel(workgroup := await floor.workgroup())
    agent = await floor.agent(workgroup)
    opened, _ = await floor.connect(source, "customer")
    outcome = await floor.reply(opened, agent)
    assert outcome.reply is not None
    reply_id = outcome.reply.id

    async def is_sent() -> bool:
        reply = await world.parts.database.read(lambda k: replies.get(k, reply_id))
        return reply is not None and reply.state == "sent"

    await eventually(is_sent, "the reply is found by looking it up")
    assert world.receiver.published == {reply_id: 1}
    assert world.receiver.attempts == {reply_id: 1}


async def test_cancelling_in_the_web_ui_ends_the_conversation(world: World) -> None:
    floor = world.floor
    source = await floor.channel(workgroup := await floor.workgroup())
    await floor.agent(workgroup)
    opened, _ = await floor.connect(source, "customer")

    await world.workflow(opened).cancel()
    await finished(world, opened)

    ended = await floor.get(opened)
    assert (ended.state, ended.ended_by) == (ConversationState.COMPLETED, "workflow_cancelled")


async def test_a_terminated_workflow_is_started_again_from_the_row(world: World) -> None:
    floor = world.floor
    source = await floor.channel(workgroup := await floor.workgroup(offer_timeout_s=4))
    await floor.agent(workgroup)
    maintenance = TemporalMaintenance(world.client)
    opened = await floor.open(source, "customer")

    async def runs() -> bool:
        query = f'WorkflowId = "conversation/{opened}"'
        return (await world.client.count_workflows(query)).count == 1

    await eventually(runs, "the workflow runs")
    await world.workflow(opened).terminate("by hand")

    async def found() -> list[str]:
        return [i for i in await maintenance.terminated_conversations() if i == opened]

    await eventually(found, "the termination is found")
    await world.parts.upkeep.ring_those([opened])

    async def goes_on() -> bool:
        return bool((await floor.get(opened)).state is ConversationState.QUEUED)

    await eventually(goes_on, "its deadline is kept all the same", 8)


async def test_a_temporal_that_lost_everything_is_recognised(world: World) -> None:
    floor = world.floor
    source = await floor.channel(workgroup := await floor.workgroup())
    await floor.agent(workgroup)
    opened, _ = await floor.connect(source, "customer")
    version = (await floor.get(opened)).version

    assert await advance_marker(world.client, 7) == 0
    assert await advance_marker(world.client, 8) == 7
    await eventually(lambda: _nothing_is_lost(world), "all is rung and seen")
    assert await world.parts.upkeep.start_over() == 1

    def later(connection: object) -> list[Bell]:
        at = clock.now(connection) + bells.NOT_SEEN_AFTER_MS + 1_000  # type: ignore[arg-type]
        return bells.to_ring_again(connection, at)  # type: ignore[arg-type]

    lost = await world.parts.database.read(later)
    assert [(bell.conversation_id, bell.version) for bell in lost] == [(opened, version)]
    assert [bell.shown and bell.shown.state for bell in lost] == ["connected"]


async def _nothing_is_lost(world: World) -> bool:
    return await world.parts.database.read(bells.backlog) == 0


async def test_a_worker_that_comes_back_finds_what_happened_meanwhile(world: World) -> None:
    floor = world.floor
    source = await floor.channel(workgroup := await floor.workgroup())
    agent = await floor.agent(workgroup)
    opened, _ = await floor.connect(source, "customer")
    await world.stop_worker()
    await floor.reply(opened, agent)
    await floor.command(opened, c.Disconnect(c.Actor(agent), None))
    assert world.receiver.published == {}

    await world.start_worker()

    await finished(world, opened)
    assert list(world.receiver.published.values()) == [1]

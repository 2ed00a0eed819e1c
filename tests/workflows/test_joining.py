"""The workflows of conversations that are merged, and of one that comes back from it."""

from conversations import commands as c
from conversations.model import ConversationState
from tests.workflows.conftest import World, eventually
from tests.workflows.test_conversation import finished


async def two_of_one_customer(world: World) -> tuple[str, str, str]:
    floor = world.floor
    workgroup = await floor.workgroup(offer_timeout_s=3, preferred_agent_wait_s=1)
    account_id = await floor.account()
    sources = [await floor.channel(workgroup, account_id=account_id) for _ in range(2)]
    agent = await floor.agent(workgroup)
    first, _ = await floor.connect(sources[0], "customer")
    second, _ = await floor.connect(sources[1], "customer")
    return first, second, agent


async def test_the_workflow_of_a_merged_conversation_completes(world: World) -> None:
    first, second, agent = await two_of_one_customer(world)

    await world.floor.merge(first, second, c.Actor(agent))
    await finished(world, first)

    end = await world.workflow(first).result()
    assert (end["state"], end["ended_by"]) == ("merged", agent)


async def test_a_reply_of_a_merged_conversation_is_sent_before_its_workflow_completes(
    world: World,
) -> None:
    first, second, agent = await two_of_one_customer(world)
    world.receiver.fault = lambda *_: "slow"
    await world.floor.reply(first, agent)

    await world.floor.merge(first, second, c.Actor(agent))
    await finished(world, first)

    assert list(world.receiver.published.values()) == [1]
    assert (await world.floor.get(first)).unsettled_replies == 0
    assert (await world.floor.get(second)).unanswered_count == 1


async def test_an_unmerged_conversation_has_a_workflow_that_keeps_its_deadlines(
    world: World,
) -> None:
    first, second, agent = await two_of_one_customer(world)
    floor = world.floor
    await floor.merge(first, second, c.Actor(agent))
    await finished(world, first)

    await floor.unmerge(first, c.Actor(agent))
    assert (await floor.get(first)).state is ConversationState.ALERTING

    async def is_back() -> bool:
        """Its offer expires by the alarm of a run that was started after one that completed."""
        return bool((await floor.get(first)).state is ConversationState.QUEUED)

    await eventually(is_back, "the offer expires")
    await floor.command(first, c.Discard(c.SYSTEM, "the test is over"))
    await finished(world, first)
    assert (await world.workflow(first).result())["state"] == "discarded"

"""Floors with people and conversations on them, for tests and for looking at."""

from tests.web.fake_world import World


def small_floor() -> World:
    """One agent on queue, two colleagues, two workgroups, nothing to do."""
    world = World()
    world.add_workgroup("w-parcels", "Parcels")
    world.add_workgroup("w-refunds", "Refunds", 300)
    world.add_agent("agent-1", "Agent one")
    world.add_agent("agent-7", "Agent seven", load=75)
    world.add_agent("agent-9", "Agent nine", status="off_queue")
    return world


def busy_floor() -> World:
    """Set out a morning with everything on it."""
    world = small_floor()
    world.agents["agent-1"]["utilization_percent"] = 50
    mine = world.add_conversation(
        "ferry42",
        ["My order never came", "It is order 1234"],
        state="connected",
        agent_id="agent-1",
        age_s=190,
        name="Ferry",
    )
    world.next_reply_state = "sent"
    reply = world.reply(mine, {"text": "Looking into it, one moment please."}, "agent-1")
    world.replies[reply["id"]]["attempts"] = 1
    world.add_post(mine, "Thank you! The tracking page says https://track.example/1234 is lost?")
    world.note(mine, {"text": "Carrier confirms: lost in the depot."}, "agent-7")
    world.add_conversation(
        "quay_9", ["Where is my refund?"], state="held", agent_id="agent-1", network="mastodon"
    )
    world.add_conversation(
        "mole77", ["متى يصل طلبي؟"], state="connected", agent_id="agent-1", private=True, age_s=80
    )
    world.add_conversation(
        "pier_3", ["Can I change the address?"], state="parked", agent_id="agent-1"
    )
    for index in range(7):
        world.add_conversation(f"dock{index}", ["Hello?"], age_s=20 + 20 * index)
    world.add_conversation(
        "lock_5",
        ["Charged twice!"],
        state="connected",
        agent_id="agent-7",
        age_s=600,
        workgroup_id="w-refunds",
        network="facebook",
    )
    offered = world.add_conversation(
        "buoy8", ["Parcel arrived broken, the box was open. What now?"], age_s=12
    )
    world.offer(offered, "agent-1", 20)
    return world

from dataclasses import replace
from typing import Any

from acd.admission import Entrance
from acd.model import RoutingPolicy, Utilization
from acd.recorded_day import NOBODY, Answer, AnsweredOffer, Deed, Interruption, Script, Stint
from acd.service_level import ServiceLevel, Target
from acd.simulated_admission import RecordedAnswer
from acd.simulated_figures import Pickup
from acd.simulated_floor import SimulatedWorkgroup
from acd.simulated_people import AgentState, Arrival
from acd.what_if import Happened, Outcome, Setting, Traffic, compare
from conversations import commands as c
from conversations.model import ConversationState, MediaType, RoutingStatus, Visibility
from tests.acd.samples import agent
from tests.conversations.samples import NOW, in_state

PUBLIC = MediaType.SOCIAL_CONVERSATION
FULL = {PUBLIC: Utilization(100)}


def setting(name: str = "workgroup-1", **more: Any) -> Setting:
    policy = RoutingPolicy(name, 1, utilization=more.pop("utilization", FULL))
    group = SimulatedWorkgroup(more.pop("policy", c.Policy()), policy)
    return Setting(group, ServiceLevel(Target(target_s=10)), **more)


def arrival(number: int, after_ms: int) -> Arrival:
    opening = c.Opening(
        conversation_id=f"cv-{number}",
        network="simulated",
        account_id="account-1",
        channel_id="channel-1",
        workgroup_id="workgroup-1",
        customer_id=f"customer-{number}",
        affinity_key=f"key-{number}",
        affinity_window_s=3_600,
        priority=50,
        visibility=Visibility.PUBLIC,
        required_skills=(),
        post_ids=("po",),
        last_post_at=NOW + after_ms,
    )
    return Arrival(NOW + after_ms, opening)


def handled(pick_up_ms: int, handle_ms: int, agent_id: str = "agent-1") -> Script:
    return Script(
        (AnsweredOffer(agent_id, pick_up_ms, Answer.PICKED_UP),),
        (Stint((Deed(handle_ms, c.Disconnect(NOBODY, "solved")),)),),
    )


def traffic(*arrivals: Arrival, agents: int = 1, **more: Any) -> Traffic:
    known: dict[str, Any] = {
        "carried_over": (),
        "states": tuple(AgentState(NOW, agent(n)) for n in range(1, agents + 1)),
        "scripts": {a.opening.conversation_id: handled(2_000, 60_000) for a in arrivals},
        "returns": {},
        "absences_ms": (),
        "happened": Happened(),
    }
    return Traffic(NOW, NOW + 3_600_000, arrivals, **known | more)


def simulated(what: Traffic, *settings: Setting) -> Outcome:
    return compare(what, settings or [setting()]).simulated


def test_a_full_agent_lets_the_second_wait() -> None:
    said = simulated(traffic(arrival(1, 0), arrival(2, 1_000)))

    assert (said.conversations, said.waits.answered) == (2, 2)
    assert (said.waits.p50_ms, said.waits.longest_ms) == (2_000, 63_000)
    assert said.service_level_percent == {"workgroup-1": 50.0}
    assert said.assignments == {"agent-1": 2}


def test_a_second_agent_takes_the_second_at_once() -> None:
    said = simulated(traffic(arrival(1, 0), arrival(2, 1_000), agents=2))

    assert said.waits.longest_ms == 2_000
    assert said.assignments == {"agent-1": 1, "agent-2": 1}


def test_both_sides_are_told_and_compared() -> None:
    happened = Happened(
        (
            Pickup("cv-1", "workgroup-1", PUBLIC, "agent-1", NOW, NOW + 2_000),
            Pickup("cv-2", "workgroup-1", PUBLIC, "agent-2", NOW, NOW + 11_000),
            Pickup("cv-9", "elsewhere", PUBLIC, "agent-2", NOW, NOW + 1),
        ),
        missed=3,
        overflowed=4,
        unmatched=5,
    )
    what = traffic(arrival(1, 0), arrival(2, 1_000), happened=happened, discarded=1)

    said = compare(what, [setting()])

    assert (said.compared, said.changed_agent) == (2, 1)
    assert (said.actual.conversations, said.simulated.conversations) == (3, 2)
    assert (said.actual.missed, said.actual.overflowed, said.actual.unmatched) == (3, 4, 5)
    assert said.actual.service_level_percent == {"workgroup-1": 50.0}
    assert said.actual.assignments == {"agent-1": 1, "agent-2": 2}


def test_a_missed_offer_counts_and_its_agent_comes_back() -> None:
    missed = Script((AnsweredOffer("agent-1", 20_300, Answer.MISSED),), handled(1, 60_000).stints)

    said = simulated(traffic(arrival(1, 0), scripts={"cv-1": missed}))

    assert (said.missed, said.waits.answered) == (1, 1)
    assert said.waits.longest_ms == 20_300 + 60_000 + 5_000


def test_without_agents_everybody_still_waits() -> None:
    said = simulated(traffic(arrival(1, 0), arrival(2, 5), agents=0))

    assert (said.unmatched, said.waits.answered) == (2, 0)
    assert said.service_level_percent == {"workgroup-1": None}


def test_an_agent_who_goes_takes_nothing_more() -> None:
    gone = replace(agent(1), routing_status=RoutingStatus.OFF_QUEUE)
    states = (AgentState(NOW, agent(1)), AgentState(NOW + 500, gone))

    said = simulated(traffic(arrival(1, 0), arrival(2, 1_000), states=states))

    assert (said.unmatched, said.waits.answered) == (2, 0)


def test_who_was_there_before_carries_on() -> None:
    owned = replace(in_state(ConversationState.CONNECTED), weight_percent=100, id="cv-0")
    script = Script(stints=(Stint((Deed(30_000, c.Disconnect(NOBODY, "solved")),)),))
    scripts = {"cv-0": script, "cv-1": handled(2_000, 60_000)}

    said = simulated(traffic(arrival(1, 0), carried_over=(owned,), scripts=scripts))
    assert said.waits.longest_ms == 32_000

    stranger = replace(owned, agent_id="agent-7")
    said = simulated(traffic(arrival(1, 0), carried_over=(stranger,), scripts=scripts))
    assert said.waits.longest_ms == 2_000


def test_supervisors_act_at_their_own_time() -> None:
    spam = Interruption(NOW + 1_000, "cv-1", c.Discard(NOBODY, ""))
    given = c.TransferToAgent(NOBODY, "agent-2", "", None)
    named = Interruption(NOW + 1_000, "cv-2", given)
    scripts = {
        "cv-1": replace(handled(2_000, 60_000), interruptions=(spam,)),
        "cv-2": replace(handled(2_000, 60_000, "agent-2"), interruptions=(named,)),
    }

    said = simulated(traffic(arrival(1, 0), arrival(2, 500), agents=2, scripts=scripts))

    assert said.assignments == {"agent-2": 1}


def test_a_crowded_workgroup_overflows_by_the_waits_before_and_within_the_period() -> None:
    crowded = Entrance(longest_estimate_s=30, crowded_to="workgroup-2")
    both = [setting(entrance=crowded), setting("workgroup-2")]
    before = tuple(RecordedAnswer("workgroup-1", NOW - 60_000, 40_000) for _ in range(5))

    said = simulated(traffic(arrival(1, 0), answers_before=before), *both)
    assert (said.overflowed, said.unmatched) == (1, 1)

    old = tuple(replace(one, at=NOW - 1_800_001) for one in before)
    said = simulated(traffic(arrival(1, 0), answers_before=old), *both)
    assert (said.overflowed, said.unmatched) == (0, 0)

    row = [arrival(number, number) for number in range(7)]
    late = arrival(8, 400_000)
    said = simulated(traffic(*row, late), *both)
    assert said.overflowed == 1

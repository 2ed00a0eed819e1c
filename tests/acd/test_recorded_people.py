from dataclasses import replace
from typing import Any

from acd.recorded_day import NOBODY, Answer, AnsweredOffer, Deed, Script, Stint
from acd.recorded_people import Habits, RecordedPeople, habits_of
from acd.simulated_people import Act
from conversations import commands as c
from conversations.model import Conversation, ConversationState, Offer
from tests.conversations.samples import NOW, QUEUED, in_state

S = ConversationState
HABITS = Habits(pick_up_ms=700, handle_ms=8_000, wrap_up_ms=900, not_responding_ms=10_000)
OWNER = c.Actor("agent-1", is_supervisor=True)


def people(script: Script, **more: Any) -> RecordedPeople:
    return RecordedPeople({"cv-1": script}, HABITS, **more)


def alerting(*agent_ids: str) -> Conversation:
    offers = tuple(Offer(f"of-{a}", a, NOW + 20_000, 25) for a in agent_ids)
    return replace(in_state(S.ALERTING), offers=offers)


def test_an_agent_answers_as_recorded_his_own_answer_first() -> None:
    script = Script(
        offers=(
            AnsweredOffer("agent-1", 1_000, Answer.PICKED_UP),
            AnsweredOffer("agent-2", 2_000, Answer.DECLINED),
            AnsweredOffer("agent-3", 20_300, Answer.MISSED),
            AnsweredOffer("agent-4", 300, Answer.UNKNOWN),
        )
    )
    them = people(script)

    declined = c.Decline(c.Actor("agent-2"), "of-agent-2", None)
    assert them.acts(alerting("agent-2"), NOW) == [Act(NOW + 2_000, declined)]
    taken = c.PickUp(c.Actor("agent-9"), "of-agent-9", NOW + 1_000)
    assert them.acts(alerting("agent-9"), NOW) == [Act(NOW + 1_000, taken)]
    assert them.acts(alerting("agent-9"), NOW) == []
    late = c.PickUp(c.Actor("agent-9"), "of-agent-9", NOW + 1_000)
    assert them.acts(alerting("agent-9"), NOW) == [Act(NOW + 1_000, late)]
    usual = c.PickUp(c.Actor("agent-9"), "of-agent-9", NOW + 700)
    assert them.acts(alerting("agent-9"), NOW) == [Act(NOW + 700, usual)]


def test_several_who_are_asked_at_once_all_answer() -> None:
    acts = people(Script()).acts(alerting("agent-1", "agent-2"), NOW)

    assert [act.command.actor.agent_id for act in acts] == ["agent-1", "agent-2"]  # type: ignore[union-attr]


def test_deeds_are_planned_up_to_the_next_that_moves_the_conversation() -> None:
    settled = c.SettleReply("re-1", sent=True, covers=1)
    deeds = (
        Deed(1_000, settled),
        Deed(2_000, c.Hold(NOBODY)),
        Deed(5_000, c.Resume(NOBODY)),
        Deed(9_000, c.Disconnect(NOBODY, "solved")),
        Deed(12_000, c.FinishWrapUp(NOBODY, "solved", done=True)),
    )
    them = people(Script(stints=(Stint(deeds),)))
    connected, held = in_state(S.CONNECTED), in_state(S.HELD)

    assert them.acts(connected, NOW) == [
        Act(NOW + 1_000, settled),
        Act(NOW + 2_000, c.Hold(OWNER)),
    ]
    assert them.acts(held, NOW + 2_000) == [Act(NOW + 5_000, c.Resume(OWNER))]
    gone = [Act(NOW + 9_000, c.Disconnect(OWNER, "solved"))]
    assert them.acts(connected, NOW + 5_000) == gone
    done = c.FinishWrapUp(OWNER, "solved", done=True)
    assert them.acts(in_state(S.WRAPUP), NOW + 9_000) == [Act(NOW + 12_000, done)]


def test_the_next_pick_up_begins_the_next_stint() -> None:
    first, second = (Stint((Deed(ms, c.Release(NOBODY, "")),)) for ms in (1_000, 3_000))
    them = people(Script(stints=(first, second)))

    assert them.acts(in_state(S.CONNECTED), NOW)[0].at == NOW + 1_000
    assert them.acts(QUEUED, NOW + 1_000) == ()
    assert them.acts(in_state(S.CONNECTED), NOW + 50_000)[0].at == NOW + 53_000


def test_a_park_is_as_long_as_it_was() -> None:
    them = people(Script(stints=(Stint((Deed(1_000, c.Park(NOBODY, 61_000, None)),)),)))

    (act,) = them.acts(in_state(S.CONNECTED), NOW)

    assert act == Act(NOW + 1_000, c.Park(OWNER, NOW + 61_000, None))


def test_a_named_agent_who_cannot_take_it_sends_it_to_the_queue() -> None:
    named = c.TransferToAgent(NOBODY, "agent-2", "", None)
    them = people(Script(stints=(Stint((Deed(1_000, named),)),)))

    given, otherwise = them.acts(in_state(S.CONNECTED), NOW)

    assert given.command == replace(named, actor=OWNER, offer_id=f"of-cv-1-{NOW + 1_000}")
    queue = c.TransferToWorkgroup(OWNER, "workgroup-1", None)
    assert otherwise == Act(NOW + 1_001, queue)


def test_without_an_example_people_do_what_they_usually_do() -> None:
    stranger = people(Script())
    assert stranger.acts(in_state(S.CONNECTED), NOW) == [
        Act(NOW + 8_000, c.Disconnect(OWNER, None))
    ]
    finish = c.FinishWrapUp(OWNER, None, done=True)
    assert stranger.acts(in_state(S.WRAPUP), NOW) == [Act(NOW + 900, finish)]
    assert people(Script()).acts(in_state(S.PARKED), NOW) == ()

    ended = people(Script(stints=(Stint((Deed(5, c.Disconnect(NOBODY, None)),)),)))
    ended.acts(in_state(S.CONNECTED), NOW)
    assert ended.acts(in_state(S.WRAPUP), NOW + 5) == [Act(NOW + 905, finish)]


def test_what_the_period_cut_off_stays_as_it_is() -> None:
    them = people(Script(stints=(Stint((), is_cut_off=True),)))

    assert them.acts(in_state(S.CONNECTED), NOW) == []
    assert them.acts(in_state(S.WRAPUP), NOW) == []


def test_an_agent_comes_back_as_recorded_or_as_usual() -> None:
    them = people(Script(), returns={"agent-1": (NOW + 100_000,)})

    assert them.comes_back_at("agent-1", NOW) is None
    assert them.comes_back_at("agent-1", NOW + 100_001) == NOW + 110_001
    assert them.comes_back_at("agent-1", NOW - 1) == NOW + 9_999
    assert them.comes_back_at("agent-2", NOW) == NOW + 10_000


def test_habits_are_the_medians_of_the_record() -> None:
    stints = tuple(
        Stint(
            (
                Deed(ms, c.Disconnect(NOBODY, None)),
                Deed(ms + 50, c.FinishWrapUp(NOBODY, None, done=True)),
            )
        )
        for ms in (1_000, 2_000, 9_000)
    )
    offers = tuple(AnsweredOffer("a", ms, Answer.PICKED_UP) for ms in (0, 300, 500, 900))
    declined = AnsweredOffer("a", 1, Answer.DECLINED)

    assert habits_of([Script((*offers, declined), stints)], [7, 9]) == Habits(500, 2_000, 50, 8)
    assert habits_of([], []) == Habits()

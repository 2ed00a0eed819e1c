"""Consulting, giving to whom was consulted, and wrapping up with a code."""

from typing import Any

import pytest

from conversations import commands as c
from conversations.lifecycle import due
from conversations.model import ConversationState, Holder, MediaType, WrapUpMode, holders
from tests.conversations.samples import (
    NOW,
    OTHER,
    OWNER,
    SUPERVISOR,
    agent,
    done,
    eligible,
    in_state,
    ineligible,
    refused,
    reply_by,
)

S = ConversationState
CONNECTED = in_state(S.CONNECTED)
CONSULTING = in_state(S.CONNECTED, consulted_agent_id=OTHER)
CODES = ("solved", "passed_on")


def with_codes(mode: WrapUpMode, *codes: str) -> c.Facts:
    return c.Facts(c.Policy(wrap_up_mode=mode, wrap_up_codes=codes, wrap_up_timeout_s=30))


@pytest.mark.parametrize("state", [S.CONNECTED, S.HELD])
def test_a_consultation_changes_neither_state_nor_weight(state: ConversationState) -> None:
    conversation = in_state(state)
    decision = done(conversation, c.Consult(agent(), OTHER, "do you know?"), eligible(OTHER))

    consulted = decision.conversation
    assert (consulted.state, consulted.agent_id) == (state, OWNER)
    assert (consulted.consulted_agent_id, holders(consulted)) == (OTHER, holders(conversation))
    (event,) = decision.events
    assert (event.type, event.agent_id) == ("conversation.consulted", OWNER)
    assert event.detail == {"consulted_agent_id": OTHER, "comment": "do you know?"}


@pytest.mark.parametrize("reason", ["disabled", "not_on_queue", "not_present"])
def test_nobody_is_consulted_who_is_not_there(reason: str) -> None:
    facts = ineligible(reason, agent_id=OTHER)
    assert refused(CONNECTED, c.Consult(agent(), OTHER, None), facts) == "cannot_consult"


@pytest.mark.parametrize(
    "reason", ["capacity", "maximum_count", "not_a_member", "missing_skill", "not_licensed"]
)
def test_a_consultation_asks_for_nothing_but_presence(reason: str) -> None:
    decision = done(CONNECTED, c.Consult(agent(), OTHER, None), ineligible(reason, agent_id=OTHER))
    assert decision.conversation.consulted_agent_id == OTHER


def test_nobody_consults_himself_or_a_stranger() -> None:
    assert refused(CONNECTED, c.Consult(agent(), OWNER, None)) == "cannot_consult"
    nobody = c.Facts(c.Policy())
    assert refused(CONNECTED, c.Consult(agent(), OTHER, None), nobody) == "cannot_consult"


def test_who_is_consulted_does_not_reply() -> None:
    assert refused(CONSULTING, reply_by(agent(OTHER))) == "not_your_conversation"


@pytest.mark.parametrize("actor", [agent(OWNER), agent(OTHER), SUPERVISOR])
def test_a_consultation_is_ended_by_either_side_or_a_supervisor(actor: c.Actor) -> None:
    ended = done(CONSULTING, c.EndConsult(actor))
    assert ended.conversation.consulted_agent_id is None
    assert [event.type for event in ended.events] == ["conversation.consult_ended"]


def test_a_consultation_that_is_not_there_is_not_ended() -> None:
    assert refused(CONSULTING, c.EndConsult(agent("agent-3"))) == "not_your_conversation"
    assert refused(CONNECTED, c.EndConsult(agent())) == "illegal_transition"


@pytest.mark.parametrize(
    "command",
    [
        c.Park(agent(), None, None),
        c.Disconnect(agent(), None),
        c.Discard(agent(), "spam"),
        c.Release(SUPERVISOR, "away"),
        c.TransferToWorkgroup(agent(), "workgroup-2", None),
        c.TransferToAgent(agent(), "agent-3", "offer-1", None),
        c.TransferToAgent(agent(), OTHER, "offer-1", None),
        c.EndByOperator("workflow_cancelled"),
    ],
    ids=lambda command: type(command).__name__,
)
def test_a_consultation_ends_when_its_owner_gives_the_conversation_away(
    command: c.Command,
) -> None:
    named = command.agent_id if isinstance(command, c.TransferToAgent) else OTHER
    assert done(CONSULTING, command, eligible(named)).conversation.consulted_agent_id is None


def test_whom_the_owner_consulted_gets_the_conversation_at_once() -> None:
    transfer = c.TransferToAgent(agent(), OTHER, "offer-1", "as we said")
    decision = done(CONSULTING, transfer, eligible(OTHER, weight_percent=40))

    given = decision.conversation
    assert (given.state, given.agent_id, given.offers) == (S.CONNECTED, OTHER, ())
    assert holders(given) == (Holder(OTHER, MediaType.SOCIAL_CONVERSATION, 40),)
    assert [(e.type, e.agent_id) for e in decision.events] == [
        ("conversation.transferred", OWNER),
        ("conversation.connected", OTHER),
    ]


@pytest.mark.parametrize(
    ("reason", "code"),
    [("capacity", "agent_at_capacity"), ("missing_skill", "agent_not_eligible")],
)
def test_whom_the_owner_consulted_has_to_be_eligible_like_everybody(reason: str, code: str) -> None:
    transfer = c.TransferToAgent(agent(), OTHER, "offer-1", None)
    assert refused(CONSULTING, transfer, ineligible(reason, agent_id=OTHER)) == code


@pytest.mark.parametrize("mode", list(WrapUpMode))
def test_a_code_that_the_workgroup_does_not_know_is_refused_and_the_known_ones_are_named(
    mode: WrapUpMode,
) -> None:
    facts = with_codes(mode, *CODES)
    assert refused(CONNECTED, c.Disconnect(agent(), "bored"), facts) == "unknown_wrap_up_code"
    wrapping = in_state(S.WRAPUP)
    finish = c.FinishWrapUp(agent(), "bored", done=True)
    assert refused(wrapping, finish, facts) == "unknown_wrap_up_code"
    assert done(CONNECTED, c.Disconnect(agent(), "solved"), facts).conversation.is_final
    assert done(CONNECTED, c.Disconnect(agent(), "x"), with_codes(mode)).conversation.is_final


@pytest.mark.parametrize(
    ("mode", "state", "until"),
    [
        (WrapUpMode.NONE, S.COMPLETED, None),
        (WrapUpMode.OPTIONAL, S.WRAPUP, None),
        (WrapUpMode.MANDATORY, S.WRAPUP, None),
        (WrapUpMode.TIMEBOXED, S.WRAPUP, NOW + 30_000),
    ],
)
def test_a_disconnect_without_a_code_ends_as_the_workgroup_says(
    mode: WrapUpMode, state: ConversationState, until: int | None
) -> None:
    ended = done(CONNECTED, c.Disconnect(agent(), None), with_codes(mode)).conversation
    assert (ended.state, ended.wrap_up_until) == (state, until)
    assert bool(holders(ended)) == (state is S.WRAPUP)
    falls_due = due(ended)
    assert (falls_due.at if falls_due else None) == until


@pytest.mark.parametrize("actor", [agent(), SUPERVISOR])
@pytest.mark.parametrize("mode", list(WrapUpMode))
def test_only_a_mandatory_wrap_up_is_not_done_without_a_code(
    mode: WrapUpMode, actor: c.Actor
) -> None:
    wrapping, facts = in_state(S.WRAPUP), with_codes(mode)
    finish: Any = c.FinishWrapUp(actor, None, done=True)
    if mode is WrapUpMode.MANDATORY:
        assert refused(wrapping, finish, facts) == "wrap_up_code_required"
        noted = done(wrapping, c.FinishWrapUp(actor, "solved", done=False), facts).conversation
        assert noted.state is S.WRAPUP
        assert holders(noted)
        wrapping = noted
    finished = done(wrapping, finish, facts).conversation
    assert finished.state is S.COMPLETED
    assert holders(finished) == ()

"""What a refusal says: the command as the API names it, and the facts that stand against it."""

from dataclasses import replace

import pytest

from conversations import commands as c
from conversations.errors import ConversationError
from conversations.lifecycle import decide
from conversations.model import Conversation, ConversationState, WrapUpMode
from tests.conversations.samples import (
    NOW,
    OTHER,
    OWNER,
    POLICY,
    SUPERVISOR,
    agent,
    eligible,
    in_state,
    ineligible,
    refused,
    reply_by,
)
from tests.conversations.test_commands import agents_commands

ENDED = in_state(ConversationState.COMPLETED)
NAMES = {
    "transfer to workgroup": "transfer",
    "transfer to agent": "transfer",
    "replies": "reply",
}
BY_TIME_AND_MATCHES: dict[str, c.Command] = {
    "offer": c.MakeOffer(("offer-1",), "decision-1"),
    "expire": c.ExpireOffer(),
    "rescind": c.RescindOffer(OWNER),
    "release": c.LoseAgent(OWNER),
    "lapse": c.Lapse(),
    "post": c.ReceivePosts(("post-2",), NOW),
    "cancel": c.EndByOperator("workflow_cancelled"),
    "overflow": c.Overflow("workgroup-2", "estimate"),
    "answer": c.AnswerByItself("reply-1"),
    "open_ring": c.OpenRing(),
    "reroute": c.Reroute("workgroup-1", 50, (), (), None, (), ()),
}


def message(conversation: Conversation, command: c.Command, facts: c.Facts | None = None) -> str:
    refusal = decide(conversation, command, facts or eligible(), NOW)
    assert isinstance(refusal, ConversationError), refusal
    return str(refusal)


@pytest.mark.parametrize("name", [name for name in agents_commands(agent()) if name != "release"])
def test_a_command_after_the_end_is_named(name: str) -> None:
    said = message(ENDED, agents_commands(agent())[name])

    assert said == f"{NAMES.get(name, name)} came after the end: the conversation is completed"


@pytest.mark.parametrize("name", BY_TIME_AND_MATCHES)
def test_what_comes_by_itself_after_the_end_is_named_too(name: str) -> None:
    said = message(ENDED, BY_TIME_AND_MATCHES[name])

    assert said == f"{name} came after the end: the conversation is completed"


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("hold", ConversationState.PARKED),
        ("resume", ConversationState.CONNECTED),
        ("park", ConversationState.PARKED),
        ("unpark", ConversationState.HELD),
        ("pickup", ConversationState.CONNECTED),
        ("decline", ConversationState.CONNECTED),
        ("consult", ConversationState.PARKED),
        ("replies", ConversationState.PARKED),
        ("disconnect", ConversationState.PARKED),
        ("wrapup", ConversationState.CONNECTED),
    ],
)
def test_a_command_in_the_wrong_state_is_named_with_the_state(
    name: str, state: ConversationState
) -> None:
    said = message(in_state(state), agents_commands(agent())[name])

    assert said == f"{NAMES.get(name, name)} is not possible while the conversation is {state}"


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("expire", ConversationState.CONNECTED),
        ("rescind", ConversationState.QUEUED),
        ("lapse", ConversationState.HELD),
        ("offer", ConversationState.HELD),
        ("release", ConversationState.PARKED),
    ],
)
def test_what_comes_by_itself_in_the_wrong_state_is_named(
    name: str, state: ConversationState
) -> None:
    said = message(in_state(state), BY_TIME_AND_MATCHES[name])

    assert said == f"{name} is not possible while the conversation is {state}"


def test_a_release_is_a_supervisors_and_is_named() -> None:
    said = message(in_state(ConversationState.QUEUED), c.Release(SUPERVISOR, "away"))

    assert said == "release is not possible while the conversation is queued"


def test_a_held_conversation_is_resumed_before_it_is_answered() -> None:
    said = message(in_state(ConversationState.HELD), reply_by(agent()))

    assert said.startswith("reply is refused while the conversation is held")


@pytest.mark.parametrize(
    "reasons", [("missing_skill",), ("capacity", "missing_skill"), ("no_right",)]
)
def test_an_override_is_for_room_and_nothing_else(reasons: tuple[str, ...]) -> None:
    over = c.TransferToAgent(SUPERVISOR, OTHER, "offer-9", None, override_capacity=True)
    connected = in_state(ConversationState.CONNECTED)

    assert refused(connected, over, ineligible(*reasons, agent_id=OTHER)) == "agent_not_eligible"


def test_an_override_for_somebody_unknown_is_refused() -> None:
    over = c.TransferToAgent(SUPERVISOR, "nobody", "offer-9", None, override_capacity=True)

    assert refused(in_state(ConversationState.CONNECTED), over, c.Facts(POLICY)) == (
        "agent_not_eligible"
    )


def test_room_alone_is_told_from_other_reasons() -> None:
    queued = in_state(ConversationState.QUEUED)
    pick_up = c.PickUp(agent(), None, NOW)

    full = message(queued, pick_up, ineligible("capacity"))
    assert (
        full
        == "agent agent-1 is at 90 % and this conversation takes 25 % or exceeds a maximum count"
    )
    assert refused(queued, pick_up, ineligible("capacity")) == "agent_at_capacity"
    lacking = message(queued, pick_up, ineligible("capacity", "missing_skill"))
    assert lacking == "agent agent-1 may not get this conversation: capacity, missing_skill"


@pytest.mark.parametrize(("codes", "allowed"), [((), "any"), (("solved", "spam"), "solved, spam")])
def test_a_missing_wrap_up_code_is_asked_for_with_those_that_are_known(
    codes: tuple[str, ...], allowed: str
) -> None:
    policy = replace(POLICY, wrap_up_mode=WrapUpMode.MANDATORY, wrap_up_codes=codes)
    wrapping_up = in_state(ConversationState.WRAPUP)
    finish = c.FinishWrapUp(agent(), None, done=True)

    said = message(wrapping_up, finish, c.Facts(policy))

    assert said == f"conversation cv-1 needs a wrap-up code: {allowed}"


def test_an_unknown_wrap_up_code_is_named_with_those_that_are_known() -> None:
    policy = replace(POLICY, wrap_up_codes=("solved", "spam"))

    for state, command in (
        (ConversationState.CONNECTED, c.Disconnect(agent(), "done")),
        (ConversationState.WRAPUP, c.FinishWrapUp(agent(), "done", done=False)),
    ):
        said = message(in_state(state), command, c.Facts(policy))
        assert said == "wrap-up code done is not one of the workgroup's: solved, spam"


@pytest.mark.parametrize("owner", [None, OWNER])
def test_whose_conversation_it_is_is_told(owner: str | None) -> None:
    state = ConversationState.CONNECTED if owner else ConversationState.QUEUED
    transfer = c.TransferToWorkgroup(agent(OTHER), "workgroup-2", None)

    said = message(in_state(state), transfer)

    fact = f"belongs to agent {owner}, not to" if owner else "has no owner, so not"
    assert said == f"the conversation {fact} agent {OTHER}"

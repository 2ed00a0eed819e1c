"""Every command in every state, as the contract says: api.md §5."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from conversations import commands as c
from conversations.change_commands import ChangeReply, SettleChange
from conversations.model import ConversationState
from tests.conversations.samples import (
    NOW,
    OTHER,
    OWNER,
    SUPERVISOR,
    agent,
    decide_code,
    eligible,
    in_state,
    reply_by,
)

STATES = tuple(ConversationState)
"""In this order stand the columns below: five open ones, wrap-up, four final ones."""

LETTERS = {
    "B": "abandoned",
    "Q": "queued",
    "A": "alerting",
    "C": "connected",
    "H": "held",
    "P": "parked",
    "F": "completed",
    "D": "discarded",
    "i": "illegal_transition",
    "n": "not_your_conversation",
    "e": "conversation_ended",
    "h": "conversation_held",
}
"""Capitals: the state that the command leads to; small letters: the refusal's code."""


def agents_commands(actor: c.Actor) -> dict[str, c.Command]:
    return {
        "pickup": c.PickUp(actor, None, NOW),
        "decline": c.Decline(actor, None, None),
        "hold": c.Hold(actor),
        "resume": c.Resume(actor),
        "park": c.Park(actor, None, None),
        "unpark": c.Unpark(actor),
        "transfer to workgroup": c.TransferToWorkgroup(actor, "workgroup-2", None),
        "transfer to agent": c.TransferToAgent(actor, OTHER, "offer-2", None),
        "consult": c.Consult(actor, "agent-3", None),
        "consult/end": c.EndConsult(actor),
        "replies": reply_by(actor),
        "disconnect": c.Disconnect(actor, None),
        "wrapup": c.FinishWrapUp(actor, "solved", done=True),
        "discard": c.Discard(actor, "spam"),
        "release": c.Release(actor, "away"),
    }


AGENT_WHO_MAY = {
    # command               queued … parked, wrapup, final
    "pickup": "              C C i i i e eeee",
    "decline": "             i Q i i i e eeee",
    "hold": "                i i H i i e eeee",
    "resume": "              i i i C i e eeee",
    "park": "                i i P P i e eeee",
    "unpark": "              i i i i C e eeee",
    "transfer to workgroup": "n n Q Q Q e eeee",
    "transfer to agent": "   n n A A A e eeee",
    "consult": "             i i C H i e eeee",
    "consult/end": "         i i C H i e eeee",
    "replies": "             n n C h i e eeee",
    "disconnect": "          n n F F i e eeee",
    "wrapup": "              n n i i i F eeee",
    "discard": "             n n D D D e eeee",
    "release": "             n n n n n n nnnn",
}
"""The agent to whom it was offered, who owns it, or who owned it until its end."""

ANOTHER_AGENT = {
    "pickup": "              C n n n n e eeee",
    "decline": "             i n i i i e eeee",
    "hold": "                i i n n n e eeee",
    "resume": "              i i n n n e eeee",
    "park": "                i i n n n e eeee",
    "unpark": "              i i i i n e eeee",
    "transfer to workgroup": "n n n n n e eeee",
    "transfer to agent": "   n n n n n e eeee",
    "consult": "             i i n n n e eeee",
    "consult/end": "         i i n n n e eeee",
    "replies": "             n n n n n e eeee",
    "disconnect": "          n n n n n e eeee",
    "wrapup": "              n n n n n n eeee",
    "discard": "             n n n n n e eeee",
    "release": "             n n n n n n nnnn",
}

A_SUPERVISOR = {
    "hold": "                i i n n n e eeee",
    "resume": "              i i n n n e eeee",
    "park": "                i i n n n e eeee",
    "unpark": "              i i i i C e eeee",
    "transfer to workgroup": "Q Q Q Q Q e eeee",
    "transfer to agent": "   A A A A A e eeee",
    "consult": "             i i n n n e eeee",
    "consult/end": "         i i C H i e eeee",
    "replies": "             n n n n n e eeee",
    "disconnect": "          i i F F i e eeee",
    "wrapup": "              i i i i i F eeee",
    "discard": "             D D D D D e eeee",
    "release": "             i i Q Q Q e eeee",
}

SYSTEM = {
    "post": "                Q A C H Q e eeee",
    "offer": "               A i i i i e eeee",
    "expire": "              i Q i i i e eeee",
    "rescind": "             i Q i i i e eeee",
    "lose agent": "          n n Q Q i F eeee",
    "ring": "                Q i i i i e eeee",
    "reroute": "             Q A i i i e eeee",
    "overflow": "            Q i i i i e eeee",
    "automatic reply": "     Q i i i i e eeee",
    "lapse": "               i i F i i e eeee",
    "end of wrap-up": "      i i i i i F iiii",
    "cancel": "              F F F F F F eeee",
    "abandon": "             B B i i i e eeee",
}
SYSTEM_COMMANDS: dict[str, c.Command] = {
    "post": c.ReceivePosts(("post-2",), NOW),
    "offer": c.MakeOffer(("offer-2",), "decision-2"),
    "expire": c.ExpireOffer(),
    "rescind": c.RescindOffer(OWNER),
    "lose agent": c.LoseAgent(OWNER),
    "ring": c.OpenRing(),
    "reroute": c.Reroute("workgroup-2", 70, (), (), None, ("vip",), ("a rule",)),
    "overflow": c.Overflow("workgroup-2", "closed"),
    "automatic reply": c.AnswerByItself("reply-2"),
    "lapse": c.Lapse(),
    "end of wrap-up": c.EndWrapUp(),
    "cancel": c.EndByOperator("workflow_cancelled"),
    "abandon": c.Abandon("posts_deleted"),
}
EVERYWHERE: dict[str, c.Command] = {
    "reconsider": c.Reconsider(),
    "settled reply": c.SettleReply("reply-1", sent=False, covers=1),
    "reply's state": c.NoteReplyState("reply-1", "unknown"),
    "changed post": c.NotePostChange("post-1", "edited"),
    "change of a reply": ChangeReply("reply-1", "edit"),
    "settled change": SettleChange("reply-1", "edit", done=True),
    "link": c.LinkContinuation("cv-2"),
    "answered elsewhere": c.CountAnswered(1),
}


def expectations() -> Iterator[tuple[str, str, c.Command, ConversationState, str]]:
    tables = (
        ("the agent who may", AGENT_WHO_MAY, agents_commands(agent(OWNER))),
        ("another agent", ANOTHER_AGENT, agents_commands(agent(OTHER))),
        ("a supervisor", A_SUPERVISOR, agents_commands(SUPERVISOR)),
        ("the system", SYSTEM, SYSTEM_COMMANDS),
    )
    for who, table, commands in tables:
        for name, row in table.items():
            letters = row.replace(" ", "")
            assert len(letters) == len(STATES), (who, name)
            for state, letter in zip(STATES, letters, strict=True):
                yield who, name, commands[name], state, LETTERS[letter]


@pytest.mark.parametrize(
    ("who", "name", "command", "state", "expected"),
    [pytest.param(*e, id=f"{e[1]} by {e[0]} while {e[3]}") for e in expectations()],
)
def test_the_command_does_what_the_contract_says(
    who: str, name: str, command: c.Command, state: ConversationState, expected: str
) -> None:
    candidate = command.agent_id if isinstance(command, c.TransferToAgent) else OWNER
    if isinstance(command, c.PickUp):
        candidate = command.actor.agent_id or OWNER
    conversation = in_state(state, answered_count=1, affinity_until=NOW - 1, wrap_up_until=NOW)
    if name == "consult/end" and state in {ConversationState.CONNECTED, ConversationState.HELD}:
        conversation = replace(conversation, consulted_agent_id="agent-3")
    at = NOW + 20_000 if name == "expire" else NOW
    assert decide_code(conversation, command, eligible(candidate), at) == expected


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", EVERYWHERE)
def test_bookkeeping_is_possible_in_every_state_and_changes_none(
    name: str, state: ConversationState
) -> None:
    conversation = in_state(state, unsettled_replies=1)
    assert decide_code(conversation, EVERYWHERE[name], eligible(), NOW) == state


def test_every_command_stands_in_a_table() -> None:
    listed = {
        *(type(command) for command in agents_commands(SUPERVISOR).values()),
        *(type(command) for command in SYSTEM_COMMANDS.values()),
        *(type(command) for command in EVERYWHERE.values()),
    }
    assert listed == set(c.Command.__args__)

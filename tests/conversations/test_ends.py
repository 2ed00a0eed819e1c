"""Replies that are refused, and how conversations end."""

import pytest

from conversations import commands as c
from conversations.errors import ConversationError
from conversations.lifecycle import due
from conversations.model import (
    ConversationState,
    MediaType,
    Visibility,
    WrapUpMode,
    holders,
)
from tests.conversations.samples import (
    NOW,
    OWNER,
    SUPERVISOR,
    agent,
    done,
    in_state,
    refused,
    reply_by,
)

CONNECTED = in_state(ConversationState.CONNECTED)
PRIVATE = in_state(ConversationState.CONNECTED, media_type=MediaType.SOCIAL_DIRECT_MESSAGE)
OPTIONAL = c.Facts(c.Policy(wrap_up_mode=WrapUpMode.OPTIONAL))
TIMEBOXED = c.Facts(c.Policy(wrap_up_mode=WrapUpMode.TIMEBOXED, wrap_up_timeout_s=30))


def test_a_private_conversation_is_answered_in_public_only_when_that_is_confirmed() -> None:
    code = refused(PRIVATE, reply_by(agent()))
    assert code == "public_answer_to_private_conversation"
    accepted = done(PRIVATE, reply_by(agent(), confirm_public=True)).conversation
    assert accepted.unsettled_replies == 1


@pytest.mark.parametrize(
    ("wrote", "may_write", "is_accepted"),
    [(False, False, False), (True, False, True), (False, True, True)],
)
def test_the_first_private_word_is_the_customers_where_the_network_says_so(
    *, wrote: bool, may_write: bool, is_accepted: bool
) -> None:
    facts = c.Facts(c.Policy(), customer_wrote_privately=wrote, may_write_first=may_write)
    command = reply_by(agent(), visibility=Visibility.PRIVATE)
    if is_accepted:
        assert done(CONNECTED, command, facts).conversation.unsettled_replies == 1
    else:
        assert refused(CONNECTED, command, facts) == "cannot_initiate_direct_message"


def test_a_reply_may_be_on_its_way_when_the_conversation_ends() -> None:
    sending = done(CONNECTED, reply_by(agent())).conversation
    ended = done(sending, c.Disconnect(agent(), None)).conversation
    assert (ended.is_final, ended.unsettled_replies) == (True, 1)
    settled = done(ended, c.SettleReply("reply-1", sent=True, covers=1)).conversation
    assert settled.unsettled_replies == 0
    assert settled.affinity_until == ended.affinity_until


def test_without_wrap_up_a_disconnect_completes_and_frees_the_agent() -> None:
    decision = done(CONNECTED, c.Disconnect(agent(), None))
    assert decision.conversation.state is ConversationState.COMPLETED
    assert (decision.conversation.ended_by, decision.conversation.ended_at) == (OWNER, NOW)
    assert holders(decision.conversation) == ()
    assert [event.type for event in decision.events] == [
        "conversation.disconnected",
        "conversation.completed",
    ]


@pytest.mark.parametrize(("facts", "until"), [(OPTIONAL, None), (TIMEBOXED, NOW + 30_000)])
def test_wrapping_up_keeps_the_weight_and_ends_by_the_agent_or_by_time(
    facts: c.Facts, until: int | None
) -> None:
    wrapping = done(CONNECTED, c.Disconnect(agent(), None), facts).conversation
    assert wrapping.state is ConversationState.WRAPUP
    assert wrapping.ended_at == NOW
    (carrier,) = holders(wrapping)
    assert carrier is not None
    assert carrier.weight_percent == 25
    falls_due = due(wrapping)
    assert (falls_due.at if falls_due else None) == until
    finished = done(wrapping, c.FinishWrapUp(agent(), "solved", done=True)).conversation
    assert (finished.state, finished.wrap_up_code) == (ConversationState.COMPLETED, "solved")
    assert holders(finished) == ()


def test_a_time_box_ends_exactly_when_it_is_due() -> None:
    wrapping = in_state(ConversationState.WRAPUP, wrap_up_until=NOW + 1)
    assert refused(wrapping, c.EndWrapUp(), now=NOW) == "illegal_transition"
    assert done(wrapping, c.EndWrapUp(), now=NOW + 1).conversation.is_final


def test_a_code_alone_is_kept_and_does_not_finish() -> None:
    wrapping = in_state(ConversationState.WRAPUP)
    coded = done(wrapping, c.FinishWrapUp(agent(), "solved", done=False)).conversation
    assert (coded.state, coded.wrap_up_code) == (ConversationState.WRAPUP, "solved")


def test_a_disconnect_with_its_code_needs_no_wrap_up() -> None:
    ended = done(CONNECTED, c.Disconnect(agent(), "solved"), TIMEBOXED).conversation
    assert (ended.state, ended.wrap_up_code) == (ConversationState.COMPLETED, "solved")


def test_cancelling_the_workflow_while_wrapping_up_keeps_who_ended_the_conversation() -> None:
    wrapping = in_state(ConversationState.WRAPUP)
    decision = done(wrapping, c.EndByOperator("workflow_cancelled"))
    assert decision.conversation.ended_by == OWNER
    assert decision.conversation.ended_at == wrapping.ended_at
    assert [event.type for event in decision.events] == ["conversation.completed"]


@pytest.mark.parametrize("state", ["queued", "alerting", "connected", "held", "parked"])
def test_cancelling_the_workflow_ends_an_open_conversation_and_names_the_cause(
    state: str,
) -> None:
    conversation = in_state(ConversationState(state))
    ended = done(conversation, c.EndByOperator("workflow_cancelled")).conversation
    assert (ended.ended_by, ended.ended_at) == ("workflow_cancelled", NOW)
    assert holders(ended) == ()


def test_a_supervisors_end_is_told_as_one() -> None:
    ended = done(CONNECTED, c.Disconnect(SUPERVISOR, None)).conversation
    assert ended.ended_by == "supervisor"


def test_every_refusal_has_a_code_of_its_own_and_names_its_facts() -> None:
    kinds = ConversationError.__subclasses__()
    codes = {kind.__new__(kind).code for kind in kinds}
    assert len(codes) == len(kinds)
    assert {"illegal_transition", "offer_expired", "agent_at_capacity"} <= codes
    assert all(code.islower() and code.replace("_", "").isalpha() for code in codes)


@pytest.mark.parametrize("state", ["queued", "alerting"])
def test_whoever_withdraws_before_a_pick_up_has_abandoned(state: str) -> None:
    decision = done(in_state(ConversationState(state)), c.Abandon("posts_deleted"))

    ended = decision.conversation
    assert (ended.state, ended.ended_by) == (ConversationState.ABANDONED, "posts_deleted")
    assert (ended.weight_percent, ended.offers, ended.ended_at) == (0, (), NOW)
    assert [event.type for event in decision.events] == ["conversation.abandoned"]


def test_what_somebody_has_is_not_abandoned() -> None:
    assert refused(CONNECTED, c.Abandon("posts_deleted")) == "illegal_transition"

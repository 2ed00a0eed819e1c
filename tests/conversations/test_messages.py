"""What travels to workflows, what a refusal says of its facts, and what nobody said otherwise."""

import inspect
from dataclasses import replace

import pytest

from conversations import commands as c
from conversations import errors
from conversations.errors import ConversationError
from conversations.messages import Bell, Shown, Snapshot
from conversations.model import (
    Author,
    ConversationState,
    Offer,
    OfferTimeoutAction,
    Post,
    RequiredSkill,
    Ring,
    WrapUpMode,
)
from conversations.networks import Account, ListenedChannel, Page
from tests.conversations.samples import NOW, QUEUED

SNAPSHOT = Snapshot(
    conversation_id="cv-1",
    version=3,
    read_at=NOW,
    state="completed",
    workgroup_id="workgroup-1",
    network="x",
    agent_id="agent-1",
    alarm_at=None,
    has_replies_to_send=False,
    unsettled_replies=0,
    is_final=True,
    ended_by="agent-1",
)
REFUSALS = [
    kind
    for kind in vars(errors).values()
    if inspect.isclass(kind) and issubclass(kind, ConversationError) and kind != ConversationError
]


@pytest.mark.parametrize(
    ("is_final", "unsettled", "is_over"),
    [(True, 0, True), (True, 1, False), (False, 0, False), (False, 1, False)],
)
def test_a_life_is_over_when_it_has_ended_and_every_reply_is_settled(
    unsettled: int, *, is_final: bool, is_over: bool
) -> None:
    assert replace(SNAPSHOT, is_final=is_final, unsettled_replies=unsettled).is_over is is_over


def test_what_is_shown_is_state_workgroup_and_agent() -> None:
    assert SNAPSHOT.shown == Shown("completed", "workgroup-1", "agent-1")


def test_a_bell_is_gathered_with_others_unless_it_is_urgent() -> None:
    bell = Bell("cv-1", "x", "offered", 2)

    assert (bell.is_urgent, bell.shown) == (False, None)


@pytest.mark.parametrize("kind", REFUSALS, ids=lambda kind: kind.__name__)
def test_a_refusal_names_every_fact_that_it_is_given(kind: type[ConversationError]) -> None:
    """Both facts in the message: what was asked for, and what stands against it."""
    given: dict[str, object] = {}
    for name, parameter in inspect.signature(kind).parameters.items():
        annotation = str(parameter.annotation)
        if "list" in annotation:
            given[name] = [f"a-{name}", f"b-{name}"]
        elif "int" in annotation:
            given[name] = 100 + len(given)
        else:
            given[name] = f"the-{name}"

    said = str(kind(**given))

    for fact in given.values():
        for word in fact if isinstance(fact, list) else [fact]:
            assert str(word) in said


def test_a_workgroup_that_says_nothing_is_patient_for_seconds_and_asks_for_no_wrap_up() -> None:
    policy = c.Policy()

    assert (policy.offer_timeout_s, policy.decline_backoff_s, policy.preferred_agent_wait_s) == (
        20,
        10,
        10,
    )
    assert (policy.wrap_up_mode, policy.wrap_up_timeout_s) == (WrapUpMode.NONE, 60)
    assert policy.offer_timeout_action is OfferTimeoutAction.NOT_RESPONDING
    assert policy.auto_accept is False


def test_nobody_may_more_than_is_said() -> None:
    assert c.Actor().is_supervisor is False
    facts = c.Facts(c.Policy())
    assert (facts.customer_wrote_privately, facts.may_write_first) == (False, False)
    transfer = c.TransferToAgent(c.Actor(), "agent-2", "offer-1", None)
    assert transfer.override_capacity is False


def test_a_page_ends_and_a_channel_is_asked_at_once_unless_told_otherwise() -> None:
    account = Account("ac-1", "x", {})

    assert Page().goes_on is False
    assert ListenedChannel(account, 1_000, 100, None).wait_ms == 0
    assert "secret" not in repr(replace(account, credentials={"token": "secret"}))


def test_a_post_is_in_time_and_a_ring_waits_unless_told_otherwise() -> None:
    post = Post("p-1", Author("u-1"), "hello", NOW)

    assert (post.is_own, RequiredSkill("billing").min_proficiency) == (False, 0)
    assert Ring(30).at_once_if_nobody is False
    assert Offer("offer-1", "agent-1", NOW).weight_percent == 0


def test_a_new_row_has_no_weight_no_ring_no_post_and_no_version() -> None:
    bare = {name: getattr(QUEUED, name) for name in type(QUEUED).__slots__}
    for name in ("weight_percent", "ring", "post_count", "answered_count", "unsettled_replies"):
        del bare[name]
    del bare["version"]
    del bare["is_override"]

    row = type(QUEUED)(**bare)

    assert (row.weight_percent, row.is_override, row.ring) == (0, False, 0)
    assert (row.post_count, row.answered_count, row.unsettled_replies, row.version) == (0, 0, 0, 0)
    assert row.state is ConversationState.QUEUED

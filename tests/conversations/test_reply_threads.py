"""A reply of several posts: what each is to its network, and what is noted when it is there."""

from dataclasses import replace

import pytest

from conversations.errors import UndoWindowOver
from conversations.model import ReplyState, Visibility
from conversations.replies import (
    ATTEMPT_DEADLINE_MS,
    LONGEST_WAIT_S,
    WITHDRAWN,
    Certainty,
    NextStep,
    Outcome,
    ReadBack,
    Reply,
    Step,
    after_attempt,
    current_part,
    divided,
    may_be_withdrawn,
    next_step,
    part_at,
    resolve,
    withdraw,
)
from conversations.reply_parts import MOST_PARTS, Part, key_of, origin_of

NOW = 1_750_000_100_000
SINGLE = Reply(
    id="re_1",
    conversation_id="cv_1",
    account_id="ac_1",
    channel_id="ch_1",
    network="mastodon",
    agent_id="ag_1",
    text="one two three",
    visibility=Visibility.PUBLIC,
    to_external_id="u1",
    to_handle=None,
    in_reply_to="post-1",
    state=ReplyState.ACCEPTED,
    covers=1,
    created_at=NOW - 60_000,
    tried_since=NOW - 60_000,
)
THREAD = replace(SINGLE, parts=(Part("one"), Part("two"), Part("three")))
FIRST = Part("one", "out-1", "https://x.example/1", NOW - 50_000, attempts=2)
SECOND = Part("two", "out-2", "https://x.example/2", NOW - 40_000, attempts=1)
SECOND_GOES = replace(
    THREAD,
    parts=(FIRST, *THREAD.parts[1:]),
    state=ReplyState.SENDING,
    attempts=5,
    attempt_until=NOW + 5_000,
    is_in_doubt=True,
    external_id="out-1",
    url="https://x.example/1",
)


def test_deadlines_and_limits_are_those_of_the_documentation() -> None:
    assert (ATTEMPT_DEADLINE_MS, LONGEST_WAIT_S, MOST_PARTS) == (15_000, 86_400.0, 25)
    assert (SINGLE.attempts, SINGLE.is_in_doubt, SINGLE.sent_parts) == (0, False, 0)
    assert NextStep(Step.STOP, SINGLE).wait_ms == 0


@pytest.mark.parametrize(
    ("wanted_s", "waits_ms"),
    [(None, 0), (-5.0, 0), (0.0, 0), (1.5, 1_500), (86_400.0, 86_400_000), (1e9, 86_400_000)],
)
def test_a_network_is_obeyed_for_a_day_at_most(wanted_s: float | None, waits_ms: int) -> None:
    assert Outcome(Certainty.NOT_ACCEPTED, retry_after_s=wanted_s).wait_ms == waits_ms


def test_calls_are_what_leaves() -> None:
    calls = {step for step in Step if step.is_call}
    assert calls == {Step.SEND, Step.LOOK_UP, Step.EDIT, Step.DELETE}


def test_a_reply_of_one_post_is_its_own_post() -> None:
    assert part_at(SINGLE, 0) is SINGLE
    assert current_part(SINGLE) is SINGLE


def test_the_first_post_has_the_replys_key_and_answers_the_customer() -> None:
    tried = replace(THREAD, state=ReplyState.SENDING, attempts=3)
    assert current_part(tried) == replace(tried, text="one", parts=(), attempts=3)
    rooted = replace(THREAD, thread_root="root")
    assert current_part(rooted).thread_root == "root"


def test_a_later_post_has_a_key_of_its_own_and_answers_the_one_before() -> None:
    second = current_part(SECOND_GOES)
    assert (second.id, second.text, second.in_reply_to) == ("re_1-2", "two", "out-1")
    assert (second.thread_root, second.attempts, second.parts) == ("post-1", 3, ())
    assert (second.external_id, second.url, second.sent_at) == (None, None, None)
    rooted = current_part(replace(SECOND_GOES, thread_root="root"))
    assert rooted.thread_root == "root"


def test_what_is_there_keeps_its_own_number_of_attempts() -> None:
    first = part_at(SECOND_GOES, 0)
    assert (first.id, first.attempts, first.in_reply_to) == ("re_1", 2, "post-1")
    assert (first.external_id, first.url, first.sent_at) == FIRST_IS
    assert first.thread_root is None


FIRST_IS = ("out-1", "https://x.example/1", NOW - 50_000)


def test_a_post_whose_name_nobody_knows_is_passed_over_as_a_target() -> None:
    nameless = replace(FIRST, external_id=None)
    third = replace(THREAD, parts=(FIRST, replace(SECOND, external_id=None), Part("three")))
    assert part_at(third, 2).in_reply_to == "out-1"
    second = replace(THREAD, parts=(nameless, *THREAD.parts[1:]))
    assert part_at(second, 1).in_reply_to == "post-1"


def test_when_all_are_there_the_last_one_is_the_present_one() -> None:
    whole = replace(THREAD, parts=(FIRST, SECOND, replace(SECOND, text="three")))
    assert current_part(whole).id == "re_1-3"


def test_a_post_that_is_there_gives_the_next_one_its_turn() -> None:
    sent = Outcome(Certainty.SENT, "out-2", "https://x.example/2")
    after = after_attempt(SECOND_GOES, sent, NOW)
    there = Part("two", "out-2", "https://x.example/2", NOW, attempts=3)
    assert after == replace(
        SECOND_GOES,
        parts=(FIRST, there, Part("three")),
        state=ReplyState.ACCEPTED,
        attempt_until=None,
        is_in_doubt=False,
        tried_since=NOW,
    )
    assert after.tries == 0


def test_the_last_post_makes_the_whole_reply_sent() -> None:
    last = replace(SECOND_GOES, parts=(FIRST, SECOND, Part("three")), reason="slow")
    after = after_attempt(last, Outcome(Certainty.SENT, "out-3"), NOW)
    assert after.parts == (FIRST, SECOND, Part("three", "out-3", None, NOW, attempts=2))
    assert (after.state, after.sent_at, after.is_settled) == (ReplyState.SENT, NOW, True)
    assert (after.external_id, after.url, after.reason) == (*FIRST_IS[:2], None)
    assert (after.is_in_doubt, after.attempt_until, after.next_attempt_at) == (False, None, None)


def test_one_post_that_is_there_is_sent() -> None:
    doubted = replace(SINGLE, state=ReplyState.UNKNOWN, is_in_doubt=True, reason="x")
    after = after_attempt(doubted, Outcome(Certainty.SENT, "out-1", "https://x.example/1"), NOW)
    assert after == replace(
        SINGLE,
        state=ReplyState.SENT,
        external_id="out-1",
        url="https://x.example/1",
        sent_at=NOW,
    )


@pytest.mark.parametrize(
    ("reason", "told"), [("not so", "part 2 of 3: not so"), (None, "part 2 of 3")]
)
def test_a_refusal_names_the_post(reason: str | None, told: str) -> None:
    certain = replace(SECOND_GOES, is_in_doubt=False)
    after = after_attempt(certain, Outcome(Certainty.REJECTED, reason=reason), NOW)
    assert (after.state, after.reason, after.attempt_until) == (ReplyState.REJECTED, told, None)


def test_what_is_not_there_goes_again_as_if_it_were_new() -> None:
    stuck = replace(SECOND_GOES, state=ReplyState.NEEDS_HUMAN, next_attempt_at=NOW + 1)
    after = resolve(stuck, "absent", None, NOW)
    assert after == replace(
        stuck,
        state=ReplyState.ACCEPTED,
        attempt_until=None,
        is_in_doubt=False,
        next_attempt_at=None,
        tried_since=NOW,
    )
    assert resolve(stuck, "sent", "out-2", NOW).parts[1].external_id == "out-2"


def test_second_thoughts_last_to_the_millisecond_and_while_nothing_has_left() -> None:
    waits = replace(SINGLE, undo_until=NOW + 10)
    step = next_step(waits, ReadBack.LOOK_UP, NOW)
    assert (step.step, step.wait_ms, step.reply) == (Step.WAIT, 10, waits)
    assert may_be_withdrawn(waits, NOW + 9)
    assert not may_be_withdrawn(waits, NOW + 10)
    assert not may_be_withdrawn(replace(waits, attempts=1), NOW)
    assert not may_be_withdrawn(replace(waits, state=ReplyState.SENDING), NOW)
    assert not may_be_withdrawn(SINGLE, NOW)
    gone = withdraw(waits, NOW)
    assert gone == replace(waits, state=ReplyState.REJECTED, reason=WITHDRAWN)
    with pytest.raises(UndoWindowOver, match="re_1 is accepted"):
        withdraw(waits, NOW + 10)
    assert next_step(waits, ReadBack.LOOK_UP, NOW + 10).step is Step.SEND


def test_patience_doubles_up_to_a_minute() -> None:
    refused = Outcome(Certainty.NOT_ACCEPTED)
    fresh = replace(SINGLE, tried_since=NOW, state=ReplyState.SENDING)
    waits = [
        (after_attempt(replace(fresh, attempts=n), refused, NOW).next_attempt_at or 0) - NOW
        for n in range(1, 13)
    ]
    assert waits == [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, *[60_000] * 6]


@pytest.mark.parametrize(
    ("key", "origin"),
    [
        ("re_1", ("re_1", 0)),
        ("re_1-2", ("re_1", 1)),
        ("re_1-25", ("re_1", 24)),
        ("re_1-26", ("re_1-26", 0)),
        ("re_1-1", ("re_1-1", 0)),
        ("re_1-two", ("re_1-two", 0)),
        ("re_1-٣", ("re_1-٣", 0)),
        ("-", ("-", 0)),
        ("", ("", 0)),
    ],
)
def test_a_key_names_its_reply_and_its_post(key: str, origin: tuple[str, int]) -> None:
    assert origin_of(key) == origin
    if origin[1]:
        assert key_of(*origin) == key


def test_only_what_nothing_was_tried_of_can_be_divided() -> None:
    untried = replace(SINGLE, state=ReplyState.ACCEPTED, attempts=0, parts=())
    texts = ("one", "two")

    assert divided(untried, texts) == replace(untried, parts=(Part("one"), Part("two")))
    for other in (
        replace(untried, attempts=1),
        replace(untried, state=ReplyState.UNKNOWN),
        replace(untried, parts=(Part("there"), Part("before"))),
    ):
        assert divided(other, texts) is other
    for none in ((), ("one",)):
        assert divided(untried, none) is untried

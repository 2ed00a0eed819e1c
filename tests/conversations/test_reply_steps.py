"""A reply step by step: how long it waits, what is noted, and when a human is needed."""

from dataclasses import replace

import pytest

from conversations.model import ReplyState
from conversations.replies import (
    ATTEMPT_DEADLINE_MS,
    Certainty,
    Outcome,
    ReadBack,
    Reply,
    Step,
    after_attempt,
    after_look_up,
    next_step,
    resolve,
)
from tests.conversations.test_reply_life import REPLY, START

NOW = START + 1_000
DAY_MS = 24 * 3_600_000
SENDING = replace(
    REPLY, state=ReplyState.SENDING, attempts=1, attempt_until=START + ATTEMPT_DEADLINE_MS
)
UNKNOWN = replace(SENDING, state=ReplyState.UNKNOWN, next_attempt_at=NOW)
REFUSED = Outcome(Certainty.NOT_ACCEPTED, reason="busy")
FOLDS = ReadBack.RECEIVER_DEDUPLICATES
UNCLEAR = Outcome(Certainty.MAYBE, reason="a broken line")


def wait_ms(reply: Reply) -> int:
    assert reply.next_attempt_at is not None
    return reply.next_attempt_at - NOW


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (10, 60), (900, 60)]
)
def test_each_attempt_waits_twice_as_long_but_a_minute_at_most(attempts: int, seconds: int) -> None:
    tried = replace(SENDING, attempts=attempts, tried_since=NOW)

    assert wait_ms(after_attempt(tried, REFUSED, NOW)) == seconds * 1_000


def test_what_was_never_tried_waits_half_a_second() -> None:
    assert (
        wait_ms(after_look_up(replace(UNKNOWN, attempts=0, tried_since=NOW), UNCLEAR, NOW)) == 500
    )


@pytest.mark.parametrize(("age_s", "seconds"), [(0, 1), (4, 1), (8, 2), (80, 20), (4_000, 60)])
def test_an_old_one_waits_a_quarter_of_its_age(age_s: int, seconds: int) -> None:
    old = replace(UNKNOWN, tried_since=NOW - age_s * 1_000)

    assert wait_ms(after_look_up(old, UNCLEAR, NOW)) == seconds * 1_000


@pytest.mark.parametrize(
    ("told_s", "ms"), [(None, 1_000), (0.2, 1_000), (7.5, 7_500), (600.0, 600_000)]
)
def test_a_network_may_ask_for_more_patience_but_not_for_less(
    told_s: float | None, ms: int
) -> None:
    outcome = replace(REFUSED, retry_after_s=told_s)

    assert wait_ms(after_attempt(replace(SENDING, tried_since=NOW), outcome, NOW)) == ms


def test_what_was_refused_is_to_be_sent_again_with_its_reason() -> None:
    after = after_attempt(SENDING, REFUSED, NOW)

    assert (after.state, after.attempt_until, after.reason) == (ReplyState.ACCEPTED, None, "busy")
    due = replace(after, next_attempt_at=NOW)
    step = next_step(due, ReadBack.IMPOSSIBLE, NOW)
    assert (step.step, step.reply.attempts, step.reply.next_attempt_at) == (Step.SEND, 2, None)
    assert step.reply.attempt_until == NOW + ATTEMPT_DEADLINE_MS


def test_what_was_rejected_is_over_with_its_reason() -> None:
    after = after_attempt(SENDING, Outcome(Certainty.REJECTED, reason="too long"), NOW)

    assert after.is_settled
    assert (after.state, after.attempt_until, after.reason) == (
        ReplyState.REJECTED,
        None,
        "too long",
    )


@pytest.mark.parametrize(
    ("may_still_arrive", "until"), [(True, SENDING.attempt_until), (False, NOW)]
)
def test_an_error_that_was_answered_ends_the_attempt(until: int, *, may_still_arrive: bool) -> None:
    outcome = replace(UNCLEAR, may_still_arrive=may_still_arrive)

    after = after_attempt(SENDING, outcome, NOW)

    assert (after.state, after.attempt_until) == (ReplyState.UNKNOWN, until)
    assert after.reason == "a broken line"


@pytest.mark.parametrize("look", [after_attempt, after_look_up])
def test_what_is_there_is_noted_with_where_it_is(look: object) -> None:
    seen = Outcome(Certainty.SENT, "p-1", "https://x.example/p-1")
    tried = replace(UNKNOWN, reason="a broken line")

    after = look(tried, seen, NOW)  # type: ignore[operator]

    assert after == replace(
        tried,
        state=ReplyState.SENT,
        attempt_until=None,
        next_attempt_at=None,
        external_id="p-1",
        url="https://x.example/p-1",
        reason=None,
        sent_at=NOW,
    )


def test_an_answer_that_names_no_post_keeps_what_is_known_of_it() -> None:
    known = replace(UNKNOWN, external_id="p-1", url="https://x.example/p-1")

    after = after_look_up(known, Outcome(Certainty.SENT), NOW)

    assert (after.external_id, after.url) == ("p-1", "https://x.example/p-1")


@pytest.mark.parametrize(
    ("now", "hidden_ms", "is_absent"),
    [
        (START + ATTEMPT_DEADLINE_MS - 1, 0, False),
        (START + ATTEMPT_DEADLINE_MS, 0, True),
        (START + ATTEMPT_DEADLINE_MS + 699, 700, False),
        (START + ATTEMPT_DEADLINE_MS + 700, 700, True),
    ],
)
def test_absence_is_believed_when_nothing_can_be_hidden_any_more(
    now: int, hidden_ms: int, *, is_absent: bool
) -> None:
    outcome = Outcome(Certainty.NOT_ACCEPTED, reason="not there", visible_within_ms=hidden_ms)

    after = after_look_up(UNKNOWN, outcome, now)

    assert after.state is (ReplyState.ACCEPTED if is_absent else ReplyState.UNKNOWN)
    assert (after.attempt_until is None) is is_absent
    assert (after.next_attempt_at is None) is is_absent
    assert after.reason == "not there"


def test_without_an_attempts_deadline_what_can_be_hidden_counts_from_the_reply() -> None:
    outcome = Outcome(Certainty.NOT_ACCEPTED, visible_within_ms=700)
    endless = replace(UNKNOWN, attempt_until=None)

    assert after_look_up(endless, outcome, START + 699).state is ReplyState.UNKNOWN
    assert after_look_up(endless, outcome, START + 700).state is ReplyState.ACCEPTED


@pytest.mark.parametrize(
    ("read_back", "step"),
    [
        (ReadBack.LOOK_UP, Step.LOOK_UP),
        (ReadBack.RECEIVER_DEDUPLICATES, Step.SEND),
        (ReadBack.IMPOSSIBLE, Step.STOP),
    ],
)
def test_an_unclear_outcome_is_followed_as_the_network_allows(
    read_back: ReadBack, step: Step
) -> None:
    found = next_step(UNKNOWN, read_back, NOW)

    assert found.step is step
    needs_human = found.reply.state is ReplyState.NEEDS_HUMAN
    assert needs_human is (step is Step.STOP)


def test_a_refused_repetition_settles_no_doubt_about_an_earlier_attempt() -> None:
    refused = Outcome(Certainty.NOT_ACCEPTED, reason="too many")
    first = after_attempt(SENDING, Outcome(Certainty.MAYBE), NOW)
    again = next_step(
        replace(first, next_attempt_at=None), ReadBack.RECEIVER_DEDUPLICATES, NOW
    ).reply

    still = replace(after_attempt(again, refused, NOW), next_attempt_at=None)

    assert (still.state, still.is_in_doubt) == (ReplyState.UNKNOWN, True)
    assert next_step(still, FOLDS, NOW).step is Step.SEND
    assert next_step(still, ReadBack.LOOK_UP, NOW).step is Step.LOOK_UP
    absent = after_look_up(still, Outcome(Certainty.NOT_ACCEPTED), NOW)
    assert (absent.state, absent.is_in_doubt) == (ReplyState.ACCEPTED, False)


def test_a_rejected_repetition_says_nothing_of_what_went_before() -> None:
    first = after_attempt(SENDING, Outcome(Certainty.MAYBE), NOW)
    again = next_step(replace(first, next_attempt_at=None), FOLDS, NOW).reply

    after = after_attempt(again, Outcome(Certainty.REJECTED, reason="account closed"), NOW)

    assert (after.state, after.is_settled) == (ReplyState.NEEDS_HUMAN, False)
    assert after.reason == "an earlier attempt may be there; account closed"
    assert next_step(after, FOLDS, NOW).step is Step.STOP


def test_an_attempt_that_nobody_saw_the_end_of_leaves_a_doubt() -> None:
    late = START + ATTEMPT_DEADLINE_MS
    found = next_step(
        replace(SENDING, attempt_until=late), ReadBack.RECEIVER_DEDUPLICATES, late
    ).reply

    refused = after_attempt(found, Outcome(Certainty.NOT_ACCEPTED), late)

    assert (found.is_in_doubt, refused.state) == (True, ReplyState.UNKNOWN)


def test_without_a_doubt_what_was_refused_is_tried_anew() -> None:
    refused = after_attempt(SENDING, Outcome(Certainty.NOT_ACCEPTED), NOW)

    assert (refused.state, refused.is_in_doubt) == (ReplyState.ACCEPTED, False)


def test_it_waits_for_its_time_to_the_millisecond() -> None:
    early = next_step(replace(UNKNOWN, next_attempt_at=NOW + 1), ReadBack.LOOK_UP, NOW)

    assert (early.step, early.wait_ms) == (Step.WAIT, 1)
    assert next_step(UNKNOWN, ReadBack.LOOK_UP, NOW).step is Step.LOOK_UP


@pytest.mark.parametrize(("age_ms", "step"), [(DAY_MS, Step.LOOK_UP), (DAY_MS + 1, Step.STOP)])
def test_after_a_day_a_human_is_needed(age_ms: int, step: Step) -> None:
    old = replace(UNKNOWN, tried_since=NOW - age_ms)

    found = next_step(old, ReadBack.LOOK_UP, NOW)

    assert found.step is step
    if step is Step.STOP:
        assert found.reply == replace(old, state=ReplyState.NEEDS_HUMAN)


def test_an_attempt_without_a_deadline_is_not_waited_for() -> None:
    lost = replace(SENDING, attempt_until=None, next_attempt_at=NOW + 9)

    found = next_step(lost, ReadBack.LOOK_UP, NOW)

    assert (found.step, found.reply.state) == (Step.LOOK_UP, ReplyState.UNKNOWN)
    assert found.reply.next_attempt_at is None


@pytest.mark.parametrize("state", [ReplyState.SENT, ReplyState.REJECTED, ReplyState.NEEDS_HUMAN])
def test_what_is_over_or_a_humans_is_left_alone(state: ReplyState) -> None:
    over = replace(UNKNOWN, state=state, next_attempt_at=None)

    found = next_step(over, ReadBack.RECEIVER_DEDUPLICATES, NOW)

    assert (found.step, found.reply) == (Step.STOP, over)
    assert over.is_settled is (state is not ReplyState.NEEDS_HUMAN)


def test_a_human_says_that_it_is_there() -> None:
    after = resolve(replace(UNKNOWN, state=ReplyState.NEEDS_HUMAN), "sent", "p-9", NOW)

    assert (after.state, after.external_id, after.sent_at) == (ReplyState.SENT, "p-9", NOW)


def test_a_human_says_that_it_is_not_there_and_its_day_begins_anew() -> None:
    old = replace(UNKNOWN, state=ReplyState.NEEDS_HUMAN, tried_since=NOW - 2 * DAY_MS)

    after = resolve(old, "absent", None, NOW)

    assert (after.state, after.attempt_until, after.next_attempt_at, after.tried_since) == (
        ReplyState.ACCEPTED,
        None,
        None,
        NOW,
    )
    assert next_step(after, ReadBack.IMPOSSIBLE, NOW).step is Step.SEND

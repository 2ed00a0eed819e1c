"""When the circle of agents widens, and what is told of it."""

from dataclasses import replace

import pytest

from conversations import commands as c
from conversations.lifecycle import Due, alarm_at, due, open_conversation
from conversations.model import ConversationState, Event, PassedOver, Ring, Visibility
from tests.conversations.samples import NOW, POLICY, QUEUED, done, in_state, refused

SINCE = NOW - 100_000
RINGS = (Ring(30), Ring(60), Ring(90))
WAITING = replace(QUEUED, queued_at=SINCE - 500_000, ring_since=SINCE, ring_until=SINCE + 30_000)


def facts(*rings: Ring, reach: tuple[int, ...] = (1, 2, 3, 4)) -> c.Facts:
    return c.Facts(replace(POLICY, rings=rings or RINGS), reach=reach)


def opened(after_ms: int, known: c.Facts, **fields: object) -> tuple[int, int | None]:
    waiting = replace(WAITING, **fields)  # type: ignore[arg-type]
    after = done(waiting, c.OpenRing(), known, now=SINCE + after_ms).conversation
    return after.ring, after.ring_until


@pytest.mark.parametrize(
    ("after_ms", "ring", "next_ms"),
    [
        (0, 0, 30_000),
        (29_999, 0, 30_000),
        (30_000, 1, 60_000),
        (59_999, 1, 60_000),
        (60_000, 2, 90_000),
        (90_000, 3, None),
        (900_000, 3, None),
    ],
)
def test_each_ring_opens_at_its_time_and_the_next_is_waited_for(
    after_ms: int, ring: int, next_ms: int | None
) -> None:
    next_at = None if next_ms is None else SINCE + next_ms

    assert opened(after_ms, facts()) == (ring, next_at)


def test_what_never_noted_when_it_entered_counts_from_its_queue() -> None:
    early = replace(WAITING, ring_since=None, queued_at=SINCE)

    after = done(early, c.OpenRing(), facts(), now=SINCE + 60_000).conversation

    assert (after.ring, after.ring_until) == (2, SINCE + 90_000)


@pytest.mark.parametrize(
    ("reach", "ring"),
    [
        ((1, 2, 3, 4), 1),
        ((1, 2, 2, 2), 1),
        ((1, 1, 3, 4), 2),
        ((3, 2, 4, 4), 2),
        ((1, 1, 1, 4), 3),
        ((0, 0, 0, 0), 3),
        ((1,), 3),
        ((), 3),
    ],
)
def test_a_ring_that_has_added_nobody_is_skipped_at_once(reach: tuple[int, ...], ring: int) -> None:
    """`reach` counts who could ever take it with no ring open, with one, with two …."""
    found, until = opened(30_000, facts(reach=reach))

    assert (found, until) == (ring, None if ring == 3 else SINCE + (ring + 1) * 30_000)


def test_before_the_first_ring_it_is_waited_for_however_few_there_are() -> None:
    assert opened(29_999, facts(reach=(0, 0, 0, 0))) == (0, SINCE + 30_000)


@pytest.mark.parametrize(("inside", "ring"), [(0, 1), (1, 0), (2, 0)])
def test_a_ring_may_open_at_once_when_nobody_could_ever_take_it(inside: int, ring: int) -> None:
    at_once = (Ring(30, at_once_if_nobody=True), Ring(60, at_once_if_nobody=True))

    assert opened(0, facts(*at_once, reach=(inside, 3, 4)))[0] == ring


def test_at_once_goes_on_while_there_is_still_nobody() -> None:
    at_once = (Ring(30, at_once_if_nobody=True), Ring(60, at_once_if_nobody=True), Ring(90))

    assert opened(0, facts(*at_once, reach=(0, 0, 5, 5))) == (2, SINCE + 90_000)


def test_rings_that_are_open_stay_open() -> None:
    assert opened(0, facts(), ring=2) == (2, SINCE + 90_000)
    assert opened(0, facts(), ring=3) == (3, None)


def test_what_opened_is_told_once_with_how_many_are_open() -> None:
    decision = done(WAITING, c.OpenRing(), facts(), now=SINCE + 60_000)

    assert decision.events == (Event("conversation.ring_opened", None, {"ring": 2}),)
    assert done(WAITING, c.OpenRing(), facts(), now=SINCE).events == ()


def test_who_is_offered_to_somebody_has_no_use_for_rings() -> None:
    alerting = in_state(ConversationState.ALERTING)

    assert refused(alerting, c.OpenRing(), facts()) == "illegal_transition"


def test_of_all_that_falls_due_in_a_queue_the_first_comes_first() -> None:
    over = PassedOver("agent-1", NOW + 30)
    waiting = replace(QUEUED, ring_until=NOW + 20, preferred_until=NOW + 10, passed_over=(over,))

    assert due(waiting) == Due(NOW + 10, c.Reconsider())
    assert due(replace(waiting, preferred_until=None)) == Due(NOW + 20, c.OpenRing())
    assert due(replace(waiting, preferred_until=None, ring_until=None)) == Due(
        NOW + 30, c.Reconsider()
    )
    assert due(replace(waiting, ring_until=NOW + 5)) == Due(NOW + 5, c.OpenRing())
    assert alarm_at(waiting) == NOW + 10
    assert due(QUEUED) is None
    assert alarm_at(QUEUED) is None


@pytest.mark.parametrize(("rings", "until"), [((), None), (RINGS, NOW + 30_000)])
def test_a_new_conversation_begins_with_the_first_ring_before_it(
    rings: tuple[Ring, ...], until: int | None
) -> None:
    opening = c.Opening(
        conversation_id="cv-9",
        network="simulated",
        account_id="account-1",
        channel_id="channel-1",
        workgroup_id="workgroup-1",
        customer_id="customer-1",
        affinity_key="key-9",
        affinity_window_s=60,
        priority=50,
        visibility=Visibility.PRIVATE,
        required_skills=(),
        post_ids=("post-1", "post-2"),
        last_post_at=NOW - 1,
    )

    decision = open_conversation(opening, replace(POLICY, rings=rings), NOW)

    new = decision.conversation
    assert (new.ring, new.ring_since, new.ring_until) == (0, NOW if rings else None, until)
    assert (new.post_count, new.version, new.affinity_until) == (2, 1, NOW + 60_000)
    assert (new.created_at, new.queued_at, new.last_post_at) == (NOW, NOW, NOW - 1)
    assert decision.events == (
        Event("conversation.created", None, {"post_ids": ["post-1", "post-2"]}),
    )

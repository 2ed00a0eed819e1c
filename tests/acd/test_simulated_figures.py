"""What a simulation notes step by step: waits, offers, refusals, and how people spend time."""

from dataclasses import replace

import pytest

from acd.simulated_figures import Figures, Presence, waits_of
from conversations.errors import NotYourConversation
from conversations.model import Conversation, ConversationState, Offer, RoutingStatus
from tests.acd.samples import PUBLIC, agent, waiting
from tests.conversations.samples import NOW


def offered_to(*agent_ids: str, expires_at: int = NOW + 20_000) -> Conversation:
    offers = tuple(Offer(f"of-{a}", a, expires_at, 25) for a in agent_ids)
    return waiting(state=ConversationState.ALERTING, offers=offers)


def connected_to(agent_id: str, weight_percent: int = 25) -> Conversation:
    return waiting(
        state=ConversationState.CONNECTED,
        agent_id=agent_id,
        connected_at=NOW,
        weight_percent=weight_percent,
    )


def test_an_arrival_and_each_change_of_state_are_counted_once() -> None:
    figures, queued, alerting = Figures(), waiting(), offered_to("agent-1")

    figures.changed(None, queued, NOW)
    figures.changed(queued, replace(queued, priority=90), NOW)
    figures.changed(queued, alerting, NOW)

    assert figures.counts == {"arrived": 1, "queued to alerting": 1}


@pytest.mark.parametrize(("expires_at", "missed"), [(NOW - 1, 2), (NOW, 0), (NOW + 1, 0)])
def test_offers_are_missed_when_they_ran_out(expires_at: int, missed: int) -> None:
    figures = Figures()

    figures.changed(offered_to("agent-1", "agent-2", expires_at=expires_at), waiting(), NOW)

    assert figures.counts["missed"] == missed


def test_the_first_pick_up_ends_the_wait_and_later_ones_are_none() -> None:
    figures, queued_at = Figures(), NOW - 7_000
    before = replace(offered_to("agent-1"), queued_at=queued_at)
    after = replace(connected_to("agent-1"), queued_at=queued_at)

    figures.changed(before, after, NOW)
    figures.changed(replace(before, connected_at=NOW), replace(after, agent_id="agent-2"), NOW)

    assert list(figures.waits_ms[after.workgroup_id]) == [7_000]
    assert figures.counts["answered"] == 1
    assert figures.pickups_by_agent == {"agent-1": 1}
    (pickup,) = figures.pickups
    assert (pickup.agent_id, pickup.wait_ms, pickup.media_type) == ("agent-1", 7_000, PUBLIC)


def test_pick_ups_are_not_kept_when_nobody_asks_for_them() -> None:
    figures = Figures(keeps_pickups=False)

    figures.changed(offered_to("agent-1"), connected_to("agent-1"), NOW)

    assert (figures.pickups, figures.counts["answered"]) == ([], 1)


def test_time_is_handling_idling_or_neither() -> None:
    """On queue for 10 s, alerted for 5 s, talking for 20 s off the queue, then nothing for 40 s."""
    figures, one = Figures(), agent(1)
    off = replace(one, routing_status=RoutingStatus.OFF_QUEUE)
    figures.agent_changed(None, one, NOW)
    figures.changed(waiting(), offered_to("agent-1"), NOW + 10_000)
    figures.agent_changed(one, off, NOW + 15_000)
    figures.changed(offered_to("agent-1"), connected_to("agent-1"), NOW + 15_000)
    figures.changed(connected_to("agent-1"), waiting(), NOW + 35_000)
    figures.close(NOW + 75_000)

    presence = figures.presences["agent-1"]
    assert (presence.idle_ms, presence.handling_ms) == (10_000, 25_000)
    assert presence.load_percent_ms == 25 * 25_000
    assert (presence.carried, presence.load_percent) == (0, 0)
    assert presence.occupancy_percent == 71.43


def test_a_transfer_moves_the_load_and_what_stays_is_not_counted_anew() -> None:
    figures = Figures()
    figures.changed(waiting(), connected_to("agent-1", 40), NOW)
    held = replace(connected_to("agent-1", 40), state=ConversationState.HELD)
    figures.changed(connected_to("agent-1", 40), held, NOW + 1_000)
    figures.changed(held, connected_to("agent-2", 40), NOW + 2_000)

    one, two = figures.presences["agent-1"], figures.presences["agent-2"]
    assert (one.carried, one.load_percent, one.handling_ms) == (0, 0, 2_000)
    assert (two.carried, two.load_percent, two.handling_ms) == (1, 40, 0)


def test_occupancy_needs_time_on_duty() -> None:
    assert Presence(NOW).occupancy_percent is None
    assert Presence(NOW, handling_ms=1).occupancy_percent == 100
    assert Presence(NOW, handling_ms=1, idle_ms=2).occupancy_percent == 33.33


def test_refusals_are_counted_by_their_name() -> None:
    figures = Figures()

    for _ in range(2):
        figures.refused(waiting(), NotYourConversation("agent-1", "agent-2"))

    assert figures.counts == {"refused NotYourConversation": 2}


@pytest.mark.parametrize(
    ("waits_ms", "p50_ms", "p95_ms"),
    [([5], 5, 5), ([1, 2], 1, 2), ([3, 1, 2], 2, 3), (list(range(1, 101)), 50, 95)],
)
def test_a_percentile_is_a_wait_that_was(waits_ms: list[int], p50_ms: int, p95_ms: int) -> None:
    waits = waits_of(waits_ms)

    assert (waits.p50_ms, waits.p95_ms) == (p50_ms, p95_ms)
    assert (waits.answered, waits.longest_ms) == (len(waits_ms), max(waits_ms))
    assert waits.mean_ms == pytest.approx(sum(waits_ms) / len(waits_ms), abs=0.05)


def test_nobody_answered_is_no_wait_at_all() -> None:
    assert waits_of([]).answered == waits_of([]).longest_ms == 0

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from acd.matching import Match
from acd.model import Agent, Utilization
from acd.simulated_figures import Figures, waits_of
from acd.simulation import Simulation
from conversations import commands as c
from conversations.lifecycle import _RULES, Due
from conversations.model import Conversation, Holder, Instant, holders
from conversations.transitions import Change
from tests.acd.simulated_day import SimulatedDay
from tests.acd.simulated_invariants import (
    Checker,
    Violation,
    all_checkers,
    violations_of,
)


@dataclass
class Run:
    figures: Figures
    checkers: list[Checker]
    simulation: Simulation
    day: SimulatedDay

    @property
    def violations(self) -> list[Violation]:
        return violations_of(self.checkers)


def run(day: SimulatedDay, *, keeps_pickups: bool = True) -> Run:
    floor = day.floor()
    figures, checkers = Figures(keeps_pickups=keeps_pickups), all_checkers(floor)
    simulation = Simulation(floor, day.people, [figures, *checkers])
    simulation.run(day.arrivals(), day.states())
    figures.close(simulation.now)
    return Run(figures, checkers, simulation, day)


def test_no_invariant_breaks_on_a_busy_plain_floor() -> None:
    done = run(SimulatedDay(seed=1, conversations=3_000, is_plain=True, load_percent=95))
    assert done.violations == []
    assert done.figures.counts["arrived"] == 3_000


def test_no_invariant_breaks_where_everything_happens() -> None:
    done = run(SimulatedDay(seed=6, conversations=2_000, load_percent=28))
    assert done.violations == []
    happened = done.figures.counts
    for what in ("alerting to queued", "connected to parked", "parked to queued", "refused"):
        assert any(name.startswith(what) for name in happened), what
    assert happened["arrived"] == happened["answered"] == 2_000
    assert done.simulation.floor.conversations == {}


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_no_invariant_breaks_in_a_million_conversations() -> None:
    plain = run(
        SimulatedDay(seed=3, conversations=850_000, is_plain=True, load_percent=93),
        keeps_pickups=False,
    )
    assert plain.violations == []
    varied = run(SimulatedDay(seed=4, conversations=150_000, load_percent=28), keeps_pickups=False)
    assert varied.violations == []
    arrived = plain.figures.counts["arrived"] + varied.figures.counts["arrived"]
    assert arrived == 1_000_000


def test_the_same_seed_gives_the_same_day() -> None:
    first, second = (run(SimulatedDay(seed=5, conversations=300)) for _ in range(2))
    assert first.figures.pickups == second.figures.pickups
    assert first.figures.counts == second.figures.counts


def test_every_conversation_is_accounted_for() -> None:
    done = run(SimulatedDay(seed=6, conversations=500, load_percent=28))
    figures, floor = done.figures, done.simulation.floor
    open_states = [x.connected_at is None for x in floor.conversations.values()]
    assert figures.counts["answered"] + sum(open_states) == 500
    assert sum(figures.pickups_by_agent.values()) == len(figures.pickups)
    assert all(0 <= (p.occupancy_percent or 0) <= 100 for p in figures.presences.values())
    assert sum(agent.load_percent for agent in floor.agents.values()) == 0


def test_percentiles_are_waits_that_happened() -> None:
    waits = waits_of([4, 1, 3, 2])
    assert (waits.answered, waits.mean_ms, waits.p50_ms) == (4, 2.5, 2)
    assert (waits.p95_ms, waits.longest_ms) == (4, 4)
    assert waits_of([]).answered == 0


@dataclass
class OfferOrder(Checker):
    """In which order conversations were offered for the first time."""

    offers: dict[str, Conversation] = field(default_factory=dict)

    def offered(self, pair: Match, agents: object, now: Instant) -> None:
        self.offers.setdefault(pair.conversation.id, pair.conversation)


def test_the_lowest_priority_is_served_beneath_a_flood_of_the_highest() -> None:
    """Nothing that came more than (100 - priority) · 6 s later goes before it."""
    day = SimulatedDay(
        seed=7, conversations=1_500, groups=1, agents_per_group=5, load_percent=140, is_plain=True
    )
    arrivals = [
        replace(
            arrival,
            opening=replace(
                arrival.opening, priority=0 if number % 40 == 0 else 100, required_skills=()
            ),
        )
        for number, arrival in enumerate(day.arrivals())
    ]
    order = OfferOrder()
    Simulation(day.floor(), day.people, [order]).run(arrivals, day.states())
    offered = list(order.offers.values())
    assert len(offered) == 1_500
    youngest_before = 0
    for conversation in offered:
        head_start_ms = youngest_before - conversation.queued_at
        assert head_start_ms <= (100 - conversation.priority) * 6_000
        youngest_before = max(youngest_before, conversation.queued_at)
    lowest = [x for x in offered if x.priority == 0]
    assert any(offered.index(x) > day.conversations // 40 for x in lowest), "no flood at all"


def _without_wrap_up(conversation: Conversation) -> tuple[Holder, ...]:
    return () if conversation.state == "wrapup" else holders(conversation)


def _handed_over(conversation: Conversation, *_: object) -> Change:
    return Change(replace(conversation, agent_id="ag-0"))


def _with_room_for_ten_more(agent: Agent, utilization: Utilization) -> bool:
    return agent.load_percent + utilization.percent <= 110


def _youngest_first(conversation: Conversation, _: object) -> int:
    return -conversation.queued_at


def _only_priority(conversation: Conversation, _: object) -> int:
    return -conversation.priority * 1_000_000_000_000 + conversation.queued_at


def _nothing_due(_: Conversation) -> Due | None:
    return None


def _returns(value: object) -> Callable[..., object]:
    return lambda *_: value


Patch = Callable[[pytest.MonkeyPatch], None]


def _patched(*names: str, by: object) -> Patch:
    def patch(monkeypatch: pytest.MonkeyPatch) -> None:
        for name in names:
            monkeypatch.setattr(name, by)

    return patch


BUGS: dict[str, tuple[str, Patch]] = {
    "110 percent fit": ("I4", _patched("acd.eligibility.fits", by=_with_room_for_ten_more)),
    "the holder forgets the wrap-up": (
        "I4",
        _patched("acd.simulated_floor.holders", by=_without_wrap_up),
    ),
    "a release gives the conversation to somebody else": (
        "I5",
        lambda patch: patch.setitem(_RULES, c.Release, _handed_over),
    ),
    "nobody asks when an agent is free": (
        "I9",
        _patched("acd.simulated_floor.Floor.asked_for", by=_returns(set())),
    ),
    "whoever was passed over stays so": (
        "I9",
        _patched("conversations.lifecycle._due_in_queue", by=_nothing_due),
    ),
    "the youngest come first": (
        "order",
        _patched("acd.matching.queue_rank", "acd.simulated_floor.queue_rank", by=_youngest_first),
    ),
    "priority does not age": (
        "starvation",
        _patched("acd.matching.queue_rank", "acd.simulated_floor.queue_rank", by=_only_priority),
    ),
    "everybody is in every circle": (
        "ring",
        _patched("acd.eligibility.is_in_reach", by=_returns(value=True)),
    ),
    "rings open before their time": (
        "ring",
        _patched("conversations.rings._opens_at", by=_returns(0)),
    ),
    "an empty ring is waited out": ("ring", _patched("conversations.rings._reach", by=_returns(1))),
}


def test_without_a_bug_nothing_is_found_on_the_same_day() -> None:
    assert run(SimulatedDay(seed=8, conversations=700, load_percent=55)).violations == []


@pytest.mark.parametrize("name", BUGS)
def test_a_seeded_bug_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    invariant, patch = BUGS[name]
    patch(monkeypatch)
    done = run(SimulatedDay(seed=8, conversations=700, load_percent=55))
    assert invariant in {violation.invariant for violation in done.violations}

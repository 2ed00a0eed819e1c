"""What would have happened: recorded traffic once more, under the same or other settings."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from acd.admission import Entrance
from acd.calendar import BusinessHours
from acd.recorded_day import Interruption, Script
from acd.recorded_people import RecordedPeople, as_done_by, habits_of
from acd.service_level import Counts, ServiceLevel, is_in_time, reached_percent, waited_ms
from acd.simulated_admission import Admission, RecordedAnswer
from acd.simulated_figures import Figures, Pickup, Waits, waits_of
from acd.simulated_floor import Floor, SimulatedWorkgroup
from acd.simulated_people import AgentState, Arrival
from acd.simulation import Simulation
from conversations import commands as c
from conversations.model import Conversation, ConversationState, Instant

_WAITING = frozenset({ConversationState.QUEUED, ConversationState.ALERTING})


@dataclass(frozen=True, slots=True)
class Setting:
    """A workgroup's settings, and how its waits are measured."""

    workgroup: SimulatedWorkgroup
    level: ServiceLevel = field(default_factory=ServiceLevel)
    stopping: BusinessHours | None = None
    entrance: Entrance = field(default_factory=Entrance)


@dataclass(frozen=True, slots=True)
class Happened:
    """What the record says came of the period."""

    pickups: tuple[Pickup, ...] = ()
    missed: int = 0
    overflowed: int = 0
    unmatched: int = 0


@dataclass(frozen=True, slots=True)
class Traffic:
    """A period as it was recorded: who came, who was there, what people did."""

    start: Instant
    until: Instant
    arrivals: tuple[Arrival, ...]
    carried_over: tuple[Conversation, ...]
    states: tuple[AgentState, ...]
    scripts: Mapping[str, Script]
    returns: Mapping[str, Sequence[Instant]]
    absences_ms: tuple[int, ...]
    happened: Happened
    answers_before: tuple[RecordedAnswer, ...] = ()
    discarded: int = 0
    """Arrivals that the rules in question end at once."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One side of the comparison; waits are reckoned from the queue to the first pick-up."""

    conversations: int
    waits: Waits
    service_level_percent: dict[str, float | None]
    assignments: dict[str, int]
    missed: int
    overflowed: int
    unmatched: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """What happened beside what would have; compared are those whom somebody took in both."""

    actual: Outcome
    simulated: Outcome
    compared: int
    changed_agent: int


def compare(traffic: Traffic, settings: Collection[Setting]) -> Comparison:
    """Let the recorded traffic come again to a floor with these settings."""
    by_id = {setting.workgroup.routing.workgroup_id: setting for setting in settings}
    simulated, pickups = _simulate(traffic, by_id)
    actual = traffic.happened
    first, second = ({p.conversation_id: p.agent_id for p in x} for x in (actual.pickups, pickups))
    both = first.keys() & second.keys()
    return Comparison(
        _outcome(len(traffic.arrivals) + traffic.discarded, actual, by_id),
        simulated,
        len(both),
        sum(first[conversation_id] != second[conversation_id] for conversation_id in both),
    )


def _simulate(
    traffic: Traffic, settings: Mapping[str, Setting]
) -> tuple[Outcome, Sequence[Pickup]]:
    habits = habits_of(traffic.scripts.values(), traffic.absences_ms)
    people = RecordedPeople(traffic.scripts, habits, traffic.returns)
    stopping = {i: s.stopping for i, s in settings.items() if s.stopping is not None}
    admission = Admission({i: s.entrance for i, s in settings.items()}, stopping)
    admission.remember(traffic.answers_before)
    figures = Figures()
    floor = Floor([setting.workgroup for setting in settings.values()])
    simulation = Simulation(floor, people, [admission, figures], admission)
    present = [state for state in traffic.states if state.at <= traffic.start]
    simulation.take_over(traffic.carried_over, present, traffic.start)
    for script in traffic.scripts.values():
        for interruption in script.interruptions:
            _interrupt(simulation, interruption)
    later = [state for state in traffic.states if state.at > traffic.start]
    simulation.run(traffic.arrivals, later, traffic.until)
    happened = Happened(
        tuple(figures.pickups),
        figures.counts["missed"],
        admission.sent_on,
        _waiting(floor.conversations.values()),
    )
    return _outcome(len(traffic.arrivals), happened, settings), figures.pickups


def _interrupt(simulation: Simulation, interruption: Interruption) -> None:
    command = as_done_by(c.SYSTEM, interruption.command)
    if isinstance(command, c.TransferToAgent):
        offer_id = f"of-{interruption.conversation_id}-{interruption.at}"
        command = replace(command, actor=c.SYSTEM, offer_id=offer_id)
    simulation.interrupt(interruption.at, interruption.conversation_id, command)


def _waiting(conversations: Collection[Conversation]) -> int:
    return sum(x.state in _WAITING and x.connected_at is None for x in conversations)


def _outcome(count: int, happened: Happened, settings: Mapping[str, Setting]) -> Outcome:
    return Outcome(
        conversations=count,
        waits=waits_of([pickup.wait_ms for pickup in happened.pickups]),
        service_level_percent=_service_levels(happened.pickups, settings),
        assignments=dict(sorted(Counter(p.agent_id for p in happened.pickups).items())),
        missed=happened.missed,
        overflowed=happened.overflowed,
        unmatched=happened.unmatched,
    )


def _service_levels(
    pickups: Sequence[Pickup], settings: Mapping[str, Setting]
) -> dict[str, float | None]:
    """Measure each workgroup by its own targets and clock."""
    answered: Counter[str] = Counter()
    in_time: defaultdict[str, int] = defaultdict(int)
    for pickup in pickups:
        setting = settings.get(pickup.workgroup_id)
        if setting is None:
            continue
        waited = waited_ms(pickup.queued_at, pickup.at, setting.stopping)
        answered[pickup.workgroup_id] += 1
        target = setting.level.target_of(pickup.media_type)
        in_time[pickup.workgroup_id] += is_in_time(waited, target)
    return {
        workgroup_id: reached_percent(
            Counts(answered[workgroup_id], in_time[workgroup_id]), s.level
        )
        for workgroup_id, s in sorted(settings.items())
    }

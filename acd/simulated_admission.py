"""Where a simulated conversation is to wait: where it came to, or where it overflows to."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from acd.admission import Entrance, Hop, way_from
from acd.calendar import BusinessHours
from acd.estimates import RecentAnswers, estimated_wait_ms, since
from acd.service_level import waited_ms
from acd.simulated_people import Bystander
from conversations.model import Conversation, ConversationState, Instant

_WAITING = frozenset({ConversationState.QUEUED, ConversationState.ALERTING})


@dataclass(frozen=True, slots=True)
class RecordedAnswer:
    """An answer from before the period: the first estimates stand on these."""

    workgroup_id: str
    at: Instant
    waited_ms: int


@dataclass(slots=True)
class Admission(Bystander):
    """Remembers recent waits, as production's queue entries do, and says where to wait."""

    entrances: Mapping[str, Entrance]
    stopping: Mapping[str, BusinessHours]
    """Outside of these hours a workgroup's waits do not grow."""
    sent_on: int = 0
    _answers: defaultdict[str, deque[tuple[Instant, int]]] = field(
        default_factory=lambda: defaultdict(deque)
    )
    _entered: dict[str, tuple[str, Instant]] = field(default_factory=dict)

    def remember(self, answers: Iterable[RecordedAnswer]) -> None:
        for answer in sorted(answers, key=lambda one: one.at):
            self._answers[answer.workgroup_id].append((answer.at, answer.waited_ms))

    def changed(self, _: Conversation | None, after: Conversation, now: Instant) -> None:
        waits = after.workgroup_id if after.state in _WAITING else None
        was = self._entered.get(after.id)
        if was is not None and was[0] == waits:
            return
        if was is not None:
            del self._entered[after.id]
            if after.state is ConversationState.CONNECTED:
                self._note_answer(was[0], was[1], now)
        if waits is not None:
            self._entered[after.id] = (waits, now)

    def _note_answer(self, workgroup_id: str, entered_at: Instant, now: Instant) -> None:
        waited = waited_ms(entered_at, now, self.stopping.get(workgroup_id))
        self._answers[workgroup_id].append((now, waited))

    def where_to(self, workgroup_id: str, now: Instant) -> Sequence[Hop]:
        """Return the steps to the queue in which to wait."""
        way = way_from(
            workgroup_id,
            lambda i: self.entrances.get(i, Entrance()),
            lambda i: self._estimate_ms(i, now),
            now,
        )
        self.sent_on += len(way.hops)
        return way.hops

    def _estimate_ms(self, workgroup_id: str, now: Instant) -> int | None:
        answers = self._answers[workgroup_id]
        while answers and answers[0][0] < since(now):
            answers.popleft()
        waited = sum(waited_ms for _, waited_ms in answers)
        return estimated_wait_ms(RecentAnswers(len(answers), waited), 0)

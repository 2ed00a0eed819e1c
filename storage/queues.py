"""How a workgroup's queue stands: who waits, how long one waits, and the service level reached."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, case, func, or_, select

from acd.calendar import is_open, local_midnight, next_change
from acd.estimates import RecentAnswers, estimated_wait_ms, since
from acd.service_level import (
    Counts,
    ServiceLevel,
    Target,
    WayOut,
    late_since,
    reached_percent,
    waited_ms,
)
from conversations.model import Conversation, ConversationState, Instant, MediaType
from storage import clock
from storage.calendars import hours_of, service_level_from, stopping_hours, time_zone_of
from storage.conversation_tables import ConversationRow, QueueEntryRow

CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]
ENTRIES = QueueEntryRow.__table__  # type: ignore[attr-defined]

_WAITING = (ConversationState.QUEUED.value, ConversationState.ALERTING.value)


@dataclass(frozen=True, slots=True)
class Opening:
    """Whether a workgroup is open, and when that changes next (None: never)."""

    is_open: bool
    next_change_at: Instant | None


@dataclass(frozen=True, slots=True)
class Reached:
    """One media type's service level, of the waits that ended since the local midnight."""

    target: Target
    counts: Counts
    percent: float | None
    waiting_late: int


@dataclass(frozen=True, slots=True)
class Queue:
    """A workgroup's queue at one moment."""

    waiting: int
    alerting: int
    longest_waiting_ms: int
    estimated_wait_ms: int | None
    service_level: dict[MediaType, Reached]
    since: Instant
    opening: Opening


@dataclass(frozen=True, slots=True)
class Place:
    """One conversation's place in its queue; the position is None while it alerts somebody."""

    position: int | None
    waited_ms: int
    estimated_wait_ms: int | None
    opening: Opening


def opening_of(workgroup: RowMapping, now: Instant) -> Opening:
    hours = hours_of(workgroup)
    if hours is None:
        return Opening(is_open=True, next_change_at=None)
    return Opening(is_open(hours, now), next_change(hours, now))


def opening_now(connection: Connection, workgroup: RowMapping) -> Opening:
    return opening_of(workgroup, clock.now(connection))


def recent_answers(connection: Connection, workgroup_id: str, now: Instant) -> RecentAnswers:
    """Return what the last half hour tells of a queue."""
    query = select(func.count(), func.coalesce(func.sum(ENTRIES.c.waited_ms), 0)).where(
        ENTRIES.c.workgroup_id == workgroup_id,
        ENTRIES.c.left_at >= since(now),
        ENTRIES.c.outcome == WayOut.ANSWERED.value,
    )
    count, waited = connection.execute(query).one()
    return RecentAnswers(int(count), int(waited))


def queue_of(connection: Connection, workgroup: RowMapping) -> Queue:
    """Read how a workgroup's queue stands now."""
    now = clock.now(connection)
    states = _states(connection, workgroup["id"])
    midnight = local_midnight(time_zone_of(workgroup), now)
    reached = {
        media_type: _reached(connection, workgroup, media_type, midnight, now)
        for media_type in MediaType
    }
    return Queue(
        waiting=states.get(ConversationState.QUEUED.value, 0),
        alerting=states.get(ConversationState.ALERTING.value, 0),
        longest_waiting_ms=_longest_waiting_ms(connection, workgroup["id"], now),
        estimated_wait_ms=estimated_wait_ms(recent_answers(connection, workgroup["id"], now), 0),
        service_level=reached,
        since=midnight,
        opening=opening_of(workgroup, now),
    )


def _states(connection: Connection, workgroup_id: str) -> dict[str, int]:
    query = (
        select(CONVERSATIONS.c.state, func.count().label("conversations"))
        .where(
            CONVERSATIONS.c.workgroup_id == workgroup_id,
            CONVERSATIONS.c.state.in_(_WAITING),
        )
        .group_by(CONVERSATIONS.c.state)
    )
    return {row.state: row.conversations for row in connection.execute(query)}


def _longest_waiting_ms(connection: Connection, workgroup_id: str, now: Instant) -> int:
    query = select(func.min(ENTRIES.c.entered_at)).where(
        ENTRIES.c.workgroup_id == workgroup_id, ENTRIES.c.left_at.is_(None)
    )
    first = connection.execute(query).scalar_one()
    return 0 if first is None else max(0, now - first)


def _reached(
    connection: Connection,
    workgroup: RowMapping,
    media_type: MediaType,
    midnight: Instant,
    now: Instant,
) -> Reached:
    level = service_level_from(workgroup)
    target = level.target_of(media_type)
    of_the_type = and_(
        ENTRIES.c.workgroup_id == workgroup["id"], ENTRIES.c.media_type == media_type.value
    )
    counts = _counts(connection, and_(of_the_type, ENTRIES.c.left_at >= midnight), level, target)
    late_at = late_since(now, target, stopping_hours(workgroup))
    late = 0
    if late_at is not None:
        is_late = and_(of_the_type, ENTRIES.c.left_at.is_(None), ENTRIES.c.entered_at <= late_at)
        late = connection.execute(select(func.count()).where(is_late)).scalar_one()
    return Reached(target, counts, reached_percent(counts, level), late)


def _counts(
    connection: Connection, ended: ColumnElement[bool], level: ServiceLevel, target: Target
) -> Counts:
    def how_many(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
        return func.coalesce(func.sum(case((and_(*conditions), 1), else_=0)), 0)

    answered = ENTRIES.c.outcome == WayOut.ANSWERED.value
    abandoned = ENTRIES.c.outcome == WayOut.ABANDONED.value
    query = select(
        how_many(answered),
        how_many(answered, ENTRIES.c.waited_ms <= target.target_s * 1000),
        how_many(abandoned),
        how_many(abandoned, ENTRIES.c.waited_ms < level.short_abandon_s * 1000),
        how_many(ENTRIES.c.outcome.in_([WayOut.FLOWED_OUT.value, WayOut.DISCARDED.value])),
    ).where(ended)
    return Counts(*(int(count) for count in connection.execute(query).one()))


def counts_between(
    connection: Connection,
    workgroup: RowMapping,
    media_type: MediaType,
    period: tuple[Instant, Instant],
) -> Counts:
    """Count the waits of a media type that ended from the first moment to before the second."""
    level = service_level_from(workgroup)
    ended = and_(
        ENTRIES.c.workgroup_id == workgroup["id"],
        ENTRIES.c.media_type == media_type.value,
        ENTRIES.c.left_at >= period[0],
        ENTRIES.c.left_at < period[1],
    )
    return _counts(connection, ended, level, level.target_of(media_type))


def place_of(connection: Connection, conversation: Conversation, workgroup: RowMapping) -> Place:
    """Read where a waiting conversation stands in its queue."""
    now = clock.now(connection)
    query = select(ENTRIES.c.entered_at).where(
        ENTRIES.c.conversation_id == conversation.id, ENTRIES.c.left_at.is_(None)
    )
    entered_at = connection.execute(query).scalar_one_or_none()
    since_when = conversation.queued_at if entered_at is None else entered_at
    waited = waited_ms(since_when, now, stopping_hours(workgroup))
    answers = recent_answers(connection, workgroup["id"], now)
    return Place(
        position=_position(connection, conversation),
        waited_ms=now - since_when,
        estimated_wait_ms=estimated_wait_ms(answers, waited),
        opening=opening_of(workgroup, now),
    )


def _position(connection: Connection, conversation: Conversation) -> int | None:
    """Count those whose rank comes first; whoever alerts an agent is in the queue no more."""
    if conversation.state is not ConversationState.QUEUED:
        return None
    own = CONVERSATIONS.alias()
    ahead = (
        select(func.count())
        .select_from(CONVERSATIONS.join(own, own.c.workgroup_id == CONVERSATIONS.c.workgroup_id))
        .where(
            own.c.id == conversation.id,
            CONVERSATIONS.c.state == ConversationState.QUEUED.value,
            or_(
                CONVERSATIONS.c.queue_rank < own.c.queue_rank,
                and_(
                    CONVERSATIONS.c.queue_rank == own.c.queue_rank,
                    CONVERSATIONS.c.id < own.c.id,
                ),
            ),
        )
    )
    return int(connection.execute(ahead).scalar_one()) + 1

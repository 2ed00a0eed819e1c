"""What happened in a workgroup, counted by intervals: its queue's waits, its agents' work."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, RowMapping, case, func, select

from acd.service_level import ServiceLevel, WayOut
from conversations.model import Instant, MediaType
from storage.calendars import service_level_from
from storage.conversation_tables import HandlingRow, QueueEntryRow
from storage.ended_offers import OfferEnd
from storage.handlings import HANDLED
from storage.report_tables import EndedOfferRow, FirstReplyRow

ENDED_OFFERS = EndedOfferRow.__table__  # type: ignore[attr-defined]
ENTRIES = QueueEntryRow.__table__  # type: ignore[attr-defined]
FIRST_REPLIES = FirstReplyRow.__table__  # type: ignore[attr-defined]
HANDLINGS = HandlingRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Grid:
    """Intervals of one width, side by side; the last may be cut short by `until`."""

    since: Instant
    until: Instant
    width_ms: int

    @property
    def count(self) -> int:
        return -(-(self.until - self.since) // self.width_ms)

    def begin(self, index: int) -> Instant:
        return self.since + index * self.width_ms

    def end(self, index: int) -> Instant:
        return min(self.until, self.begin(index) + self.width_ms)


@dataclass(slots=True)
class Begun:
    """What became of the waits that began in an interval, until now."""

    offered: int = 0
    answered: int = 0
    abandoned: int = 0
    flowed_out: int = 0
    waiting: int = 0


@dataclass(slots=True)
class Ended:
    """The waits that ended in an interval."""

    answered: int = 0
    answered_in_time: int = 0
    abandoned: int = 0
    abandoned_shortly: int = 0
    flowed_out: int = 0
    answered_after_ms: int = 0
    """The waits of the answered, summed."""
    longest_wait_ms: int = 0


@dataclass(slots=True)
class Handled:
    """What agents finished in an interval: handlings, and the wrap-ups after them."""

    handled: int = 0
    handled_ms: int = 0
    held_ms: int = 0
    wrapped_up: int = 0
    wrapped_up_ms: int = 0


@dataclass(slots=True)
class FirstReplies:
    """The conversations that got their first answer of a human in an interval."""

    count: int = 0
    after_ms: int = 0
    """The times until then, summed."""
    longest_ms: int = 0


def begun(connection: Connection, workgroup_id: str, grid: Grid) -> list[Begun]:
    """Count the waits that began in each interval, by how they ended."""
    interval = ((ENTRIES.c.entered_at - grid.since) // grid.width_ms).label("interval")
    query = (
        select(interval, ENTRIES.c.outcome, func.count().label("waits"))
        .where(*_within(ENTRIES.c.entered_at, workgroup_id, grid))
        .group_by(interval, ENTRIES.c.outcome)
    )
    counted = [Begun() for _ in range(grid.count)]
    for row in connection.execute(query):
        each = counted[row.interval]
        each.offered += row.waits
        match row.outcome:
            case None:
                each.waiting += row.waits
            case WayOut.ANSWERED.value:
                each.answered += row.waits
            case WayOut.ABANDONED.value:
                each.abandoned += row.waits
            case _:
                each.flowed_out += row.waits
    return counted


def ended(connection: Connection, workgroup: RowMapping, grid: Grid) -> list[Ended]:
    """Count the waits that ended in each interval, against the workgroup's present targets."""
    interval = ((ENTRIES.c.left_at - grid.since) // grid.width_ms).label("interval")
    level = service_level_from(workgroup)
    in_time = case((ENTRIES.c.waited_ms <= _target_ms(level), 1), else_=0)
    shortly = case((ENTRIES.c.waited_ms < level.short_abandon_s * 1000, 1), else_=0)
    query = (
        select(
            interval,
            ENTRIES.c.outcome,
            func.count().label("waits"),
            func.sum(in_time).label("in_time"),
            func.sum(shortly).label("shortly"),
            func.sum(ENTRIES.c.waited_ms).label("waited_ms"),
            func.max(ENTRIES.c.waited_ms).label("longest_ms"),
        )
        .where(*_within(ENTRIES.c.left_at, workgroup["id"], grid))
        .group_by(interval, ENTRIES.c.outcome)
    )
    counted = [Ended() for _ in range(grid.count)]
    for row in connection.execute(query):
        _add(counted[row.interval], row._mapping)  # noqa: SLF001 - SQLAlchemy's public accessor
    return counted


def handled(connection: Connection, workgroup_id: str, grid: Grid) -> list[Handled]:
    """Count what agents finished in each interval, in whatever interval it began."""
    interval = ((HANDLINGS.c.ended_at - grid.since) // grid.width_ms).label("interval")
    query = (
        select(
            interval,
            HANDLINGS.c.kind,
            func.count().label("handlings"),
            func.sum(HANDLINGS.c.ended_at - HANDLINGS.c.began_at).label("took_ms"),
            func.sum(HANDLINGS.c.held_ms).label("held_ms"),
        )
        .where(*_within(HANDLINGS.c.ended_at, workgroup_id, grid))
        .group_by(interval, HANDLINGS.c.kind)
    )
    counted = [Handled() for _ in range(grid.count)]
    for row in connection.execute(query):
        each, took_ms = counted[row.interval], int(row.took_ms)
        if row.kind == HANDLED:
            each.handled, each.handled_ms, each.held_ms = row.handlings, took_ms, int(row.held_ms)
        else:
            each.wrapped_up, each.wrapped_up_ms = row.handlings, took_ms
    return counted


def offers_ended(connection: Connection, workgroup_id: str, grid: Grid) -> list[Counter[OfferEnd]]:
    """Count the offers that ended in each interval, by what became of them."""
    interval = ((ENDED_OFFERS.c.ended_at - grid.since) // grid.width_ms).label("interval")
    query = (
        select(interval, ENDED_OFFERS.c.outcome, func.count().label("offers"))
        .where(*_within(ENDED_OFFERS.c.ended_at, workgroup_id, grid))
        .group_by(interval, ENDED_OFFERS.c.outcome)
    )
    counted: list[Counter[OfferEnd]] = [Counter() for _ in range(grid.count)]
    for row in connection.execute(query):
        counted[row.interval][OfferEnd(row.outcome)] = row.offers
    return counted


def first_replies(connection: Connection, workgroup_id: str, grid: Grid) -> list[FirstReplies]:
    """Count the first answers that reached their network in each interval."""
    interval = ((FIRST_REPLIES.c.sent_at - grid.since) // grid.width_ms).label("interval")
    query = (
        select(
            interval,
            func.count().label("replies"),
            func.sum(FIRST_REPLIES.c.after_ms).label("after_ms"),
            func.max(FIRST_REPLIES.c.after_ms).label("longest_ms"),
        )
        .where(*_within(FIRST_REPLIES.c.sent_at, workgroup_id, grid))
        .group_by(interval)
    )
    counted = [FirstReplies() for _ in range(grid.count)]
    for row in connection.execute(query):
        counted[row.interval] = FirstReplies(row.replies, int(row.after_ms), row.longest_ms)
    return counted


def _add(each: Ended, row: RowMapping) -> None:
    each.longest_wait_ms = max(each.longest_wait_ms, row["longest_ms"])
    match row["outcome"]:
        case WayOut.ANSWERED.value:
            each.answered = row["waits"]
            each.answered_in_time = int(row["in_time"])
            each.answered_after_ms = int(row["waited_ms"])
        case WayOut.ABANDONED.value:
            each.abandoned = row["waits"]
            each.abandoned_shortly = int(row["shortly"])
        case _:
            each.flowed_out += row["waits"]


def _target_ms(level: ServiceLevel) -> ColumnElement[int]:
    targets = {each.value: level.target_of(each).target_s * 1000 for each in MediaType}
    return case(targets, value=ENTRIES.c.media_type, else_=level.target.target_s * 1000)


def _within(
    moment: ColumnElement[int], workgroup_id: str, grid: Grid
) -> tuple[ColumnElement[bool], ...]:
    """Return that a row is the workgroup's and its moment lies on the grid."""
    table = moment.table
    return (table.c.workgroup_id == workgroup_id, moment >= grid.since, moment < grid.until)


def kept_since(connection: Connection) -> Instant | None:
    """Return when the oldest wait that is still kept began; None while there is none."""
    first: Instant | None = connection.execute(select(func.min(ENTRIES.c.entered_at))).scalar_one()
    return first


def chosen(workgroups: Sequence[RowMapping], workgroup_id: str | None) -> list[RowMapping]:
    return [row for row in workgroups if workgroup_id in (None, row["id"])]

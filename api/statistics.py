"""Figures for wallboards and reports: the floor now, and queues by intervals."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from pydantic import Field
from sqlalchemy import Connection, RowMapping

from acd.service_level import Counts, counted_waits, reached_percent
from api.auth import Caller
from api.context import Context, ContextOf
from api.doorkeeper import Principal
from api.errors import not_found, unprocessable
from api.fields import Body, Shape, Stamp, rfc3339
from api.routes import READS, READS_ONE, new_router
from api.sight import viewer_of
from conversations.model import ConversationState, Instant, RoutingStatus
from reports.now import Reading
from storage import displays, intervals, standing
from storage.calendars import service_level_from
from storage.crew import CrewMember
from storage.displays import Sight
from storage.ended_offers import OfferEnd
from storage.intervals import Begun, Ended, FirstReplies, Grid, Handled
from storage.standing import ACTIVE, Standing

router = new_router("statistics")

MOST_INTERVALS = 10_000
MS_PER_S = 1000


class AgentCounts(Shape):
    on_queue: int
    off_queue: int
    not_responding: int
    draining: int


class LevelShape(Shape):
    """A media type's service level since `since`; null while nothing counts."""

    target_s: int
    percent: int
    reached_percent: float | None
    answered: int
    answered_in_time: int
    abandoned: int
    flowed_out: int
    counted: Annotated[int, Field(description="Waits that `reached_percent` is reckoned from")]


class StandingShape(Shape):
    """One workgroup now.

    Active are connected and held conversations, since their last pick-up. `utilization_percent` is
    the mean of the agents who are logged in, null without any.
    """

    workgroup_id: str
    name: str
    waiting: int
    alerting: int
    active_social_conversations: int
    longest_waiting_s: int
    longest_social_conversation_s: int
    agents: AgentCounts
    utilization_percent: float | None
    service_level_percent: float | None
    service_level: dict[str, LevelShape]
    since: Stamp


class NowShape(Shape):
    as_of: Stamp
    items: list[StandingShape]


class CrewShape(Shape):
    """An agent on the floor; a display that shows no agents gets neither name nor reason."""

    id: str
    name: str | None
    routing_status: str
    reason: str | None
    since: Stamp
    utilization_percent: int
    active_social_conversations: int
    workgroups: list[str]


class CrewNowShape(Shape):
    as_of: Stamp
    items: list[CrewShape]


class BegunShape(Shape):
    """Of those offered in the interval: answered + abandoned + flowed_out + waiting = offered."""

    offered: int
    answered: int
    abandoned: int
    flowed_out: int
    waiting: int


class OffersShape(Shape):
    """The offers that ended in the interval, each to one agent."""

    accepted: int
    declined: int
    timed_out: int
    rescinded: int


class IntervalShape(Shape):
    """One workgroup's queue in one interval; `of_offered` follows those that came in it."""

    workgroup_id: str
    begin: Stamp
    end: Stamp
    offered: int
    answered: int
    answered_in_time: int
    abandoned: int
    flowed_out: int
    service_level_percent: float | None
    average_speed_of_answer_s: float | None
    longest_wait_s: float
    handled: int
    average_handle_time_s: float | None
    average_hold_time_s: float | None
    average_wrap_up_time_s: float | None
    offers: OffersShape
    first_replies: int
    average_first_response_time_s: float | None
    longest_first_response_time_s: float
    of_offered: BegunShape


class IntervalsShape(Shape):
    kept_since: Stamp | None
    items: list[IntervalShape]


class Report(Body):
    """What a report is asked for; `from` and `to` need an offset."""

    begin: Annotated[datetime, Field(alias="from", strict=False)]
    end: Annotated[datetime, Field(alias="to", strict=False)]
    workgroup_id: Annotated[str, Field(max_length=64)] | None = None
    width_s: Annotated[int, Field(ge=60, le=86_400 * 31, strict=False)] = 900


@router.get("/statistics/now", response_model=NowShape, responses=READS)
async def get_statistics_now(context: ContextOf, caller: Caller) -> dict[str, Any]:
    """Read every workgroup's figures of this moment; an agent sees those of its workgroups."""
    reading = await context.floor_now.get()
    theirs = (await _sight(context, caller)).workgroup_ids
    return {
        "as_of": rfc3339(reading.at),
        "items": [
            _standing_shape(row, reading)
            for row in reading.workgroups
            if theirs is None or row["id"] in theirs
        ],
    }


@router.get("/statistics/agents", response_model=CrewNowShape, responses=READS)
async def get_statistics_agents(context: ContextOf, caller: Caller) -> dict[str, Any]:
    """Read who is on the floor; an agent sees the colleagues of its workgroups."""
    crew = await context.crew_now.get()
    sight = await _sight(context, caller)
    theirs = sight.workgroup_ids
    return {
        "as_of": rfc3339(crew.at),
        "items": [
            _crew_shape(member, sight)
            for member in crew.members
            if theirs is None or member.workgroup_ids & theirs
        ],
    }


def _crew_shape(member: CrewMember, sight: Sight) -> dict[str, Any]:
    theirs = sight.workgroup_ids
    shown = member.workgroup_ids if theirs is None else member.workgroup_ids & theirs
    return {
        "id": member.agent_id,
        "name": member.name if sight.shows_agents else None,
        "routing_status": member.routing_status,
        "reason": member.reason if sight.shows_agents else None,
        "since": rfc3339(member.since),
        "utilization_percent": member.utilization_percent,
        "active_social_conversations": member.active,
        "workgroups": sorted(shown),
    }


async def _sight(context: Context, caller: Principal) -> Sight:
    """Return whose figures the caller sees: all, its workgroups', or a display's."""

    def read(connection: Connection) -> Sight:
        if caller.is_display:
            return displays.sight_of(connection, caller.id)
        theirs = viewer_of(connection, caller).workgroup_ids
        return Sight(None if theirs is None else frozenset(theirs), shows_agents=True)

    return await context.database.read(read)


def _standing_shape(row: RowMapping, reading: Reading) -> dict[str, Any]:
    now = reading.standings.get(row["id"], Standing())
    today = reading.today[row["id"]]
    level = service_level_from(row)
    return {
        "workgroup_id": row["id"],
        "name": row["name"],
        "waiting": now.by_state[ConversationState.QUEUED],
        "alerting": now.by_state[ConversationState.ALERTING],
        "active_social_conversations": sum(now.by_state[state] for state in ACTIVE),
        "longest_waiting_s": _seconds_since(now.oldest_wait, reading.at),
        "longest_social_conversation_s": _seconds_since(now.connected_since, reading.at),
        "agents": {status.value: now.agents[status] for status in RoutingStatus},
        "utilization_percent": _mean(now.utilization, now.logged_in),
        "service_level_percent": today.percent,
        "service_level": {
            media_type.value: {
                "target_s": target.target_s,
                "percent": target.percent,
                "reached_percent": percent,
                "answered": counts.answered,
                "answered_in_time": counts.answered_in_time,
                "abandoned": counts.abandoned,
                "flowed_out": counts.flowed_out,
                "counted": counted_waits(counts, level),
            }
            for media_type, (target, counts, percent) in today.by_media_type.items()
        },
        "since": rfc3339(today.since),
    }


def _seconds_since(moment: Instant | None, now: Instant) -> int:
    return 0 if moment is None else max(0, now - moment) // MS_PER_S


def _mean(summed: float, count: int) -> float | None:
    return round(summed / count, 3) if count else None


@router.get("/statistics/intervals", response_model=IntervalsShape, responses=READS_ONE)
async def get_statistics_intervals(
    context: ContextOf, caller: Caller, asked: Annotated[Report, Query()]
) -> dict[str, Any]:
    """Count a period's waits by intervals, for one workgroup or for each that the caller sees."""
    theirs = (await _sight(context, caller)).workgroup_ids

    def read(connection: Connection) -> dict[str, Any]:
        rows = [
            row
            for row in intervals.chosen(standing.all_workgroups(connection), asked.workgroup_id)
            if theirs is None or row["id"] in theirs
        ]
        if asked.workgroup_id is not None and not rows:
            raise not_found("workgroup", asked.workgroup_id)
        grid = _grid(asked, len(rows))
        kept_since = intervals.kept_since(connection)
        items = [item for row in rows for item in _interval_shapes(connection, row, grid)]
        items.sort(key=lambda item: (item["begin"], item["workgroup_id"]))
        return {
            "kept_since": None if kept_since is None else rfc3339(kept_since),
            "items": items,
        }

    return await context.database.read(read)


def _grid(asked: Report, workgroups: int) -> Grid:
    """Lay the intervals out.

    Raises:
        Problem: 422; a time has no offset, the period is empty, or it has too many intervals.
    """
    for name, moment in (("from", asked.begin), ("to", asked.end)):
        if moment.tzinfo is None:
            raise unprocessable("time_zone_missing", ["query", name], "needs an offset, such as Z")
    grid = Grid(_instant(asked.begin), _instant(asked.end), asked.width_s * MS_PER_S)
    if grid.until <= grid.since:
        raise unprocessable("period_empty", ["query", "to"], "has to be after from")
    if grid.count * max(1, workgroups) > MOST_INTERVALS:
        detail = f"comes to more than {MOST_INTERVALS} intervals: choose wider ones"
        raise unprocessable("too_many_intervals", ["query", "width_s"], detail)
    return grid


def _instant(moment: datetime) -> Instant:
    return int(moment.timestamp() * MS_PER_S)


def _interval_shapes(connection: Connection, row: RowMapping, grid: Grid) -> list[dict[str, Any]]:
    begun = intervals.begun(connection, row["id"], grid)
    ended = intervals.ended(connection, row, grid)
    handled = intervals.handled(connection, row["id"], grid)
    offers = intervals.offers_ended(connection, row["id"], grid)
    first_replies = intervals.first_replies(connection, row["id"], grid)
    return [
        _interval_shape(row, (grid.begin(index), grid.end(index)), begun[index], ended[index])
        | _handled_shape(handled[index])
        | {"offers": {end.value: offers[index][end] for end in OfferEnd}}
        | _first_replies_shape(first_replies[index])
        for index in range(grid.count)
    ]


def _interval_shape(
    row: RowMapping, bounds: tuple[Instant, Instant], begun: Begun, ended: Ended
) -> dict[str, Any]:
    counts = Counts(
        ended.answered,
        ended.answered_in_time,
        ended.abandoned,
        ended.abandoned_shortly,
        ended.flowed_out,
    )
    return {
        "workgroup_id": row["id"],
        "begin": rfc3339(bounds[0]),
        "end": rfc3339(bounds[1]),
        "offered": begun.offered,
        "answered": ended.answered,
        "answered_in_time": ended.answered_in_time,
        "abandoned": ended.abandoned,
        "flowed_out": ended.flowed_out,
        "service_level_percent": reached_percent(counts, service_level_from(row)),
        "average_speed_of_answer_s": _mean(ended.answered_after_ms / MS_PER_S, ended.answered),
        "longest_wait_s": ended.longest_wait_ms / MS_PER_S,
        "of_offered": {
            "offered": begun.offered,
            "answered": begun.answered,
            "abandoned": begun.abandoned,
            "flowed_out": begun.flowed_out,
            "waiting": begun.waiting,
        },
    }


def _first_replies_shape(sent: FirstReplies) -> dict[str, Any]:
    return {
        "first_replies": sent.count,
        "average_first_response_time_s": _mean(sent.after_ms / MS_PER_S, sent.count),
        "longest_first_response_time_s": sent.longest_ms / MS_PER_S,
    }


def _handled_shape(done: Handled) -> dict[str, Any]:
    """Return the mean times of what agents finished; handle time has the wrap-up in it."""
    handle_ms = done.handled_ms + done.wrapped_up_ms
    return {
        "handled": done.handled,
        "average_handle_time_s": _mean(handle_ms / MS_PER_S, done.handled),
        "average_hold_time_s": _mean(done.held_ms / MS_PER_S, done.handled),
        "average_wrap_up_time_s": _mean(done.wrapped_up_ms / MS_PER_S, done.wrapped_up),
    }

"""Business hours, overflow and service levels as a workgroup's row keeps them."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from sqlalchemy import RowMapping

from acd.admission import Entrance, WhenClosed
from acd.calendar import (
    WEEKDAYS,
    BusinessHours,
    Holiday,
    OpenInterval,
    interval_between,
    is_open,
)
from acd.service_level import ServiceLevel, Target
from conversations.model import Instant, MediaType

UTC = "UTC"


def hours_from(kept: Mapping[str, Any]) -> BusinessHours:
    """Read a calendar.

    Raises:
        ValueError: a time of day is none, or an interval is empty.
    """
    weekly = kept.get("weekly") or {}
    holidays = kept.get("holidays") or ()
    return BusinessHours(
        kept["time_zone"],
        tuple(_intervals_from(weekly.get(day)) for day in WEEKDAYS),
        tuple(
            Holiday(date.fromisoformat(holiday["date"]), _intervals_from(holiday.get("intervals")))
            for holiday in holidays
        ),
    )


def _intervals_from(kept: list[dict[str, str]] | None) -> tuple[OpenInterval, ...]:
    return tuple(interval_between(interval["from"], interval["to"]) for interval in kept or ())


def hours_of(workgroup: RowMapping) -> BusinessHours | None:
    """Return a workgroup's calendar, None when it is always open."""
    kept = workgroup["business_hours"]
    return hours_from(kept) if kept else None


def is_closed(workgroup: RowMapping, now: Instant) -> bool:
    hours = hours_of(workgroup)
    return hours is not None and not is_open(hours, now)


def entrance_from(workgroup: RowMapping) -> Entrance:
    """Read what becomes of conversations that come into the workgroup."""
    kept, overflow = workgroup["business_hours"] or {}, workgroup["overflow"] or {}
    return Entrance(
        hours_of(workgroup),
        WhenClosed(kept.get("when_closed", WhenClosed.QUEUE)),
        kept.get("overflow_workgroup_id"),
        kept.get("automatic_reply_text"),
        overflow.get("when_estimate_exceeds_s"),
        overflow.get("workgroup_id"),
    )


def stopping_hours(workgroup: RowMapping) -> BusinessHours | None:
    """Return the calendar outside of which the workgroup's clock stops, None when it runs on."""
    kept = workgroup["business_hours"]
    if not kept or kept.get("service_level_clock") != "stops":
        return None
    return hours_from(kept)


def time_zone_of(workgroup: RowMapping) -> str:
    """Return in which zone the workgroup's day begins."""
    kept = workgroup["business_hours"]
    return str(kept["time_zone"]) if kept else UTC


def service_level_from(workgroup: RowMapping) -> ServiceLevel:
    """Read a workgroup's targets and what counts."""
    kept = workgroup["service_level"] or {}
    own = kept.get("media_types") or {}
    return ServiceLevel(
        _target_from(kept),
        {MediaType(m): _target_from(target) for m, target in own.items() if m in set(MediaType)},
        counts_abandons=kept.get("counts_abandons", True),
        counts_flow_outs=kept.get("counts_flow_outs", False),
        short_abandon_s=kept.get("short_abandon_s", 0),
    )


def _target_from(kept: Mapping[str, Any]) -> Target:
    default = Target()
    return Target(
        kept.get("target_s", default.target_s),
        kept.get("percent", default.percent),
    )


def overflow_targets(values: Mapping[str, Any] | RowMapping) -> Iterator[tuple[str, str]]:
    """Yield the fields by which a workgroup's conversations go elsewhere, and where to."""
    hours, overflow = values["business_hours"] or {}, values["overflow"] or {}
    if hours.get("overflow_workgroup_id"):
        yield "business_hours.overflow_workgroup_id", hours["overflow_workgroup_id"]
    if overflow.get("workgroup_id"):
        yield "overflow.workgroup_id", overflow["workgroup_id"]

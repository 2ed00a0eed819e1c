"""When a workgroup is open, where its conversations overflow to, and its service level."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field, field_validator, model_validator

from acd.admission import WhenClosed
from acd.calendar import disorder_of, interval_between, time_zones
from api.fields import Body, Id, Percent, Seconds, plain
from conversations.model import MediaType
from storage.calendars import hours_from

TimeOfDay = Annotated[str, Field(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
DayOfYear = Annotated[str, Field(pattern=r"^2[01][0-9]{2}-[0-9]{2}-[0-9]{2}$")]


class Clock(StrEnum):
    """Whether the workgroup's waits go on being measured while it is closed."""

    RUNS = "runs"
    STOPS = "stops"


class IntervalBody(Body):
    """Open from a time of day up to another; one that ends earlier ends on the next day."""

    model_config = ConfigDict(serialize_by_alias=True)
    from_: Annotated[TimeOfDay, Field(alias="from", examples=["09:00"])]
    to: Annotated[TimeOfDay, Field(examples=["17:30"])]

    @model_validator(mode="after")
    def _be_an_interval(self) -> "IntervalBody":
        interval_between(self.from_, self.to)
        return self


Intervals = Annotated[list[IntervalBody], Field(max_length=24)]


class WeeklyBody(Body):
    """The open intervals of each weekday, in order; a day without any is closed."""

    model_config = ConfigDict(serialize_by_alias=True)
    mon: Intervals = []
    tue: Intervals = []
    wed: Intervals = []
    thu: Intervals = []
    fri: Intervals = []
    sat: Intervals = []
    sun: Intervals = []


class HolidayBody(Body):
    """A date that is closed, or that has intervals of its own."""

    model_config = ConfigDict(serialize_by_alias=True)
    date: Annotated[DayOfYear, Field(examples=["2026-12-24"])]
    intervals: Intervals = []

    @field_validator("date")
    @classmethod
    def _be_a_date(cls, text: str) -> str:
        date.fromisoformat(text)
        return text


class BusinessHoursBody(Body):
    """When the workgroup is open, and what becomes of what comes while it is closed."""

    model_config = ConfigDict(serialize_by_alias=True)
    time_zone: Annotated[
        str, Field(min_length=1, max_length=100, examples=["Europe/Berlin"], pattern=r"^[ -~]+$")
    ]
    weekly: WeeklyBody = WeeklyBody()
    holidays: Annotated[list[HolidayBody], Field(max_length=400)] = []
    when_closed: Annotated[WhenClosed, Field(strict=False)] = WhenClosed.QUEUE
    overflow_workgroup_id: Id | None = None
    automatic_reply_text: (
        Annotated[str, Field(min_length=1, max_length=2_000, pattern=r"\S")] | None
    ) = None
    service_level_clock: Annotated[Clock, Field(strict=False)] = Clock.RUNS

    @field_validator("time_zone")
    @classmethod
    def _be_a_time_zone(cls, name: str) -> str:
        if name not in time_zones():
            raise ValueError("should be a time zone of the IANA database, such as Europe/Berlin")
        return name

    @model_validator(mode="after")
    def _be_in_order(self) -> "BusinessHoursBody":
        disorder = disorder_of(hours_from(plain(self)))
        if disorder is not None:
            raise ValueError(disorder)
        if self.when_closed is WhenClosed.OVERFLOW and self.overflow_workgroup_id is None:
            raise ValueError("when_closed overflow needs overflow_workgroup_id")
        if self.when_closed is WhenClosed.AUTOMATIC_REPLY and self.automatic_reply_text is None:
            raise ValueError("when_closed automatic_reply needs automatic_reply_text")
        return self


class OverflowBody(Body):
    """Where arrivals go while the estimated wait exceeds the limit."""

    when_estimate_exceeds_s: Seconds
    workgroup_id: Id


class TargetBody(Body):
    """So many percent are picked up within so many seconds."""

    target_s: Seconds = 300
    percent: Percent = 80


class ServiceLevelBody(TargetBody):
    """The targets, a media type's own where it has one, and what counts beside the answered."""

    media_types: dict[Annotated[MediaType, Field(strict=False)], TargetBody] = {}
    counts_abandons: bool = True
    counts_flow_outs: bool = False
    short_abandon_s: Annotated[int, Field(ge=0, le=3_600)] = 0

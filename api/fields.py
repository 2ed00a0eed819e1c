"""What all bodies share: strict models, moments as RFC 3339 at this edge, bounded texts."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

from conversations.model import Instant

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


class Body(BaseModel):
    """What a client sends: an unknown field is an error, not a typing mistake that goes unseen."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Shape(BaseModel):
    """What a client gets."""

    model_config = ConfigDict(extra="forbid")


def instant_of(text: object) -> Instant:
    """Read RFC 3339 with an offset as milliseconds since 1970.

    Raises:
        ValueError: it is no such text.
    """
    if not isinstance(text, str) or "T" not in text.upper():
        raise ValueError("should be an RFC 3339 date and time")
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError("should be an RFC 3339 date and time with its offset")
        return (moment - EPOCH) // MILLISECOND
    except OverflowError:
        raise ValueError("should be within the years 1 to 9999") from None


def rfc3339(instant: Instant) -> str:
    """Write a moment as RFC 3339 UTC with milliseconds."""
    try:
        moment = EPOCH + instant * MILLISECOND
    except OverflowError:
        moment = (
            datetime.max.replace(tzinfo=UTC) if instant > 0 else datetime.min.replace(tzinfo=UTC)
        )
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def maybe_rfc3339(instant: Instant | None) -> str | None:
    return None if instant is None else rfc3339(instant)


_DATE_TIME = {"type": "string", "format": "date-time", "examples": ["2026-01-31T12:00:00.000Z"]}

Moment = Annotated[
    Instant,
    BeforeValidator(instant_of),
    PlainSerializer(rfc3339, return_type=str),
    WithJsonSchema(_DATE_TIME),
]
"""A moment in a request: text outside, milliseconds inside."""

Stamp = Annotated[str, WithJsonSchema(_DATE_TIME)]
"""A moment in an answer, as it was written by `rfc3339`."""

Id = Annotated[str, Field(min_length=1, max_length=64, examples=["cv_0199a1b2c3d4"])]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
SkillName = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^\S(.*\S)?$")]
Words = Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]
Percent = Annotated[int, Field(ge=1, le=100)]
Proficiency = Annotated[int, Field(ge=0, le=100)]
Weight = Annotated[int, Field(ge=0, le=100)]
WrapUpCode = Annotated[str, Field(min_length=1, max_length=100, pattern=r"\S")]
Seconds = Annotated[int, Field(ge=1, le=86_400)]


Line = Annotated[str, Field(max_length=1_000)]


class LocationBody(Body):
    """A place: what is known of it."""

    country: Line | None = None
    region: Line | None = None
    place: Line | None = None
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None


class RequiredSkillBody(Body):
    skill: SkillName
    min_proficiency: Proficiency = 0


class UtilizationBody(Body):
    """How much of an agent one conversation takes, and how many at most."""

    percent: Percent
    max: Annotated[int, Field(ge=1, le=1_000)] | None = None


class PlaceBody(LocationBody):
    """Where an agent or a workgroup is, to find who is nearest."""

    @model_validator(mode="after")
    def _be_a_whole_point(self) -> "PlaceBody":
        if (self.lat is None) != (self.lon is None):
            raise ValueError("lat and lon come together")
        return self


def plain(value: Body) -> dict[str, Any]:
    """Return a body as plain JSON values."""
    return value.model_dump(mode="json")

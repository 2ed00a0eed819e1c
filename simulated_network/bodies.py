"""What callers may send, checked before anything happens; unknown fields are refused."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    field_validator,
    model_validator,
)

from simulated_network import signing, times
from simulated_network.faults import KINDS
from simulated_network.ids import LARGEST_ID
from simulated_network.model import Draft, Visibility
from simulated_network.publishing import Script

HANDLE = r"^[A-Za-z0-9_]{1,30}$"
Handle = Annotated[str, StringConstraints(pattern=HANDLE)]
_Named = Annotated[str, StringConstraints(pattern=r"^@?[A-Za-z0-9_]{1,30}$")]
_Id = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,18}$")]
_Seconds = Annotated[int, Field(ge=1, le=86_400)]
_DelayMs = Annotated[int, Field(ge=0, le=600_000)]
_Visible = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,255}$")]
LONGEST_TEXT = 2_000_000
"""Long enough for a customer's post that is too large on purpose."""


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False, allow_inf_nan=False)


class Media(Body):
    kind: Annotated[str, Field(min_length=1, max_length=30)]
    url: Annotated[str, Field(min_length=1, max_length=2000)]
    alt_text: Annotated[str, Field(max_length=5000)] | None = None
    mime_type: Annotated[str, Field(max_length=100)] | None = None


class Location(Body):
    country: str | None = None
    place: str | None = None
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None


class WrittenBody(Body):
    """What every way of writing a post has in common."""

    text: Annotated[str, Field(max_length=LONGEST_TEXT)]
    visibility: Visibility = "public"
    reply_to: _Id | None = None
    to: _Named | None = None
    media: Annotated[list[Media], Field(max_length=20)] = []

    @field_validator("reply_to")
    @classmethod
    def fits_into_63_bits(cls, value: str | None) -> str | None:
        return _within_63_bits(value)

    @model_validator(mode="after")
    def says_something(self) -> Self:
        if not self.text and not self.media:
            raise ValueError("a post has a text or media")
        return self

    def common(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "visibility": self.visibility,
            "reply_to": int(self.reply_to) if self.reply_to else None,
            "to": self.to,
            "media": [one.model_dump(mode="json") for one in self.media],
        }


class PublishBody(WrittenBody):
    """A brand's post."""

    reference: _Visible | None = None

    def draft(self) -> Draft:
        return Draft(**self.common(), reference=self.reference)


class PublicPageBody(WrittenBody):
    """What a visitor of the public page writes as a customer."""

    handle: Handle
    text: Annotated[str, Field(max_length=5000)]
    mention: Handle | None = None

    def draft(self) -> Draft:
        named = (self.mention,) if self.mention else ()
        return Draft(**self.common(), mentions=named, source_application="public page")


class PersonPostBody(WrittenBody):
    """A customer's post as tests, demonstrations and replays want it."""

    mention: _Named | Annotated[list[_Named], Field(max_length=20_000)] | None = None
    language: Annotated[str, Field(max_length=35)] | None = None
    location: Location | None = None
    source_application: Annotated[str, Field(max_length=200)] | None = None
    created_at: AwareDatetime | None = None
    id: _Id | None = None
    overrides: dict[str, JsonValue] = {}
    omit: Annotated[list[str], Field(max_length=50)] = []

    @field_validator("created_at")
    @classmethod
    def has_a_year(cls, value: datetime | None) -> datetime | None:
        try:
            return value and value.astimezone(UTC)
        except OverflowError as error:
            raise ValueError("outside of the years 1 to 9999") from error

    @field_validator("overrides")
    @classmethod
    def can_be_sent(cls, value: dict[str, JsonValue]) -> dict[str, JsonValue]:
        try:
            json.dumps(value, allow_nan=False)
        except RecursionError as error:
            raise ValueError("too deep to be sent") from error
        return value

    @field_validator("id")
    @classmethod
    def id_fits_into_63_bits(cls, value: str | None) -> str | None:
        return _within_63_bits(value)

    def draft(self) -> Draft:
        named = [self.mention] if isinstance(self.mention, str) else self.mention or []
        return Draft(
            **self.common(),
            mentions=tuple(named),
            language=self.language,
            location=self.location.model_dump() if self.location else None,
            source_application=self.source_application,
            id=int(self.id) if self.id else None,
            created_at=_instant(self.created_at),
            overrides=self.overrides,
            omitted=tuple(self.omit),
        )


class PersonPostsBody(Body):
    posts: Annotated[list[PersonPostBody], Field(min_length=1, max_length=500)]


class AuthoredPostBody(PersonPostBody):
    author: Handle


class AuthoredPostsBody(Body):
    posts: Annotated[list[AuthoredPostBody], Field(min_length=1, max_length=500)]


class LimitBody(Body):
    calls: Annotated[int, Field(ge=0, le=1_000_000)]
    window_s: _Seconds


class WebhookBody(Body):
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#]+[^\s]*$", max_length=2000)]
    secret: str
    page_size: Annotated[int, Field(ge=1, le=500)] = 20

    @field_validator("secret")
    @classmethod
    def is_a_signing_secret(cls, value: str) -> str:
        signing.key_of(value)
        return value


class AccountBody(Body):
    """A brand's account; what is left out stays, or gets its default."""

    name: Annotated[str, Field(min_length=1, max_length=200)] = ""
    token: _Visible = ""
    webhook: WebhookBody | None = None
    limits: dict[
        Literal["publish", "change", "mentions", "direct_messages", "lookup", "upload"], LimitBody
    ] = {}
    deduplicates: bool = False
    visibility_delay_ms: _DelayMs = 0
    cold_direct_messages: bool = False
    suspended: bool = False
    text_limit: Annotated[int, Field(ge=1, le=LONGEST_TEXT)] = 5000


class TextBody(Body):
    """Other words for a post that stands."""

    text: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]


class PersonBody(Body):
    name: Annotated[str, Field(min_length=1, max_length=200)] = ""
    followers: Annotated[int, Field(ge=0, le=10**12)] | None = None
    language: Annotated[str, Field(max_length=35)] | None = None
    location: Location | None = None
    avatar_url: Annotated[str, Field(max_length=2000)] | None = None


class FaultBody(Body):
    """A fault for the next n calls or with a probability."""

    operation: Literal[
        "publish",
        "change",
        "mentions",
        "direct_messages",
        "lookup",
        "upload",
        "stream_connect",
        "stream",
        "webhook",
    ]
    kind: str
    account: Handle | None = None
    next_calls: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    probability: Annotated[float, Field(gt=0, le=1)] | None = None
    status: Literal[429, 500, 502, 503, 504] = 500
    retry_after_s: Annotated[int, Field(ge=0, le=3600)] | None = None
    delay_ms: _DelayMs = 0
    times: Annotated[int, Field(ge=2, le=50)] = 2

    @model_validator(mode="after")
    def is_possible(self) -> Self:
        possible = KINDS[self.operation]
        if self.kind not in possible:
            raise ValueError(f"{self.operation} can meet {', '.join(sorted(possible))}")
        if (self.next_calls is None) == (self.probability is None):
            raise ValueError("give either next_calls or probability")
        if self.kind in {"delay", "accept_then_timeout"} and not self.delay_ms:
            raise ValueError(f"{self.kind} needs delay_ms")
        return self


class ScriptBody(Body):
    customer: Handle
    account: Handle | None = None
    answers: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=5000)]],
        Field(min_length=1, max_length=100),
    ]
    delay_ms: _DelayMs = 1500
    at_most: Annotated[int, Field(ge=1, le=1000)] = 1
    pick: Literal["in_turn", "random"] = "in_turn"

    def script(self) -> Script:
        return Script(**{**self.model_dump(), "answers": tuple(self.answers)})


class ResetBody(Body):
    keep_accounts: bool = False
    seed: int | None = None


def _within_63_bits(value: str | None) -> str | None:
    if value is not None and int(value) > LARGEST_ID:
        raise ValueError("an id has 63 bits")
    return value


def _instant(at: datetime | None) -> int | None:
    return None if at is None else times.instant(at)

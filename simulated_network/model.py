"""What exists on the simulated network: accounts, people, posts, and how a call is refused."""

from dataclasses import dataclass, field
from typing import Any, Literal

Instant = int
"""Milliseconds since 1970, UTC."""

Visibility = Literal["public", "private"]


class Refusal(Exception):
    """A call that the network does not accept: certainly nothing happened."""

    def __init__(
        self, status: int, code: str, detail: str, *, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers or {}


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many calls in a window of so many seconds."""

    calls: int
    window_s: int


@dataclass(frozen=True, slots=True)
class Account:
    """A brand: it holds a token, and everything addressed to it is put into its inbox."""

    id: int
    handle: str
    name: str
    token: str
    webhook_url: str | None
    webhook_secret: str | None
    webhook_page_size: int
    webhook_cursor: int
    limits: dict[str, Limit]
    deduplicates: bool
    visibility_delay_ms: int
    cold_direct_messages: bool
    suspended: bool
    text_limit: int


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a post or receives it: a person, or a brand's account."""

    id: int
    handle: str
    name: str
    kind: Literal["person", "account"]
    followers: int | None = None
    language: str | None = None
    location: dict[str, Any] | None = None
    avatar_url: str | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """One post as it stands in the ledger; `place` is its place in the order of arrival."""

    place: int
    id: int
    author: Author
    text: str
    visibility: Visibility
    created_at: Instant
    accepted_at: Instant
    visible_at: Instant
    reply_to: int | None
    root: int
    recipient: Author | None
    mentions: list[str]
    media: list[dict[str, Any]]
    language: str | None
    location: dict[str, Any] | None
    reference: str | None
    source_application: str | None
    overrides: dict[str, Any]
    omitted: list[str]


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants to say, before the network accepted it."""

    text: str
    visibility: Visibility = "public"
    reply_to: int | None = None
    to: str | None = None
    mentions: tuple[str, ...] = ()
    media: list[dict[str, Any]] = field(default_factory=list)
    language: str | None = None
    location: dict[str, Any] | None = None
    reference: str | None = None
    source_application: str | None = None
    id: int | None = None
    created_at: Instant | None = None
    overrides: dict[str, Any] = field(default_factory=dict)
    omitted: tuple[str, ...] = ()

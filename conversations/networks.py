"""What a network is to Parley: an account to act for, and pages of what was said there."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from conversations.model import Post, Unreadable
from conversations.replies import Reply


class Delivery(StrEnum):
    """How an account's posts come: asked for, over a line that stays open, or brought."""

    POLL = "poll"
    STREAM = "stream"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Account:
    """A brand's access to a network; `credentials` are in the clear and never leave the process."""

    id: str
    network: str
    settings: dict[str, Any]
    credentials: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Page:
    """What a network gave since the cursor; `goes_on` when more is waiting there."""

    posts: Sequence[Post] = ()
    unreadable: Sequence[Unreadable] = ()
    cursor: str | None = None
    goes_on: bool = False
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class ListenedChannel:
    """A channel as its listener needs it; `wait_ms` when its account is to be left alone."""

    account: Account
    poll_interval_ms: int
    post_limit: int
    cursor: str | None
    wait_ms: int = 0


@dataclass(frozen=True, slots=True)
class NextReply:
    """A reply that can be sent, and the account to send it from."""

    reply: Reply
    account: Account


class NetworkTrouble(Exception):
    """A network could not be asked; the message names the cause without any secret."""


class BadSignature(Exception):
    """A delivery that claims to come from a network was not signed by it."""

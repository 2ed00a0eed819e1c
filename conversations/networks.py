"""What a network is to Parley: an account to act for, and pages of what was said there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from conversations.model import Instant, Post, PostChange, Unreadable
from conversations.replies import Reply


@dataclass(frozen=True, slots=True)
class Account:
    """A brand's access to a network; `credentials` are in the clear and never leave the process."""

    id: str
    network: str
    settings: dict[str, Any]
    credentials: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Page:
    """What a network gave since the cursor; `goes_on` when more is waiting there.

    `changes` are edits and deletions, also of posts that never came.
    """

    posts: Sequence[Post] = ()
    unreadable: Sequence[Unreadable] = ()
    changes: Sequence[PostChange] = ()
    cursor: str | None = None
    goes_on: bool = False
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class ListenedChannel:
    """A channel as its listener needs it; `wait_ms` when its account is to be left alone.

    `handles` and `keywords` are what a network that can search is asked for. Posts from before
    `since` are no business of the channel: it did not exist yet. `epoch` is that of whoever
    listens to it now.
    """

    account: Account
    poll_interval_ms: int
    post_limit: int
    cursor: str | None
    wait_ms: int = 0
    id: str = ""
    handles: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    since: Instant = 0
    epoch: int | None = None
    account_version: int = 0
    """It rises whenever somebody saves the account, also with the same credentials."""


@dataclass(frozen=True, slots=True)
class NextReply:
    """A reply that can be sent, the account to send it from, and the moment this was read."""

    reply: Reply
    account: Account
    read_at: Instant = 0


@dataclass(frozen=True, slots=True)
class DeliveryRequest:
    """A network's call to a channel's webhook; `url` is what the network called, with its query.

    `headers` has names in lower case, `query` the last value of each name.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """What a network wants to be answered: the challenge of a handshake, an empty document."""

    body: str = ""
    media_type: str = "text/plain"


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a call brought: a page for each account that it is for.

    The key is the value of the account's setting that `address_setting` of the connector names
    (the page's id, the phone number); None is the account that was called. `answer` is what is
    answered 200 after the commit, JSON counts when it is None.
    """

    pages: Mapping[str | None, Page]
    answer: WebAnswer | None = None


class Trouble(StrEnum):
    """Why a network gives nothing."""

    DOWN = "down"
    """It does not answer, or what it answers cannot be understood."""
    UNAUTHORISED = "unauthorised"
    """It refuses the credentials, or there are none: only a human can help."""


class TargetNotAllowed(Exception):
    """A call would have gone where nobody allowed; no byte of it left, and the message says why."""


class NetworkTrouble(Exception):
    """A network could not be asked; the message names the cause without any secret."""

    def __init__(self, detail: str, trouble: Trouble = Trouble.DOWN) -> None:
        super().__init__(detail)
        self.trouble = trouble

    def __str__(self) -> str:
        """Name the refused target, too: only an operator can help there."""
        detail = super().__str__()
        return f"{detail}: {self.__cause__}" if _is_refusal(self.__cause__) else detail


def _is_refusal(cause: BaseException | None) -> bool:
    return isinstance(cause, TargetNotAllowed)


class BadSignature(Exception):
    """A delivery that claims to come from a network was not signed by it."""

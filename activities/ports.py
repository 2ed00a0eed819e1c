"""What the activities need of the world; worker.py plugs the real things in."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from conversations.messages import Snapshot
from conversations.model import Post, Unreadable
from conversations.replies import NextStep, Outcome, ReadBack, Reply


class Conversations(Protocol):
    """The row as a workflow sees it."""

    async def sync(self, conversation_id: str) -> Snapshot | None: ...

    async def cancel(self, conversation_id: str, cause: str) -> Snapshot | None: ...

    def note_seen(self, conversation_id: str, version: int, run_id: str) -> None: ...


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

    posts: Sequence[Post]
    unreadable: Sequence[Unreadable] = ()
    cursor: str | None = None
    goes_on: bool = False
    retry_after_s: float | None = None


class Connector(Protocol):
    """One network's wire format, both ways."""

    def read_back(self, account: Account) -> ReadBack:
        """Say how it can be found out whether a maybe-accepted reply is there."""
        ...

    async def publish(self, account: Account, reply: Reply) -> Outcome:
        """Make one attempt to publish; never raises for what the network or the line does."""
        ...

    async def look_up(self, account: Account, reply: Reply) -> Outcome:
        """Ask whether the reply is there: SENT, NOT_ACCEPTED (surely absent) or MAYBE."""
        ...


class Listener(Connector, Protocol):
    """A network that has to be asked for posts."""

    async def fetch(self, account: Account, cursor: str | None, limit: int) -> Page:
        """Return the posts after the cursor, oldest first.

        Raises:
            NetworkTrouble: the network did not answer, or refused the credentials.
        """
        ...


class NetworkTrouble(Exception):  # noqa: N818 - a fact about the world, not a mistake
    """A network could not be asked; the message names the cause without any secret."""


@dataclass(frozen=True, slots=True)
class NextReply:
    reply: Reply
    account: Account


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether and how the sender may go on with a reply."""

    next_step: NextStep
    epoch: int


class Replies(Protocol):
    """The replies' rows."""

    async def next_reply(self, conversation_id: str) -> NextReply | None: ...

    async def begin(self, reply_id: str, read_back: ReadBack) -> Permission: ...

    async def settle(self, reply: Reply, permission: Permission, outcome: Outcome) -> Reply: ...


@dataclass(frozen=True, slots=True)
class ListenedChannel:
    """A channel as a listener needs it; None of it when it is switched off or gone."""

    account: Account
    poll_interval_ms: int
    post_limit: int
    cursor: str | None
    wait_ms: int = 0


class Intake(Protocol):
    """Takes pages of posts in, and keeps the cursors."""

    async def channel(self, channel_id: str) -> ListenedChannel | None: ...

    async def take_in(self, channel_id: str, page: Page) -> None:
        """Store the page, then move the cursor: a page is never skipped, at most repeated."""
        ...

    async def report_trouble(self, channel_id: str, detail: str) -> None: ...


class Upkeep(Protocol):
    """What the sweep looks after."""

    async def ring_again(self) -> int:
        """Ring the bells that were lost, in a bounded batch; return how many."""
        ...

    async def sign_off_absent_agents(self) -> int: ...

    async def ask_everywhere(self) -> int:
        """Ask for matches wherever somebody waits; return how many workgroups that was."""
        ...

    async def forget_old(self) -> int: ...

    async def known_beat(self) -> int: ...

    async def keep_beat(self, beat: int) -> None: ...

    async def start_over(self) -> int:
        """Temporal is new or from a backup: ring every open conversation again."""
        ...

    async def listened_channels(self) -> Sequence[tuple[str, str]]:
        """Return (channel id, network) of every channel that has to be listened to."""
        ...

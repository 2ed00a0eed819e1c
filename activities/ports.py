"""What the activities need of the world; worker.py plugs the real things in."""

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from conversations.messages import Snapshot
from conversations.networks import Account, Delivery, ListenedChannel, NextReply, Page
from conversations.replies import Outcome, Permission, ReadBack, Reply


class Conversations(Protocol):
    """The row as a workflow sees it."""

    async def sync(self, conversation_id: str) -> Snapshot | None: ...

    async def cancel(self, conversation_id: str, cause: str) -> Snapshot | None: ...

    def note_seen(self, conversation_id: str, version: int, run_id: str) -> None: ...


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

    def delivery(self, account: Account) -> Delivery:
        """Say how the account's posts come; what comes by itself is polled too, but seldom."""
        ...

    async def fetch(self, account: Account, cursor: str | None, limit: int) -> Page:
        """Return the posts after the cursor, oldest first.

        Raises:
            NetworkTrouble: the network did not answer, or refused the credentials.
        """
        ...

    def stream(self, account: Account) -> AsyncGenerator[Page, None]:
        """Yield pages without cursor as posts come from now on; an empty one is a sign of life.

        Raises:
            NetworkTrouble: the line broke, or could not be opened.
        """
        ...


class Replies(Protocol):
    """The replies' rows."""

    async def next_reply(self, conversation_id: str) -> NextReply | None: ...

    async def begin(self, reply_id: str, read_back: ReadBack) -> Permission: ...

    async def settle(self, permission: Permission, outcome: Outcome) -> Reply: ...


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

    async def ring_those(self, conversation_ids: Sequence[str]) -> int:
        """Ring those of the conversations whose life is not over; return how many."""
        ...

    async def sign_off_agents(self) -> int: ...

    async def release_from_lost_agents(self) -> int: ...

    async def take_lost_offers_back(self) -> int:
        """Rescind offers of agents who left the queue in a process that died before it could."""
        ...

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


class TemporalUpkeep(Protocol):
    """What the sweep looks after in Temporal itself."""

    async def advance_marker(self, beat: int) -> int:
        """Move Temporal's mark to the beat and return the one before, 0 when Temporal is new."""
        ...

    async def terminated_conversations(self) -> Sequence[str]:
        """Return conversations whose workflows were ended by hand since the last call."""
        ...

    async def start_listeners(self, channels: Sequence[tuple[str, str]]) -> int: ...

"""What the activities need of the world; worker.py plugs the real things in."""

from collections.abc import Sequence
from typing import Protocol

from conversations.attachments import Attachment
from conversations.capabilities import Allowance
from conversations.listening import Listening
from conversations.messages import Snapshot
from conversations.networks import ListenedChannel, NetworkTrouble, NextReply, Page
from conversations.replies import Outcome, Permission, ReadBack, Reply


class Conversations(Protocol):
    """The row as a workflow sees it."""

    async def sync(self, conversation_id: str) -> Snapshot | None: ...

    async def cancel(self, conversation_id: str, cause: str) -> Snapshot | None: ...

    def note_seen(self, conversation_id: str, version: int, run_id: str) -> None: ...


class Replies(Protocol):
    """The replies' rows."""

    async def next_reply(self, conversation_id: str) -> NextReply | None: ...

    async def begin(
        self,
        reply_id: str,
        read_back: ReadBack,
        allowance: Allowance | None,
        posts: tuple[str, ...],
    ) -> Permission:
        """Decide the reply's next step; one that sends it uses the allowance up.

        With `posts` it goes out as these, if nothing was tried of it yet.
        """
        ...

    async def files(self, reply: Reply) -> Sequence[Attachment] | None:
        """Return the reply's files with their contents; None when one is no longer kept."""
        ...

    async def settle(self, permission: Permission, outcome: Outcome) -> Reply: ...


class Intake(Protocol):
    """Takes pages of posts in, and keeps the cursors."""

    async def take_over(self, channel_id: str) -> int:
        """Become the channel's only listener; return the epoch that fences those before."""
        ...

    async def channel(self, channel_id: str) -> ListenedChannel | None: ...

    async def take_allowance(self, account_id: str, allowance: Allowance) -> int:
        """Take one call out of what polls may use; return how many ms to wait, 0 if taken."""
        ...

    async def take_in(self, channel_id: str, page: Page, listening: Listening) -> None:
        """Store the page, then move the cursor: a page is never skipped, at most repeated.

        Raises:
            ListenerReplaced: another listener took the channel over; nothing was stored.
        """
        ...

    async def report_trouble(
        self, channel_id: str, trouble: NetworkTrouble, epoch: int | None
    ) -> int:
        """Note the trouble; return how many failures in a row that makes.

        Raises:
            ListenerReplaced: another listener took the channel over.
        """
        ...


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

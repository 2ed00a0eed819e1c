"""The replies' rows as their sender sees them: each step a transaction, secrets opened last."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from conversations.attachments import Attachment
from conversations.capabilities import Allowance
from conversations.networks import Account, NextReply
from conversations.replies import Outcome, Permission, ReadBack, Reply
from storage import attachments, clock, replies
from storage.asking import Following
from storage.database import Database
from storage.journal import Aftermath
from storage.secrets import Seal


class ReplyStore:
    """The port `activities.ports.Replies`.

    `process` names the holder of account leases; `count` is told network and state after each
    attempt and look-up.
    """

    def __init__(
        self,
        database: Database,
        following: Following,
        seal: Seal,
        *,
        process: str,
        count: Callable[[str, str], None],
    ) -> None:
        self._database = database
        self._following = following
        self._seal = seal
        self._process = process
        self._count = count

    async def next_reply(self, conversation_id: str) -> NextReply | None:
        delivery, now = await self._database.read(
            lambda k: (replies.next_delivery(k, conversation_id), clock.now(k))
        )
        if delivery is None:
            return None
        reply = delivery.reply
        credentials = self._seal.open(reply.account_id, delivery.secrets)
        account = Account(reply.account_id, reply.network, delivery.settings, credentials)
        return NextReply(reply, account, now)

    async def files(self, reply: Reply) -> Sequence[Attachment] | None:
        ids = [one.id for one in reply.attachments]
        found = await self._database.read(lambda k: attachments.contents(k, ids)) if ids else {}
        if not found.keys() >= set(ids):
            return None
        return [replace(one, content=found[one.id]) for one in reply.attachments]

    async def begin(
        self,
        reply_id: str,
        read_back: ReadBack,
        allowance: Allowance | None,
        posts: tuple[str, ...],
    ) -> Permission:
        permit = await self._database.write(
            lambda k: replies.begin(k, reply_id, read_back, self._process, allowance, posts=posts)
        )
        self._follow(permit.aftermath)
        return permit.permission

    async def settle(self, permission: Permission, outcome: Outcome) -> Reply:
        settled = await self._database.write(lambda k: replies.settle(k, permission, outcome))
        self._follow(settled.aftermath)
        self._count(settled.reply.network, settled.reply.state.value)
        return settled.reply

    def _follow(self, aftermath: Aftermath) -> None:
        """No bell: the workflow looks at the row by itself when its activity returns."""
        self._following.follow_later(Aftermath((), aftermath.asks, aftermath.leavers))

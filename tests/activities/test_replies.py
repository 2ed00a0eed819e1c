"""Sending replies: who has to wait leaves the conversation to whoever need not."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.testing import ActivityEnvironment

from activities.replies import ReplyActivities
from connectors.base import BaseConnector
from connectors.calls import new_client
from connectors.guard import STRICT
from connectors.splitting import as_posts
from connectors.webhook import WebhookConnector
from conversations.attachments import Attachment
from conversations.capabilities import Allowance, Capabilities, LengthRule
from conversations.messages import SendReplies
from conversations.networks import Account, NextReply
from conversations.replies import Certainty, NextStep, Outcome, Permission, ReadBack, Reply, Step
from storage.leases import LEASE_WAIT_MS
from tests.conversations.test_reply_life import REPLY


@dataclass
class HeldElsewhere:
    """The replies of an account whose lease another process has."""

    asked: int = 0

    async def next_reply(self, conversation_id: str) -> NextReply | None:
        del conversation_id
        return NextReply(REPLY, Account("ac-1", "webhook", {})) if self.asked == 0 else None

    async def begin(
        self,
        reply_id: str,
        read_back: ReadBack,
        allowance: Allowance | None,
        posts: tuple[str, ...],
    ) -> Permission:
        del reply_id, read_back, allowance
        assert posts == ()
        self.asked += 1
        return Permission(NextStep(Step.WAIT, REPLY, LEASE_WAIT_MS), 1)

    async def files(self, reply: Reply) -> Sequence[Attachment] | None:
        raise NotImplementedError

    async def settle(self, permission: Permission, outcome: Outcome) -> Reply:
        raise NotImplementedError


async def test_a_conversation_whose_account_another_process_has_is_handed_back() -> None:
    sending = ReplyActivities(
        HeldElsewhere(), {"webhook": WebhookConnector(new_client(STRICT))}, as_posts
    )

    with pytest.raises(ApplicationError) as waits:
        await ActivityEnvironment().run(sending.send_replies, SendReplies("cv-1", "webhook"))

    assert waits.value.next_retry_delay == timedelta(milliseconds=LEASE_WAIT_MS)
    assert waits.value.category is ApplicationErrorCategory.BENIGN


FILE = Attachment("at_1", "cat.png", "image/png", 3, "a cat")
LONG = "One sentence. Another one."


@dataclass
class Ready:
    """One reply whose turn it is, with a file that is kept or not."""

    reply: Reply
    kept: Attachment | None = None
    settled: list[Outcome] = field(default_factory=list)
    posts: tuple[str, ...] = ()

    async def next_reply(self, conversation_id: str) -> NextReply | None:
        del conversation_id
        account = Account("ac-1", "seen", {})
        return None if self.settled else NextReply(self.reply, account)

    async def begin(
        self,
        reply_id: str,
        read_back: ReadBack,
        allowance: Allowance | None,
        posts: tuple[str, ...],
    ) -> Permission:
        del reply_id, read_back, allowance
        self.posts = posts
        return Permission(NextStep(Step.SEND, self.reply), 1)

    async def files(self, reply: Reply) -> Sequence[Attachment] | None:
        if not reply.attachments:
            return []
        return None if self.kept is None else [self.kept]

    async def settle(self, permission: Permission, outcome: Outcome) -> Reply:
        self.settled.append(outcome)
        return permission.next_step.reply


class Seen(BaseConnector):
    """Tells what it was to publish; it takes 20 characters, in as many posts as are needed."""

    network = "seen"

    def capabilities(self, account: Account) -> Capabilities:
        del account
        return Capabilities(length=LengthRule(most=20))

    async def publish(self, account: Account, reply: Reply) -> Outcome:
        del account
        contents = b" ".join(one.content for one in reply.attachments)
        return Outcome(Certainty.SENT, url=contents.decode())


async def sent(ready: Ready) -> Outcome:
    sending = ReplyActivities(ready, {"seen": Seen(new_client(STRICT))}, as_posts)
    await ActivityEnvironment().run(sending.send_replies, SendReplies("cv-1", "seen"))
    (outcome,) = ready.settled
    return outcome


async def test_a_file_gets_its_content_on_the_way() -> None:
    with_file = replace(REPLY, attachments=(FILE,))
    outcome = await sent(Ready(with_file, replace(FILE, content=b"cat")))

    assert (outcome.certainty, outcome.url) == (Certainty.SENT, "cat")


async def test_a_file_that_is_no_longer_kept_is_said() -> None:
    outcome = await sent(Ready(replace(REPLY, attachments=(FILE,))))

    assert outcome.certainty is Certainty.REJECTED
    assert outcome.reason == "an attached file is no longer kept"


@pytest.mark.parametrize(
    ("agent_id", "posts"),
    [(None, ("One sentence. (1/2)", "Another one. (2/2)")), ("ag-1", ())],
)
async def test_what_nobody_divided_before_is_divided_now(
    agent_id: str | None, posts: tuple[str, ...]
) -> None:
    ready = Ready(replace(REPLY, agent_id=agent_id, text=LONG))

    await sent(ready)

    assert ready.posts == posts

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
from connectors.webhook import WebhookConnector
from conversations.attachments import Attachment
from conversations.capabilities import Allowance
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
        self, reply_id: str, read_back: ReadBack, allowance: Allowance | None
    ) -> Permission:
        del reply_id, read_back, allowance
        self.asked += 1
        return Permission(NextStep(Step.WAIT, REPLY, LEASE_WAIT_MS), 1)

    async def files(self, reply: Reply) -> Sequence[Attachment] | None:
        raise NotImplementedError

    async def settle(self, permission: Permission, outcome: Outcome) -> Reply:
        raise NotImplementedError


async def test_a_conversation_whose_account_another_process_has_is_handed_back() -> None:
    sending = ReplyActivities(HeldElsewhere(), {"webhook": WebhookConnector(new_client(STRICT))})

    with pytest.raises(ApplicationError) as waits:
        await ActivityEnvironment().run(sending.send_replies, SendReplies("cv-1", "webhook"))

    assert waits.value.next_retry_delay == timedelta(milliseconds=LEASE_WAIT_MS)
    assert waits.value.category is ApplicationErrorCategory.BENIGN


@dataclass
class Ready:
    """One reply whose turn it is, with a file that is kept or not."""

    kept: Attachment | None
    settled: list[Outcome] = field(default_factory=list)

    async def next_reply(self, conversation_id: str) -> NextReply | None:
        del conversation_id
        account = Account("ac-1", "seen", {})
        return None if self.settled else NextReply(WITH_FILE, account)

    async def begin(
        self, reply_id: str, read_back: ReadBack, allowance: Allowance | None
    ) -> Permission:
        del reply_id, read_back, allowance
        return Permission(NextStep(Step.SEND, WITH_FILE), 1)

    async def files(self, reply: Reply) -> Sequence[Attachment] | None:
        assert reply.attachments == (FILE,)
        return None if self.kept is None else [self.kept]

    async def settle(self, permission: Permission, outcome: Outcome) -> Reply:
        self.settled.append(outcome)
        return permission.next_step.reply


class Seen(BaseConnector):
    """Remembers what it was to publish."""

    network = "seen"

    async def publish(self, account: Account, reply: Reply) -> Outcome:
        del account
        return Outcome(Certainty.SENT, url=reply.attachments[0].content.decode())


FILE = Attachment("at_1", "cat.png", "image/png", 3, "a cat")
WITH_FILE = replace(REPLY, attachments=(FILE,))


async def sent(kept: Attachment | None) -> Outcome:
    ready = Ready(kept)
    sending = ReplyActivities(ready, {"seen": Seen(new_client(STRICT))})
    await ActivityEnvironment().run(sending.send_replies, SendReplies("cv-1", "seen"))
    (outcome,) = ready.settled
    return outcome


async def test_a_file_gets_its_content_on_the_way() -> None:
    outcome = await sent(replace(FILE, content=b"cat"))

    assert (outcome.certainty, outcome.url) == (Certainty.SENT, "cat")


async def test_a_file_that_is_no_longer_kept_is_said() -> None:
    outcome = await sent(None)

    assert outcome.certainty is Certainty.REJECTED
    assert outcome.reason == "an attached file is no longer kept"

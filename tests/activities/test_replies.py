"""Sending replies: who has to wait leaves the conversation to whoever need not."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.testing import ActivityEnvironment

from activities.replies import ReplyActivities
from connectors.calls import new_client
from connectors.guard import STRICT
from connectors.webhook import WebhookConnector
from conversations.capabilities import Allowance
from conversations.messages import SendReplies
from conversations.networks import Account, NextReply
from conversations.replies import NextStep, Outcome, Permission, ReadBack, Reply, Step
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

    async def settle(self, permission: Permission, outcome: Outcome) -> Reply:
        raise NotImplementedError


async def test_a_conversation_whose_account_another_process_has_is_handed_back() -> None:
    sending = ReplyActivities(HeldElsewhere(), {"webhook": WebhookConnector(new_client(STRICT))})

    with pytest.raises(ApplicationError) as waits:
        await ActivityEnvironment().run(sending.send_replies, SendReplies("cv-1", "webhook"))

    assert waits.value.next_retry_delay == timedelta(milliseconds=LEASE_WAIT_MS)
    assert waits.value.category is ApplicationErrorCategory.BENIGN

"""Sending a conversation's replies: one attempt at a time, in order, never twice at once."""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.ports import Replies
from conversations.budgets import reply_allowance
from conversations.capabilities import Capabilities, LengthRule
from conversations.connector import Connector
from conversations.messages import SendReplies
from conversations.networks import Account, NextReply
from conversations.replies import (
    ATTEMPT_DEADLINE_MS,
    Certainty,
    NextStep,
    Outcome,
    Reply,
    Step,
    current_part,
)
from conversations.reply_changes import changed_part

CALL_TIMEOUT_S = ATTEMPT_DEADLINE_MS / 1000 - 3
"""A call ends before its attempt's deadline, so that its outcome is written in time."""

HEARTBEAT_S = 3.0
LONGEST_PAUSE_HERE_MS = 900
"""Longer pauses are Temporal's: the activity fails and names the delay until its retry.

The wait for an account's lease is one: else a process that never gets it would keep what the
lease's holder could send at once.
"""


class Divide(Protocol):
    """Makes of a text the posts that it becomes under a rule; of one that fits itself alone."""

    def __call__(self, text: str, rule: LengthRule, *, is_threaded: bool) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class ReplyActivities:
    replies: Replies
    connectors: Mapping[str, Connector]
    divide: Divide

    @activity.defn
    async def send_replies(self, request: SendReplies) -> None:
        """Send all that the conversation has to say; returns when nothing is left to send.

        A retry relies on the replies' rows: they say which attempt is in flight until when.
        """
        beating = asyncio.create_task(_beat())
        try:
            while (waiting := await self.replies.next_reply(request.conversation_id)) is not None:
                await self._advance(waiting)
        finally:
            beating.cancel()

    async def _advance(self, waiting: NextReply) -> None:
        """Take the reply's next step; both sides of a call are written down."""
        connector = self.connectors[waiting.account.network]
        part = current_part(waiting.reply)
        read_back = connector.read_back(waiting.account, part, waiting.read_at)
        capabilities = connector.capabilities(waiting.account)
        allowance = reply_allowance(capabilities, waiting.reply.visibility)
        posts = self._posts_of(waiting.reply, capabilities)
        permission = await self.replies.begin(waiting.reply.id, read_back, allowance, posts)
        step = permission.next_step
        if step.step is Step.WAIT:
            await _pause(step.wait_ms)
        if not step.step.is_call:
            return
        outcome = await _bounded(self._call(connector, waiting.account, step))
        await self.replies.settle(permission, outcome)

    def _posts_of(self, reply: Reply, known: Capabilities) -> tuple[str, ...]:
        """Return the posts that an automatic reply becomes; an agent's came divided."""
        if reply.agent_id is not None or reply.is_settled:
            return ()
        length = known.length_of(reply.visibility)
        return self.divide(reply.text, length, is_threaded=known.is_threaded)

    def _call(self, connector: Connector, account: Account, step: NextStep) -> Awaitable[Outcome]:
        if step.step is Step.SEND:
            return self._publish(connector, account, current_part(step.reply))
        return _call(connector, account, step)

    async def _publish(self, connector: Connector, account: Account, part: Reply) -> Outcome:
        """Publish the post with its files, whose contents are read only now."""
        files = await self.replies.files(part)
        if files is None:
            return Outcome(Certainty.REJECTED, reason="an attached file is no longer kept")
        return await connector.publish(account, replace(part, attachments=tuple(files)))


def _call(connector: Connector, account: Account, step: NextStep) -> Awaitable[Outcome]:
    """Return the call that the step is, for the one post of the reply that it is about."""
    match step.step:
        case Step.EDIT:
            return connector.edit(account, *changed_part(step.reply))
        case Step.DELETE:
            return connector.delete(account, changed_part(step.reply)[0])
        case _:
            return connector.look_up(account, current_part(step.reply))


async def _bounded(call: Awaitable[Outcome]) -> Outcome:
    try:
        async with asyncio.timeout(CALL_TIMEOUT_S):
            return await call
    except TimeoutError:
        reason = f"no answer within {CALL_TIMEOUT_S:.0f} s"
        return Outcome(Certainty.MAYBE, reason=reason, may_still_arrive=True)


async def _pause(wait_ms: int) -> None:
    """Wait a little here, or leave a longer wait to Temporal so that this slot serves others."""
    if wait_ms <= LONGEST_PAUSE_HERE_MS:
        await asyncio.sleep(wait_ms / 1000)
        return
    delay = timedelta(milliseconds=wait_ms)
    raise ApplicationError(
        f"the next attempt is due in {delay.total_seconds():.1f} s",
        type="ReplyWaits",
        next_retry_delay=delay,
        category=ApplicationErrorCategory.BENIGN,  # no warning with a traceback for each wait
    )


async def _beat() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(HEARTBEAT_S)

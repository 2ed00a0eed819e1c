"""E-mail: heard over IMAP, spoken over SMTP; a reply's id is in its Message-ID."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Final

from connectors.base import BaseConnector
from connectors.email.account import SETTINGS, MailAccount
from connectors.email.imap_line import ImapBroken, ImapLine, ImapRefused, LoginRefused, opened
from connectors.email.mail_server import NotReached, WrongSettings
from connectors.email.mailbox import (
    Mails,
    answered_mail,
    cursor_from,
    has_message,
    mails_after,
    open_mailbox,
    put_copy,
)
from connectors.email.smtp import Envelope, send
from connectors.email.wire import post_from
from connectors.email.writing import Answered, NotWritable, message_id, receiver, written
from conversations.attachments import KNOWN, AttachmentRule
from conversations.capabilities import Capabilities, Delivery, LengthRule
from conversations.model import Instant, Post, Unreadable, Visibility
from conversations.networks import Account, ListenedChannel, NetworkTrouble, Page, Trouble
from conversations.replies import Certainty, Outcome, ReadBack, Reply

LENGTH: Final = LengthRule(most=100_000)
MOST_POSTS: Final = 200
IDLE_S: Final = 240.0
"""Lines that are silent for longer are cut on the way, and servers end them after 30 minutes."""

SUBJECT_WITHIN_S: Final = 4.0
COPY_WITHIN_S: Final = 2.0
PUBLISH_WITHIN_S: Final = 14.0
LOOK_UP_WITHIN_S: Final = 8.0
MOST_ATTEMPTS: Final = 2
ASKED_FOR_MS: Final = 15 * 60_000
"""So long a mail that was sent twice is looked for; then a human decides."""

_TEMPORARY: Final = frozenset(["UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG", "OVERQUOTA"])


class EmailConnector(BaseConnector):
    """Reads a mailbox and answers its mails."""

    network = "email"
    settings = SETTINGS

    def capabilities(self, account: Account) -> Capabilities:
        has_proof = MailAccount.of(account).proof_folder is not None
        return Capabilities(
            deliveries=frozenset({Delivery.POLL, Delivery.STREAM}),
            visibilities=frozenset({Visibility.PRIVATE}),
            may_initiate_private=True,
            length=LENGTH,
            attachments=AttachmentRule(most=5, media_types=KNOWN, longest_alt_text=1_000),
            is_threaded=False,
            read_back=ReadBack.LOOK_UP if has_proof else ReadBack.IMPOSSIBLE,
        )

    def delivery(self, account: Account) -> Delivery:
        """Return that mails come as they arrive, if nothing else is wanted."""
        wants_polls = account.settings.get("delivery") == Delivery.POLL
        return Delivery.POLL if wants_polls else Delivery.STREAM

    async def fetch(self, channel: ListenedChannel) -> Page:
        """Return what came into the mailbox after the cursor.

        Raises:
            NetworkTrouble: the server did not answer, or refused the credentials.
        """
        account = MailAccount.of(channel.account)
        limit = max(1, min(channel.post_limit, MOST_POSTS))
        async with self._heard(account) as line:
            there = await open_mailbox(line, account.mailbox)
            cursor = cursor_from(channel.cursor)
            mails = await mails_after(line, there, cursor, limit, channel.since)
        return await asyncio.to_thread(_page, mails, account)

    async def stream(self, channel: ListenedChannel) -> AsyncGenerator[Page, None]:
        """Yield a page for what arrives, and an empty one now and then while nothing does.

        Raises:
            NetworkTrouble: the line broke, or could not be opened.
        """
        account = MailAccount.of(channel.account)
        limit = max(1, min(channel.post_limit, MOST_POSTS))
        async with self._heard(account) as line:
            reached = await open_mailbox(line, account.mailbox)
            yield Page()
            while True:
                await _wait(line, channel.poll_interval_ms / 1000)
                mails = await mails_after(line, reached, reached, limit, channel.since)
                reached = mails.reached
                page = await asyncio.to_thread(_page, mails, account)
                yield replace(page, cursor=None, goes_on=False)

    @asynccontextmanager
    async def _heard(self, account: MailAccount) -> AsyncIterator[ImapLine]:
        """Open a line to the mailbox; what breaks on it is told as a network's trouble."""
        try:
            async with opened(self._guard, account.imap, *account.imap_login) as line:
                yield line
        except WrongSettings as reason:
            raise NetworkTrouble(str(reason), Trouble.UNAUTHORISED) from reason
        except LoginRefused as refusal:
            if refusal.code in _TEMPORARY:
                raise NetworkTrouble("the server takes no login now") from refusal
            raise NetworkTrouble("the server refused the login", Trouble.UNAUTHORISED) from refusal
        except (NotReached, ImapBroken, ImapRefused) as error:
            raise NetworkTrouble(f"the IMAP server: {error}") from error

    async def publish(self, account: Account, reply: Reply) -> Outcome:
        """Send the mail; its subject is that of the one it answers, so that is read first."""
        mail_account, may_be_there = MailAccount.of(account), False
        try:
            async with asyncio.timeout(PUBLISH_WITHIN_S):
                envelope = await self._envelope(mail_account, reply)
                server, login = mail_account.smtp, mail_account.smtp_login
                may_be_there = True
                outcome = await send(self._guard, server, login, envelope)
        except NotWritable as reason:
            return Outcome(Certainty.REJECTED, reason=str(reason))
        except WrongSettings as reason:
            return Outcome(Certainty.NOT_ACCEPTED, reason=str(reason), retry_after_s=30.0)
        except NetworkTrouble as trouble:
            what = f"the mail to answer cannot be read: {trouble}"
            return Outcome(Certainty.NOT_ACCEPTED, reason=what)
        except TimeoutError:
            certainty = Certainty.MAYBE if may_be_there else Certainty.NOT_ACCEPTED
            return Outcome(certainty, reason="no answer in time", may_still_arrive=may_be_there)
        if outcome.certainty is Certainty.SENT:
            await self._keep_copy(mail_account, envelope.content)
        return outcome

    async def _envelope(self, account: MailAccount, reply: Reply) -> Envelope:
        """Write the mail and its envelope.

        Raises:
            NotWritable, WrongSettings, NetworkTrouble: it cannot be written.
        """
        to, key = receiver(reply), message_id(account, reply)
        try:
            async with asyncio.timeout(SUBJECT_WITHIN_S):
                answered = await self._answered(account, reply)
        except TimeoutError as error:
            raise NetworkTrouble("the IMAP server did not answer in time") from error
        mail = written(account, reply, answered)
        return Envelope(account.address, to, account.journal_address, mail.as_bytes(), key)

    async def _answered(self, account: MailAccount, reply: Reply) -> Answered:
        """Return the subject and the thread of the mail that is answered, if it is still there."""
        if reply.in_reply_to is None:
            return Answered()
        async with self._heard(account) as line:
            for folder in dict.fromkeys([account.mailbox, account.sent_folder]):
                with suppress(ImapRefused):
                    found = folder and await answered_mail(line, folder, reply.in_reply_to)
                    if found:
                        return found
        return Answered()

    async def _keep_copy(self, account: MailAccount, content: bytes) -> None:
        """Put a copy where people look for it; that it is sent is proven without."""
        folder = account.sent_folder
        if folder is None or account.keeps_sent:
            return
        with suppress(NetworkTrouble, TimeoutError):
            async with asyncio.timeout(COPY_WITHIN_S), self._heard(account) as line:
                await put_copy(line, folder, content)

    def read_back(self, account: Account, reply: Reply, now: Instant) -> ReadBack:
        """Say that the mailbox can be asked, but not for ever about one that was sent again."""
        known = self.capabilities(account).read_back
        asked_until = (reply.attempt_until or reply.tried_since) + ASKED_FOR_MS
        if reply.attempts >= MOST_ATTEMPTS and now > asked_until:
            return ReadBack.IMPOSSIBLE
        return known

    async def look_up(self, account: Account, reply: Reply) -> Outcome:
        """Look where everything that was accepted can be found.

        What is not there may be sent once more, with the same Message-ID, and then no more.
        """
        mail_account = MailAccount.of(account)
        try:
            wanted = message_id(mail_account, reply)
            async with asyncio.timeout(LOOK_UP_WITHIN_S), self._heard(mail_account) as line:
                is_there = await _is_kept(line, mail_account, wanted)
        except TimeoutError:
            return Outcome(Certainty.MAYBE, reason="look-up failed: no answer in time")
        except (NetworkTrouble, NotWritable, WrongSettings) as trouble:
            return Outcome(Certainty.MAYBE, reason=f"look-up failed: {trouble}")
        if is_there:
            return Outcome(Certainty.SENT, wanted)
        if mail_account.proof_folder is None:
            return Outcome(Certainty.MAYBE, reason="there is no folder with everything sent")
        if reply.attempts >= MOST_ATTEMPTS:
            return Outcome(Certainty.MAYBE, reason="it was sent twice and is not in the mailbox")
        delay_ms = mail_account.proof_delay_ms
        reason = "the mail is not in the mailbox"
        return Outcome(Certainty.NOT_ACCEPTED, reason=reason, visible_within_ms=delay_ms)


async def _is_kept(line: ImapLine, account: MailAccount, wanted: str) -> bool:
    """Whether the mail is where proof is kept, or at least our copy in the sent folder."""
    if account.proof_folder is not None and await has_message(line, account.proof_folder, wanted):
        return True
    if account.sent_folder is None or account.sent_folder == account.proof_folder:
        return False
    with suppress(ImapRefused):
        return await has_message(line, account.sent_folder, wanted)
    return False


async def _wait(line: ImapLine, interval_s: float) -> None:
    """Wait until something comes, or long enough; a server that cannot tell is asked often."""
    if "IDLE" in line.capabilities:
        await line.idle(IDLE_S)
        return
    await asyncio.sleep(max(1.0, interval_s))
    await line.command(b"NOOP")


def _page(mails: Mails, account: MailAccount) -> Page:
    understood = [post_from(each, account.address) for each in mails.received]
    return Page(
        posts=[each for each in understood if isinstance(each, Post)],
        unreadable=[each for each in understood if isinstance(each, Unreadable)],
        cursor=mails.reached.text,
        goes_on=mails.goes_on,
    )

"""Hand a mail to its server, and say what is certain about it."""

import ssl
from dataclasses import dataclass
from typing import Final

import aiosmtplib

from connectors.email.mail_server import MailServer, NotReached, Security, open_socket, tls
from connectors.guard import Guard
from conversations.replies import Certainty, Outcome

STEP_WITHIN_S: Final = 9.0
ACCESS_PAUSE_S: Final = 30.0
GREYLISTING_PAUSE_S: Final = 60.0
"""A server that does not know us yet wants us to come back."""

_CLOSING: Final = 421
_FOR_GOOD: Final = 500
_NO_ACCESS: Final = frozenset([530, 534, 535, 538])
_LONGEST_REASON: Final = 300


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who gets the bytes: the customer, and the journal if there is one."""

    sender: str
    receiver: str
    journal: str | None
    content: bytes
    message_id: str


async def send(
    guard: Guard, server: MailServer, login: tuple[str, str], envelope: Envelope
) -> Outcome:
    """Make one attempt; what broke before the mail itself was sent surely did nothing."""
    try:
        found = await open_socket(guard, server)
    except NotReached as reason:
        return Outcome(Certainty.NOT_ACCEPTED, reason=f"the SMTP server: {reason}")
    line = aiosmtplib.SMTP(
        hostname=server.host,
        sock=found,
        use_tls=server.security is Security.TLS,
        start_tls=server.security is Security.STARTTLS,
        tls_context=tls() if server.security is not Security.NONE else None,
        local_hostname=envelope.sender.rpartition("@")[2],
        timeout=STEP_WITHIN_S,
    )
    try:
        return await _prepared(line, login, envelope) or await _handed_over(line, envelope)
    finally:
        line.close()
        found.close()


async def _prepared(
    line: aiosmtplib.SMTP, login: tuple[str, str], envelope: Envelope
) -> Outcome | None:
    """Say everything before the mail itself; return why it does not come to that."""
    try:
        await line.connect()
        if line.supports_extension("auth"):
            await line.login(*login)
        await line.mail(envelope.sender)
        await line.rcpt(envelope.receiver)
    except aiosmtplib.SMTPAuthenticationError as refusal:
        reason = f"the SMTP server refused the login: {refusal.code}"
        return Outcome(Certainty.NOT_ACCEPTED, reason=reason, retry_after_s=ACCESS_PAUSE_S)
    except (aiosmtplib.SMTPRecipientRefused, aiosmtplib.SMTPSenderRefused) as refusal:
        return _refused(refusal.code, refusal.message)
    except aiosmtplib.SMTPResponseException as refusal:
        return _waits(f"the SMTP server answered {refusal.code}", ACCESS_PAUSE_S)
    except (aiosmtplib.SMTPException, OSError, ssl.SSLError, ValueError) as error:
        return _waits(f"the SMTP server could not be spoken to: {type(error).__name__}")
    return await _journal_refusal(line, envelope.journal)


async def _journal_refusal(line: aiosmtplib.SMTP, journal: str | None) -> Outcome | None:
    """Send nothing of which there would be no proof."""
    if journal is None:
        return None
    try:
        await line.rcpt(journal)
    except aiosmtplib.SMTPResponseException as refusal:
        reason = f"the SMTP server does not take the journal's address: {refusal.code}"
        return _waits(reason, GREYLISTING_PAUSE_S)
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        return _waits(f"the line broke: {type(error).__name__}")
    return None


async def _handed_over(line: aiosmtplib.SMTP, envelope: Envelope) -> Outcome:
    """Send the mail; an answer that does not come after its last dot says nothing."""
    try:
        await line.data(envelope.content)
    except aiosmtplib.SMTPResponseException as refusal:
        if refusal.code == _CLOSING or not _CLOSING < refusal.code < 600:  # noqa: PLR2004
            reason = f"after the mail the server said {refusal.code}"
            return Outcome(Certainty.MAYBE, reason=reason)
        return _refused(refusal.code, refusal.message)
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        reason = f"the line broke after the mail: {type(error).__name__}"
        return Outcome(Certainty.MAYBE, reason=reason, may_still_arrive=True)
    return Outcome(Certainty.SENT, envelope.message_id)


def _refused(code: int, message: str) -> Outcome:
    said = "".join(c if c.isprintable() else " " for c in message)[:_LONGEST_REASON]
    reason = f"the SMTP server answered {code} {said}".rstrip()
    if code in _NO_ACCESS:
        return _waits(reason, ACCESS_PAUSE_S)
    if code >= _FOR_GOOD:
        return Outcome(Certainty.REJECTED, reason=reason)
    return _waits(reason, GREYLISTING_PAUSE_S)


def _waits(reason: str, pause_s: float | None = None) -> Outcome:
    return Outcome(Certainty.NOT_ACCEPTED, reason=reason, retry_after_s=pause_s)

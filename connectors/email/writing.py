"""A reply as a mail: the same bytes' worth in every attempt, and headers that nobody can inject."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

from connectors.charsets import kept
from connectors.email.account import MailAccount
from connectors.email.headers import LONGEST_ADDRESS, is_address, words
from conversations.attachments import Attachment
from conversations.replies import Reply

_KEY = re.compile(r"[A-Za-z0-9_.-]{1,120}")
_ID = re.compile(r"[!-;=?-~]{1,255}")
_ANSWERS = re.compile(r"^\s*re\s*:", re.IGNORECASE)
_LONGEST_SUBJECT: Final = 250
_LONGEST_NAME: Final = 150


class NotWritable(Exception):
    """Such a mail cannot be written, however often it is tried."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What is known of the mail that is answered: its subject and the thread before it."""

    subject: str = ""
    references: tuple[str, ...] = ()


def message_id(account: MailAccount, reply: Reply) -> str:
    """Return the id of the reply's mail, without brackets: the same in every attempt.

    Raises:
        NotWritable: the reply's key cannot be a part of it.
    """
    if not _KEY.fullmatch(reply.id):
        raise NotWritable("the reply's key cannot be a Message-ID")
    return f"{reply.id}@{account.domain}"


def receiver(reply: Reply) -> str:
    """Return the address that the mail goes to.

    Raises:
        NotWritable: it is none.
    """
    local, _, domain = reply.to_external_id.rpartition("@")
    try:
        address = f"{local}@{domain if domain.isascii() else domain.encode('idna').decode()}"
    except UnicodeError:
        address = ""
    is_long = len(address) > LONGEST_ADDRESS
    if not is_address(address) or not address.isascii() or is_long:
        raise NotWritable("the customer has no address that a mail can be sent to")
    return address


def written(account: MailAccount, reply: Reply, answered: Answered) -> EmailMessage:
    """Return the mail.

    Raises:
        NotWritable: it cannot be written.
        WrongSettings: the account has no address.
    """
    mail = EmailMessage(policy=SMTP)
    try:
        mail["From"] = Address(words(account.name), addr_spec=account.address)
        mail["To"] = Address(addr_spec=receiver(reply))
        if account.reply_to:
            mail["Reply-To"] = Address(addr_spec=account.reply_to)
    except (ValueError, IndexError) as error:
        raise NotWritable("the address is none that a mail can be sent to") from error
    mail["Subject"] = _subject(account, answered)
    mail["Date"] = datetime.fromtimestamp(reply.created_at / 1000, UTC)
    mail["Message-ID"] = f"<{message_id(account, reply)}>"
    _thread(mail, reply, answered)
    mail["Auto-Submitted"] = "no"
    mail.set_content(kept(reply.text), subtype="plain", charset="utf-8", cte="quoted-printable")
    for one in reply.attachments:
        _attach(mail, one)
    return mail


def _attach(mail: EmailMessage, attachment: Attachment) -> None:
    maintype, _, subtype = attachment.media_type.partition("/")
    name, shows = words(attachment.name, _LONGEST_NAME), words(attachment.alt_text or "", 1_000)
    mail.add_attachment(attachment.content, maintype=maintype, subtype=subtype, filename=name)
    if shows:
        *_, part = mail.iter_attachments()
        part["Content-Description"] = shows


def _subject(account: MailAccount, answered: Answered) -> str:
    subject = words(answered.subject, _LONGEST_SUBJECT)
    if not subject:
        return words(account.subject, _LONGEST_SUBJECT)
    return subject if _ANSWERS.match(subject) else f"Re: {subject}"


def _thread(mail: EmailMessage, reply: Reply, answered: Answered) -> None:
    """Say what is answered; an id that is a hash of ours names nothing to anybody else."""
    if reply.in_reply_to is None or not _is_id(reply.in_reply_to):
        return
    chain = [*answered.references] or [reply.thread_root or ""]
    known = dict.fromkeys(one for one in [*chain, reply.in_reply_to] if _is_id(one))
    mail["In-Reply-To"] = f"<{reply.in_reply_to}>"
    mail["References"] = " ".join(f"<{one}>" for one in known)


def _is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None and not text.startswith("sha256:")

"""A mail as a post, or as what it is instead: a bounce, an automatic answer, a mailing list's."""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Final

from connectors.email.body import Body, mid
from connectors.email.headers import LONGEST_ID, Address, addresses, first, headers_of, ids, words
from connectors.email.quotes import split_history
from connectors.fields import LONGEST_TEXT, NotUnderstood
from connectors.fields import shown as shown_raw
from conversations.model import Author, Instant, Media, Post, Unreadable, Visibility

OURS = re.compile(r"(re_[A-Za-z0-9_.-]{1,120})@(.+)")
"""The local part of our messages' ids is the reply's."""

CUT: Final = "\n\n[cut here: the whole mail is in the mailbox]"
_LONGEST_HISTORY: Final = 10_000
_MOST_MENTIONS: Final = 20
_CONTINUES = re.compile(r"^\s*(?:re|aw|antw|sv|vs|ref|rif|odp)\s*(?:\[\d+\])?\s*:", re.IGNORECASE)
_FORWARDS = re.compile(r"^\s*(?:fw|fwd|wg|tr|rv|i|doorst)\s*:", re.IGNORECASE)
_MACHINES = re.compile(r"(?:mailer-daemon|postmaster)@", re.IGNORECASE)
_BULK: Final = frozenset(["auto_reply", "bulk", "junk", "list"])


@dataclass(frozen=True, slots=True)
class Received:
    """A message as the mailbox keeps it; `at` is when it arrived there, if that is known."""

    raw: bytes
    at: Instant | None
    size: int = 0


def post_from(received: Received, our_address: str) -> Post | Unreadable:
    """Understand a mail, or say why that is not possible; nothing that it holds is an error."""
    external_id = None
    try:
        message = message_from_bytes(received.raw)
        external_id = message_id_of(message, received.raw)
        return _post(message, external_id, received, our_address.casefold())
    except NotUnderstood as reason:
        return reason.unreadable(_raw(received), external_id)
    except Exception as error:  # noqa: BLE001 - a stranger's bytes meet the parser
        detail = f"the mail cannot be read: {type(error).__name__}"
        return Unreadable("mail_unreadable", detail, _raw(received), external_id)


def _raw(received: Received) -> str:
    return shown_raw(received.raw[:100_000].decode("utf-8", "replace"))


def message_id_of(message: Message, raw: bytes) -> str:
    """Return the message's id; one without, or with one too long, is known by its bytes."""
    found = ids(headers_of(message, "Message-ID"))
    if found and len(found[0]) <= LONGEST_ID:
        return found[0]
    return "sha256:" + hashlib.sha256(raw).hexdigest()


def _post(message: Message, external_id: str, received: Received, ours: str) -> Post:
    sender, answered = _author(message)
    is_own = sender.address.casefold() == ours
    own_reply_id = reply_id_of(external_id, ours) if is_own else None
    if own_reply_id is None:
        _refuse_machines(message, ours)
    parent, root = _thread(message)
    body = Body(external_id)
    text, media = _words(message, body, received)
    return Post(
        external_id=external_id,
        author=Author(answered.address.casefold(), answered.address, answered.name),
        text=text,
        created_at=_arrived(message, received),
        visibility=Visibility.PRIVATE,
        in_reply_to=parent,
        thread_root=root,
        media=media,
        source_application=words(first(message, "X-Mailer"), 200) or None,
        is_own=is_own,
        own_reply_id=own_reply_id,
        mentions=_receivers(message),
    )


def reply_id_of(message_id: str, our_address: str) -> str | None:
    """Return which of our replies a message is, by its id."""
    found = OURS.fullmatch(message_id)
    domain = our_address.rpartition("@")[2].casefold()
    return found[1] if found and found[2].casefold() == domain else None


def _author(message: Message) -> tuple[Address, Address]:
    """Return who sent a mail, and whom one answers: a form's mail is its writer's."""
    senders = addresses(headers_of(message, "From")) or addresses(headers_of(message, "Sender"))
    if not senders:
        raise NotUnderstood("author_missing", "the mail says nowhere who sent it")
    answered = addresses(headers_of(message, "Reply-To"))
    if len(answered) != 1 or answered[0].address.casefold() == senders[0].address.casefold():
        return senders[0], senders[0]
    return senders[0], Address(answered[0].address, answered[0].name or senders[0].name)


def _receivers(message: Message) -> tuple[str, ...]:
    found = addresses([*headers_of(message, "To"), *headers_of(message, "Cc")])
    return tuple(one.address for one in found[:_MOST_MENTIONS])


def _thread(message: Message) -> tuple[str | None, str | None]:
    references = [one for one in ids(headers_of(message, "References")) if len(one) <= LONGEST_ID]
    named = [one for one in ids(headers_of(message, "In-Reply-To")) if len(one) <= LONGEST_ID]
    if not (known := named or references):
        return None, None
    return known[-1], (references or known)[0]


def _refuse_machines(message: Message, ours: str) -> None:
    """Keep out what no customer wrote, so that nobody answers a machine that answers back.

    Raises:
        NotUnderstood: a program sent it; the code says what kind of program.
    """
    if message.get_content_type() == "multipart/report":
        raise NotUnderstood("bounce", _bounce(message, ours))
    submitted = first(message, "Auto-Submitted").partition(";")[0].strip().lower()
    if submitted not in ("", "no"):
        raise NotUnderstood("automatic_reply", f"Auto-Submitted: {submitted[:50]}")
    if any(headers_of(message, name) for name in ("X-Autoreply", "X-Autorespond")):
        raise NotUnderstood("automatic_reply", "an automatic answer by its header")
    if first(message, "Return-Path") == "<>":
        raise NotUnderstood("bounce", "it was sent from nobody: Return-Path: <>")
    if _MACHINES.match((addresses(headers_of(message, "From")) or [Address("")])[0].address):
        raise NotUnderstood("bounce", "a mail server sent it")
    precedence = first(message, "Precedence").lower()
    is_list = any(headers_of(message, name) for name in ("List-Id", "List-Unsubscribe"))
    if precedence in _BULK or is_list:
        raise NotUnderstood("mailing_list", "it went to many: a mailing list or a newsletter")


def _bounce(message: Message, ours: str) -> str:
    """Say which of our replies did not arrive, and why."""
    statuses: list[str] = []
    replies: list[str] = []
    for number, part in enumerate(message.walk()):
        if number > 50:  # noqa: PLR2004 - no report has so many parts
            break
        statuses += [words(value, 100) for value in headers_of(part, "Status")]
        statuses += [words(value, 200) for value in headers_of(part, "Diagnostic-Code")]
        named = ids(headers_of(part, "Message-ID")) if part is not message else []
        quoted = part.get_payload(decode=True) if not part.is_multipart() else None
        if isinstance(quoted, bytes) and part.get_content_type() == "text/rfc822-headers":
            named += ids(headers_of(message_from_bytes(quoted), "Message-ID"))
        replies += [found for one in named if (found := reply_id_of(one, ours))]
    what = f"the reply {replies[0]} did not arrive" if replies else "a mail did not arrive"
    return ": ".join([what, *statuses[:2]])


def _words(message: Message, body: Body, received: Received) -> tuple[str, tuple[Media, ...]]:
    """Return what was written now below its subject, and beside it the history and files."""
    written, history = body.words_of(message), ""
    subject = words(first(message, "Subject"))
    if not _FORWARDS.match(subject):
        written, history = split_history(written)
    media = list(body.attachments)
    if history:
        url = mid(body.message_id, "quoted-history")
        media.append(Media("quoted history", url, history[:_LONGEST_HISTORY], "text/plain"))
    is_known = _CONTINUES.match(subject) and first(message, "In-Reply-To")
    text = "\n\n".join(part for part in ("" if is_known else subject, written) if part)
    is_cut = received.size > len(received.raw)
    if len(text) > LONGEST_TEXT - len(CUT):
        text, is_cut = text[: LONGEST_TEXT - len(CUT)], True
    text += CUT if is_cut else ""
    if not text and not media:
        text = subject or "(an empty mail)"
    return text, tuple(media)


def _arrived(message: Message, received: Received) -> Instant:
    """Return when the mail came into the mailbox; what its sender says is his clock's."""
    if received.at is not None:
        return received.at
    try:
        said = parsedate_to_datetime(first(message, "Date"))
        said = said if said.tzinfo else said.replace(tzinfo=UTC)
        return int(said.timestamp() * 1000)
    except (ValueError, TypeError, IndexError, OverflowError):
        return int(datetime.now(UTC).timestamp() * 1000)

"""What a mailbox holds: mails after a cursor, one by its id, and copies put into it."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from typing import Final

from connectors.email.headers import first, headers_of, ids
from connectors.email.imap_line import (
    ImapBroken,
    ImapLine,
    ImapRefused,
    Literal,
    Untagged,
    mailbox,
    text,
)
from connectors.email.wire import Received
from connectors.email.writing import Answered
from conversations.model import Instant

MOST_OF_ONE: Final = 2 * 1024 * 1024
"""Bytes of a mail that are read: words come first, what is attached is not needed."""

_BATCH_BYTES: Final = 8 * 1024 * 1024
_MOST_HITS: Final = 5
_NUMBERS = re.compile(rb"\d{1,10}")
_VALIDITY = re.compile(rb"\[UIDVALIDITY (\d{1,10})\]", re.IGNORECASE)
_NEXT = re.compile(rb"\[UIDNEXT (\d{1,10})\]", re.IGNORECASE)
_FETCH = re.compile(rb"^\* \d+ FETCH \(", re.IGNORECASE)
_UID = re.compile(rb"\bUID (\d{1,10})", re.IGNORECASE)
_SIZE = re.compile(rb"RFC822\.SIZE (\d{1,12})", re.IGNORECASE)
_DATE = re.compile(rb'INTERNALDATE "([^"]{10,40})"', re.IGNORECASE)
_QUOTED = re.compile(rb'BODY\[[^\]]*\](?:<\d+>)? "((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_MONTHS: Final = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a mailbox was read; numbers of another validity are other mails'.

    `at` is when the newest mail that was read arrived.
    """

    validity: int = 0
    uid: int = 0
    at: Instant = 0

    @property
    def text(self) -> str:
        return f"{self.validity} {self.uid} {self.at}"


def cursor_from(value: str | None) -> Cursor:
    """Read a cursor; a foreign one begins anew, and what is known is not taken twice."""
    parts = (value or "").split(" ")
    is_ours = len(parts) == 3 and all(p.isascii() and p.isdecimal() for p in parts)  # noqa: PLR2004
    return Cursor(*map(int, parts)) if is_ours else Cursor()


@dataclass(frozen=True, slots=True)
class Mails:
    """Mails in the order of their arrival, and where the mailbox was read up to."""

    received: tuple[Received, ...]
    reached: Cursor
    goes_on: bool


async def open_mailbox(line: ImapLine, name: str) -> Cursor:
    """Open a mailbox to look only; return its validity and its newest number.

    Raises:
        ImapBroken, ImapRefused: it cannot be opened.
    """
    said = b"\n".join(each.text for each in await line.command(b"EXAMINE", mailbox(name)))
    validity, following = _VALIDITY.search(said), _NEXT.search(said)
    if validity is None:
        raise ImapBroken("the server says no UIDVALIDITY")
    return Cursor(int(validity[1]), int(following[1]) - 1 if following else 0)


async def mails_after(
    line: ImapLine, there: Cursor, cursor: Cursor, limit: int, since: Instant = 0
) -> Mails:
    """Return what came after the cursor, the oldest first.

    A cursor of another validity begins anew: mails that are known are not taken twice.
    """
    is_known = cursor.validity == there.validity
    uid = cursor.uid if is_known else 0
    found = [each for each in await _search(line, *_criteria(uid, since)) if each > uid]
    wanted = found[:limit]
    received = await _fetched(line, wanted) if wanted else []
    goes_on = len(found) > len(wanted)
    reached = wanted[-1] if goes_on else max([uid, there.uid, *found])
    new = [mail for mail in received if mail.at is None or mail.at >= since]
    mails = tuple(_one_after_another(new, cursor.at))
    at = next((mail.at for mail in reversed(mails) if mail.at), cursor.at)
    return Mails(mails, Cursor(there.validity, reached, max(0, at)), goes_on)


def _criteria(uid: int, since: Instant) -> tuple[bytes, ...]:
    if uid:
        return (b"UID", b"%d:*" % (uid + 1))
    if since <= 0:
        return (b"ALL",)
    day = datetime.fromtimestamp(min(since, 32_503_680_000_000) / 1000, UTC) - timedelta(days=1)
    return (b"SINCE", f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}".encode())


def _one_after_another(received: Sequence[Received], last: Instant) -> Iterator[Received]:
    """Mailboxes count seconds: what came in the same one stays in its order by milliseconds."""
    for mail in received:
        if mail.at is None:
            yield mail
            continue
        last = last + 1 if mail.at // 1000 == last // 1000 else mail.at
        yield Received(mail.raw, last, mail.size)


async def _search(line: ImapLine, *criteria: bytes | Literal) -> list[int]:
    found: set[int] = set()
    for each in await line.command(b"UID", b"SEARCH", *criteria):
        if each.text[:8].upper() == b"* SEARCH":
            found |= {int(number) for number in _NUMBERS.findall(each.text[8:])}
    return sorted(found)


async def _fetched(line: ImapLine, uids: Sequence[int]) -> list[Received]:
    """Read mails by their numbers; what is gone by now is left out."""
    asked = b",".join(b"%d" % uid for uid in uids)
    told = _answers(await line.command(b"UID", b"FETCH", asked, b"(UID RFC822.SIZE INTERNALDATE)"))
    received = []
    for batch in _batches([(uid, _size(told[uid])) for uid in uids if uid in told]):
        numbers = b",".join(b"%d" % uid for uid in batch)
        part = b"(UID BODY.PEEK[]<0.%d>)" % MOST_OF_ONE
        bodies = _answers(await line.command(b"UID", b"FETCH", numbers, part))
        for uid in batch:
            raw = _body(bodies[uid]) if uid in bodies else None
            if raw is not None:
                received.append(Received(raw, _arrived(told[uid]), _size(told[uid])))
    return received


def _batches(sizes: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
    """Yield the numbers of as many mails as may be held at once."""
    batch: list[int] = []
    room = _BATCH_BYTES
    for uid, size in sizes:
        read = min(size, MOST_OF_ONE)
        if batch and read > room:
            yield batch
            batch, room = [], _BATCH_BYTES
        batch.append(uid)
        room -= read
    if batch:
        yield batch


def _answers(said: Sequence[Untagged]) -> dict[int, Untagged]:
    """Sort what came by its number: servers also say what nobody asked for."""
    found: dict[int, Untagged] = {}
    for each in said:
        number = _UID.search(each.text) if _FETCH.match(each.text) else None
        if number is not None:
            found.setdefault(int(number[1]), each)
    return found


def _size(answer: Untagged) -> int:
    found = _SIZE.search(answer.text)
    return int(found[1]) if found else 0


def _arrived(answer: Untagged) -> Instant | None:
    found = _DATE.search(answer.text)
    if found is None:
        return None
    try:
        moment = datetime.strptime(found[1].decode().strip(), "%d-%b-%Y %H:%M:%S %z")
    except ValueError:
        return None
    return int(moment.timestamp() * 1000)


def _body(answer: Untagged) -> bytes | None:
    if answer.literals:
        return answer.literals[0]
    quoted = _QUOTED.search(answer.text)
    return re.sub(rb"\\(.)", rb"\1", quoted[1]) if quoted else None


async def has_message(line: ImapLine, folder: str, message_id: str) -> bool:
    """Whether the mail with this id is in the folder; a search finds parts of ids, too."""
    await open_mailbox(line, folder)
    for raw in await _headers_by_id(line, message_id):
        if message_id in ids(headers_of(message_from_bytes(raw), "Message-ID")):
            return True
    return False


async def answered_mail(line: ImapLine, folder: str, message_id: str) -> Answered | None:
    """Return what a reply needs of the mail that it answers."""
    await open_mailbox(line, folder)
    for raw in await _headers_by_id(line, message_id):
        message = message_from_bytes(raw)
        if message_id in ids(headers_of(message, "Message-ID")):
            references = ids(headers_of(message, "References"))
            return Answered(first(message, "Subject"), _trimmed(references))
    return None


def _trimmed(references: list[str]) -> tuple[str, ...]:
    """Keep the root and the newest: a chain without end would be refused."""
    return (*references[:1], *references[1:][-18:])


async def _headers_by_id(line: ImapLine, message_id: str) -> list[bytes]:
    uids = await _search(line, b"HEADER", b"Message-ID", text(message_id))
    if not uids:
        return []
    asked = b",".join(b"%d" % uid for uid in uids[-_MOST_HITS:])
    names = b"(UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID SUBJECT REFERENCES)])"
    said = _answers(await line.command(b"UID", b"FETCH", asked, names))
    return [raw for each in said.values() if (raw := _body(each)) is not None]


async def put_copy(line: ImapLine, folder: str, content: bytes) -> None:
    """Put a mail into a folder, which is made when it is not there."""
    copy = (b"APPEND", mailbox(folder), b"(\\Seen)", Literal(content))
    try:
        await line.command(*copy)
    except ImapRefused as refusal:
        if refusal.code != "TRYCREATE":
            raise
        with suppress(ImapRefused):
            await line.command(b"CREATE", mailbox(folder))
        await line.command(*copy)

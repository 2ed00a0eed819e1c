"""Headers of a mail from a stranger: words in any charset, addresses, ids; never an error."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses
from typing import Final

from connectors.charsets import decoded, kept

LONGEST_ADDRESS: Final = 254
LONGEST_ID: Final = 255
_LONGEST_HEADER: Final = 20_000
_MOST_ADDRESSES: Final = 50
_ADDRESS = re.compile(r"[^\s<>@,;:\"()\[\]\\]{1,64}@[^\s<>@,;:\"()\[\]\\]{1,253}")
_ID = re.compile(r"<([^<>\s]{1,998})>")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\s]+")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Address:
    address: str
    name: str | None = None


def headers_of(message: Message, name: str) -> list[str]:
    """Return a header's values as they came, decoded where bytes stand in them."""
    wanted = name.lower()
    found = [value for key, value in message.raw_items() if key.lower() == wanted]
    return [_unfolded(str(value)[:_LONGEST_HEADER]) for value in found]


def _unfolded(value: str) -> str:
    raw = value.encode("utf-8", "surrogateescape")
    return decoded(raw, None).replace("\r", "").replace("\n", "")


def first(message: Message, name: str) -> str:
    found = headers_of(message, name)
    return found[0].strip() if found else ""


def words(value: str, longest: int = 300) -> str:
    """Return a header's words on one line: encoded words decoded, nothing that hides or turns."""
    try:
        pieces = decode_header(value)
    except Exception:  # noqa: BLE001 - a stranger's bytes meet the parser, whatever it trips over
        pieces = [(value, None)]
    text = "".join(
        decoded(piece, charset) if isinstance(piece, bytes) else piece for piece, charset in pieces
    )
    return _BIDI.sub("", _CONTROLS.sub(" ", kept(text))).strip()[:longest]


def addresses(values: Iterable[str]) -> list[Address]:
    """Return the addresses that a mail can be sent to, with the names beside them."""
    found = []
    for name, address in getaddresses(list(values))[:_MOST_ADDRESSES]:
        if is_address(address):
            found.append(Address(address, words(name, 200) or None))
    return found


def is_address(text: str) -> bool:
    return len(text) <= LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None


def ids(values: Iterable[str]) -> list[str]:
    """Return the ids of messages in a header, without their brackets."""
    return [found for value in values for found in _ID.findall(value)]

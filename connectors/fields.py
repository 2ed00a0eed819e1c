"""Values of a network's JSON, read with suspicion: what makes no sense is None, never an error."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from conversations.model import Instant, Unreadable

LONGEST_ID = 255
LONGEST_TEXT = 100_000
LONGEST_URL = 2_000
LONGEST_SHOWN = 20_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LARGEST_COUNT = 2**53


class NotUnderstood(Exception):
    """A piece lacks what every piece of its kind has; it goes to quarantine under this code."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail

    def unreadable(self, raw: object, external_id: str | None = None) -> Unreadable:
        return Unreadable(self.code, self.detail, shown(raw), external_id)


def is_keepable(text: str) -> bool:
    """Whether every database can store the text: no NUL, no half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def words(value: object, longest: int = LONGEST_TEXT) -> str | None:
    """Return a text that is not empty, not too long and can be kept."""
    if not isinstance(value, str) or not value or len(value) > longest or not is_keepable(value):
        return None
    return value


def web_address(value: object) -> str | None:
    """Return a link that a browser may be given."""
    text = words(value, LONGEST_URL)
    return text if text and text.startswith(("https://", "http://")) else None


def count(value: object) -> int | None:
    return value if type(value) is int and 0 <= value < _LARGEST_COUNT else None


def instant(value: object) -> Instant | None:
    """Read an RFC 3339 time; one without a zone is UTC."""
    if not isinstance(value, str) or len(value) > 40:  # noqa: PLR2004 - no time is longer
        return None
    try:
        moment = datetime.fromisoformat(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (moment - _EPOCH) // _MILLISECOND
    except (ValueError, OverflowError):
        return None


def rfc_3339(moment: Instant) -> str:
    """Write a moment with its milliseconds, in UTC."""
    return (_EPOCH + moment * _MILLISECOND).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def mapping(value: object) -> dict[str, Any]:
    """Return an object's members; none when it is anything else."""
    return value if isinstance(value, dict) else {}


def sequence(value: object, most: int = 1_000) -> list[Any]:
    return value[:most] if isinstance(value, list) else []


def required(value: object, name: str, longest: int = LONGEST_ID) -> str:
    """Return a text that every piece has.

    Raises:
        NotUnderstood: it is missing, too long or cannot be kept.
    """
    text = words(value, longest)
    if text is None or not text.strip():
        raise NotUnderstood(f"{name}_missing", f"{name} is a text of 1 to {longest} characters")
    return text


def required_instant(value: object, name: str) -> Instant:
    """Return a time that every piece has.

    Raises:
        NotUnderstood: it is missing or no time.
    """
    moment = instant(value)
    if moment is None:
        raise NotUnderstood(f"{name}_unreadable", f"{name} is an RFC 3339 time")
    return moment


def shown(raw: object) -> str:
    """Return what came as a text that any database keeps, its beginning when it is long."""
    try:
        text = raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False, default=str)
    except (RecursionError, ValueError):
        text = "nested too deeply to be shown"
    kept = text[:LONGEST_SHOWN].encode("utf-8", "replace").decode()
    return kept.replace("\0", "\N{REPLACEMENT CHARACTER}")

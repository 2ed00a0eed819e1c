"""A text that is too long for one post becomes several: torn where a reader would pause."""

from collections.abc import Callable, Sequence

import regex

from connectors.lengths import atoms, fits, length_of
from conversations.capabilities import LengthRule
from conversations.reply_parts import MOST_PARTS

_LEAST_FULL_PERCENT = {"paragraph": 40, "sentence": 50, "word": 0}
_PAUSES = {
    "paragraph": regex.compile(r"\n\s*\n\s*$"),
    "sentence": regex.compile(r"(?:[.!?…。！？]['\"”’»)\]]*\s+|[。！？]|\n\s*)$"),  # noqa: RUF001
    "word": regex.compile(r"\s+$"),
}
_LONGEST_PAUSE = 8
"""So many pieces before a place tell what kind of place it is."""


class TooLongError(Exception):
    """The network does not take so much."""

    def __init__(self, count: int, limit: str, why: str) -> None:
        super().__init__(f"{count} of {limit}: {why}")
        self.count = count
        self.limit = limit
        self.why = why


def split(text: str, rule: LengthRule, *, is_threaded: bool) -> tuple[str, ...]:
    """Return the posts that the text becomes; one that fits is left as it is.

    Raises:
        TooLongError: it does not fit into one post, nor into a thread where there are threads.
    """
    if fits(text, rule):
        return (text,)
    if not is_threaded:
        raise _too_long(text, rule, "and it has no threads")
    pieces = list(atoms(text.strip()))
    for total in (9, MOST_PARTS):
        parts = _parts(pieces, rule, total)
        if parts is not None:
            return tuple(part + _number(index + 1, len(parts)) for index, part in enumerate(parts))
    raise _too_long(text, rule, f"and a thread has {MOST_PARTS} posts at most")


def as_posts(text: str, rule: LengthRule, *, is_threaded: bool) -> tuple[str, ...]:
    """Return the posts of a text that nobody can shorten now; itself alone when it fits nowhere."""
    try:
        return split(text, rule, is_threaded=is_threaded)
    except TooLongError:
        return (text,)


def _too_long(text: str, rule: LengthRule, why: str) -> TooLongError:
    unit = rule.unit.value.replace("_", " ")
    if rule.most_bytes and length_of(text, rule) <= rule.most:
        return TooLongError(len(text.encode()), f"{rule.most_bytes} bytes", why)
    return TooLongError(length_of(text, rule), f"{rule.most} {unit}", why)


def _number(index: int, total: int) -> str:
    return f" ({index}/{total})"


def _parts(pieces: Sequence[str], rule: LengthRule, most: int) -> list[str] | None:
    """Return at most so many parts, each with room for its number; None when that is too few."""
    widest = _number(most, most)

    def is_fitting(part: str) -> bool:
        return fits(part.strip() + widest, rule)

    parts: list[str] = []
    start = 0
    while start < len(pieces):
        if len(parts) == most:
            return None
        end = _furthest(pieces, start, is_fitting)
        if end == start:
            raise _too_long(pieces[start], rule, "and that cannot be torn apart")
        end = _pause(pieces, start, end)
        part = "".join(pieces[start:end]).strip()
        if part:
            parts.append(part)
        start = end
    return parts


def _furthest(pieces: Sequence[str], start: int, is_fitting: Callable[[str], bool]) -> int:
    """Return how far one part can reach, looked for by halves."""
    low, high = start, min(start + 1, len(pieces))
    while high <= len(pieces) and is_fitting("".join(pieces[start:high])):
        low, high = high, high + max(64, high - start)
        if low == len(pieces):
            return low
        high = min(high, len(pieces))
    while high - low > 1:
        middle = (low + high) // 2
        if is_fitting("".join(pieces[start:middle])):
            low = middle
        else:
            high = middle
    return low


def _pause(pieces: Sequence[str], start: int, end: int) -> int:
    """Return the best place to stop at or before `end`, which is best when all fits."""
    if end == len(pieces):
        return end
    for kind, pattern in _PAUSES.items():
        first = start + (end - start) * _LEAST_FULL_PERCENT[kind] // 100
        for place in range(_over_blanks(pieces, end), max(first, start), -1):
            before = "".join(pieces[max(start, place - _LONGEST_PAUSE) : place])
            if pattern.search(before) and before.strip():
                return place
    return end


def _over_blanks(pieces: Sequence[str], end: int) -> int:
    """Let blanks after a part go with it: they are stripped, and tell that a word ends here."""
    while end < len(pieces) and pieces[end].isspace():
        end += 1
    return end

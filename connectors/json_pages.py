"""Pages of JSON objects, read so that one that cannot be understood spares its neighbours."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from conversations.model import Unreadable

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[{}\[\],]', re.DOTALL)


class NotAPage(Exception):
    """What came is no JSON object with a list of that name; nothing of it can be used."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """A page's entries one by one, and what stands beside them."""

    entries: list[Any]
    beside: dict[str, Any]


def read_page(body: bytes, name: str) -> Pieces:
    """Read an object with a list of entries; an entry that is no JSON becomes `Unreadable`.

    Raises:
        NotAPage: the frame around the entries cannot be read.
    """
    try:
        page = json.loads(body)
        entries = page.pop(name)
    except (ValueError, RecursionError):
        return _read_piece_by_piece(body, name)
    except (KeyError, AttributeError, TypeError) as error:
        raise NotAPage(f"there is no list of {name}") from error
    if not isinstance(entries, list):
        raise NotAPage(f"{name} is no list")
    return Pieces(entries, page)


def read_entry(text: str) -> Any:  # noqa: ANN401 - any JSON
    """Read one entry, or say why it cannot be read."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        return Unreadable("not_json", f"the entry is not JSON: {type(error).__name__}", text)


def _read_piece_by_piece(body: bytes, name: str) -> Pieces:
    """Find the entries by counting brackets: one that is too deep is no reason to lose a page."""
    text = body.decode("utf-8", "replace")
    pieces = list(_pieces(text, name))
    if not pieces:
        raise NotAPage("the body is not JSON")
    begin, end = pieces[0][0], pieces[-1][1]
    try:
        page = json.loads(text[:begin] + text[end:])
    except (ValueError, RecursionError) as error:
        raise NotAPage("the body is not JSON") from error
    del page[name]
    spans = [text[start:stop] for start, stop in pieces]
    return Pieces([read_entry(span) for span in spans if span.strip()], page)


def _pieces(text: str, name: str) -> Iterator[tuple[int, int]]:
    """Yield where each entry of the list begins and ends; nothing when the list has no end."""
    spans: list[tuple[int, int]] = []
    depth, begin, last = 0, None, ""
    for token in _TOKEN.finditer(text):
        sign, before = token.group(), last
        last = sign
        if sign in "{[":
            depth += 1
            if begin is None and depth == 2 and before == f'"{name}"':  # noqa: PLR2004
                begin = token.end()
        elif sign in "}]":
            depth -= 1
        is_end = sign == "]" and depth == 1
        if begin is None or not (is_end or (sign == "," and depth == 2)):  # noqa: PLR2004
            continue
        spans.append((begin, token.start()))
        begin = token.end()
        if is_end:
            yield from spans
            return

"""What X is asked for: queries of a channel's handles and words, each within X's length."""

import re
from collections.abc import Iterator, Sequence

from connectors.fields import is_keepable

LONGEST_QUERY = 512

_HANDLE = re.compile(r"[A-Za-z0-9_]{1,15}")
_TAG = re.compile(r"[#$]\w+")


def bare(handle: object) -> str:
    """Return a handle as X compares it; empty when it is none."""
    name = handle.strip().removeprefix("@") if isinstance(handle, str) else ""
    return name.casefold() if _HANDLE.fullmatch(name) else ""


def queries(handles: Sequence[str], keywords: Sequence[str], suffix: str = "") -> list[str]:
    """Return as many queries as it takes; a word that is longer than a query is left out."""
    groups: list[list[str]] = []
    room = LONGEST_QUERY - len(suffix) - len("() ")
    for term in dict.fromkeys(_terms(handles, keywords)):
        if len(term) > room:
            continue
        if groups and len(" OR ".join((*groups[-1], term))) <= room:
            groups[-1].append(term)
        else:
            groups.append([term])
    return [f"({' OR '.join(group)}) {suffix}".rstrip() for group in groups]


def _terms(handles: Sequence[str], keywords: Sequence[str]) -> Iterator[str]:
    for handle in handles:
        if name := bare(handle):
            yield f"@{name}"
    for keyword in keywords:
        words = " ".join(keyword.replace('"', " ").split())
        if not words or not is_keepable(words):
            continue
        # In quotes no word is an operator: OR, -word and from:somebody are looked for as written.
        yield words if _TAG.fullmatch(words) else f'"{words}"'

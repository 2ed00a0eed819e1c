"""Recorded conversations: who said what to which brand, and when."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from operation.refusals import OperationRefused

_HANDLE = re.compile(r"[A-Za-z0-9_]{1,30}")
_MENTION = re.compile(r"@([A-Za-z0-9_]{1,30})")
_ROLES = frozenset({"client", "agent", "other"})


class UnusableRecording(OperationRefused):
    """The file is none with recorded conversations; the message names the line."""


@dataclass(frozen=True, slots=True)
class Said:
    """One recorded post; the brand's own answer it to `to`, a customer's are for the brand."""

    id: str
    at_ms: int
    author: str
    text: str
    to: str | None = None

    @property
    def is_answer(self) -> bool:
        return self.to is not None


@dataclass(frozen=True, slots=True)
class Recording:
    """One conversation with a brand, in order; it may have more than one customer."""

    brand: str
    said: tuple[Said, ...]


def read_recordings(path: Path) -> list[Recording]:
    """Read a file of one JSON object a line, in the order in which the conversations began.

    Raises:
        UnusableRecording: it cannot be read, or a line has another form.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableRecording(f"{path} cannot be read: {error}") from error
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found.append(recording_from(json.loads(line)))
        except (ValueError, KeyError, TypeError) as error:
            raise UnusableRecording(f"{path}, line {number}: {error!r}") from error
    if not found:
        raise UnusableRecording(f"{path} has no conversations")
    return merged(found)


def recording_from(line: Any) -> Recording:  # noqa: ANN401 - any JSON
    """Understand one line.

    Raises:
        ValueError, KeyError, TypeError: it is no conversation.
    """
    brand = _handle(line["company"])
    said: list[Said] = []
    customers: list[str] = []
    for post in line["posts"]:
        role, author = post["role"], _handle(post["author"])
        if role not in _ROLES or not isinstance(post["text"], str) or not post["text"]:
            raise ValueError(f"post {post['id']} has no role or text")
        one = Said(str(post["id"]), int(post["ts_ms"]), author, post["text"])
        if role == "agent":
            one = replace(one, author=brand, to=_spoken_to(one.text, customers))
        else:
            customers.append(author)
        said.append(one)
    if not said:
        raise ValueError("it has no posts")
    return Recording(brand, tuple(said))


def _handle(value: object) -> str:
    if not isinstance(value, str) or not _HANDLE.fullmatch(value):
        raise ValueError(f"{value!r} is no handle")
    return value


def _spoken_to(text: str, customers: Sequence[str]) -> str:
    """Return whom the brand answers: the first customer it names, else who spoke last."""
    if not customers:
        raise ValueError("the brand speaks before anybody else")
    named = [handle for handle in _MENTION.findall(text) if handle in customers]
    return named[0] if named else customers[-1]


def merged(recordings: Iterable[Recording]) -> list[Recording]:
    """Make one of recordings that share posts, and order all by their beginning."""
    groups: list[Recording] = []
    owner: dict[tuple[str, str], int] = {}
    for recording in recordings:
        keys = [(recording.brand, one.id) for one in recording.said]
        shared = sorted({owner[key] for key in keys if key in owner})
        parts = [groups[index] for index in shared] + [recording]
        for index in shared:
            groups[index] = Recording(recording.brand, ())
        groups.append(_joined(parts))
        owner.update({(recording.brand, one.id): len(groups) - 1 for one in groups[-1].said})
    return sorted((g for g in groups if g.said), key=lambda g: (g.said[0].at_ms, g.said[0].id))


def _joined(parts: Sequence[Recording]) -> Recording:
    by_id = {one.id: one for part in parts for one in part.said}
    in_order = sorted(by_id.values(), key=lambda one: (one.at_ms, len(one.id), one.id))
    return Recording(parts[0].brand, tuple(in_order))


def customers_of(recordings: Iterable[Recording]) -> set[tuple[str, str]]:
    """Return every (brand, customer) who speaks."""
    return {(r.brand, one.author) for r in recordings for one in r.said if not one.is_answer}

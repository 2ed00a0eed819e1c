"""Where something is in the JSON of rules, and what is wrong there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]

LONGEST_NAME = 200
LONGEST_WORD = 500
LONGEST_SKILL = 100


@dataclass(frozen=True, slots=True)
class Fault:
    """Why rules are refused, and the place: `("rules", 0, "when", "fact")`."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Place:
    """One value in the JSON; all places of one reading share their faults."""

    value: object
    path: Path = ()
    faults: list[Fault] = field(default_factory=list)

    def wrong(self, reason: str) -> None:
        """Note a fault here."""
        self.faults.append(Fault(self.path, reason))

    def at(self, name: str) -> "Place":
        """Return the member of an object; a missing one has the value None."""
        value = self.value.get(name) if isinstance(self.value, Mapping) else None
        return Place(value, (*self.path, name), self.faults)

    def elements(self, most: int, *, least: int = 1) -> "list[Place]":
        """Return the places of a list's elements; none when it is no list of allowed length."""
        if not isinstance(self.value, list):
            self.wrong("should be a list")
            return []
        if not least <= len(self.value) <= most:
            self.wrong(f"should have {least} to {most} elements, not {len(self.value)}")
            return []
        return [
            Place(value, (*self.path, index), self.faults) for index, value in enumerate(self.value)
        ]

    def members(self, needed: set[str], others: set[str]) -> bool:
        """Say whether it is an object with what it needs and nothing unknown; note what not."""
        if not isinstance(self.value, Mapping):
            self.wrong("should be an object")
            return False
        present = set(self.value)
        for name in sorted(needed - present):
            self.at(name).wrong("is missing")
        for name in sorted(present - needed - others):
            self.at(name).wrong("is unknown here")
        return present >= needed and present <= needed | others

    def words(self, longest: int = LONGEST_WORD) -> str | None:
        """Read a text with at least one visible character."""
        if not isinstance(self.value, str) or not self.value.strip():
            self.wrong("should be a text that is not blank")
        elif len(self.value) > longest:
            self.wrong(f"should have at most {longest} characters")
        elif not _is_keepable(self.value):
            self.wrong("has a character that cannot be kept")
        else:
            return self.value
        return None

    def skill(self) -> str | None:
        """Read a skill's name."""
        name = self.words(LONGEST_SKILL)
        if name is not None and name != name.strip():
            self.wrong("should not begin or end with a space")
            return None
        return name

    def whole(self, least: int, most: int) -> int | None:
        """Read a whole number."""
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            self.wrong("should be a whole number")
        elif not least <= self.value <= most:
            self.wrong(f"should be from {least} to {most}")
        else:
            return self.value
        return None

    def number(self, least: float, most: float) -> float | None:
        """Read a number; whole ones stay whole."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            self.wrong("should be a number")
        elif not isfinite(self.value) or not least <= self.value <= most:
            self.wrong(f"should be from {least:g} to {most:g}")
        else:
            return self.value
        return None

    def flag(self) -> bool | None:
        """Read true or false."""
        if isinstance(self.value, bool):
            return self.value
        self.wrong("should be true or false")
        return None

    def choice(self, choices: tuple[str, ...]) -> str | None:
        """Read one of some words."""
        if isinstance(self.value, str) and self.value in choices:
            return str(self.value)
        self.wrong(f"should be one of {', '.join(choices)}")
        return None


def _is_keepable(text: str) -> bool:
    """Whether a database can store it: no NUL, no half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)

"""What the fake knows of signing in."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Door:
    """Passwords, the demonstration's people, and how long sessions last; a test changes it."""

    passwords: dict[str, str] = field(default_factory=lambda: {"agent-1": "seven green lamps"})
    state: str = "own"
    people: list[dict[str, Any]] = field(default_factory=list)
    throttled_s: int = 0
    left_s: float = 1_800
    ends_s: float = 43_200
    is_shut: bool = False
    uses: list[str] = field(default_factory=list)

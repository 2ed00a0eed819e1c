"""How well a channel is heard: what was seen of its network, and when to ask it again."""

from dataclasses import dataclass, replace
from enum import StrEnum

from conversations.networks import Trouble
from conversations.replies import LONGEST_WAIT_S

DOWN_AFTER = 3
"""So many failures in a row are more than a hiccup."""

SILENT_AFTER = 2
"""So many reconciling polls in a row that found what the line had not brought."""

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
UNAUTHORISED_PAUSE_S = 60.0
"""Refused credentials mostly stay refused until somebody changes them."""


class Health(StrEnum):
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    LIMITED = "limited"
    UNAUTHORISED = "unauthorised"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Condition:
    """A channel's health, its reason, and what was counted towards another one."""

    health: Health = Health.HEALTHY
    detail: str | None = None
    failures: int = 0
    missed: int = 0


@dataclass(frozen=True, slots=True)
class Read:
    """A page was read; `missed` when a poll found what a stream or webhook had not brought."""

    missed: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """A stream or a webhook brought posts by itself: it is not silent."""


@dataclass(frozen=True, slots=True)
class Limited:
    """The network takes no calls for a while."""

    retry_after_s: float


@dataclass(frozen=True, slots=True)
class Failed:
    """The network could not be asked."""

    trouble: Trouble
    detail: str


Sighting = Read | Heard | Limited | Failed


def after(condition: Condition, seen: Sighting) -> Condition:
    """Return the condition of a channel after something was seen of its network."""
    match seen:
        case Failed():
            return _failed(condition, seen)
        case Limited():
            detail = f"the network takes no calls for {seen.retry_after_s:.0f} s"
            return replace(condition, health=Health.LIMITED, detail=detail, failures=0)
        case Heard():
            return _heard(condition)
        case Read():
            return _read(condition, seen)


def _failed(condition: Condition, seen: Failed) -> Condition:
    failures = condition.failures + 1
    if seen.trouble is Trouble.UNAUTHORISED:
        health = Health.UNAUTHORISED
    elif failures >= DOWN_AFTER:
        health = Health.DOWN
    else:
        health = Health.DEGRADED
    return replace(condition, health=health, detail=seen.detail, failures=failures)


def _heard(condition: Condition) -> Condition:
    """Clear what was held against the line; whether polls fail is another matter."""
    if condition.failures or condition.health is Health.LIMITED:
        return replace(condition, missed=0)
    return Condition(Health.HEALTHY)


def _read(condition: Condition, seen: Read) -> Condition:
    missed = condition.missed + seen.missed
    if missed < SILENT_AFTER:
        return Condition(Health.HEALTHY, missed=missed)
    detail = "nothing comes by itself any more, only polls find posts"
    return Condition(Health.DEGRADED, detail, missed=missed)


def pause_s(trouble: Trouble, failures: int, chance: float) -> float:
    """Return how long to leave a network alone after so many failures in a row.

    Full jitter, so that many channels do not come back all at once; `chance` is from 0 to 1.
    """
    if trouble is Trouble.UNAUTHORISED:
        return UNAUTHORISED_PAUSE_S * (1 + chance) / 2
    ceiling_s: float = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(max(failures - 1, 0), 30))
    return ceiling_s * chance


def wait_s(retry_after_s: float, chance: float) -> float:
    """Return how long to wait for a network that says for how long; a little longer, not less."""
    wanted_s = min(max(retry_after_s, 0.0), LONGEST_WAIT_S)
    return wanted_s + min(wanted_s / 10, 1.0) * chance

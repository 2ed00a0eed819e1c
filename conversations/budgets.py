"""How an allowance is spent: evenly, after a burst, and never more of it than the network takes.

A leaky bucket in the form of one moment (GCRA): until when the calls so far have spent it.
"""

from dataclasses import dataclass

from conversations.capabilities import Allowance, Capabilities
from conversations.model import Instant, Visibility

_BURST_SHARE = 3
"""A third of the calls may come at once; the rest come in evenly."""


@dataclass(frozen=True, slots=True)
class Spending:
    """What one call comes to: the moment to remember, or how long to wait first."""

    used_until: Instant
    wait_ms: int = 0


def spend(
    used_until: Instant, allowance: Allowance, now: Instant, *, kept_percent: int
) -> Spending:
    """Take one call out of the allowance, but for `kept_percent` of its burst.

    In no span of `per_s` seconds are more than `calls` taken: the burst and what comes in
    during the span are together no more than that.
    """
    burst, each_ms = _shape(allowance)
    used = max(used_until, now) + each_ms
    open_to_caller = max(1.0, burst * (100 - kept_percent) / 100)
    wait_ms = used - now - int(open_to_caller * each_ms)
    return Spending(used_until, wait_ms) if wait_ms > 0 else Spending(used)


def used_percent(used_until: Instant, allowance: Allowance, now: Instant) -> int:
    """Return how much of what may come at once is used; at 100 the next call waits."""
    burst, each_ms = _shape(allowance)
    return min(100, max(0, used_until - now) * 100 // (burst * each_ms))


def _shape(allowance: Allowance) -> tuple[int, int]:
    """Return how many calls may come at once, and the time until one more comes in."""
    calls = max(1, allowance.calls)
    burst = max(1, calls // _BURST_SHARE)
    return burst, -(-allowance.per_s * 1000 // max(1, calls - burst))


def poll_allowance(capabilities: Capabilities) -> Allowance | None:
    """Return what a poll uses up, None when the network does not say."""
    return _named(capabilities, capabilities.poll_allowance)


def reply_allowance(capabilities: Capabilities, visibility: Visibility) -> Allowance | None:
    """Return what a reply uses up, None when the network does not say."""
    if visibility is Visibility.PRIVATE:
        return _named(capabilities, capabilities.private_reply_allowance)
    return _named(capabilities, capabilities.public_reply_allowance)


def _named(capabilities: Capabilities, name: str | None) -> Allowance | None:
    return next((each for each in capabilities.allowances if each.name == name), None)

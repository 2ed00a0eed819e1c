"""How an allowance is spent: evenly, after a burst, and never more of it than the network takes.

A leaky bucket in the form of one moment (GCRA): until when the calls so far have spent it.
"""

from dataclasses import dataclass

from conversations.capabilities import Allowance, Capabilities
from conversations.model import Instant, Visibility

_US_PER_S = 1_000_000
_US_PER_MS = 1_000
_BURST_SHARE = 3
"""A third of the calls may come at once; the rest come in evenly."""


@dataclass(frozen=True, slots=True)
class Spending:
    """What one call comes to: the moment to remember, or how long to wait first."""

    spent_until_us: int
    wait_ms: int = 0


def spend(
    spent_until_us: int, allowance: Allowance, now: Instant, *, kept_percent: int
) -> Spending:
    """Take one call out of the allowance, but for `kept_percent` of its burst.

    In no span of `per_s` seconds are more than `calls` taken: the burst and what comes in
    during the span are together no more than that.
    """
    burst, each_us = _shape(allowance)
    now_us = now * _US_PER_MS
    spent_us = max(spent_until_us, now_us) + each_us
    open_to_caller = max(1.0, burst * (100 - kept_percent) / 100)
    too_early_us = spent_us - now_us - int(open_to_caller * each_us)
    if too_early_us > 0:
        return Spending(spent_until_us, -(-too_early_us // _US_PER_MS))
    return Spending(spent_us)


def _shape(allowance: Allowance) -> tuple[int, int]:
    """Return how many calls may come at once, and the microseconds until one more comes in."""
    calls = max(1, allowance.calls)
    burst = max(1, calls // _BURST_SHARE)
    return burst, -(-allowance.per_s * _US_PER_S // max(1, calls - burst))


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

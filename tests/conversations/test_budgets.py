"""Allowances: never exceeded in any span, with a part that is kept for replies."""

from hypothesis import given
from hypothesis import strategies as st

from conversations.budgets import poll_allowance, reply_allowance, spend
from conversations.capabilities import Allowance, Capabilities
from conversations.model import Visibility

NOW = 1_700_000_000_000


def taken_at(allowance: Allowance, gaps_ms: list[int], kept_percent: int = 0) -> list[int]:
    """Return when calls were taken by somebody who asks after each gap, and waits as told."""
    used_until, now, taken = 0, NOW, []
    for gap_ms in gaps_ms:
        now += gap_ms
        while (spending := spend(used_until, allowance, now, kept_percent=kept_percent)).wait_ms:
            now += spending.wait_ms
        used_until = spending.used_until
        taken.append(now)
    return taken


@given(
    calls=st.integers(1, 40),
    per_s=st.integers(1, 900),
    gaps_ms=st.lists(st.integers(0, 60_000), min_size=1, max_size=120),
)
def test_no_span_ever_has_more_calls_than_allowed(
    calls: int, per_s: int, gaps_ms: list[int]
) -> None:
    taken = taken_at(Allowance("calls", calls, per_s), gaps_ms)
    for first, beyond in zip(taken, taken[calls:], strict=False):
        assert beyond - first >= per_s * 1000


def test_whoever_waits_as_told_waits_once() -> None:
    allowance, used_until = Allowance("calls", 10, 60), 0
    for _ in range(3):
        used_until = spend(used_until, allowance, NOW, kept_percent=0).used_until
    wait_ms = spend(used_until, allowance, NOW, kept_percent=0).wait_ms
    assert wait_ms > 0
    assert spend(used_until, allowance, NOW + wait_ms - 1, kept_percent=0).wait_ms == 1
    assert spend(used_until, allowance, NOW + wait_ms, kept_percent=0).wait_ms == 0


@given(calls=st.integers(1, 200), per_s=st.integers(1, 900), kept=st.integers(0, 100))
def test_polls_always_come_to_their_turn_and_never_to_the_replies(
    calls: int, per_s: int, kept: int
) -> None:
    allowance, used_until = Allowance("calls", calls, per_s), 0
    polls = 0
    while (spending := spend(used_until, allowance, NOW, kept_percent=kept)).wait_ms == 0:
        used_until, polls = spending.used_until, polls + 1
    assert polls >= 1
    replies = 0
    while (spending := spend(used_until, allowance, NOW, kept_percent=0)).wait_ms == 0:
        used_until, replies = spending.used_until, replies + 1
    burst = max(1, calls // 3)
    assert polls + replies == burst
    assert replies >= min(burst - 1, burst * kept // 100)


def test_each_call_uses_the_allowance_that_its_network_names() -> None:
    polls, public, private = (Allowance(name, 1, 1) for name in ("polls", "public", "private"))
    capabilities = Capabilities(
        allowances=(polls, public, private),
        poll_allowance="polls",
        public_reply_allowance="public",
        private_reply_allowance="private",
    )
    assert poll_allowance(capabilities) is polls
    assert reply_allowance(capabilities, Visibility.PUBLIC) is public
    assert reply_allowance(capabilities, Visibility.PRIVATE) is private
    assert poll_allowance(Capabilities()) is None

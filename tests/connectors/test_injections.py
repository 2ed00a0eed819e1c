"""Accepted, then failed, again and again on every network: nothing is said twice or not at all."""

from collections import Counter

import pytest

from conversations.model import ReplyState
from conversations.replies import ReadBack, Reply
from tests.connectors.delivering import deliver, heard, reply_to, unique, visibilities
from tests.connectors.fault_proxy import Fault
from tests.connectors.opened import opened_peer, speaks
from tests.connectors.peer import Peer

INJECTIONS = 250
"""For each peer; the eight that speak at least come to 2,000."""

FAULTS = [fault for fault in Fault if fault.is_accepted]

pytestmark = [
    pytest.mark.long,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(1_800),
]

__all__ = ["opened_peer"]


async def test_nothing_is_doubled_and_nothing_is_missing(opened: Peer) -> None:
    if not speaks(opened):
        pytest.skip(f"nobody can be answered on {opened.account.network}")
    replies = [await _inject(opened, number) for number in range(INJECTIONS)]

    there = Counter(one.text for one in await opened.published())
    doubled = [r for r in replies if sum(n for text, n in there.items() if r.text in text) > 1]
    missing = [r for r in replies if not any(r.text in text for text in there)]
    cannot_be_asked = _read_back(opened) is ReadBack.IMPOSSIBLE
    settled = ReplyState.NEEDS_HUMAN if cannot_be_asked else ReplyState.SENT
    assert (doubled, missing) == ([], [])
    assert {reply.state for reply in replies} == {settled}


async def _inject(peer: Peer, number: int) -> Reply:
    """Answer one post while the network accepts the answer and does not say so."""
    spoken = visibilities(peer)
    visibility = spoken[number % len(spoken)]
    _, post = await heard(peer, unique("hello"), visibility=visibility)
    peer.proxy.plan(FAULTS[number % len(FAULTS)])
    return await deliver(peer, reply_to(post, peer, unique("once")))


def _read_back(peer: Peer) -> ReadBack:
    return peer.connector.capabilities(peer.account).read_back

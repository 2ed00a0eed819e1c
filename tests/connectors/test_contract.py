"""What every connector keeps, shown on every network's server by the same tests."""

import pytest

from conversations.model import ReplyState
from conversations.networks import NetworkTrouble, Trouble
from conversations.replies import Certainty, ReadBack
from tests.connectors.delivering import (
    Reader,
    deliver,
    heard,
    hears,
    now_ms,
    reply_to,
    said,
    unique,
    visibilities,
)
from tests.connectors.fault_proxy import Fault
from tests.connectors.opened import opened_peer, speaks
from tests.connectors.peer import Peer

ACCEPTED = [fault for fault in Fault if fault.is_accepted]
NOT_ACCEPTED = [Fault.RESET, Fault.ERROR_500, Fault.UNAVAILABLE_503, Fault.TOO_MANY_429]

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]


__all__ = ["opened_peer"]


@pytest.fixture
def peer(opened: Peer) -> Peer:
    """Return the server without any fault left over."""
    opened.proxy.planned.clear()
    opened.proxy.every = None
    return opened


@pytest.fixture
def hearing(peer: Peer) -> Peer:
    """Return the server if it can be asked for posts."""
    if not hears(peer):
        pytest.skip(f"nothing can be asked for on {peer.account.network}")
    return peer


@pytest.fixture
def speaking(peer: Peer) -> Peer:
    """Return the server if one can answer there."""
    if not speaks(peer):
        pytest.skip(f"nobody can be answered on {peer.account.network}")
    return peer


async def test_a_customers_post_comes_once_with_words_author_and_time(hearing: Peer) -> None:
    peer = hearing
    for visibility in visibilities(peer):
        words = unique("where is my parcel?")

        reader, post = await heard(peer, words, visibility=visibility)
        await reader.page()

        assert words in post.text
        assert post.visibility is visibility
        assert post.author.external_id
        assert abs(post.created_at - now_ms()) < 3_600_000
        assert not post.is_own
        assert [p.external_id for p in reader.seen].count(post.external_id) == 1


async def test_what_was_said_in_a_row_comes_in_order_over_small_pages(hearing: Peer) -> None:
    peer = hearing
    visibility = visibilities(peer)[0]
    reader = Reader(peer, limit=2)
    words = [unique(f"part {number}") for number in range(5)]

    ids = [await peer.customer_says(each, visibility=visibility) for each in words]
    came = await reader.until(*ids)

    assert [post.external_id for post in came] == ids
    assert [post.created_at for post in came] == sorted(post.created_at for post in came)


async def test_a_reply_is_there_once_and_answers_the_post(speaking: Peer) -> None:
    for visibility in visibilities(speaking):
        _, post = await heard(speaking, unique("hello?"), visibility=visibility)
        answer = unique("we are on it")

        reply = await deliver(speaking, reply_to(post, speaking, answer))

        (there,) = await said(speaking, answer)
        assert reply.state is ReplyState.SENT
        assert reply.external_id == there.external_id
        assert there.visibility is visibility


async def test_an_own_reply_that_comes_back_is_known(speaking: Peer, hearing: Peer) -> None:
    assert speaking is hearing
    visibility = visibilities(speaking)[0]
    reader, post = await heard(speaking, unique("anybody?"), visibility=visibility)
    answer = unique("yes, here")
    reply = await deliver(speaking, reply_to(post, speaking, answer))

    later = await speaking.customer_says(unique("thanks"), visibility=visibility)
    await reader.until(later)

    for echo in [one for one in reader.seen if answer in one.text]:
        assert echo.is_own
        assert reply.id == echo.own_reply_id or reply.external_id == echo.external_id


@pytest.mark.parametrize("fault", ACCEPTED)
async def test_what_was_accepted_is_never_said_twice(speaking: Peer, fault: Fault) -> None:
    for visibility in visibilities(speaking):
        _, post = await heard(speaking, unique("is it there?"), visibility=visibility)
        answer = unique("once and only once")
        speaking.proxy.plan(fault)

        reply = await deliver(speaking, reply_to(post, speaking, answer))

        (there,) = await said(speaking, answer)
        assert not speaking.proxy.planned
        if _cannot_be_asked(speaking):
            assert reply.state is ReplyState.NEEDS_HUMAN
        elif _is_status_proof(speaking) and fault is Fault.ACCEPTED_THEN_GARBAGE:
            assert reply.state is ReplyState.SENT
        else:
            assert (reply.state, reply.external_id) == (ReplyState.SENT, there.external_id)


@pytest.mark.parametrize("fault", NOT_ACCEPTED)
async def test_what_was_not_accepted_is_said_once_in_the_end(speaking: Peer, fault: Fault) -> None:
    for visibility in visibilities(speaking):
        _, post = await heard(speaking, unique("hello again"), visibility=visibility)
        answer = unique("at last")
        speaking.proxy.plan(fault)

        reply = await deliver(speaking, reply_to(post, speaking, answer))

        there = await said(speaking, answer)
        if reply.state is ReplyState.NEEDS_HUMAN:
            assert _cannot_be_asked(speaking)
            assert there == []
        else:
            assert (reply.state, len(there)) == (ReplyState.SENT, 1)


async def test_a_storm_of_429_ends_with_one_reply(speaking: Peer) -> None:
    _, post = await heard(speaking, unique("busy?"), visibility=visibilities(speaking)[0])
    answer = unique("not any more")
    speaking.proxy.plan(*[Fault.TOO_MANY_429] * 5)

    reply = await deliver(speaking, reply_to(post, speaking, answer))

    assert reply.state is ReplyState.SENT
    assert len(await said(speaking, answer)) == 1


async def test_refused_credentials_are_named_and_nothing_is_said(hearing: Peer) -> None:
    peer = hearing
    peer.proxy.every = Fault.UNAUTHORISED_401

    with pytest.raises(NetworkTrouble) as trouble:
        await Reader(peer).page()

    assert trouble.value.trouble is Trouble.UNAUTHORISED
    for secret in peer.account.credentials.values():
        assert str(secret) not in str(trouble.value)


async def test_a_reply_with_refused_credentials_waits(speaking: Peer) -> None:
    _, post = await heard(speaking, unique("hello"), visibility=visibilities(speaking)[0])
    answer = unique("never said")
    speaking.proxy.every = Fault.UNAUTHORISED_401

    outcome = await speaking.connector.publish(speaking.account, reply_to(post, speaking, answer))

    refused = (Certainty.NOT_ACCEPTED, Certainty.REJECTED)
    assert outcome.certainty in refused
    assert await said(speaking, answer) == []


@pytest.mark.parametrize("fault", [Fault.GARBAGE_200, Fault.ERROR_500, Fault.RESET])
async def test_what_makes_no_sense_moves_no_cursor(hearing: Peer, fault: Fault) -> None:
    peer = hearing
    reader = Reader(peer)
    await reader.page()
    before, peer.proxy.every = reader.cursor, fault

    with pytest.raises(NetworkTrouble):
        await reader.page()

    assert reader.cursor == before


@pytest.mark.parametrize("fault", [Fault.GARBAGE_200, Fault.ERROR_500])
async def test_what_makes_no_sense_is_no_proof(speaking: Peer, fault: Fault) -> None:
    _, post = await heard(speaking, unique("hello"), visibility=visibilities(speaking)[0])
    reply = reply_to(post, speaking, unique("no proof"))
    speaking.proxy.every = fault

    published = await speaking.connector.publish(speaking.account, reply)
    looked_up = await speaking.connector.look_up(speaking.account, reply)

    if not (_is_status_proof(speaking) and fault is Fault.GARBAGE_200):
        assert published.certainty in (Certainty.MAYBE, Certainty.NOT_ACCEPTED)
    assert looked_up.certainty is Certainty.MAYBE


async def test_a_sent_reply_can_be_edited_and_taken_back(speaking: Peer) -> None:
    able, account = speaking.connector.capabilities(speaking.account), speaking.account
    if not (able.can_edit or able.can_delete):
        pytest.skip(f"what was said on {account.network} stands")
    for visibility in visibilities(speaking):
        _, post = await heard(speaking, unique("hello"), visibility=visibility)
        answer, better = unique("teh answer"), unique("the answer")
        reply = await deliver(speaking, reply_to(post, speaking, answer))

        for _ in range(2 if able.may_edit(visibility) else 0):  # repeated until it is proven
            outcome = await speaking.connector.edit(account, reply, better)
            assert outcome.certainty is Certainty.SENT
            assert len(await said(speaking, better)) == 1
        for _ in range(2 if able.may_delete(visibility) else 0):
            outcome = await speaking.connector.delete(account, reply)
            assert outcome.certainty is Certainty.SENT
            assert await said(speaking, answer) == await said(speaking, better) == []


def _cannot_be_asked(peer: Peer) -> bool:
    return peer.connector.capabilities(peer.account).read_back is ReadBack.IMPOSSIBLE


def _is_status_proof(peer: Peer) -> bool:
    """Whether any 2xx is proof, by the generic webhook's contract."""
    return peer.account.network == "webhook"

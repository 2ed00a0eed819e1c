"""What is particular to e-mail, on GreenMail."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace

import pytest
import pytest_asyncio

from connectors.email.connector import ASKED_FOR_MS, EmailConnector
from connectors.guard import STRICT
from conversations.capabilities import Delivery
from conversations.model import ReplyState
from conversations.networks import Account, NetworkTrouble, Trouble
from conversations.replies import Certainty, ReadBack
from tests.connectors.conftest import listened
from tests.connectors.delivering import (
    Reader,
    deliver,
    heard,
    now_ms,
    reply_to,
    said,
    unique,
    visibilities,
)
from tests.connectors.fault_proxy import Fault
from tests.connectors.loopback import loopback_client
from tests.connectors.peers import email as email_peer
from tests.connectors.peers.email import CARE, EmailPeer
from tests.peers.base import NotInstalled

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="served")
async def served_peer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmailPeer]:
    try:
        async with email_peer.peer(tmp_path_factory.mktemp("email")) as one:
            assert isinstance(one, EmailPeer)
            yield one
    except NotInstalled as reason:
        if os.environ.get("PARLEY_PEERS") == "required":
            raise
        pytest.skip(f"GreenMail is not installed: {reason}")


@pytest.fixture
def peer(served: EmailPeer) -> EmailPeer:
    served.proxy.planned.clear()
    served.proxy.every, served.proxy.refuses = None, b""
    return served


def with_settings(peer: EmailPeer, **settings: object) -> Account:
    return replace(peer.account, settings={**peer.account.settings, **settings})


async def test_what_arrives_is_told_at_once(peer: EmailPeer) -> None:
    async with aclosing(peer.connector.stream(listened(peer.account))) as pages:
        assert (await anext(pages)).posts == ()
        arriving = asyncio.ensure_future(anext(pages))
        await asyncio.sleep(0.3)
        words = unique("now!")
        await peer.customer_says(words)

        page = await asyncio.wait_for(arriving, 5)

    assert [words in post.text for post in page.posts] == [True]
    assert page.cursor is None


async def test_mails_come_as_they_arrive_unless_polls_are_wanted(peer: EmailPeer) -> None:
    assert peer.connector.delivery(peer.account) is Delivery.STREAM
    assert peer.connector.delivery(with_settings(peer, delivery="poll")) is Delivery.POLL


async def test_a_mailbox_that_was_made_anew_is_read_again_under_the_same_ids(
    peer: EmailPeer,
) -> None:
    reader = Reader(peer)
    one = await peer.customer_says(unique("hello"))
    await reader.until(one)
    assert reader.cursor is not None
    validity, rest = reader.cursor.split(" ", 1)

    again = Reader(peer, cursor=f"{int(validity) + 1} {rest}")
    foreign = Reader(peer, cursor="something else")

    assert one in {post.external_id for post in await again.until(one)}
    assert one in {post.external_id for post in await foreign.until(one)}


async def test_mails_from_before_the_channel_are_none_of_its_business(peer: EmailPeer) -> None:
    await peer.customer_says(unique("long ago"))
    channel = replace(listened(peer.account), since=now_ms() + 60_000)

    page = await peer.connector.fetch(channel)
    while page.goes_on:
        assert page.posts == []
        page = await peer.connector.fetch(replace(channel, cursor=page.cursor))

    assert page.posts == []
    new = await peer.customer_says(unique("just now"))
    later = await peer.connector.fetch(replace(channel, cursor=page.cursor, since=0))
    assert [post.external_id for post in later.posts] == [new]


async def test_one_bad_mail_spares_its_neighbours(peer: EmailPeer) -> None:
    reader = Reader(peer)
    first = await peer.customer_says(unique("before"))
    await peer.deliver(b"Subject: nobody\r\n\r\nI am nobody\r\n")
    await peer.deliver(b"From: a@b.example\r\nAuto-Submitted: auto-replied\r\n\r\naway\r\n")
    last = await peer.customer_says(unique("after"))

    page = await reader.page()

    assert {first, last} <= {post.external_id for post in page.posts}
    assert {"author_missing", "automatic_reply"} <= {piece.code for piece in page.unreadable}


async def test_large_mails_are_read_as_far_as_they_say_something(peer: EmailPeer) -> None:
    head = b"From: a@b.example\r\nMessage-ID: <large@b.example>\r\n\r\nhello\r\n"
    await peer.deliver(head + (b"x" * 70 + b"\r\n") * 45_000)

    (post,) = await Reader(peer).until("large@b.example")

    assert post.text.startswith("hello")
    assert "cut here" in post.text


async def test_an_answer_has_the_subject_and_goes_to_the_sent_folder(peer: EmailPeer) -> None:
    account = with_settings(peer, sent_folder="Gesendete Objekte & mehr é")
    _, post = await heard(peer, unique("hi"), visibility=visibilities(peer)[0])
    reply = reply_to(post, peer, unique("hello"))

    outcome = await peer.connector.publish(account, reply)

    assert outcome.certainty is Certainty.SENT
    folder = '"Gesendete Objekte &- mehr &AOk-"'
    copies = await asyncio.to_thread(peer.mailbox, CARE, "care-pw", folder)
    (copy,) = [one for one in copies if one["Message-ID"] == f"<{reply.id}@example.com>"]
    assert copy["Subject"] == "Re: My order"
    assert copy["In-Reply-To"] == f"<{post.external_id}>"


async def test_somebody_who_never_wrote_can_be_written_to(peer: EmailPeer) -> None:
    _, post = await heard(peer, unique("hi"), visibility=visibilities(peer)[0])
    answer = unique("good day")
    reply = replace(reply_to(post, peer, answer), in_reply_to=None, thread_root=None)

    assert (await deliver(peer, reply)).state is ReplyState.SENT
    assert len(await said(peer, answer)) == 1


@pytest.mark.parametrize(
    ("said_to_receiver", "certainty"),
    [
        (b"550 5.1.1 no such user\r\n", Certainty.REJECTED),
        (b"451 4.7.1 greylisted\r\n", Certainty.NOT_ACCEPTED),
        (b"421 4.3.2 busy\r\n", Certainty.NOT_ACCEPTED),
        (b"530 5.7.0 log in first\r\n", Certainty.NOT_ACCEPTED),
        (b"what?\r\n", Certainty.NOT_ACCEPTED),
    ],
)
async def test_what_is_refused_before_the_mail_is_surely_not_sent(
    peer: EmailPeer, said_to_receiver: bytes, certainty: Certainty
) -> None:
    _, post = await heard(peer, unique("hi"), visibility=visibilities(peer)[0])
    answer = unique("not to be had")
    peer.proxy.refuses = said_to_receiver

    outcome = await peer.connector.publish(peer.account, reply_to(post, peer, answer))

    assert outcome.certainty is certainty
    assert await said(peer, answer) == []


async def test_a_mail_is_sent_again_once_at_most(peer: EmailPeer) -> None:
    _, post = await heard(peer, unique("hi"), visibility=visibilities(peer)[0])
    reply = reply_to(post, peer, unique("gone"))
    peer.proxy.plan(Fault.RESET, Fault.RESET)

    settled = await deliver(peer, reply)

    assert settled.state is not ReplyState.SENT
    assert settled.attempts == 2
    later = (settled.attempt_until or now_ms()) + ASKED_FOR_MS + 1
    read_back = peer.connector.read_back(peer.account, settled, later)
    assert read_back is ReadBack.IMPOSSIBLE


async def test_without_proof_a_human_decides(peer: EmailPeer) -> None:
    account = with_settings(peer, journal_address="")
    _, post = await heard(peer, unique("hi"), visibility=visibilities(peer)[0])
    reply = reply_to(post, peer, unique("perhaps"))

    assert peer.connector.read_back(account, reply, now_ms()) is ReadBack.IMPOSSIBLE
    assert (await peer.connector.look_up(account, reply)).certainty is Certainty.MAYBE


async def test_a_server_that_files_what_it_sends_can_be_asked(peer: EmailPeer) -> None:
    settings = {"journal_address": "", "sent_folder": "INBOX", "keeps_sent": True}
    account = with_settings(peer, **settings)
    _, post = await heard(peer, unique("hi"), visibility=visibilities(peer)[0])
    reply = reply_to(post, peer, unique("there"))
    await deliver(peer, reply)

    found = await peer.connector.look_up(account, reply)
    other = await peer.connector.look_up(account, replace(reply, id=reply.id[:-1]))

    assert (found.certainty, found.external_id) == (Certainty.SENT, f"{reply.id}@example.com")
    assert other.certainty is Certainty.NOT_ACCEPTED
    assert other.visible_within_ms == 120_000


@pytest.mark.parametrize(
    "settings",
    [{"imap_host": ""}, {"imap_port": "x"}, {"imap_security": "no"}, {"address": "nobody"}],
)
async def test_settings_that_make_no_sense_are_named(
    peer: EmailPeer, settings: dict[str, object]
) -> None:
    account = with_settings(peer, **settings)
    _, post = await heard(peer, unique("hi"), visibility=visibilities(peer)[0])

    with pytest.raises(NetworkTrouble) as trouble:
        await peer.connector.fetch(listened(account))
    outcome = await peer.connector.publish(account, reply_to(post, peer, "x"))

    assert trouble.value.trouble is Trouble.UNAUTHORISED
    assert outcome.certainty is Certainty.NOT_ACCEPTED


async def test_nothing_inside_is_reached_that_nobody_allowed(peer: EmailPeer) -> None:
    _, post = await heard(peer, unique("hi"), visibility=visibilities(peer)[0])
    before = len(peer.proxy.calls)
    async with loopback_client() as client:
        strict = EmailConnector(client, STRICT)
        with pytest.raises(NetworkTrouble, match="PARLEY_INTERNAL_TARGETS"):
            await strict.fetch(listened(peer.account))
        reply = replace(reply_to(post, peer, "x"), in_reply_to=None)
        outcome = await strict.publish(peer.account, reply)

    assert outcome.certainty is Certainty.NOT_ACCEPTED
    assert len(peer.proxy.calls) == before

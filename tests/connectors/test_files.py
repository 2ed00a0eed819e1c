"""Files go with a reply once, whatever becomes of the calls, on every network that takes them."""

import base64
from dataclasses import replace

import pytest

from connectors.calls import new_client
from connectors.guard import STRICT
from connectors.registry import connectors
from conversations.attachments import Attachment
from conversations.model import ReplyState, Visibility
from conversations.networks import Account
from conversations.replies import Certainty, Reply
from tests.connectors.delivering import deliver, heard, reply_to, said, unique, visibilities
from tests.connectors.fault_proxy import Fault
from tests.connectors.opened import named, opened_peer
from tests.connectors.peer import Peer, ShownFile

__all__ = ["opened_peer"]

UPLOADING = ("bluesky", "bluesky_network", "mastodon", "matrix", "simulated", "x")
TAKING = (*UPLOADING, "email", "telegram", "webhook")
everywhere = pytest.mark.parametrize("opened", named(*TAKING), indirect=True, scope="module")

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
UPLOADS = {
    "bluesky": "/xrpc/com.atproto.repo.uploadBlob",
    "mastodon": "/api/v2/media",
    "matrix": "/_matrix/media/v3/upload",
    "simulated": "/api/media",
    "x": "/2/media/upload",
}
"""Where files go first, on the networks that want them before the post."""


@pytest.fixture
def peer(opened: Peer) -> Peer:
    opened.proxy.planned.clear()
    opened.proxy.every = None
    opened.proxy.hits = opened.is_publishing
    return opened


def taking(peer: Peer) -> list[Visibility]:
    """Return the visibilities in which files can go with a reply."""
    able = peer.connector.capabilities(peer.account)
    return [one for one in visibilities(peer) if able.attachments_of(one).most]


def picture(number: int = 1) -> Attachment:
    content = PICTURE + bytes([number])
    name, shows = f"picture {number}.png", f"what picture {number} shows"
    return Attachment(f"at_{number}", name, "image/png", len(content), shows, content)


async def asked(peer: Peer, visibility: Visibility, *files: Attachment) -> Reply:
    _, post = await heard(peer, unique("what does it look like?"), visibility=visibility)
    return replace(reply_to(post, peer, unique("like this")), attachments=files)


def shown(peer: Peer, visibility: Visibility, *files: Attachment) -> tuple[ShownFile, ...]:
    carries_words = peer.connector.capabilities(peer.account).attachments_of(visibility)
    described = carries_words.longest_alt_text > 0
    return tuple(
        ShownFile(one.media_type, one.content, one.alt_text if described else None) for one in files
    )


@everywhere
async def test_as_many_files_as_the_network_takes_are_there_with_the_words(peer: Peer) -> None:
    for visibility in taking(peer):
        most = peer.connector.capabilities(peer.account).attachments_of(visibility).most
        files = [picture(number) for number in range(most)]
        reply = await asked(peer, visibility, *files)

        sent = await deliver(peer, reply)

        (there,) = await said(peer, reply.text)
        assert (sent.state, sent.external_id) == (ReplyState.SENT, there.external_id)
        assert there.visibility is visibility
        assert there.files == shown(peer, visibility, *files)


@everywhere
@pytest.mark.parametrize("fault", [one for one in Fault if one.is_accepted])
async def test_what_was_accepted_with_a_file_is_not_said_twice(peer: Peer, fault: Fault) -> None:
    visibility = taking(peer)[0]
    reply = await asked(peer, visibility, picture())
    peer.proxy.plan(fault)

    sent = await deliver(peer, reply)

    (there,) = await said(peer, reply.text)
    assert there.files == shown(peer, visibility, picture())
    assert sent.state in (ReplyState.SENT, ReplyState.NEEDS_HUMAN)


@pytest.mark.parametrize(
    "fault", [Fault.RESET, Fault.ERROR_500, Fault.TOO_MANY_429, Fault.GARBAGE_200]
)
@pytest.mark.parametrize("opened", named(*UPLOADING), indirect=True, scope="module")
async def test_while_a_file_does_not_arrive_nothing_is_said(peer: Peer, fault: Fault) -> None:
    visibility = taking(peer)[0]
    reply = await asked(peer, visibility, picture())
    peer.proxy.hits = lambda _method, path: path == UPLOADS[peer.account.network]
    peer.proxy.plan(fault)

    outcome = await peer.connector.publish(peer.account, reply)

    assert not peer.proxy.planned
    assert outcome.certainty is Certainty.NOT_ACCEPTED
    assert await said(peer, reply.text) == []
    sent = await deliver(peer, reply)
    assert sent.state is ReplyState.SENT, sent.reason
    assert len(await said(peer, reply.text)) == 1


@everywhere
async def test_new_words_leave_the_files_where_they_are_or_are_refused(peer: Peer) -> None:
    for visibility in taking(peer):
        reply = await deliver(peer, await asked(peer, visibility, picture()))
        better = unique("rather like this")

        outcome = await peer.connector.edit(peer.account, reply, better)

        is_done = outcome.certainty is Certainty.SENT
        (there,) = await said(peer, better if is_done else reply.text)
        assert is_done or outcome.certainty is Certainty.REJECTED
        assert there.files == shown(peer, visibility, picture())


async def test_every_network_that_takes_files_is_here() -> None:
    client = new_client(STRICT)
    spoken = connectors(client, STRICT)
    able = {
        name
        for name, one in spoken.items()
        for visibility in Visibility
        if one.capabilities(Account("", name, {})).attachments_of(visibility).most
    }

    assert able == {*TAKING} - {"bluesky_network"}

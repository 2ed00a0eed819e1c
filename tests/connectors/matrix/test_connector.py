from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import pytest_asyncio

from connectors.matrix.calls import joined_id, split_id
from connectors.matrix.connector import MatrixConnector
from connectors.matrix.cursor import SyncCursor, cursor_from
from connectors.matrix.wire import Room, piece_of
from conversations.model import (
    Location,
    Media,
    Post,
    PostChange,
    PostChangeKind,
    Unreadable,
    Visibility,
)
from conversations.networks import Account, ListenedChannel, NetworkTrouble, Trouble
from conversations.replies import Certainty
from tests.connectors.delivering import Reader, heard, now_ms, reply_to, unique
from tests.connectors.peers.matrix import MatrixPeer, peer

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

ROOM, US, ANA = "!r:hs", "@care:hs", "@customer_1:hs"
PLACE = Room(ROOM, Visibility.PRIVATE, US, "https://hs", {ANA: {"displayname": "Customer One"}})
ACCOUNT = Account("ac-1", "matrix", {"url": "https://hs", "user_id": US}, {"access_token": "k"})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MatrixPeer]:
    async with peer(tmp_path_factory.mktemp("matrix")) as one:
        assert isinstance(one, MatrixPeer)
        yield one


def event(content: dict[str, Any], **more: Any) -> dict[str, Any]:
    base = {"type": "m.room.message", "event_id": "$1", "sender": ANA, "origin_server_ts": 5}
    return base | {"content": {"msgtype": "m.text", "body": "hi"} | content} | more


def post_of(content: dict[str, Any], **more: Any) -> Post:
    piece = piece_of(event(content, **more), PLACE)
    assert isinstance(piece, Post)
    return piece


def answering(status: int, body: dict[str, Any], **headers: str) -> MatrixConnector:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, json=body, headers=headers)

    return MatrixConnector(httpx.AsyncClient(transport=httpx.MockTransport(answer)))


async def test_a_message_is_a_post_by_its_sender() -> None:
    post = post_of({})

    assert (post.external_id, post.text, post.created_at) == ("!r:hs:$1", "hi", 5)
    assert (post.author.handle, post.author.name) == (ANA, "Customer One")
    assert (post.visibility, post.mentions, post.is_own) == (Visibility.PRIVATE, (US,), False)


async def test_what_a_reply_repeats_is_left_out_and_threads_are_known() -> None:
    quoting = {"body": f"> <{US}> we\n> both\n\nthanks", "m.relates_to": _answers("$0")}
    threaded = {"m.relates_to": {"rel_type": "m.thread", "event_id": "$r"} | _answers("$0")}
    falling_back = {"m.relates_to": threaded["m.relates_to"] | {"is_falling_back": True}}

    assert (post_of(quoting).text, post_of(quoting).in_reply_to) == ("thanks", "!r:hs:$0")
    assert post_of({"body": "> quoted by hand"}).text == "> quoted by hand"
    assert (post_of(threaded).in_reply_to, post_of(threaded).thread_root) == (
        "!r:hs:$0",
        "!r:hs:$r",
    )
    assert post_of(falling_back).in_reply_to == "!r:hs:$r"


async def test_media_emotes_and_places_are_understood() -> None:
    picture = {"msgtype": "m.image", "body": "a.png", "url": "mxc://hs/abc"}
    place = {"msgtype": "m.location", "body": "here", "geo_uri": "geo:52.5,13.4;u=30"}

    seen = post_of(picture | {"info": {"mimetype": "image/png"}})

    link = "https://hs/_matrix/client/v1/media/download/hs/abc"
    assert (seen.text, seen.media) == ("", (Media("image", link, "a.png", "image/png"),))
    assert post_of(picture | {"filename": "b.png", "body": "look"}).text == "look"
    assert post_of(picture | {"url": "https://evil/x"}).media == ()
    assert post_of({"msgtype": "m.emote", "body": "waves"}).text == "* Customer One waves"
    assert post_of(place).location == Location(lat=52.5, lon=13.4)


async def test_edits_and_redactions_are_changes() -> None:
    news = {"m.new_content": {"body": "new"}, "m.relates_to": _edits("$0")}

    edit = piece_of(event(news), PLACE)
    gone = piece_of(event({}, type="m.room.redaction", redacts="$0"), PLACE)
    also_gone = piece_of(event({"redacts": "$0"}, type="m.room.redaction"), PLACE)

    assert edit == PostChange("!r:hs:$0", PostChangeKind.EDITED, 5, "new")
    assert gone == also_gone == PostChange("!r:hs:$0", PostChangeKind.DELETED, 5)
    assert piece_of(event({}, unsigned={"redacted_because": {}}), PLACE) is None
    assert piece_of(event({}, type="m.typing"), PLACE) is None


@pytest.mark.parametrize(
    ("odd", "code"),
    [
        (event({}, type="m.room.encrypted"), "encrypted"),
        (event({"body": None}), "text_missing"),
        (event({"body": "a\0"}), "text_unreadable"),
        (event({"body": "x" * 100_001}), "text_too_long"),
        (event({}, origin_server_ts="1970"), "created_at_unreadable"),
        (event({}, origin_server_ts=10**18), "created_at_unreadable"),
        (event({}, sender=None), "sender_missing"),
        (event({}, event_id=None), "event_id_missing"),
        (event({"m.relates_to": {"rel_type": "m.replace"}}), "edited_event_missing"),
    ],
)
async def test_what_cannot_be_understood_is_quarantined(odd: dict[str, Any], code: str) -> None:
    piece = piece_of(odd, PLACE)

    assert isinstance(piece, Unreadable)
    assert piece.code == code


async def test_a_foreign_cursor_begins_anew_and_an_id_is_split_at_its_event() -> None:
    cursor = SyncCursor("s1", {ROOM: "$1"}, (ROOM,), ("!x:hs",))

    assert cursor_from(cursor.text) == cursor
    for foreign in (None, "", "[]", "{}", '{"since": 3}', "[" * 100_000):
        assert cursor_from(foreign) == SyncCursor()
    assert split_id(joined_id(ROOM, "$1:old.hs")) == (ROOM, "$1:old.hs")
    assert split_id("12") is split_id(None) is None


@pytest.mark.parametrize(
    ("status", "code", "certainty", "pause_s"),
    [
        (429, "M_LIMIT_EXCEEDED", Certainty.NOT_ACCEPTED, 2.5),
        (401, "M_UNKNOWN_TOKEN", Certainty.NOT_ACCEPTED, 30.0),
        (403, "M_FORBIDDEN", Certainty.REJECTED, None),
        (413, "M_TOO_LARGE", Certainty.REJECTED, None),
        (502, "M_UNKNOWN", Certainty.MAYBE, None),
    ],
)
async def test_what_a_refusal_proves(
    status: int, code: str, certainty: Certainty, pause_s: float | None
) -> None:
    connector = answering(status, {"errcode": code, "retry_after_ms": 2_500})
    public = Post("!r:hs:$1", post_of({}).author, "hi", 0)
    reply = reply_to(public, _of(connector), "hello")

    outcome = await connector.publish(ACCOUNT, reply)

    assert (outcome.certainty, outcome.retry_after_s) == (certainty, pause_s)


async def test_a_poll_waits_when_it_is_told_and_names_a_lost_token() -> None:
    channel = ListenedChannel(ACCOUNT, 1_000, 10, None, id="ch-1")
    limited = answering(429, {"errcode": "M_LIMIT_EXCEEDED"}, **{"retry-after": "4"})

    page = await limited.fetch(channel)
    with pytest.raises(NetworkTrouble) as trouble:
        await answering(403, {"errcode": "M_USER_DEACTIVATED"}).fetch(channel)

    assert (page.retry_after_s, page.cursor) == (4.0, None)
    assert trouble.value.trouble is Trouble.UNAUTHORISED


async def test_a_private_reply_is_not_said_in_public(server: MatrixPeer) -> None:
    _, post = await heard(server, unique("in public"), visibility=Visibility.PUBLIC)
    answer = unique("your address is")
    reply = reply_to(post, server, answer)

    private = Post(post.external_id, post.author, "", now_ms(), Visibility.PRIVATE)
    outcome = await server.connector.publish(server.account, reply_to(private, server, answer))

    assert outcome.certainty is Certainty.REJECTED
    assert reply.visibility is Visibility.PUBLIC
    assert not [one for one in await server.published() if answer in one.text]


async def test_a_gap_is_filled(server: MatrixPeer) -> None:
    reader, post = await heard(server, unique("before"), visibility=Visibility.PRIVATE)
    private = Visibility.PRIVATE
    ids = [await server.customer_says(unique("gap"), visibility=private) for _ in range(130)]

    came = await reader.until(*ids)

    assert [one.external_id for one in came] == ids
    assert post.author.name == "customer_1"


async def test_a_stream_brings_what_happens_and_only_authors_edit(server: MatrixPeer) -> None:
    reader, post = await heard(server, unique("old"), visibility=Visibility.PUBLIC)
    room, first = split_id(post.external_id) or ("", "")
    channel = ListenedChannel(server.account, 1_000, 10, reader.cursor, id="ch-2")
    async with aclosing(server.connector.stream(channel)) as pages:
        await anext(pages)
        edit = {"msgtype": "m.text", "body": "* new", "m.new_content": {"body": "new"}}
        await server.customer.sends(room, edit | {"m.relates_to": _edits(first)})
        changed = await anext(pages)
    await server.brand.sends(room, edit | {"m.relates_to": _edits(first)})
    # Synapse repeats its answer to the stream's first question, which was the same.
    pages_of_poll = [await reader.page(), await reader.page()]
    await server.customer.calls("PUT", f"/rooms/{quote(room)}/redact/{quote(first)}/t1", json={})
    last = await reader.page()

    (change,) = changed.changes
    assert (change.external_id, change.text) == (post.external_id, "new")
    assert [one.code for page in pages_of_poll for one in page.unreadable] == ["foreign_edit"]
    assert [one.kind for page in pages_of_poll for one in page.changes] == [PostChangeKind.EDITED]
    assert [one.kind for one in last.changes] == [PostChangeKind.DELETED]


async def test_an_invitation_to_a_group_is_left_alone(server: MatrixPeer) -> None:
    room = await server.customer.opens(invite=[server.brand.id], preset="private_chat")

    await Reader(server).page()

    assert room not in (await server.brand.calls("GET", "/joined_rooms"))["joined_rooms"]


def _answers(event_id: str) -> dict[str, Any]:
    return {"m.in_reply_to": {"event_id": event_id}}


def _edits(event_id: str) -> dict[str, Any]:
    return {"rel_type": "m.replace", "event_id": event_id}


def _of(connector: MatrixConnector) -> MatrixPeer:
    return MatrixPeer(connector, ACCOUNT, None, None, None, {})  # type: ignore[arg-type]

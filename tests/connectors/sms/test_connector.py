import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.sms.connector import SmsConnector
from connectors.sms.reached import MOST_SEEN, OVERLAP_MS, Reached, reached_from
from connectors.sms.signature import signature
from conversations.model import Author, Media, Post, Visibility
from conversations.networks import (
    Account,
    BadSignature,
    Delivered,
    DeliveryRequest,
    ListenedChannel,
    NetworkTrouble,
    Trouble,
)
from conversations.replies import Certainty, Reply
from tests.connectors.delivering import now_ms, reply_to
from tests.connectors.peers.sms import ANA, CARE, SID, TOKEN, SmsPeer, peer
from tests.fakes.served import served

URL = "https://care.example/api/v1/channels/ch-1/deliveries"
ACCOUNT = Account("ac-1", "sms", {"account_sid": SID, "number": CARE}, {"auth_token": TOKEN})
FORM = {"MessageSid": "SM1", "From": ANA, "To": CARE, "Body": "Grüße & +1", "NumMedia": "0"}
AT = "Fri, 13 Aug 2027 01:16:24 +0000"
AT_MS = 1_818_119_784_000


def answering(answer: Callable[[httpx.Request], httpx.Response]) -> SmsConnector:
    return SmsConnector(httpx.AsyncClient(transport=httpx.MockTransport(answer)))


def listing(*messages: object) -> SmsConnector:
    """Return a connector to a network that has these messages, the newest first."""
    return answering(lambda _: httpx.Response(200, json={"messages": list(messages)}))


def message(sid: str, **more: object) -> dict[str, object]:
    return {"sid": sid, "from": ANA, "to": CARE, "body": "hi", "date_created": AT} | more


def call(form: dict[str, str], url: str = URL, **headers: str) -> DeliveryRequest:
    signed = {"x-twilio-signature": signature(TOKEN, url, form)} | headers
    return DeliveryRequest("POST", URL, signed, urlencode(form).encode())


def received(form: dict[str, str], account: Account = ACCOUNT) -> Delivered:
    return listing().receive(account, call(form))


def channel(cursor: str | None = None, limit: int = 10, since: int = 0) -> ListenedChannel:
    return ListenedChannel(ACCOUNT, 5_000, limit, cursor, id="ch-1", since=since)


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[SmsPeer]:
    async with peer(tmp_path) as one:
        assert isinstance(one, SmsPeer)
        yield one


def test_the_signature_is_the_one_of_the_published_example() -> None:
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675310",
        "Digits": "1234",
        "From": "+14158675310",
        "To": "+18005551212",
    }

    signed = signature("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", form)

    assert signed == "GvWf1cFY/Q7PnoempGyD5oXAezc="


def test_a_message_is_a_private_post_with_an_empty_answer() -> None:
    delivered = received(FORM | {"FromCity": "BERLIN", "FromCountry": "DE"})

    (post,) = delivered.pages[CARE].posts
    assert (post.external_id, post.text, post.author) == ("SM1", "Grüße & +1", Author(ANA, ANA))
    assert post.visibility is Visibility.PRIVATE
    assert abs(post.created_at - now_ms()) < 5_000
    assert post.location is not None
    assert (post.location.place, post.location.country) == ("BERLIN", "DE")
    assert delivered.answer is not None
    assert delivered.answer.media_type == "text/xml"
    assert delivered.answer.body.endswith("<Response/>")


def test_what_was_sent_along_comes_with_its_type() -> None:
    media = {"MediaUrl0": "https://api.twilio.com/ME1", "MediaContentType0": "image/png"}
    odd = {"MediaUrl1": "javascript:alert(1)", "MediaUrl2": "https://api.twilio.com/ME2"}

    (post,) = received(FORM | {"Body": "", "NumMedia": "3"} | media | odd).pages[CARE].posts

    assert post.media == (
        Media("image", "https://api.twilio.com/ME1", mime_type="image/png"),
        Media("file", "https://api.twilio.com/ME2"),
    )


@pytest.mark.parametrize("url", [URL, URL.replace(".example", ".example:443")])
def test_the_address_may_be_signed_with_its_port(url: str) -> None:
    assert listing().receive(ACCOUNT, call(FORM, url)).pages[CARE].posts


@pytest.mark.parametrize(
    "request_",
    [
        replace(call(FORM), body=urlencode(FORM | {"Body": "other"}).encode()),
        replace(call(FORM), url=URL + "?x=1"),
        replace(call(FORM), headers={}),
        replace(call(FORM), headers={"x-twilio-signature": "żółw"}),
        replace(call(FORM), body=b"\xff\xfe"),
        replace(call(FORM), body=urlencode([*FORM.items(), ("Body", "twice")]).encode()),
        replace(call(FORM), body=b"a=1&" * 300),
    ],
)
def test_what_twilio_did_not_sign_is_refused(request_: DeliveryRequest) -> None:
    with pytest.raises(BadSignature):
        listing().receive(ACCOUNT, request_)


def test_nothing_is_signed_without_a_token() -> None:
    with pytest.raises(BadSignature):
        received(FORM, replace(ACCOUNT, credentials={}))


def test_a_signed_call_that_is_no_message_is_quarantined() -> None:
    delivered = received({"To": CARE, "Body": "\0"})

    (piece,) = delivered.pages[CARE].unreadable
    assert piece.code == "text_unreadable"


@pytest.mark.parametrize(("status", "shown"), [("delivered", 0), ("sent", 0), ("undelivered", 1)])
def test_what_did_not_arrive_is_shown_in_quarantine(status: str, shown: int) -> None:
    form = {"MessageSid": "SM9", "MessageStatus": status, "From": CARE, "To": ANA}

    page = received(form | {"ErrorCode": "30005"}).pages[CARE]

    assert (len(page.posts), len(page.unreadable)) == (0, shown)
    for piece in page.unreadable:
        assert (piece.code, piece.external_id) == ("undelivered", "SM9")
        assert "the number is not known to its network" in piece.detail


async def test_a_list_is_read_oldest_first_and_odd_neighbours_are_quarantined() -> None:
    connector = listing(
        message("SM4"),
        message("SM3", date_created="yesterday"),
        message("SM2", body=None, **{"from": None}),
        "no message",
        message("SM1", date_created="Thu, 12 Aug 2027 01:16:24 +0000"),
    )

    page = await connector.fetch(channel())

    assert [post.external_id for post in page.posts] == ["SM1", "SM4"]
    codes = [(piece.code, piece.external_id) for piece in page.unreadable]
    assert ("from_missing", "SM2") in codes
    assert ("created_at_unreadable", "SM3") in codes
    assert len(codes) == 3
    again = await connector.fetch(channel(page.cursor))
    assert (list(again.posts), list(again.unreadable)) == ([], [])


async def test_what_is_older_than_the_channel_is_left_out() -> None:
    connector = listing(
        message("SM2"), message("SM1", date_created="Thu, 12 Aug 2027 01:16:24 GMT")
    )

    first = await connector.fetch(channel(since=AT_MS + 500))
    second = await connector.fetch(channel(first.cursor, since=AT_MS + 500))

    assert [post.external_id for post in first.posts] == ["SM2"]
    assert list(second.posts) == []


async def test_a_backlog_is_listed_once_and_again_by_who_does_not_know_it() -> None:
    calls = []

    def answer(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        messages = [message(f"SM{number}" + "0" * 12 + str(number)) for number in (3, 2, 1)]
        return httpx.Response(200, json={"messages": messages})

    first = await (connector := answering(answer)).fetch(channel(limit=1))
    second = await connector.fetch(channel(first.cursor, limit=1))
    other = await answering(answer).fetch(channel(first.cursor, limit=1))

    assert len(calls) == 2
    assert first.goes_on
    assert [p.text for p in (*first.posts, *second.posts)] == ["hi", "hi"]
    assert [p.external_id for p in second.posts] == [p.external_id for p in other.posts]


async def test_media_of_a_listed_message_are_asked_for() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("Media.json"):
            medium = {"content_type": "video/mp4", "uri": "/2010-04-01/Accounts/A/Media/ME1.json"}
            return httpx.Response(200, json={"media_list": [medium, None, {"uri": 3}]})
        return httpx.Response(200, json={"messages": [message("MM1", num_media="1")]})

    (post,) = (await answering(answer).fetch(channel())).posts

    url = "https://api.twilio.com/2010-04-01/Accounts/A/Media/ME1"
    assert post.media == (Media("video", url, mime_type="video/mp4"),)


async def test_no_page_is_asked_of_another_host() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "api.twilio.com"
        page = {"messages": [message("SM1")], "next_page_uri": "//evil.example/2"}
        return httpx.Response(200, json=page)

    assert len((await answering(answer).fetch(channel())).posts) == 1


@pytest.mark.parametrize(
    ("status", "code", "trouble"),
    [
        (401, 20003, Trouble.UNAUTHORISED),
        (403, 20003, Trouble.UNAUTHORISED),
        (404, 20404, Trouble.UNAUTHORISED),
        (500, 0, Trouble.DOWN),
    ],
)
async def test_a_list_that_is_refused_is_trouble(status: int, code: int, trouble: Trouble) -> None:
    connector = answering(lambda _: httpx.Response(status, json={"code": code}))

    with pytest.raises(NetworkTrouble) as raised:
        await connector.fetch(channel())

    assert raised.value.trouble is trouble


async def test_too_many_polls_move_no_cursor() -> None:
    answer = httpx.Response(429, json={"code": 20429}, headers={"retry-after": "7"})

    page = await answering(lambda _: answer).fetch(channel("kept"))

    assert (page.retry_after_s, page.cursor) == (7.0, None)


async def test_an_account_without_access_is_named() -> None:
    with pytest.raises(NetworkTrouble) as raised:
        await listing().fetch(replace(channel(), account=Account("ac-1", "sms", {})))

    assert raised.value.trouble is Trouble.UNAUTHORISED


@pytest.mark.parametrize(
    ("status", "body", "certainty", "words"),
    [
        (201, {"sid": "SM1", "status": "queued"}, Certainty.SENT, ""),
        (201, {"sid": "SM1", "status": "failed", "error_code": 30006}, Certainty.REJECTED, "30006"),
        (201, {"sid": 7}, Certainty.MAYBE, "201"),
        (400, {"code": 21610}, Certainty.REJECTED, "opted out (STOP)"),
        (400, {"code": 21211}, Certainty.REJECTED, "no number"),
        (400, {"code": 99999, "message": "odd"}, Certainty.REJECTED, "odd"),
        (400, {"code": 21611}, Certainty.NOT_ACCEPTED, "21611"),
        (401, {"code": 20003}, Certainty.NOT_ACCEPTED, "20003"),
        (429, {"code": 20429}, Certainty.NOT_ACCEPTED, "20429"),
        (500, {}, Certainty.MAYBE, "500"),
    ],
)
async def test_what_an_answer_proves(
    status: int, body: dict[str, object], certainty: Certainty, words: str
) -> None:
    connector = answering(lambda _: httpx.Response(status, json=body))
    post = Post("SM0", Author(ANA, ANA), "hi", 0, Visibility.PRIVATE)
    reply = reply_to(post, _of(connector), "hello")

    outcome = await connector.publish(ACCOUNT, reply)

    assert outcome.certainty is certainty
    assert words in (outcome.reason or "")
    assert TOKEN not in (outcome.reason or "")


async def test_only_equal_words_since_the_attempt_are_the_reply() -> None:
    post = Post("SM0", Author(ANA, ANA), "hi", 0, Visibility.PRIVATE)
    reply = replace(reply_to(post, _of(listing()), "hello"), tried_since=AT_MS)
    out = {"to": ANA, "from": CARE, "body": "hello", "direction": "outbound-api"}
    old = "Thu, 12 Aug 2027 01:16:24 +0000"
    trial = "Sent from your Twilio trial account - hello"

    there = await listing(message("SM1", **out)).look_up(ACCOUNT, reply)
    on_trial = await listing(message("SM2", **out | {"body": trial})).look_up(ACCOUNT, reply)
    absent = await listing(
        message("SM3", **out | {"body": "hello!"}),
        message("SM4", **out | {"direction": "inbound"}),
        message("SM5", **out | {"date_created": old}),
    ).look_up(ACCOUNT, reply)

    assert (there.certainty, there.external_id) == (Certainty.SENT, "SM1")
    assert (on_trial.certainty, on_trial.external_id) == (Certainty.SENT, "SM2")
    assert (absent.certainty, absent.visible_within_ms) == (Certainty.NOT_ACCEPTED, 5_000)


def test_a_cursor_remembers_a_minute_and_a_foreign_one_begins_anew() -> None:
    reached = Reached().past({"SM1": 1_000, "SM2": 1_000 + OVERLAP_MS + 1})
    full = Reached().past({f"SM{number:014}": number for number in range(MOST_SEEN + 5)})

    assert reached_from(reached.text) == reached
    assert (reached.knows("SM1"), reached.knows("SM2")) == (False, True)
    assert (len(full.seen), full.looked_at_from) == (MOST_SEEN, 5)
    for foreign in ("", "x", "[]", json.dumps({"at": "1"}), "[" * 100_000):
        assert reached_from(foreign) == Reached()


async def test_the_server_s_own_calls_are_read(server: SmsPeer) -> None:
    """Sent to the emulator, listed over several of its pages, each whole and once."""
    texts = [f"number {number}" for number in range(60)]
    for text in texts:
        await server.customer_says(text)
        await server.connector.publish(
            server.account, replace(_reply(server), text=f"re {text}", to_external_id=ANA)
        )

    page = await server.connector.fetch(replace(channel(limit=100), account=server.account))

    assert [post.text for post in page.posts] == texts


async def test_the_server_s_webhook_is_signed_as_is_expected(tmp_path: Path) -> None:
    calls: list[DeliveryRequest] = []

    async def take(request: Request) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        calls.append(DeliveryRequest("POST", str(request.url), headers, await request.body()))
        return Response("<Response/>", media_type="text/xml")

    with served(Starlette(routes=[Route("/sms", take, methods=["POST"])])) as url:
        async with peer(tmp_path, f"{url}/sms") as one:
            sid = await one.customer_says("Grüße & +1 = 2")
            (call,) = calls
            (post,) = one.connector.receive(one.account, call).pages[CARE].posts

    assert (post.external_id, post.text) == (sid, "Grüße & +1 = 2")


def _reply(server: SmsPeer) -> Reply:
    return reply_to(Post("SM0", Author(ANA, ANA), "", 0, Visibility.PRIVATE), server, "x")


def _of(connector: SmsConnector) -> SmsPeer:
    return SmsPeer(connector, ACCOUNT, None, None)  # type: ignore[arg-type]

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest
import pytest_asyncio

from connectors.slack.connector import SlackConnector
from connectors.slack.reading import Reached, reached_from
from connectors.slack.signature import signature
from connectors.slack.wire import Chat, plain, split_id
from conversations.model import Author, Media, Post, PostChange, PostChangeKind, Visibility
from conversations.networks import (
    Account,
    BadSignature,
    DeliveryRequest,
    ListenedChannel,
    NetworkTrouble,
    Page,
    Trouble,
)
from conversations.replies import Certainty, Reply
from tests.connectors.delivering import now_ms, reply_to
from tests.connectors.loopback import loopback_client
from tests.connectors.peers.slack import SlackPeer
from tests.fakes.served import served
from tests.fakes.slack import (
    CUSTOMER,
    DIRECT,
    SECRET,
    SUPPORT,
    TEAM,
    TOKEN,
    US,
    FakeSlack,
    pushed,
    signed,
)

NOW_S = int(time.time())


def ts(number: int) -> str:
    return f"{NOW_S - 100 + number}.000100"


@pytest.fixture
def fake() -> FakeSlack:
    return FakeSlack()


@pytest_asyncio.fixture
async def slack(fake: FakeSlack) -> AsyncIterator[SlackPeer]:
    with served(fake.app) as url:
        settings = {"url": url, "bot_user_id": US}
        account = Account("ac-1", "slack", settings, {"bot_token": TOKEN, "signing_secret": SECRET})
        async with loopback_client() as client:
            yield SlackPeer(SlackConnector(client), account, None, client, {})  # type: ignore[arg-type]


def channel(slack: SlackPeer, cursor: str | None = None, limit: int = 100) -> ListenedChannel:
    return ListenedChannel(slack.account, 1_000, limit, cursor, id="ch-1")


def brought(slack: SlackPeer, event: dict[str, object]) -> Page:
    return slack.connector.receive(slack.account, pushed(event)).pages[None]


def message(**more: object) -> dict[str, object]:
    base = {"type": "message", "channel": SUPPORT, "channel_type": "channel", "user": CUSTOMER}
    return base | {"text": "hi", "ts": ts(1)} | more


def answer(slack: SlackPeer, post_id: str, text: str, visibility: Visibility) -> Reply:
    post = Post(post_id, Author(CUSTOMER), "hi", now_ms(), visibility)
    return reply_to(post, slack, text)


def test_the_signature_is_the_one_of_the_published_example() -> None:
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
        b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
        b"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
        b"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )

    told = signature(SECRET, 1531420618, body)

    assert told == "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"


def test_a_challenge_is_answered_when_it_is_signed(slack: SlackPeer) -> None:
    asked = {"type": "url_verification", "challenge": "3eZbrw1aB"}

    delivered = slack.connector.receive(slack.account, signed(asked))

    assert delivered.pages == {}
    assert delivered.answer is not None
    assert delivered.answer.body == "3eZbrw1aB"
    with pytest.raises(BadSignature):
        slack.connector.receive(slack.account, signed(asked, "other"))


UNSIGNED: dict[str, Callable[[], DeliveryRequest]] = {
    "another secret": lambda: pushed(message(), secret="other"),
    "too old": lambda: pushed(message(), age_s=301),
    "of the future": lambda: pushed(message(), age_s=-400),
    "another body": lambda: replace(pushed(message()), body=b"{}"),
    "nothing": lambda: replace(pushed(message()), headers={}),
    "no time": lambda: replace(pushed(message()), headers={"x-slack-request-timestamp": "ten"}),
}
"""Made when the test runs: what is signed while tests are collected grows old before it is read."""


@pytest.mark.parametrize("what", UNSIGNED)
def test_what_slack_did_not_sign_just_now_is_refused(slack: SlackPeer, what: str) -> None:
    with pytest.raises(BadSignature):
        slack.connector.receive(slack.account, UNSIGNED[what]())


def test_an_event_is_a_post_of_its_workspace(slack: SlackPeer) -> None:
    file = {"url_private": "https://files.slack.com/a.png", "mimetype": "image/png", "title": "a"}
    event = message(thread_ts=ts(0), files=[file, None], user_profile={"display_name": "Ann O."})
    slack.account.settings["team_id"] = TEAM

    delivered = slack.connector.receive(slack.account, pushed(event))

    (post,) = delivered.pages[TEAM].posts
    assert post.external_id == f"{SUPPORT}:{ts(1)}"
    assert post.in_reply_to == post.thread_root == f"{SUPPORT}:{ts(0)}"
    assert (post.author.name, post.visibility) == ("Ann O.", Visibility.PUBLIC)
    assert post.created_at == (NOW_S - 99) * 1_000
    assert post.media == (Media("image", "https://files.slack.com/a.png", "a", "image/png"),)


def test_edits_and_deletions_are_changes_and_joins_are_nothing(slack: SlackPeer) -> None:
    new, old = {"ts": ts(1), "text": "new &amp; better"}, {"ts": ts(1), "text": "old"}
    changed = message(subtype="message_changed", message=new, previous_message=old, ts=ts(2))
    unfolded = message(subtype="message_changed", message=old, previous_message=old, ts=ts(2))
    gone = message(subtype="message_deleted", deleted_ts=ts(1), ts=ts(3))

    (edit,) = brought(slack, changed).changes
    (deletion,) = brought(slack, gone).changes

    at = (NOW_S - 98) * 1_000
    place = f"{SUPPORT}:{ts(1)}"
    assert edit == PostChange(place, PostChangeKind.EDITED, at, "new & better")
    assert deletion == PostChange(place, PostChangeKind.DELETED, at + 1_000)
    assert brought(slack, unfolded) == Page(posts=[], unreadable=[], changes=[])
    assert brought(slack, message(subtype="channel_join")).posts == []
    assert brought(slack, {"type": "reaction_added"}) == Page()


@pytest.mark.parametrize(
    ("odd", "code"),
    [
        ({"ts": "soon"}, "ts_unreadable"),
        ({"ts": "9" * 40 + ".000001"}, "ts_unreadable"),
        ({"user": None}, "user_missing"),
        ({"text": 7}, "text_missing"),
        ({"text": "a\0"}, "text_unreadable"),
        ({"text": "x" * 100_001}, "text_too_long"),
    ],
)
def test_what_cannot_be_understood_is_quarantined(
    slack: SlackPeer, odd: dict[str, object], code: str
) -> None:
    (piece,) = brought(slack, message(**odd)).unreadable

    assert piece.code == code


def test_marks_become_plain_words() -> None:
    text = (
        "<@U1> see <https://a.example/?x=1&amp;y|the page> &lt;now&gt; in <#C1|shop> <!here> <@U2>"
    )

    told = plain(text, {"U1": "Ann"})

    assert told == "@Ann see the page (https://a.example/?x=1&y) <now> in #shop @here @U2"


async def test_channels_and_threads_are_read_oldest_first(
    fake: FakeSlack, slack: SlackPeer
) -> None:
    for number in range(5):
        fake.says(f"root {number}", ts(number * 10))
    fake.says("answer", ts(45), thread_ts=ts(0))
    fake.says("in private", ts(46), DIRECT)
    fake.says("elsewhere", ts(47), "C0OTHER")

    first = await slack.connector.fetch(channel(slack, limit=3))
    second = await slack.connector.fetch(channel(slack, first.cursor))
    fake.says("later", ts(60), thread_ts=ts(0))
    third = await slack.connector.fetch(channel(slack, second.cursor))
    anew = await SlackConnector(slack.server).fetch(channel(slack, first.cursor))

    texts = [post.text for post in (*first.posts, *second.posts)]
    assert texts == [*(f"root {n}" for n in range(5)), "answer", "in private"]
    assert first.goes_on
    assert first.posts[0].author.name == "Customer One"
    assert [post.text for post in third.posts] == ["later"]
    assert [post.text for post in anew.posts] == [*texts[3:], "later"]
    assert second.posts[-1].visibility is Visibility.PRIVATE


async def test_a_wrong_token_and_a_limit_are_told_apart(fake: FakeSlack, slack: SlackPeer) -> None:
    fake.refusals.append("429")
    limited = await slack.connector.fetch(channel(slack))
    stranger = replace(slack.account, credentials={"bot_token": "xoxb-other"})

    with pytest.raises(NetworkTrouble) as trouble:
        await SlackConnector(slack.server).fetch(replace(channel(slack), account=stranger))

    assert (limited.retry_after_s, limited.cursor) == (3.0, None)
    assert trouble.value.trouble is Trouble.UNAUTHORISED
    assert "xoxb" not in str(trouble.value)


@pytest.mark.parametrize(
    ("error", "certainty", "words"),
    [
        ("429", Certainty.NOT_ACCEPTED, "429"),
        ("token_revoked", Certainty.NOT_ACCEPTED, "token_revoked"),
        ("channel_not_found", Certainty.REJECTED, "not there"),
        ("msg_too_long", Certainty.REJECTED, "40,000"),
        ("a_new_error", Certainty.REJECTED, "a_new_error"),
        ("internal_error", Certainty.MAYBE, "internal_error"),
    ],
)
async def test_what_a_refusal_proves(
    fake: FakeSlack, slack: SlackPeer, error: str, certainty: Certainty, words: str
) -> None:
    fake.refusals.append(error)
    reply = answer(slack, f"{SUPPORT}:{ts(1)}", "hello", Visibility.PUBLIC)

    outcome = await slack.connector.publish(slack.account, reply)

    assert outcome.certainty is certainty
    assert words in (outcome.reason or "")


async def test_a_reply_is_found_by_its_key_not_by_equal_words(
    fake: FakeSlack, slack: SlackPeer
) -> None:
    fake.says("hi", ts(1))
    first = answer(slack, f"{SUPPORT}:{ts(1)}", "a < b & c", Visibility.PUBLIC)
    second = replace(first, id="re_2")

    sent = await slack.connector.publish(slack.account, first)
    found = await slack.connector.look_up(slack.account, first)
    absent = await slack.connector.look_up(slack.account, second)
    page = await slack.connector.fetch(channel(slack))

    assert fake.messages[-1]["text"] == "a &lt; b &amp; c"
    assert fake.messages[-1]["thread_ts"] == ts(1)
    assert (sent.certainty, found.external_id) == (Certainty.SENT, sent.external_id)
    assert (absent.certainty, absent.visible_within_ms) == (Certainty.NOT_ACCEPTED, 2_000)
    echo = page.posts[-1]
    assert (echo.is_own, echo.own_reply_id, echo.text) == (True, first.id, "a < b & c")


async def test_a_private_reply_to_a_public_message_goes_to_a_direct_one(
    fake: FakeSlack, slack: SlackPeer
) -> None:
    reply = answer(slack, f"{SUPPORT}:{ts(1)}", "your address", Visibility.PRIVATE)

    outcome = await slack.connector.publish(slack.account, reply)

    assert (outcome.external_id or "").startswith(DIRECT)
    assert "thread_ts" not in fake.messages[-1]
    assert (await slack.connector.look_up(slack.account, reply)).certainty is Certainty.SENT


def test_a_foreign_cursor_begins_anew_and_an_id_is_split() -> None:
    reached = Reached({SUPPORT: ts(1), f"{SUPPORT}:{ts(0)}": ts(2)})

    assert reached_from(reached.text) == reached
    for foreign in (None, "", "[]", "x", "[" * 100_000, '{"places": {"C1": 3}}'):
        assert reached_from(foreign) == Reached()
    assert split_id(f"{SUPPORT}:{ts(1)}") == (SUPPORT, ts(1))
    assert split_id("1") is split_id(None) is None
    assert Chat("C", Visibility.PUBLIC, US, {}).names == {}

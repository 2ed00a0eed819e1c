"""The connector against the simulated network's own server: reading, and saying it once."""

import json
from dataclasses import replace
from typing import Any

import pytest

from connectors.simulated import SimulatedConnector
from conversations.model import ReplyState, Unreadable, Visibility
from conversations.networks import Account, NetworkTrouble
from conversations.replies import Certainty, ReadBack, Reply
from tests.simulated_network.network import Network, eventually

REPLY = Reply(
    id="re_1",
    conversation_id="cv_1",
    account_id="ac-1",
    channel_id="ch_1",
    network="simulated",
    agent_id="ag_1",
    text="Grüße 👋",
    visibility=Visibility.PUBLIC,
    to_external_id="c-1",
    to_handle="customer_1",
    in_reply_to=None,
    state=ReplyState.SENDING,
    covers=1,
    created_at=0,
    tried_since=0,
)


def answer_to(post: Any, **fields: Any) -> Reply:
    to = post["author"]
    return replace(
        REPLY, in_reply_to=post["id"], to_external_id=to["id"], to_handle=to["handle"], **fields
    )


async def test_a_published_reply_is_there_under_its_id(
    connector: SimulatedConnector, account: Account, network: Network
) -> None:
    post = network.says("customer_1", "@acme hello?")

    outcome = await connector.publish(account, answer_to(post))

    assert connector.read_back(account) is ReadBack.LOOK_UP
    assert outcome.certainty is Certainty.SENT
    (made,) = [p for p in network.made("GET", "/control/ledger")["posts"] if p["reference"]]
    assert (made["reference"], made["text"], made["reply_to"]) == ("re_1", "Grüße 👋", post["id"])
    assert (outcome.external_id, outcome.url) == (made["id"], made["url"])
    assert await connector.look_up(account, REPLY) == outcome


async def test_a_private_reply_goes_to_its_customer(
    connector: SimulatedConnector, account: Account, network: Network
) -> None:
    post = network.says("customer_1", "psst", visibility="private", to="acme")

    reply = answer_to(post, visibility=Visibility.PRIVATE)
    outcome = await connector.publish(account, replace(reply, in_reply_to=None))

    assert outcome.certainty is Certainty.SENT
    made = network.made("GET", "/control/ledger")["posts"][-1]
    assert (made["visibility"], made["to"]["handle"]) == ("private", "customer_1")


async def test_a_private_answer_to_a_public_post_leaves_the_post_out(
    connector: SimulatedConnector, account: Account, network: Network
) -> None:
    network.says("customer_1", "psst", visibility="private", to="acme")
    post = network.says("customer_1", "@acme and in public")

    outcome = await connector.publish(account, answer_to(post, visibility=Visibility.PRIVATE))

    assert outcome.certainty is Certainty.SENT
    assert network.made("GET", "/control/ledger")["posts"][-1]["text"] == REPLY.text


async def test_a_public_answer_to_a_private_post_names_its_customer(
    connector: SimulatedConnector, account: Account, network: Network
) -> None:
    post = network.says("customer_1", "psst", visibility="private", to="acme")

    outcome = await connector.publish(account, answer_to(post))

    assert outcome.certainty is Certainty.SENT
    made = network.made("GET", "/control/ledger")["posts"][-1]
    assert (made["visibility"], made["mentions"]) == ("public", ["customer_1"])


async def test_a_cold_private_message_is_rejected_for_good(
    connector: SimulatedConnector, account: Account, network: Network
) -> None:
    post = network.says("customer_1", "@acme hello?")

    outcome = await connector.publish(account, answer_to(post, visibility=Visibility.PRIVATE))

    assert outcome.certainty is Certainty.REJECTED
    assert outcome.reason is not None
    assert "cannot_initiate_direct_message" in outcome.reason


async def test_a_text_that_is_too_long_is_rejected_with_its_reason(
    connector: SimulatedConnector, account: Account, network: Network
) -> None:
    network.account(text_limit=5)

    outcome = await connector.publish(account, REPLY)

    assert outcome.certainty is Certainty.REJECTED
    assert outcome.reason == (
        "the network answered 422 text_too_long: 7 characters, this account may write 5"
    )


@pytest.mark.parametrize("change", [{"suspended": True}, {"token": "another-token"}])
async def test_a_reply_waits_until_the_account_may_speak_again(
    connector: SimulatedConnector, account: Account, network: Network, change: dict[str, Any]
) -> None:
    network.account(**change)

    outcome = await connector.publish(account, REPLY)

    assert outcome.certainty is Certainty.NOT_ACCEPTED
    assert outcome.retry_after_s is not None
    assert network.summary()["publishes"] == 0


@pytest.mark.parametrize(
    "kind", ["accept_then_500", "accept_then_reset", "accept_then_garbage", "accept_then_timeout"]
)
async def test_what_was_accepted_without_an_answer_is_found(
    connector: SimulatedConnector, account: Account, network: Network, kind: str
) -> None:
    network.fault("publish", kind, delay_ms=100)

    outcome = await connector.publish(account, REPLY)

    assert outcome.certainty is Certainty.MAYBE
    assert outcome.may_still_arrive == (kind in {"accept_then_reset", "accept_then_timeout"})
    found = await connector.look_up(account, REPLY)
    assert found.certainty is Certainty.SENT
    assert network.summary()["publishes"] == 1


@pytest.mark.parametrize("kind", ["reset", "garbage", "status"])
async def test_what_was_not_accepted_is_seen_to_be_absent(
    connector: SimulatedConnector, account: Account, network: Network, kind: str
) -> None:
    network.fault("publish", kind)

    outcome = await connector.publish(account, REPLY)

    assert outcome.certainty is Certainty.MAYBE
    absent = await connector.look_up(account, REPLY)
    assert (absent.certainty, absent.visible_within_ms) == (Certainty.NOT_ACCEPTED, 0)
    assert network.summary()["publishes"] == 0


async def test_absence_says_how_long_the_network_may_hide_a_post(
    connector: SimulatedConnector, account: Account, network: Network
) -> None:
    network.account(visibility_delay_ms=700)
    network.fault("publish", "accept_then_500")
    await connector.publish(account, REPLY)

    absent = await connector.look_up(account, REPLY)

    assert (absent.certainty, absent.visible_within_ms) == (Certainty.NOT_ACCEPTED, 700)
    eventually(lambda: not network.summary()["hidden_posts"])
    assert (await connector.look_up(account, REPLY)).certainty is Certainty.SENT


async def test_a_rate_limit_says_when_to_come_again(
    connector: SimulatedConnector, account: Account, network: Network
) -> None:
    network.fault("publish", "status", status=429, retry_after_s=9)

    outcome = await connector.publish(account, REPLY)

    assert (outcome.certainty, outcome.retry_after_s) == (Certainty.NOT_ACCEPTED, 9.0)


@pytest.mark.parametrize("kind", ["reset", "garbage", "status"])
async def test_a_look_up_that_fails_says_nothing(
    connector: SimulatedConnector, account: Account, network: Network, kind: str
) -> None:
    network.fault("lookup", kind, status=429, retry_after_s=4)

    outcome = await connector.look_up(account, REPLY)

    assert outcome.certainty is Certainty.MAYBE
    assert outcome.retry_after_s == (4.0 if kind == "status" else None)


async def test_a_network_that_is_away_was_surely_not_reached(
    connector: SimulatedConnector, account: Account
) -> None:
    nowhere = replace(account, settings={**account.settings, "url": "http://127.0.0.1:9"})

    assert (await connector.publish(nowhere, REPLY)).certainty is Certainty.NOT_ACCEPTED
    assert (await connector.look_up(nowhere, REPLY)).certainty is Certainty.MAYBE
    with pytest.raises(NetworkTrouble):
        await connector.fetch(nowhere, None, 10)


@pytest.mark.parametrize("settings", [{}, {"url": "no address"}, {"url": 7}])
async def test_an_account_that_was_set_up_badly_says_so(
    connector: SimulatedConnector, account: Account, settings: dict[str, Any]
) -> None:
    bad = replace(account, settings=settings)

    assert (await connector.publish(bad, REPLY)).certainty is Certainty.NOT_ACCEPTED
    assert (await connector.look_up(bad, REPLY)).certainty is Certainty.MAYBE
    with pytest.raises(NetworkTrouble):
        await connector.fetch(bad, None, 10)


async def test_one_cursor_reads_public_and_private_posts_to_their_end(
    connector: SimulatedConnector, account: Account, network: Network
) -> None:
    for number in range(3):
        network.says("customer_1", f"@acme {number}")
        network.says("customer_2", f"psst {number}", visibility="private", to="acme")

    first = await connector.fetch(account, None, 2)
    second = await connector.fetch(account, first.cursor, 2)
    third = await connector.fetch(account, second.cursor, 2)

    assert [p.text for p in first.posts] == ["@acme 0", "psst 0", "@acme 1", "psst 1"]
    assert [p.text for p in second.posts] == ["@acme 2", "psst 2"]
    assert (first.goes_on, second.goes_on) == (True, False)
    assert not third.posts
    assert third.cursor == second.cursor


async def test_a_post_is_read_with_all_that_is_known_of_it(
    connector: SimulatedConnector, account: Account, network: Network
) -> None:
    home = {"country": "DE", "place": "Berlin"}
    network.made("PUT", "/control/people/customer_1", {"followers": 12, "location": home})
    first = network.says("customer_1", "@acme one", created_at="2020-02-03T04:05:06.789+01:00")
    picture = {"kind": "image", "url": "https://x.example/p.png", "alt_text": "a parcel"}
    network.says(
        "customer_1", "", reply_to=first["id"], mention="acme", media=[picture], language="de"
    )

    one, two = (await connector.fetch(account, None, 10)).posts

    assert (one.external_id, one.text, one.created_at) == (first["id"], "@acme one", 1580699106789)
    assert (one.author.handle, one.author.followers) == ("customer_1", 12)
    assert one.author.location == "Berlin, DE"
    assert one.mentions == ("acme",)
    assert (two.in_reply_to, two.thread_root, two.language) == (first["id"], first["id"], "de")
    assert [(m.kind, m.alt_text) for m in two.media] == [("image", "a parcel")]
    assert not one.is_own


async def test_our_own_posts_come_back_with_the_reply_they_are(
    connector: SimulatedConnector, account: Account, network: Network
) -> None:
    await connector.publish(account, REPLY)
    network.publish("from another program")

    ours, other = (await connector.fetch(account, None, 10)).posts

    assert (ours.is_own, ours.own_reply_id) == (True, "re_1")
    assert (other.is_own, other.own_reply_id) == (True, None)


async def test_another_brand_is_a_customer_like_any_other(
    connector: SimulatedConnector, account: Account, network: Network
) -> None:
    network.account("rival", token="rivals-token")
    network.brand("POST", "/posts", token="rivals-token", json={"text": "@acme hello"})

    (post,) = (await connector.fetch(account, None, 10)).posts

    assert (post.is_own, post.author.handle) == (False, "rival")


async def test_a_page_shuffled_and_doubled_has_the_same_cursor_and_order(
    connector: SimulatedConnector, account: Account, network: Network
) -> None:
    for number in range(6):
        network.says("customer_1", f"@acme {number}")
    plain = await connector.fetch(account, None, 10)

    network.fault("mentions", "reorder")
    assert await connector.fetch(account, None, 10) == plain
    network.fault("mentions", "duplicate", times=2)
    doubled = await connector.fetch(account, None, 10)

    assert doubled.cursor == plain.cursor
    assert {p.external_id for p in doubled.posts} == {p.external_id for p in plain.posts}


@pytest.mark.parametrize("path", ["mentions", "direct_messages"])
@pytest.mark.parametrize("kind", ["status", "garbage", "reset"])
async def test_a_failed_poll_is_trouble_and_loses_nothing(
    connector: SimulatedConnector, account: Account, network: Network, path: str, kind: str
) -> None:
    network.says("customer_1", "@acme hello")
    network.fault(path, kind)

    with pytest.raises(NetworkTrouble) as trouble:
        await connector.fetch(account, None, 10)

    assert account.credentials["token"] not in str(trouble.value)
    assert len((await connector.fetch(account, None, 10)).posts) == 1


async def test_a_rate_limited_poll_keeps_what_it_has(
    connector: SimulatedConnector, account: Account, network: Network
) -> None:
    network.says("customer_1", "@acme hello")
    network.says("customer_1", "psst", visibility="private", to="acme")
    network.fault("mentions", "status", status=429, retry_after_s=7)
    network.fault("direct_messages", "status", status=429, retry_after_s=8)

    nothing = await connector.fetch(account, None, 10)
    public = await connector.fetch(account, None, 10)
    private = await connector.fetch(account, public.cursor, 10)

    assert (list(nothing.posts), nothing.retry_after_s) == ([], 7.0)
    assert ([p.text for p in public.posts], public.retry_after_s) == (["@acme hello"], 8.0)
    assert ([p.text for p in private.posts], private.retry_after_s) == (["psst"], None)


@pytest.mark.parametrize("change", [{"suspended": True}, {"token": "another-token"}])
async def test_refused_credentials_are_trouble_that_names_the_cause(
    connector: SimulatedConnector, account: Account, network: Network, change: dict[str, Any]
) -> None:
    network.account(**change)

    with pytest.raises(NetworkTrouble, match=r"unknown_token|account_suspended"):
        await connector.fetch(account, None, 10)


@pytest.mark.parametrize(
    ("poison", "code"),
    [
        ({"omit": ["id"]}, "id_missing"),
        ({"omit": ["author"]}, "author_missing"),
        ({"overrides": {"author": {"handle": "x"}}}, "id_missing"),
        ({"overrides": {"text": 7}}, "text_missing"),
        ({"overrides": {"text": "nul \0"}}, "text_unreadable"),
        ({"overrides": {"text": "half \ud800"}}, "text_unreadable"),
        ({"text": "x" * 1_000_000}, "text_too_long"),
        ({"overrides": {"visibility": "friends"}}, "unknown_visibility"),
        ({"overrides": {"created_at": "yesterday"}}, "created_at_unreadable"),
        ({"overrides": {"created_at": "10000-01-01T00:00:00Z"}}, "created_at_unreadable"),
    ],
)
async def test_poison_is_set_aside_and_its_neighbours_go_on(
    connector: SimulatedConnector,
    account: Account,
    network: Network,
    poison: dict[str, Any],
    code: str,
) -> None:
    network.says("customer_1", "@acme before")
    poisoned = json.dumps({"text": "@acme poison", "mention": "acme"} | poison)
    answer = network.call("POST", "/control/people/customer_1/posts", content=poisoned)
    assert answer.is_success
    network.says("customer_1", "@acme after")

    page = await connector.fetch(account, None, 10)

    assert [p.text for p in page.posts] == ["@acme before", "@acme after"]
    (piece,) = page.unreadable
    assert isinstance(piece, Unreadable)
    assert piece.code == code
    assert "\0" not in piece.raw
    piece.raw.encode()
    assert not (await connector.fetch(account, page.cursor, 10)).unreadable


@pytest.mark.parametrize(
    "strange",
    [
        {"overrides": {"reply_to": 7, "root": [], "media": "no", "location": 3, "mentions": {}}},
        {"overrides": {"media": [{"kind": 1}, None], "language": "\0", "to": "me"}},
        {"overrides": {"location": {"lat": 999, "lon": "x"}, "source_application": {}}},
        {"text": "@acme \u202e\u200b\u2066 👩‍👩‍👧‍👦"},
        {"text": "@acme " + "@u " * 10_000},
        {"created_at": "1970-01-01T00:00:00Z"},
        {"created_at": "9999-12-31T23:59:59Z"},
        {"created_at": "0001-01-01T00:00:00Z"},
    ],
)
async def test_what_is_only_strange_is_taken(
    connector: SimulatedConnector, account: Account, network: Network, strange: dict[str, Any]
) -> None:
    network.says("customer_1", **{"text": "@acme strange"} | strange)

    page = await connector.fetch(account, None, 10)

    assert (len(page.posts), list(page.unreadable)) == (1, [])


async def test_a_foreign_cursor_begins_anew(
    connector: SimulatedConnector, account: Account, network: Network
) -> None:
    network.says("customer_1", "@acme hello")

    for cursor in ("", "x y", "12", '{"a": 1}', "1 2 3"):
        assert len((await connector.fetch(account, cursor, 10)).posts) == 1


async def test_pages_that_are_too_long_are_read_in_smaller_ones(
    connector: SimulatedConnector,
    account: Account,
    network: Network,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("connectors.simulated.LARGEST_PAGE", 3_000)
    for number in range(9):
        network.says("customer_1", f"@acme {number} {'x' * 500}")

    taken: list[str] = []
    cursor, goes_on = None, True
    while goes_on:
        page = await connector.fetch(account, cursor, 100)
        taken += [p.text[6] for p in page.posts]
        cursor, goes_on = page.cursor, page.goes_on

    assert taken == list("012345678")

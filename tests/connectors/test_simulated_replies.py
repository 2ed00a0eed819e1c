"""The connector against the simulated network's own server: what is said is said once."""

from dataclasses import replace
from typing import Any

import pytest

from connectors.simulated import SimulatedConnector
from conversations.model import ReplyState, Visibility
from conversations.networks import Account, NetworkTrouble
from conversations.replies import Certainty, ReadBack, Reply
from tests.connectors.conftest import listened
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

    assert connector.read_back(account, answer_to(post), 0) is ReadBack.LOOK_UP
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
        await connector.fetch(listened(nowhere, None, 10))


@pytest.mark.parametrize("settings", [{}, {"url": "no address"}, {"url": 7}])
async def test_an_account_that_was_set_up_badly_says_so(
    connector: SimulatedConnector, account: Account, settings: dict[str, Any]
) -> None:
    bad = replace(account, settings=settings)

    assert (await connector.publish(bad, REPLY)).certainty is Certainty.NOT_ACCEPTED
    assert (await connector.look_up(bad, REPLY)).certainty is Certainty.MAYBE
    with pytest.raises(NetworkTrouble):
        await connector.fetch(listened(bad, None, 10))


async def test_our_own_posts_come_back_with_the_reply_they_are(
    connector: SimulatedConnector, account: Account, network: Network
) -> None:
    await connector.publish(account, REPLY)
    network.publish("from another program")

    ours, other = (await connector.fetch(listened(account, None, 10))).posts

    assert (ours.is_own, ours.own_reply_id) == (True, "re_1")
    assert (other.is_own, other.own_reply_id) == (True, None)

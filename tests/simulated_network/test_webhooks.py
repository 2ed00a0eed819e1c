import base64
import hashlib
import hmac
import json

import pytest

from tests.simulated_network.network import Delivery, Network, Receiver, eventually

KEY = b"0123456789abcdef0123456789abcdef"
SECRET = "whsec_" + base64.b64encode(KEY).decode()


def is_signed(delivery: Delivery) -> bool:
    """Judge a signature as the standard says, by nothing of the server's own."""
    signed = f"{delivery.headers['webhook-id']}.{delivery.headers['webhook-timestamp']}."
    digest = hmac.new(KEY, signed.encode() + delivery.body, hashlib.sha256).digest()
    return delivery.headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()


def texts(receiver: Receiver) -> list[str]:
    return [post["text"] for one in receiver.deliveries for post in json.loads(one.body)["posts"]]


def listen(network: Network, receiver: Receiver, *, page_size: int = 20) -> None:
    webhook = {"url": receiver.url, "secret": SECRET, "page_size": page_size}
    network.account(webhook=webhook)


def pending(network: Network) -> int:
    return int(network.summary()["inboxes"]["acme"]["webhook_pending"])


def test_posts_are_delivered_in_signed_pages(network: Network, receiver: Receiver) -> None:
    network.made(
        "POST",
        "/control/people/ferry42/posts",
        {"posts": [{"text": f"@acme {n}"} for n in range(25)]},
    )
    listen(network, receiver, page_size=10)

    eventually(lambda: pending(network) == 0)

    assert texts(receiver) == [f"@acme {n}" for n in range(25)]
    assert len(receiver.deliveries) == 3
    assert all(is_signed(one) for one in receiver.deliveries)
    assert json.loads(receiver.deliveries[0].body)["account"] == "acme"


def test_what_was_not_taken_is_sent_again_with_the_same_id(
    network: Network, receiver: Receiver
) -> None:
    receiver.answers = [500, 503]
    listen(network, receiver)
    network.says("ferry42", "@acme hello")

    eventually(lambda: pending(network) == 0)

    assert len({one.headers["webhook-id"] for one in receiver.deliveries}) == 1
    assert texts(receiver) == ["@acme hello"] * 3
    assert all(is_signed(one) for one in receiver.deliveries)


def test_direct_messages_and_echoes_are_delivered_too(network: Network, receiver: Receiver) -> None:
    listen(network, receiver)
    network.says("ferry42", "psst", visibility="private", to="acme")
    network.publish("yes?", visibility="private", to="ferry42", reference="r-1")

    eventually(lambda: texts(receiver) == ["psst", "yes?"])

    echo = json.loads(receiver.deliveries[-1].body)["posts"][-1]
    assert (echo["visibility"], echo["reference"]) == ("private", "r-1")


def test_the_same_post_comes_several_times_under_several_ids(
    network: Network, receiver: Receiver
) -> None:
    network.fault("webhook", "duplicate", times=3)
    listen(network, receiver)
    network.says("ferry42", "@acme hello")

    eventually(lambda: pending(network) == 0)

    assert texts(receiver) == ["@acme hello"] * 3
    assert len({one.headers["webhook-id"] for one in receiver.deliveries}) == 3


def test_a_lost_answer_means_a_second_delivery(network: Network, receiver: Receiver) -> None:
    network.fault("webhook", "lost_answer")
    listen(network, receiver)
    network.says("ferry42", "@acme hello")

    eventually(lambda: pending(network) == 0)

    assert len(receiver.deliveries) == 2
    assert len({one.headers["webhook-id"] for one in receiver.deliveries}) == 1


def test_a_forged_page_comes_before_the_true_one(network: Network, receiver: Receiver) -> None:
    receiver.answers = [401]
    network.fault("webhook", "bad_signature")
    listen(network, receiver)
    network.says("ferry42", "@acme hello")

    eventually(lambda: pending(network) == 0)

    assert [is_signed(one) for one in receiver.deliveries] == [False, True]
    health = network.made("GET", "/control/webhooks")["webhooks"][0]
    assert health["bad_signatures_accepted"] == 0


def test_a_shuffled_batch_loses_nothing(network: Network, receiver: Receiver) -> None:
    network.fault("webhook", "reorder")
    wanted = [f"@acme {n}" for n in range(10)]
    network.made(
        "POST", "/control/people/ferry42/posts", {"posts": [{"text": text} for text in wanted]}
    )
    listen(network, receiver, page_size=1)

    eventually(lambda: pending(network) == 0)

    assert texts(receiver) != wanted
    assert sorted(texts(receiver)) == sorted(wanted)


def test_deliveries_go_on_after_a_kill(own_network: Network, receiver: Receiver) -> None:
    receiver.answers = [500] * 1000
    listen(own_network, receiver)
    own_network.says("ferry42", "@acme hello")
    eventually(lambda: receiver.deliveries)

    own_network.kill()
    receiver.answers = []
    before = len(receiver.deliveries)
    own_network.start()

    eventually(lambda: len(receiver.deliveries) > before)
    eventually(lambda: pending(own_network) == 0)


@pytest.mark.parametrize(
    "webhook",
    [
        {"url": "ftp://127.0.0.1/", "secret": SECRET},
        {"url": "http://127.0.0.1/", "secret": "plain"},
        {"url": "http://127.0.0.1/", "secret": "whsec_c2hvcnQ="},
        {"url": "http://127.0.0.1/"},
    ],
)
def test_a_webhook_that_cannot_work_is_refused(network: Network, webhook: object) -> None:
    assert (
        network.call("PUT", "/control/accounts/acme", json={"webhook": webhook}).status_code == 422
    )

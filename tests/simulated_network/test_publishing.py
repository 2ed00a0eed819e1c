from typing import Any

import pytest

from tests.simulated_network.network import Network, eventually


def test_a_published_post_comes_back_as_an_echo_with_its_reference(network: Network) -> None:
    published = network.publish("hello @ferry42", reference="r-1")

    assert published.status_code == 201
    echo = network.brand("GET", "/mentions").json()["posts"][0]
    assert echo == published.json()
    assert echo["author"]["handle"] == "acme"
    assert echo["author"]["kind"] == "account"
    assert echo["reference"] == "r-1"


def test_a_repeated_reference_makes_a_second_post(network: Network) -> None:
    first = network.publish("once", reference="r-1").json()
    second = network.publish("once", reference="r-1").json()

    assert first["id"] != second["id"]
    assert network.brand("GET", "/posts", params={"reference": "r-1"}).json()["id"] == first["id"]
    summary = network.summary()
    assert summary["references_published_more_than_once"] == 1
    assert summary["doubled"][0]["ids"] == [first["id"], second["id"]]


def test_an_account_that_deduplicates_answers_a_repeat_with_the_first_post(
    network: Network,
) -> None:
    network.account(deduplicates=True)

    first, second = (network.publish("once", reference="r-1") for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert network.publish("other words", reference="r-1").status_code == 422
    summary = network.summary()
    assert summary["posts"] == 1
    assert summary["publishes"] == 2
    assert summary["publishes_deduplicated"] == 1


def test_a_post_is_seen_only_after_the_visibility_delay(network: Network) -> None:
    network.account(visibility_delay_ms=600)
    post = network.publish("soon", reference="r-1").json()

    assert network.brand("GET", "/posts", params={"reference": "r-1"}).status_code == 404
    assert network.brand("GET", f"/posts/{post['id']}").status_code == 404
    assert network.texts() == []
    assert network.summary()["posts"] == 1

    eventually(
        lambda: network.brand("GET", "/posts", params={"reference": "r-1"}).status_code == 200
    )
    assert network.texts() == ["soon"]


def test_only_the_author_sees_a_reference(network: Network) -> None:
    network.account("harbour", token="token-of-harbour")
    network.publish("ask @harbour", reference="r-1")

    seen = network.brand("GET", "/mentions", token="token-of-harbour").json()["posts"]

    assert [post["reference"] for post in seen] == [None]


def test_a_reply_belongs_to_the_thread_of_what_it_answers(network: Network) -> None:
    asked = network.says("ferry42", "@acme where is it?")
    answered = network.publish("soon", reply_to=asked["id"]).json()
    thanks = network.says("ferry42", "thanks", reply_to=answered["id"])

    assert asked["root"] == answered["root"] == thanks["root"] == asked["id"]
    assert answered["mentions"] == ["ferry42"]
    assert network.texts() == ["@acme where is it?", "soon", "thanks"]


def test_a_direct_message_answers_only_who_wrote_in_private(network: Network) -> None:
    network.says("ferry42", "@acme hello")
    cold = network.publish("psst", visibility="private", to="ferry42")
    asked = network.says("ferry42", "in private", visibility="private", to="acme")
    warm = network.publish("psst", visibility="private", to="ferry42")

    assert (cold.status_code, cold.json()["code"]) == (403, "cannot_initiate_direct_message")
    assert warm.status_code == 201
    assert warm.json()["root"] == asked["id"]
    assert warm.json()["to"]["handle"] == "ferry42"
    assert network.texts("/direct_messages") == ["in private", "psst"]
    assert network.texts() == ["@acme hello"]


def test_an_answer_to_a_direct_message_needs_no_recipient(network: Network) -> None:
    asked = network.says("ferry42", "in private", visibility="private", to="acme")

    answered = network.publish("psst", visibility="private", reply_to=asked["id"])

    assert answered.json()["to"]["handle"] == "ferry42"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "invalid"),
        ({"text": ""}, 422, "invalid"),
        ({"text": 7}, 422, "invalid"),
        ({"text": "x", "colour": "red"}, 422, "invalid"),
        ({"text": "x", "visibility": "secret"}, 422, "invalid"),
        ({"text": "x", "reply_to": "12"}, 422, "unknown_reply_to"),
        ({"text": "x", "reply_to": "99999999999999999999"}, 422, "invalid"),
        ({"text": "x", "reply_to": "9999999999999999999"}, 422, "invalid"),
        ({"text": "x", "to": "ferry42"}, 422, "public_post_has_no_recipient"),
        ({"text": "x", "visibility": "private"}, 422, "recipient_missing"),
        ({"text": "x", "visibility": "private", "to": "nobody"}, 422, "unknown_recipient"),
        ({"text": "x", "visibility": "private", "to": "acme"}, 422, "recipient_is_author"),
        ({"text": "x", "reference": "with blank"}, 422, "invalid"),
        ({"text": "x" * 5001}, 422, "text_too_long"),
    ],
)
def test_what_cannot_be_published_is_refused_and_leaves_nothing(
    network: Network, body: dict[str, Any], status: int, code: str
) -> None:
    answer = network.brand("POST", "/posts", json=body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["detail"]
    assert network.summary()["publishes"] == 0


def test_malformed_and_oversized_bodies_are_refused(network: Network) -> None:
    half = network.brand("POST", "/posts", content=b'{"text": "x')
    large = network.brand("POST", "/posts", content=b" " * (1024 * 1024 + 1))
    deep = network.brand("POST", "/posts", content=b"[" * 100_000)
    surrogate = network.brand("POST", "/posts", content=b'{"text": "\\ud800"}')

    assert {half.status_code, surrogate.status_code} <= {400, 422}
    assert large.status_code == 413
    assert 400 <= deep.status_code < 500
    assert network.summary()["posts"] == 0


def test_nobody_publishes_without_the_account_s_token(network: Network) -> None:
    anonymous = network.call("POST", "/api/posts", json={"text": "x"})
    stranger = network.brand("POST", "/posts", token="guessed", json={"text": "x"})
    network.account(suspended=True)
    suspended = network.publish("x")

    assert [anonymous.status_code, stranger.status_code] == [401, 401]
    assert (suspended.status_code, suspended.json()["code"]) == (403, "account_suspended")


def test_a_used_up_limit_says_when_to_come_back(network: Network) -> None:
    network.account(limits={"publish": {"calls": 2, "window_s": 1}})

    answers = [network.publish("x") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert answers[2].headers["retry-after"] == "1"
    assert network.brand("GET", "/mentions").status_code == 200
    eventually(lambda: network.publish("again").status_code == 201)
    assert network.summary()["publishes"] == 3

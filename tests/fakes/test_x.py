"""The fake X is held to X's published manners, where its simulator is not."""

from collections.abc import Iterator

import httpx
import pytest

from connectors.x.calls import app_request, user_request
from tests.connectors.x.account import account_of, running_fake
from tests.fakes.x import BRAND, CUSTOMER, STRANGER, FakeX
from tests.fakes.x_contract import breaches_of_answer, breaches_of_request, operation_of
from tests.fakes.x_search import BadQuery, Searched, predicate

SAID = Searched("My Acme phone broke", "jo", "kim", frozenset({"acme"}), "7", is_reply=True)


@pytest.fixture
def fake() -> Iterator[FakeX]:
    with running_fake() as one:
        yield one


def asked(fake: FakeX, method: str, path: str, *, is_app: bool = False) -> httpx.Response:
    with httpx.Client(trust_env=False) as client:
        build = app_request if is_app else user_request
        request = build(client, account_of(fake), method, path)  # type: ignore[arg-type]
        return client.send(request)


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("phone", True),
        ("phon", False),
        ('"acme phone"', True),
        ('"phone acme"', False),
        ("from:jo", True),
        ("from:kim", False),
        ("to:kim phone", True),
        ("@acme", True),
        ("phone -broke", False),
        ("(nothing OR phone) -is:retweet", True),
        ("nothing OR from:kim", False),
        ("conversation_id:7 is:reply", True),
        ('-"acme phone"', False),
    ],
)
def test_a_query_means_what_x_says(query: str, is_found: bool) -> None:  # noqa: FBT001
    assert predicate(query)(SAID) is is_found


@pytest.mark.parametrize("query", ["", "OR", "(a", "a)", "()", "a OR"])
def test_a_query_that_makes_no_sense_is_refused(query: str) -> None:
    with pytest.raises(BadQuery):
        predicate(query)


def test_nobody_reads_messages_of_others(fake: FakeX) -> None:
    fake.ledger.say(CUSTOMER, STRANGER, "not for the brand")
    fake.ledger.say(CUSTOMER, BRAND, "for the brand")

    everything = asked(fake, "GET", "/2/dm_events").json()
    theirs = asked(fake, "GET", f"/2/dm_conversations/{CUSTOMER}-{STRANGER}/dm_events").json()

    assert [one["text"] for one in everything["data"]] == ["for the brand"]
    assert "data" not in theirs


def test_limits_are_told_and_kept_and_each_list_has_its_own(fake: FakeX) -> None:
    fake.limits.of["GET mentions"] = (2, 900)
    path = f"/2/users/{BRAND}/mentions"

    answers = [asked(fake, "GET", path) for _ in range(3)]

    assert [one.status_code for one in answers] == [200, 200, 429]
    assert [one.headers["x-rate-limit-remaining"] for one in answers] == ["1", "0", "0"]
    assert asked(fake, "GET", path, is_app=True).status_code == 200
    assert asked(fake, "GET", "/2/users/me").headers["x-rate-limit-limit"] == "75"


def test_who_may_call_what_is_as_published(fake: FakeX) -> None:
    assert asked(fake, "GET", "/2/dm_events", is_app=True).status_code == 403
    assert asked(fake, "GET", "/2/tweets/search/stream/rules").status_code == 403
    assert asked(fake, "GET", "/2/tweets/search/stream", is_app=True).status_code == 409
    assert httpx.get(f"{fake.url}/2/users/me", trust_env=False).status_code == 401
    forged = {"authorization": 'OAuth oauth_consumer_key="a", oauth_token="b"'}
    assert httpx.get(f"{fake.url}/2/users/me", headers=forged, trust_env=False).status_code == 401


def test_the_published_document_judges_requests_and_answers() -> None:
    operation = operation_of("GET", f"/2/users/{BRAND}/mentions")
    assert operation is not None
    many = [("max_results", "1000"), ("since_id", "x"), ("tweet.fields", "nothing"), ("q", "1")]

    assert breaches_of_request(operation, [("max_results", "100"), ("since_id", "5")], None) == []
    assert len(breaches_of_request(operation, many, None)) == 4
    assert breaches_of_answer(operation, 200, {"meta": {"result_count": 0}}) == []
    assert breaches_of_answer(operation, 200, {"data": [{"id": 5}]})
    assert breaches_of_answer(operation, 429, {"title": "Too Many Requests"})


def test_a_post_needs_words_that_the_document_knows() -> None:
    operation = operation_of("POST", "/2/tweets")
    assert operation is not None

    assert breaches_of_request(operation, [], {"text": "a"}) == []
    assert breaches_of_request(operation, [], {"words": "a"})
    assert operation_of("GET", "/2/chat") is None

"""What each answer of the Graph API says about a reply."""

from dataclasses import replace

import pytest

from conversations.model import Visibility
from conversations.replies import Certainty, ReadBack
from tests.connectors.meta.world import TOKEN, World, to_comment, to_message
from tests.fakes.graph_ledger import PlannedError

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


REFUSALS = [
    (190, None, Certainty.NOT_ACCEPTED),
    (102, None, Certainty.NOT_ACCEPTED),
    (10, None, Certainty.NOT_ACCEPTED),
    (200, None, Certainty.NOT_ACCEPTED),
    (4, None, Certainty.NOT_ACCEPTED),
    (17, None, Certainty.NOT_ACCEPTED),
    (32, None, Certainty.NOT_ACCEPTED),
    (613, None, Certainty.NOT_ACCEPTED),
    (1, None, Certainty.MAYBE),
    (2, None, Certainty.MAYBE),
    (100, None, Certainty.REJECTED),
    (100, 33, Certainty.REJECTED),
    (551, 1_545_041, Certainty.REJECTED),
    (200, 1_545_041, Certainty.REJECTED),
    (10, 2_018_278, Certainty.REJECTED),
    (10, 2_534_022, Certainty.REJECTED),
    (368, None, Certainty.REJECTED),
]


@pytest.mark.parametrize(("code", "subcode", "certainty"), REFUSALS)
async def test_each_error_says_whether_something_may_have_happened(
    brand: World, code: int, subcode: int | None, certainty: Certainty
) -> None:
    error = {"code": code, "error_subcode": subcode, "message": f"no, {TOKEN}"}
    reply = to_message(brand, "hello")
    brand.ledger.planned.append(PlannedError(400, {"error": error}))

    outcome = await brand.connector.publish(brand.account, reply)

    assert outcome.certainty is certainty
    assert TOKEN not in str(outcome.reason)
    assert (outcome.retry_after_s is not None) is (certainty is Certainty.NOT_ACCEPTED)


async def test_the_same_words_again_may_be_ours(brand: World) -> None:
    error = {"error": {"code": 368, "message": "You've already posted this."}}
    reply = to_comment(brand, "hello", attempts=2)
    brand.ledger.planned.append(PlannedError(400, error))

    outcome = await brand.connector.publish(brand.account, reply)

    assert outcome.certainty is Certainty.MAYBE


async def test_the_network_says_when_a_limit_is_over(brand: World) -> None:
    usage = '{"17":[{"type":"messenger","estimated_time_to_regain_access":3}]}'
    headers = {"x-business-use-case-usage": usage}
    reply = to_message(brand, "hello")
    brand.ledger.planned.append(PlannedError(400, {"error": {"code": 32}}, headers))

    outcome = await brand.connector.publish(brand.account, reply)

    assert (outcome.certainty, outcome.retry_after_s) == (Certainty.NOT_ACCEPTED, 180.0)


async def test_what_was_taken_and_answered_with_an_error_is_found(brand: World) -> None:
    error = PlannedError(500, {"error": {"code": 2, "message": "try again"}}, after=True)
    for reply in (to_comment(brand, "one"), to_message(brand, "two")):
        brand.ledger.planned.append(error)
        maybe = await brand.connector.publish(brand.account, reply)
        found = await brand.connector.look_up(brand.account, reply)
        assert (maybe.certainty, found.certainty) == (Certainty.MAYBE, Certainty.SENT)


@pytest.mark.parametrize("target", [None, "", "m_7", "../me", "1_2/x", "aWdfZAG1f"])
async def test_only_what_is_public_is_answered_in_public(brand: World, target: str | None) -> None:
    reply = to_comment(brand, "hello", in_reply_to=target, thread_root=None)

    outcome = await brand.connector.publish(brand.account, reply)

    assert outcome.certainty is Certainty.REJECTED
    assert brand.comments() == []


async def test_a_mention_is_answered_where_it_stands_and_cannot_be_looked_up(
    account: World,
) -> None:
    elsewhere = account.ledger.place("elsewhere", "another-token", "instagram")
    picture = account.ledger.post(elsewhere, elsewhere.id, "not ours")
    comment = account.ledger.comment(picture.id, account.customer_id, "@acme look")
    target = f"mention:{picture.id}:{comment.id}"
    reply = to_comment(account, "thanks", in_reply_to=target, thread_root=target)

    sent = await account.connector.publish(account.account, reply)
    private = await account.connector.publish(
        account.account, replace(reply, to_external_id=target, visibility=Visibility.PRIVATE)
    )

    assert (sent.certainty, private.certainty) == (Certainty.SENT, Certainty.REJECTED)
    assert account.ledger.said[str(sent.external_id)].parent_id == comment.id
    read_back = account.connector.read_back(account.account, reply, reply.created_at)
    assert read_back is ReadBack.IMPOSSIBLE
    other = to_comment(account, "hi")
    assert account.connector.read_back(account.account, other, 0) is ReadBack.LOOK_UP

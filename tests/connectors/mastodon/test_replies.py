from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from connectors.mastodon.replies import DEDUPLICATED_FOR_MS, naming
from conversations.model import Visibility
from conversations.replies import Certainty, ReadBack
from tests.connectors.mastodon.instance import CUSTOMER, Instance, running_instance


@pytest_asyncio.fixture
async def instance() -> AsyncIterator[Instance]:
    async with running_instance() as one:
        yield one


async def test_one_key_is_one_status(instance: Instance) -> None:
    reply = instance.reply(instance.says("@acme hello"))

    outcomes = [await instance.connector.publish(instance.account, reply) for _ in range(3)]

    assert {outcome.certainty for outcome in outcomes} == {Certainty.SENT}
    assert len({outcome.external_id for outcome in outcomes}) == 1
    assert instance.said() == [f"@{CUSTOMER} we are on it"]


async def test_a_private_answer_names_its_customer_and_nobody_else_sees_it(
    instance: Instance,
) -> None:
    reply = instance.reply(
        instance.says("@acme psst", visibility="direct"), visibility=Visibility.PRIVATE
    )

    outcome = await instance.connector.publish(instance.account, replace(reply, to_handle=None))

    status = instance.ledger.statuses[str(outcome.external_id)]
    assert (status.visibility, status.text) == ("direct", f"@{CUSTOMER} we are on it")
    assert instance.ledger.can_see(instance.customer_id, status)
    assert not instance.ledger.can_see(None, status)


async def test_the_answer_to_a_favourite_hangs_on_the_status(instance: Instance) -> None:
    news = instance.ledger.post(instance.brand_id, "our news")
    instance.ledger.point("favourite", instance.customer_id, news.id)
    (liked,) = (await instance.page()).posts

    outcome = await instance.connector.publish(
        instance.account, instance.reply(liked.external_id, "thank you")
    )

    assert instance.ledger.statuses[str(outcome.external_id)].in_reply_to_id == news.id


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("hello", "@ana@x.example hello"),
        ("@ana@x.example hello", "@ana@x.example hello"),
        ("dear @Ana@X.example.", "dear @Ana@X.example."),
        ("@ana@x.example.org hello", "@ana@x.example @ana@x.example.org hello"),
        ("@ana hello", "@ana@x.example @ana hello"),
    ],
)
def test_a_customer_is_named_once(text: str, named: str) -> None:
    assert naming("ana@x.example", text) == named


async def test_the_network_folds_while_it_knows_the_key_and_is_asked_later(
    instance: Instance,
) -> None:
    reply = instance.reply(None)
    last_ms = reply.tried_since + DEDUPLICATED_FOR_MS

    def read_back(now: int) -> ReadBack:
        return instance.connector.read_back(instance.account, reply, now)

    assert read_back(last_ms - 1) is ReadBack.RECEIVER_DEDUPLICATES
    assert read_back(last_ms) is ReadBack.LOOK_UP


async def test_what_is_not_there_is_surely_absent(instance: Instance) -> None:
    post = instance.says("@acme hello")
    await instance.connector.publish(
        instance.account, instance.reply(post, "another", id="re_other")
    )

    outcome = await instance.connector.look_up(instance.account, instance.reply(post))

    assert outcome.certainty is Certainty.NOT_ACCEPTED
    assert outcome.visible_within_ms > 0


async def test_two_replies_of_the_same_words_are_two(instance: Instance) -> None:
    post = instance.says("@acme hello")
    await instance.connector.publish(instance.account, instance.reply(post, "ok", id="re_a"))

    outcome = await instance.connector.look_up(
        instance.account, instance.reply(post, "ok", id="re_b")
    )

    assert outcome.certainty is Certainty.NOT_ACCEPTED


async def test_a_look_up_sees_far_enough(instance: Instance) -> None:
    reply = instance.reply(instance.says("@acme hello"))
    sent = await instance.connector.publish(instance.account, reply)
    for number in range(60):
        instance.ledger.post(instance.brand_id, f"news {number}")

    assert (await instance.connector.look_up(instance.account, reply)).external_id == (
        sent.external_id
    )
    for number in range(200):
        instance.ledger.post(instance.brand_id, f"more news {number}")
    outcome = await instance.connector.look_up(instance.account, reply)
    assert outcome.certainty is Certainty.MAYBE


async def test_a_repeat_whose_target_went_finds_what_was_accepted(instance: Instance) -> None:
    post = instance.says("@acme hello")
    reply = instance.reply(post)
    sent = await instance.connector.publish(instance.account, reply)
    instance.ledger.delete(post)

    again = await instance.connector.publish(instance.account, replace(reply, is_in_doubt=True))

    assert (again.certainty, again.external_id) == (Certainty.SENT, sent.external_id)


async def test_an_answer_to_what_is_gone_is_rejected(instance: Instance) -> None:
    post = instance.says("@acme hello")
    instance.ledger.delete(post)

    outcome = await instance.connector.publish(instance.account, instance.reply(post))

    assert outcome.certainty is Certainty.REJECTED
    assert "Record not found" in str(outcome.reason)


async def test_a_text_that_is_too_long_is_rejected_with_the_reason(instance: Instance) -> None:
    outcome = await instance.connector.publish(instance.account, instance.reply(None, "x" * 501))

    assert outcome.certainty is Certainty.REJECTED
    assert "500" in str(outcome.reason)


async def test_answers_can_be_kept_out_of_timelines(instance: Instance) -> None:
    instance.account.settings["reply_visibility"] = "unlisted"

    outcome = await instance.connector.publish(instance.account, instance.reply(None))

    assert instance.ledger.statuses[str(outcome.external_id)].visibility == "unlisted"


async def test_an_edit_keeps_the_name_and_what_is_gone_cannot_be_edited(
    instance: Instance,
) -> None:
    reply = instance.reply(instance.says("@acme hello"))
    sent = await instance.connector.publish(instance.account, reply)
    reply = replace(reply, external_id=sent.external_id)

    edited = await instance.connector.edit(instance.account, reply, "better")
    words = instance.said()
    for _ in range(2):
        gone = await instance.connector.delete(instance.account, reply)
        assert gone.certainty is Certainty.SENT
    too_late = await instance.connector.edit(instance.account, reply, "best")

    assert edited.certainty is Certainty.SENT
    assert words == [f"@{CUSTOMER} better"]
    assert too_late.certainty is Certainty.REJECTED


async def test_no_reason_shows_the_token(instance: Instance) -> None:
    instance.account.settings["url"] = "http://127.0.0.1:1"

    outcome = await instance.connector.publish(instance.account, instance.reply(None))

    assert outcome.certainty is Certainty.NOT_ACCEPTED
    assert instance.account.credentials["access_token"] not in repr(outcome)

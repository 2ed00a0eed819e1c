from dataclasses import replace

import pytest

from connectors.lengths import fits
from connectors.meta import reading as meta_reading
from conversations.capabilities import ReplyDepth
from conversations.model import Visibility
from conversations.replies import Certainty
from tests.connectors.meta.world import PRIVATELY, TOKEN, World, reply_to, to_comment, to_message
from tests.fakes.graph_ledger import PlannedError

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


async def test_a_comment_is_answered_below_it(brand: World) -> None:
    reply = to_comment(brand, "here it is")

    outcome = await brand.connector.publish(brand.account, reply)

    (own,) = brand.comments()
    assert (outcome.certainty, outcome.external_id) == (Certainty.SENT, own.id)
    assert own.parent_id == reply.in_reply_to


async def test_a_deep_comment_is_answered_below_itself_on_facebook(page: World) -> None:
    deep = page.says("two", to=page.says("one"))
    post = next(p for p in page.page().posts if p.external_id == deep)

    await page.connector.publish(page.account, reply_to(post, "three"))

    (own,) = page.comments()
    assert (own.parent_id, own.text) == (deep, "three")


async def test_an_answer_on_instagram_goes_to_the_top_comment_and_names_its_reader(
    account: World,
) -> None:
    top = account.says("one")
    deep = account.says("two", to=top)
    post = next(p for p in account.page().posts if p.external_id == deep)

    await account.connector.publish(account.account, reply_to(post, "three"))
    await account.connector.publish(account.account, reply_to(post, "@Ana four"))

    assert [(c.parent_id, c.text) for c in account.comments()] == [
        (top, "@ana three"),
        (top, "@Ana four"),
    ]


async def test_an_answer_to_a_visitors_post_is_a_comment(page: World) -> None:
    page.ledger.post(page.place, page.customer_id, "you broke it")
    await page.connector.publish(page.account, reply_to(page.post(), "sorry"))

    (own,) = page.comments()
    assert (own.root_id, own.parent_id) == (own.root_id, None)


async def test_a_reaction_is_answered_where_it_stands(page: World) -> None:
    external_id = page.says("nice")
    page.brought()
    page.ledger.react(external_id, page.customer_id)

    await page.connector.publish(page.account, reply_to(page.post(), "thanks"))

    assert page.comments()[0].parent_id == external_id


async def test_a_message_is_answered_with_the_replys_id(page: World) -> None:
    reply = to_message(page, "here it is")

    outcome = await page.connector.publish(page.account, reply)

    echo = page.post()
    assert (outcome.certainty, outcome.external_id) == (Certainty.SENT, echo.external_id)
    assert (echo.own_reply_id, echo.text) == (reply.id, "here it is")


async def test_instagram_takes_no_metadata_and_gets_none(account: World) -> None:
    outcome = await account.connector.publish(account.account, to_message(account, "hi"))
    assert outcome.certainty is Certainty.SENT


async def test_a_message_within_a_day_is_a_response(brand: World) -> None:
    reply = to_message(brand, "just in time")
    brand.ledger.move_clock(DAY_MS - 60_000)
    assert (await brand.connector.publish(brand.account, reply)).certainty is Certainty.SENT


async def test_after_a_day_people_are_told_why_nothing_goes_out(brand: World) -> None:
    reply = to_message(brand, "too late")
    brand.ledger.move_clock(DAY_MS + 60_000)

    outcome = await brand.connector.publish(brand.account, reply)

    assert outcome.certainty is Certainty.REJECTED
    assert "24 hours" in str(outcome.reason)
    assert brand.messages() == []


async def test_a_human_agent_has_seven_days(brand: World) -> None:
    brand.place.may_answer_as_human = True
    account = brand.with_settings(human_agent=True)
    reply = to_message(brand, "better late")
    brand.ledger.move_clock(7 * DAY_MS - 60_000)

    outcome = await brand.connector.publish(account, reply)
    brand.ledger.move_clock(2 * 60_000)
    refused = await brand.connector.publish(account, reply)

    assert outcome.certainty is Certainty.SENT
    assert refused.certainty is Certainty.REJECTED
    assert "7 days" in str(refused.reason)
    assert brand.messages() == ["better late"]


async def test_an_app_that_may_not_answer_as_human_is_told_so(brand: World) -> None:
    account = brand.with_settings(human_agent="true")
    reply = to_message(brand, "too late")
    brand.ledger.move_clock(DAY_MS + 60_000)

    outcome = await brand.connector.publish(account, reply)

    assert outcome.certainty is Certainty.REJECTED
    assert "does not have the Human Agent permission" in str(outcome.reason)


async def test_a_comment_is_answered_in_private_once_within_seven_days(brand: World) -> None:
    reply = to_comment(brand, "your code is 7", **PRIVATELY)
    late = to_comment(brand, "too late", **PRIVATELY)

    sent = await brand.connector.publish(brand.account, reply)
    again = replace(reply, id="re_2", text="and another")
    refused = await brand.connector.publish(brand.account, again)
    brand.ledger.move_clock(7 * DAY_MS + 60_000)
    over = await brand.connector.publish(brand.account, late)

    assert sent.certainty is Certainty.SENT
    assert (refused.certainty, over.certainty) == (Certainty.REJECTED, Certainty.REJECTED)
    assert "one private reply" in str(refused.reason)
    assert "within 7 days" in str(over.reason)
    assert brand.messages() == ["your code is 7"]


async def test_a_private_reply_does_not_open_the_window(brand: World) -> None:
    reply = to_comment(brand, "your code is 7", **PRIVATELY)
    sent = await brand.connector.publish(brand.account, reply)
    second = replace(reply, id=f"{reply.id}-2", in_reply_to=sent.external_id, text="part two")

    outcome = await brand.connector.publish(brand.account, second)

    assert outcome.certainty is Certainty.REJECTED


async def test_a_visitors_post_is_answered_in_private(page: World) -> None:
    page.ledger.post(page.place, page.customer_id, "you broke it")
    reply = reply_to(page.post(), "sorry", **PRIVATELY)

    assert (await page.connector.publish(page.account, reply)).certainty is Certainty.SENT
    assert page.messages() == ["sorry"]


async def test_a_private_reply_that_may_be_there_is_looked_up(brand: World) -> None:
    reply = to_comment(brand, "your code is 7", **PRIVATELY)
    sent = await brand.connector.publish(brand.account, reply)
    fresh = type(brand.connector)(brand.connector._client)

    found = await fresh.look_up(brand.account, reply)
    repeated = await fresh.publish(brand.account, replace(reply, attempts=2))

    assert (found.certainty, found.external_id) == (Certainty.SENT, sent.external_id)
    assert repeated.certainty is Certainty.MAYBE  # what is answered already may be our answer
    assert brand.messages() == ["your code is 7"]


@pytest.mark.parametrize("say", [to_comment, to_message])
async def test_what_is_not_there_is_absent_after_a_minute(brand: World, say: object) -> None:
    reply = say(brand, "never sent")  # type: ignore[operator]

    outcome = await brand.connector.look_up(brand.account, reply)

    assert outcome.certainty is Certainty.NOT_ACCEPTED
    assert outcome.visible_within_ms == 60_000


@pytest.mark.parametrize("say", [to_comment, to_message])
async def test_equal_words_of_an_earlier_reply_are_no_proof(brand: World, say: object) -> None:
    first = say(brand, "We are on it.")  # type: ignore[operator]
    await brand.connector.publish(brand.account, first)
    second = replace(first, id="re_second")

    absent = await brand.connector.look_up(brand.account, second)
    sent = await brand.connector.publish(brand.account, second)
    found = await brand.connector.look_up(brand.account, second)

    assert absent.certainty is Certainty.NOT_ACCEPTED
    assert (found.certainty, found.external_id) == (Certainty.SENT, sent.external_id)


@pytest.mark.parametrize("say", [to_comment, to_message])
async def test_after_a_restart_time_tells_equal_words_apart(brand: World, say: object) -> None:
    first = say(brand, "We are on it.")  # type: ignore[operator]
    await brand.connector.publish(brand.account, first)
    fresh = type(brand.connector)(brand.connector._client)
    second = replace(first, id="re_second", tried_since=first.tried_since + 4_000)

    absent = await fresh.look_up(brand.account, second)

    assert absent.certainty is Certainty.NOT_ACCEPTED


async def test_equal_answers_to_two_comments_are_told_apart(brand: World) -> None:
    one, other = to_comment(brand, "We are on it."), to_comment(brand, "We are on it.")
    sent = await brand.connector.publish(brand.account, one)
    fresh = type(brand.connector)(brand.connector._client)

    absent = await fresh.look_up(brand.account, other)
    there = await fresh.look_up(brand.account, one)

    assert absent.certainty is Certainty.NOT_ACCEPTED
    assert (there.certainty, there.external_id) == (Certainty.SENT, sent.external_id)


async def test_an_answer_that_facebook_put_one_level_up_is_found(page: World) -> None:
    top = page.says("one")
    deep = page.says("two", to=top)
    post = next(p for p in page.page().posts if p.external_id == deep)
    reply = reply_to(post, "three")
    moved = page.ledger.comment(top, page.place.id, "three")

    outcome = await page.connector.look_up(page.account, reply)

    assert (outcome.certainty, outcome.external_id) == (Certainty.SENT, moved.id)


async def test_words_that_the_network_tidied_up_are_the_same(brand: World) -> None:
    reply = to_comment(brand, "  caf\u0065\u0301  au\nlait ")
    parent = str(reply.in_reply_to)
    there = brand.ledger.comment(parent, brand.place.id, "café au lait")

    outcome = await brand.connector.look_up(brand.account, reply)

    assert outcome.external_id == there.id


async def test_a_customers_equal_words_are_not_ours(brand: World) -> None:
    reply = to_comment(brand, "me too")
    brand.says("me too", to=str(reply.in_reply_to))

    outcome = await brand.connector.look_up(brand.account, reply)

    assert outcome.certainty is Certainty.NOT_ACCEPTED


async def test_a_long_conversation_is_read_back_to_the_attempt(
    brand: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meta_reading, "PAUSE_S", 0.0)
    reply = to_message(brand, "we are here")
    sent = await brand.connector.publish(brand.account, reply)
    for number in range(18):
        brand.writes(f"and {number}")
    brand.ledger.page_size = 4

    found = await brand.connector.look_up(brand.account, reply)
    for number in range(18):
        brand.writes(f"and {number}")
    hidden = await brand.connector.look_up(brand.account, reply)

    assert (found.certainty, found.external_id) == (Certainty.SENT, sent.external_id)
    assert hidden.certainty is Certainty.MAYBE  # only the newest 20 are shown whole


async def test_a_comment_is_edited_on_facebook_again_and_again(page: World) -> None:
    reply = to_comment(page, "teh")
    sent = await page.connector.publish(page.account, reply)
    reply = replace(reply, external_id=sent.external_id)

    for _ in range(2):
        outcome = await page.connector.edit(page.account, reply, "the")
        assert (outcome.certainty, page.comments()[0].text) == (Certainty.SENT, "the")

    page.ledger.remove(str(sent.external_id))
    gone = await page.connector.edit(page.account, reply, "the")
    assert gone.certainty is Certainty.REJECTED


async def test_a_comment_is_taken_back_and_gone_is_gone(brand: World) -> None:
    reply = to_comment(brand, "oops")
    sent = await brand.connector.publish(brand.account, reply)
    reply = replace(reply, external_id=sent.external_id)

    for _ in range(2):
        outcome = await brand.connector.delete(brand.account, reply)
        assert outcome.certainty is Certainty.SENT
    assert brand.comments() == []


async def test_what_may_not_be_touched_is_not_gone(brand: World) -> None:
    reply = to_comment(brand, "oops")
    sent = await brand.connector.publish(brand.account, reply)
    forbidden = {"error": {"code": 100, "error_subcode": 33, "message": "Unsupported delete"}}
    brand.ledger.planned.append(PlannedError(400, forbidden))

    outcome = await brand.connector.delete(
        brand.account, replace(reply, external_id=sent.external_id)
    )

    assert outcome.certainty is Certainty.REJECTED


async def test_a_message_stays_as_it_was(brand: World) -> None:
    reply = to_message(brand, "hello", external_id="m_7")
    assert (await brand.connector.edit(brand.account, reply, "x")).certainty is Certainty.REJECTED
    assert (await brand.connector.delete(brand.account, reply)).certainty is Certainty.REJECTED


async def test_lengths_are_those_of_the_network(page: World, account: World) -> None:
    facebook = page.connector.capabilities(page.account)
    instagram = account.connector.capabilities(account.account)

    assert facebook.length_of(Visibility.PUBLIC).most == 8_000
    assert facebook.length_of(Visibility.PRIVATE).most == 2_000
    assert fits("ä" * 500, instagram.length_of(Visibility.PRIVATE))
    assert not fits("ä" * 501, instagram.length_of(Visibility.PRIVATE))
    assert instagram.length_of(Visibility.PUBLIC).most + len(f"@{'a' * 30} ") == 2_200
    assert facebook.reply_depth is instagram.reply_depth is ReplyDepth.ANY


async def test_nothing_secret_is_in_an_address_when_something_is_said(brand: World) -> None:
    for reply in (to_comment(brand, "one"), to_message(brand, "two")):
        await brand.connector.publish(brand.account, reply)
        await brand.connector.look_up(brand.account, reply)

    for url in brand.fake.seen_urls:
        assert TOKEN not in url
        assert brand.ledger.app_secret not in url
    assert brand.messages() == ["two"]


async def test_without_a_token_nothing_is_tried(brand: World) -> None:
    reply = to_message(brand, "hello")
    account = replace(brand.account, credentials={})

    published = await brand.connector.publish(account, reply)
    looked_up = await brand.connector.look_up(account, reply)

    assert published.certainty is Certainty.NOT_ACCEPTED
    assert looked_up.certainty is Certainty.MAYBE
    assert brand.fake.seen_urls == []

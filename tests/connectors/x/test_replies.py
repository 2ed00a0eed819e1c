"""The connector against the fake X: replies, effectively once."""

import time
from dataclasses import replace

import httpx
import pytest

from connectors.calls import Answer
from connectors.x.calls import pause_s
from connectors.x.connector import XConnector
from connectors.x.refusals import ABSENT, MAYBE_THERE, SAME_WORDS, outcome_of_refusal
from conversations.capabilities import CountingUnit
from conversations.model import Visibility
from conversations.replies import Certainty, ReadBack
from tests.connectors.delivering import now_ms
from tests.connectors.x.account import account_of, answer_to, listened, reply
from tests.fakes.x import BRAND, CREDENTIALS, CUSTOMER, STRANGER, FakeX


def said(fake: FakeX) -> list[str]:
    return [one.text for one in fake.ledger.posts.values() if one.author_id == BRAND]


async def test_an_answer_stands_below_the_post_and_has_its_address(
    x: XConnector, fake: FakeX
) -> None:
    stored = fake.ledger.add(CUSTOMER, "@acme help")
    (post,) = (await x.fetch(listened(account_of(fake)))).posts

    outcome = await x.publish(account_of(fake), answer_to(post, "we are on it"))

    assert outcome.certainty is Certainty.SENT
    published = fake.ledger.posts[int(outcome.external_id or 0)]
    assert (published.text, published.replied_to) == ("@jo we are on it", stored.id)
    assert outcome.url == f"https://x.com/acme/status/{published.id}"


async def test_a_message_goes_to_the_one_who_wrote(x: XConnector, fake: FakeX) -> None:
    fake.ledger.say(CUSTOMER, BRAND, "psst")
    (post,) = (await x.fetch(listened(account_of(fake)))).posts

    outcome = await x.publish(account_of(fake), answer_to(post, "yes?"))

    message = fake.ledger.messages[-1]
    assert outcome.external_id == f"dm:{message.id}"
    assert message.participants == {BRAND, CUSTOMER}


async def test_a_message_to_a_group_goes_to_the_group(x: XConnector, fake: FakeX) -> None:
    participants = (CUSTOMER, BRAND, STRANGER)
    group = {"conversation_id": "1581048670673260549", "participants": participants}
    fake.ledger.say(CUSTOMER, BRAND, "we three", **group)
    (post,) = (await x.fetch(listened(account_of(fake)))).posts
    wanted = answer_to(post, "hello all")

    outcome = await x.publish(account_of(fake), wanted)
    found = await x.look_up(account_of(fake), wanted)

    assert fake.ledger.messages[-1].participants == set(participants)
    assert found.external_id == outcome.external_id


async def test_a_public_answer_to_a_message_reaches_the_customer_by_name(
    x: XConnector, fake: FakeX
) -> None:
    wanted = reply("we wrote to you", in_reply_to="dm:5", thread_root=f"dm:{BRAND}-{CUSTOMER}")

    outcome = await x.publish(account_of(fake), wanted)
    found = await x.look_up(account_of(fake), wanted)

    assert said(fake) == ["@jo we wrote to you"]
    assert found.external_id == outcome.external_id


async def test_a_private_answer_to_a_post_is_a_message(x: XConnector, fake: FakeX) -> None:
    stored = fake.ledger.add(CUSTOMER, "@acme help")
    wanted = reply(
        "psst",
        visibility=Visibility.PRIVATE,
        in_reply_to=str(stored.id),
        thread_root=str(stored.id),
    )

    outcome = await x.publish(account_of(fake), wanted)

    assert outcome.external_id == f"dm:{fake.ledger.messages[-1].id}"


async def test_the_same_words_are_refused_at_first_and_evidence_later(
    x: XConnector, fake: FakeX
) -> None:
    account = account_of(fake)
    stored = fake.ledger.add(CUSTOMER, "@acme help")
    first = reply("the same", in_reply_to=str(stored.id))
    assert (await x.publish(account, first)).certainty is Certainty.SENT

    on_a_first_attempt = await x.publish(account, first)
    after_an_unknown_one = await x.publish(account, replace(first, attempts=2))
    after_a_look_up = await x.publish(account, replace(first, attempts=3, reason=ABSENT))

    assert on_a_first_attempt.certainty is Certainty.REJECTED
    assert on_a_first_attempt.reason == SAME_WORDS
    assert (after_an_unknown_one.certainty, after_an_unknown_one.reason) == (
        Certainty.MAYBE,
        MAYBE_THERE,
    )
    assert after_a_look_up.certainty is Certainty.REJECTED
    assert len(said(fake)) == 1


async def test_a_reply_is_found_by_what_it_answers_and_its_words(
    x: XConnector, fake: FakeX
) -> None:
    account = account_of(fake)
    one, other = (fake.ledger.add(CUSTOMER, f"@acme {n}") for n in range(2))
    wanted = reply("see acme.example & more", in_reply_to=str(one.id))
    sent = await x.publish(account, wanted)

    found = await x.look_up(account, wanted)
    elsewhere = await x.look_up(account, replace(wanted, in_reply_to=str(other.id)))
    otherwise = await x.look_up(account, replace(wanted, text="see acme.example"))

    assert (found.certainty, found.external_id) == (Certainty.SENT, sent.external_id)
    for absent in (elsewhere, otherwise):
        assert (absent.certainty, absent.reason) == (Certainty.NOT_ACCEPTED, ABSENT)
        assert absent.visible_within_ms > 0


async def test_what_was_said_before_the_attempt_is_another_reply(
    x: XConnector, fake: FakeX
) -> None:
    account = account_of(fake)
    parent = fake.ledger.add(CUSTOMER, "@acme help", at_ms=now_ms() - 600_000)
    fake.ledger.add(BRAND, "@jo yes", replied_to=parent.id, at_ms=now_ms() - 60_000)
    fake.ledger.say(BRAND, CUSTOMER, "yes", at_ms=now_ms() - 60_000)

    public = await x.look_up(account, reply("yes", in_reply_to=str(parent.id)))
    private = await x.look_up(account, reply("yes", visibility=Visibility.PRIVATE))

    assert (public.certainty, private.certainty) == (Certainty.NOT_ACCEPTED,) * 2


async def test_a_message_of_the_customer_with_the_same_words_is_no_proof(
    x: XConnector, fake: FakeX
) -> None:
    fake.ledger.say(CUSTOMER, BRAND, "yes")

    found = await x.look_up(account_of(fake), reply("yes", visibility=Visibility.PRIVATE))

    assert found.certainty is Certainty.NOT_ACCEPTED


async def test_a_look_up_reads_all_that_was_said_since(x: XConnector, fake: FakeX) -> None:
    parent, begin = fake.ledger.add(CUSTOMER, "@acme help"), now_ms()
    fake.ledger.add(BRAND, "@jo first", replied_to=parent.id, at_ms=begin)
    for number in range(230):
        fake.ledger.add(BRAND, f"post {number}", at_ms=begin + 10 + number)

    found = await x.look_up(
        account_of(fake), reply("first", in_reply_to=str(parent.id), tried_since=begin)
    )

    assert found.certainty is Certainty.SENT


async def test_a_look_up_that_x_does_not_take_waits(x: XConnector, fake: FakeX) -> None:
    fake.limits.of |= {"GET own": (0, 900), "GET conversation": (0, 900)}

    for visibility in Visibility:
        found = await x.look_up(account_of(fake), reply("yes", visibility=visibility))

        assert found.certainty is Certainty.MAYBE
        assert (found.retry_after_s or 0) > 0


async def test_a_reply_that_is_over_the_limit_waits_until_the_window_ends(
    x: XConnector, fake: FakeX
) -> None:
    fake.limits.of |= {"POST post": (1, 900), "POST message": (5, 900)}
    fake.limits.messages_a_day = 1
    account, private = account_of(fake), Visibility.PRIVATE
    outcomes = [await x.publish(account, reply(f"{n}", to_handle=None)) for n in range(2)]
    outcomes += [await x.publish(account, reply(f"{n}", visibility=private)) for n in range(2)]

    certainties = [outcome.certainty for outcome in outcomes]
    assert certainties == [Certainty.SENT, Certainty.NOT_ACCEPTED] * 2
    assert 0 < (outcomes[1].retry_after_s or 0) <= 902
    until_midnight_s = 86_400 - int(time.time()) % 86_400
    assert abs((outcomes[3].retry_after_s or 0) - until_midnight_s) < 5


async def test_who_did_not_name_the_brand_cannot_be_answered_and_a_human_reads_why(
    x: XConnector, fake: FakeX
) -> None:
    stranger = fake.ledger.add(STRANGER, "my acme phone broke")
    gone = reply("sorry", in_reply_to="99")
    fake.closed_to_messages.add(CUSTOMER)

    public = await x.publish(account_of(fake), reply("sorry", in_reply_to=str(stranger.id)))
    missing = await x.publish(account_of(fake), gone)
    private = await x.publish(account_of(fake), reply("psst", visibility=Visibility.PRIVATE))
    long = await x.publish(account_of(fake), reply("x" * 281, to_handle=None))

    outcomes = (public, missing, private, long)
    assert {one.certainty for one in outcomes} == {Certainty.REJECTED}
    assert [one.reason for one in outcomes] == [
        "X lets this account answer in public only where the author mentioned or quoted it",
        "the answered post is not there any more, or hidden from this account",
        "this person takes no direct messages from the account",
        "the text is too long for X",
    ]


async def test_who_quoted_the_brand_can_be_answered(x: XConnector, fake: FakeX) -> None:
    own = fake.ledger.add(BRAND, "our news")
    quote = fake.ledger.add(STRANGER, "look at this", quoted=own.id)

    outcome = await x.publish(account_of(fake), reply("thanks", in_reply_to=str(quote.id)))

    assert outcome.certainty is Certainty.SENT


async def test_a_long_answer_goes_on_below_itself(x: XConnector, fake: FakeX) -> None:
    stored = fake.ledger.add(CUSTOMER, "@acme help")
    first = await x.publish(account_of(fake), reply("one", in_reply_to=str(stored.id)))

    wanted = reply("two", in_reply_to=first.external_id, id="re_1-2")
    second = await x.publish(account_of(fake), wanted)

    assert second.certainty is Certainty.SENT
    assert (await x.look_up(account_of(fake), wanted)).external_id == second.external_id


async def test_a_post_is_taken_back_and_a_message_is_not(x: XConnector, fake: FakeX) -> None:
    account = account_of(fake)
    sent = await x.publish(account, reply("oops", to_handle=None))
    wanted = reply("oops", external_id=sent.external_id)

    for _ in range(2):
        assert (await x.delete(account, wanted)).certainty is Certainty.SENT
    private = replace(wanted, visibility=Visibility.PRIVATE)

    assert said(fake) == []
    assert (await x.delete(account, private)).certainty is Certainty.REJECTED
    nameless = await x.delete(account, reply("oops"))
    assert nameless.certainty is Certainty.REJECTED


async def test_keys_that_x_does_not_know_wait_for_a_human(x: XConnector, fake: FakeX) -> None:
    account = account_of(fake)
    account.credentials["access_token_secret"] = "another"

    outcome = await x.publish(account, reply("hello", to_handle=None))

    assert outcome.certainty is Certainty.NOT_ACCEPTED
    assert outcome.retry_after_s
    assert said(fake) == []
    for secret in CREDENTIALS.values():
        assert secret not in repr(outcome)


@pytest.mark.parametrize("broken", ["line\nbreak", "", None, 5, "é"])
async def test_a_key_that_can_stand_in_no_header_is_sent_nowhere(
    x: XConnector, fake: FakeX, broken: object
) -> None:
    account = account_of(fake)
    account.credentials["consumer_key"] = broken

    outcome = await x.publish(account, reply("hello"))

    assert (outcome.certainty, fake.calls) == (Certainty.NOT_ACCEPTED, [])


@pytest.mark.parametrize("address", ["not a url", "http://[", "ftp://x"])
async def test_an_address_that_is_none_is_named(x: XConnector, fake: FakeX, address: str) -> None:
    account = account_of(fake, base_url=address)

    assert (await x.publish(account, reply("hello"))).certainty is Certainty.NOT_ACCEPTED
    assert (await x.look_up(account, reply("hello"))).certainty is Certainty.MAYBE
    assert (await x.delete(account, reply("a", external_id="5"))).certainty is not Certainty.SENT


async def test_a_customer_without_a_number_cannot_be_written_to(x: XConnector, fake: FakeX) -> None:
    wanted = reply("hello", visibility=Visibility.PRIVATE, to_external_id="../../users/me")

    assert (await x.publish(account_of(fake), wanted)).certainty is Certainty.REJECTED
    assert fake.calls == []


@pytest.mark.parametrize(
    ("status", "body", "certainty"),
    [
        (401, b"{}", Certainty.NOT_ACCEPTED),
        (402, b'{"title": "CreditsDepleted"}', Certainty.NOT_ACCEPTED),
        (429, b'{"title": "UsageCapExceeded"}', Certainty.NOT_ACCEPTED),
        (403, b'{"detail": "Your account is suspended"}', Certainty.NOT_ACCEPTED),
        (403, b'{"type": "https://api.x.com/2/problems/client-forbidden"}', Certainty.NOT_ACCEPTED),
        (
            403,
            b'{"errors": [{"message": "User is over daily status update limit."}]}',
            Certainty.NOT_ACCEPTED,
        ),
        (403, b'{"detail": "Forbidden"}', Certainty.REJECTED),
        (400, b"{}", Certainty.REJECTED),
        (413, b"", Certainty.REJECTED),
        (408, b"", Certainty.MAYBE),
        (500, b"<html>", Certainty.MAYBE),
        (503, b"", Certainty.MAYBE),
        (200, b"{}", Certainty.MAYBE),
        (302, b"", Certainty.MAYBE),
    ],
)
def test_what_a_refusal_means(status: int, body: bytes, certainty: Certainty) -> None:
    outcome = outcome_of_refusal(Answer(status, httpx.Headers(), body), reply("hello"))

    assert outcome.certainty is certainty
    assert outcome.reason


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 60.0),
        ({"retry-after": "7"}, 7.0),
        ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": "1100"}, 101.0),
        ({"x-rate-limit-remaining": "3", "x-rate-limit-reset": "1100"}, 60.0),
        (
            {
                "x-rate-limit-remaining": "0",
                "x-rate-limit-reset": "1100",
                "x-user-limit-24hour-remaining": "0",
                "x-user-limit-24hour-reset": "5000",
            },
            4001.0,
        ),
        ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": "900"}, 60.0),
        ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": "nan"}, 60.0),
        ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": "9999999999"}, 86_400.0),
        ({"retry-after": "-5"}, 60.0),
    ],
)
def test_a_pause_ends_with_the_window_that_is_used_up(
    headers: dict[str, str], expected: float
) -> None:
    assert pause_s(headers, 1_000.0) == expected


def test_lengths_are_counted_as_x_counts(x: XConnector, fake: FakeX) -> None:
    able = x.capabilities(account_of(fake))
    longer = x.capabilities(account_of(fake, longest_post="25000"))

    public, private = able.length_of(Visibility.PUBLIC), able.length_of(Visibility.PRIVATE)
    assert (public.unit, public.most, public.link_length) == (CountingUnit.X_WEIGHTED, 280, 23)
    assert private.most == 10_000
    assert longer.length.most == 25_000
    names = {allowance.name for allowance in able.allowances}
    used = {able.poll_allowance, able.public_reply_allowance, able.private_reply_allowance}
    assert used <= names
    assert x.read_back(account_of(fake), reply("a"), 0) is ReadBack.LOOK_UP

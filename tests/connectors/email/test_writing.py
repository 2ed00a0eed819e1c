from dataclasses import replace
from email import message_from_bytes
from email.message import Message
from email.policy import default

import pytest

from connectors.email.account import MailAccount
from connectors.email.mail_server import WrongSettings
from connectors.email.writing import Answered, NotWritable, written
from conversations.model import ReplyState, Visibility
from conversations.replies import Reply

SETTINGS = {"address": "care@brand.example", "name": "Care, Brand"}
REPLY = Reply(
    id="re_1",
    conversation_id="cv-1",
    account_id="ac-1",
    channel_id="ch-1",
    network="email",
    agent_id="ag-1",
    text="Grüße\n.\nFrom here\n",
    visibility=Visibility.PRIVATE,
    to_external_id="ana@mail.example",
    to_handle="ana@mail.example",
    in_reply_to="m2@mail.example",
    thread_root="m1@mail.example",
    state=ReplyState.ACCEPTED,
    covers=1,
    created_at=1_790_000_000_000,
    tried_since=1_790_000_000_000,
)


def mail(reply: Reply = REPLY, answered: Answered | None = None, **settings: str) -> Message:
    account = MailAccount({**SETTINGS, **settings}, {})
    content = written(account, reply, answered or Answered()).as_bytes()
    assert max(map(len, content.split(b"\r\n"))) <= 998
    return message_from_bytes(content, policy=default)


def test_a_reply_answers_in_the_thread_under_the_same_subject() -> None:
    told = mail(answered=Answered("My order", ("m1@mail.example", "x@y.example")))

    assert told["Subject"] == "Re: My order"
    assert told["In-Reply-To"] == "<m2@mail.example>"
    assert told["References"] == "<m1@mail.example> <x@y.example> <m2@mail.example>"
    assert told["Message-ID"] == "<re_1@brand.example>"
    assert told["Auto-Submitted"] == "no"
    assert told["From"] == '"Care, Brand" <care@brand.example>'
    assert told["To"] == "ana@mail.example"
    assert told["Bcc"] is None


def test_each_attempt_is_the_same_mail() -> None:
    account = MailAccount(SETTINGS, {})

    assert written(account, REPLY, Answered()).as_bytes() == (
        written(account, replace(REPLY, attempts=7), Answered()).as_bytes()
    )


def test_the_words_are_the_agents_to_the_letter() -> None:
    told = mail()

    assert told.get_payload(decode=True) == b"Gr\xc3\xbc\xc3\x9fe\r\n.\r\nFrom here\r\n"


def test_the_thread_follows_from_the_reply_when_the_mail_is_gone() -> None:
    assert mail()["References"] == "<m1@mail.example> <m2@mail.example>"
    assert mail(subject="Your order")["Subject"] == "Your order"


def test_a_mail_without_an_id_is_answered_without_one() -> None:
    told = mail(replace(REPLY, in_reply_to="sha256:00", thread_root=None))

    assert told["In-Reply-To"] is None
    assert told["References"] is None


def test_answers_may_go_elsewhere() -> None:
    assert mail(reply_to="answers@brand.example")["Reply-To"] == "answers@brand.example"


@pytest.mark.parametrize("subject", ["Re: x", "RE: x", "re : x"])
def test_an_answer_to_an_answer_says_so_once(subject: str) -> None:
    assert mail(answered=Answered(subject))["Subject"] == subject


INJECTED = "x\r\nBcc: evil@evil.example\r\n\r\nbody"


@pytest.mark.parametrize(
    ("reply", "answered", "settings"),
    [
        (REPLY, Answered(INJECTED), {}),
        (REPLY, Answered("=?utf-8?Q?x=0D=0ABcc:_evil@evil.example?="), {}),
        (REPLY, Answered("x", (INJECTED, "<a>\r\nBcc: b@c")), {}),
        (replace(REPLY, in_reply_to=INJECTED), Answered(), {}),
        (replace(REPLY, thread_root=INJECTED), Answered(), {}),
        (replace(REPLY, to_handle=INJECTED, text=INJECTED), Answered(), {}),
        (REPLY, Answered(), {"name": INJECTED}),
        (REPLY, Answered(), {"subject": INJECTED}),
        (REPLY, Answered(), {"reply_to": "a@b.example\r\nBcc: evil@evil.example"}),
    ],
)
def test_nobody_can_put_a_header_in(
    reply: Reply, answered: Answered, settings: dict[str, str]
) -> None:
    told = mail(reply, answered, **settings)

    assert told["Bcc"] is None
    assert not told.defects
    allowed = {"From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References"}
    allowed |= {"Auto-Submitted", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"}
    assert set(told.keys()) <= allowed


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ana",
        "a@b@c",
        "a b@c.example",
        "a@b.example\r\nBcc: x@y",
        "a@b.example, c@d.example",
        "ö@b.example",
        "<a@b.example>",
        "a@" + "b" * 300,
    ],
)
def test_what_is_no_address_is_refused_for_good(address: str) -> None:
    with pytest.raises(NotWritable):
        mail(replace(REPLY, to_external_id=address))


def test_domains_in_any_script_are_reached() -> None:
    assert mail(replace(REPLY, to_external_id="a@bücher.example"))["To"] == (
        "a@xn--bcher-kva.example"
    )


@pytest.mark.parametrize("key", ["", "a b", "a\r\nb", "ä", "x" * 200])
def test_a_key_that_is_no_part_of_an_id_is_refused(key: str) -> None:
    with pytest.raises(NotWritable):
        mail(replace(REPLY, id=key))


def test_an_account_without_an_address_says_so() -> None:
    with pytest.raises(WrongSettings):
        mail(address="nobody")

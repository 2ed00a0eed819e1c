import base64
import time

import pytest

from connectors.email.quotes import split_history
from connectors.email.wire import CUT, Received, post_from
from conversations.model import Post, Unreadable, Visibility

OURS = "care@brand.example"
AT = 1_790_000_000_000
HEAD = "From: Ana <ana@mail.example>\nTo: care@brand.example\nMessage-ID: <m1@mail.example>\n"


def read(raw: str | bytes) -> Post | Unreadable:
    content = raw if isinstance(raw, bytes) else raw.encode("utf-8", "surrogateescape")
    return post_from(Received(content, AT, len(content)), OURS)


def post(raw: str | bytes) -> Post:
    found = read(raw)
    assert isinstance(found, Post), found
    return found


def refused(raw: str | bytes) -> Unreadable:
    found = read(raw)
    assert isinstance(found, Unreadable), found
    return found


def test_a_plain_mail_is_a_private_post_below_its_subject() -> None:
    found = post(HEAD + "Subject: My order\n\nWhere is it?\n\nAna\n")

    assert found.external_id == "m1@mail.example"
    assert found.text == "My order\n\nWhere is it?\n\nAna"
    assert (found.author.external_id, found.author.name) == ("ana@mail.example", "Ana")
    assert found.visibility is Visibility.PRIVATE
    assert found.created_at == AT
    assert found.mentions == ("care@brand.example",)
    assert (found.in_reply_to, found.thread_root, found.is_own) == (None, None, False)


def test_an_answer_stands_in_its_thread_and_does_not_repeat_the_subject() -> None:
    head = "Subject: Re: My order\nIn-Reply-To: <re_1@brand.example>\n"
    head += "References: <m0@mail.example>\n <re_1@brand.example>\n"

    found = post(HEAD + head + "\nThanks!\n")

    assert found.text == "Thanks!"
    assert found.in_reply_to == "re_1@brand.example"
    assert found.thread_root == "m0@mail.example"


def test_the_root_is_the_parent_when_nothing_else_is_known() -> None:
    found = post(HEAD + "In-Reply-To: <m0@mail.example>\n\nhi")

    assert (found.in_reply_to, found.thread_root) == ("m0@mail.example", "m0@mail.example")


def test_a_mail_without_an_id_is_the_same_each_time() -> None:
    raw = "From: ana@mail.example\n\nhi"

    assert post(raw).external_id == post(raw).external_id
    assert post(raw).external_id.startswith("sha256:")
    assert post(raw).external_id != post(raw + "!").external_id
    long = f"From: ana@mail.example\nMessage-ID: <{'x' * 300}@a>\n\nhi"
    assert post(long).external_id.startswith("sha256:")


def test_a_forms_mail_is_its_writers() -> None:
    raw = "From: Form <form@brand.example>\nReply-To: Ana <ANA@mail.example>\n\nhi"

    assert post(raw).author.external_id == "ana@mail.example"


@pytest.mark.parametrize(
    ("charset", "body", "text"),
    [
        ("windows-1252", "naïve ½ €5".encode("cp1252"), "naïve ½ €5"),
        ("utf-8", "naïve ½ €5".encode("cp1252"), "naïve ½ €5"),
        ("iso-8859-1", "naïve ½ €5".encode(), "naïve ½ €5"),
        ("us-ascii", "naïve".encode(), "naïve"),
        ("us-ascii", b"na\xefve", "naïve"),
        ("iso-2022-jp", "注文".encode("iso2022_jp"), "注文"),
        ("gb2312", "订单".encode("gb2312"), "订单"),
        ("koi8-r", "заказ".encode("koi8-r"), "заказ"),
        ("no-such-thing", "naïve".encode(), "naïve"),
        ("zip", b"hello", "hello"),
        ("unicode_escape", rb"\ud83d", "\\ud83d"),
        ("idna", b"xn--" + b"a" * 100, "xn--" + "a" * 100),
        ("utf-8", b"a\0b", "a\N{REPLACEMENT CHARACTER}b"),
        ("", "naïve".encode(), "naïve"),
    ],
)
def test_words_are_read_in_whatever_charset_they_are(charset: str, body: bytes, text: str) -> None:
    head = HEAD + f'Content-Type: text/plain; charset="{charset}"\n'

    assert post(head.encode() + b"\n" + body).text == text


def test_subjects_and_names_are_decoded_and_kept_on_one_line() -> None:
    raw = (
        "From: =?utf-8?B?QW5h?= =?utf-8?Q?_L=C3=B3pez?= <ana@mail.example>\n"
        "Subject: =?windows-1252?Q?=80?= =?utf-8?Q?a=0D=0ABcc:_x@evil.example?=\n\nhi"
    )
    found = post(raw)

    assert found.author.name == "Ana López"
    assert found.text.split("\n")[0] == "€a Bcc: x@evil.example"


def test_raw_bytes_in_headers_are_read() -> None:
    raw = b"From: ana@mail.example\nSubject: " + "größe".encode("cp1252") + b"\n\nhi"

    assert post(raw).text.startswith("größe\n")


def multipart(kind: str, *parts: str, head: str = HEAD) -> str:
    within = "".join(f"--b\n{part}\n" for part in parts)
    return f'{head}Content-Type: multipart/{kind}; boundary="b"\n\n{within}--b--\n'


PLAIN = "Content-Type: text/plain; charset=utf-8\n\nplain words"
HTML = "Content-Type: text/html; charset=utf-8\n\n<p>rich <b>words</b></p><script>x</script>"


def test_of_alternatives_the_plain_one_is_read_and_html_when_there_is_no_other() -> None:
    empty = "Content-Type: text/plain\n\n \n"

    assert post(multipart("alternative", PLAIN, HTML)).text == "plain words"
    assert post(multipart("alternative", empty, HTML)).text == "rich words"
    assert post(multipart("alternative", HTML)).text == "rich words"


def test_attachments_are_named_and_not_downloaded() -> None:
    file = (
        'Content-Type: application/pdf; name="x.pdf"\nContent-Disposition: attachment;'
        " filename*=utf-8''C:%5Cdocs%5Crech%6Eung%20%E2%82%AC.pdf\n\nJVBERi0="
    )
    picture = "Content-Type: image/png\nContent-Disposition: inline; filename=a.png\n\nx"
    logo = "Content-Type: image/png\nContent-ID: <logo>\n\nx"

    found = post(multipart("mixed", PLAIN, file, picture, logo))

    assert found.text == "plain words"
    told = [(m.kind, m.alt_text, m.mime_type) for m in found.media]
    assert told == [
        ("file", "rechnung €.pdf", "application/pdf"),
        ("image", "a.png", "image/png"),
    ]
    assert found.media[0].url == "mid:m1@mail.example/attachment-1"


def test_the_history_below_is_beside_the_words_not_lost() -> None:
    raw = HEAD + (
        "Subject: Re: x\nIn-Reply-To: <a@b>\n\nYes, please.\n\n"
        "On Tue, 3 Nov 2026 at 10:00, Care\n<care@brand.example> wrote:\n\n> Shall we?\n>> Hello\n"
    )
    found = post(raw)

    assert found.text == "Yes, please."
    (history,) = found.media
    assert history.kind == "quoted history"
    assert history.alt_text is not None
    assert "Shall we?" in history.alt_text


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("ok\n\n> old", "ok"),
        ("ok\n\nAm 3. Nov 2026 schrieb Care <c@b.example>:\n> alt", "ok"),
        ("ok\n\nLe 3 nov. 2026 à 10:00, Care <c@b.example> a écrit :\n\n> vieux", "ok"),
        ("ok\n\n-----Original Message-----\nFrom: Care\nhello", "ok"),
        (
            "ok\n\n________________________________\nVon: Care\nGesendet: Dienstag\nAn: Ana\n\nx",
            "ok",
        ),
        ("ok\n\nFrom: Care\nSent: Tuesday\nTo: Ana\n\nx", "ok"),
        ("> question?\nanswer\n> other?\nno", "> question?\nanswer\n> other?\nno"),
        ("> only\n> quoted", "> only\n> quoted"),
        ("From: nobody in particular", "From: nobody in particular"),
        ("a > b and c", "a > b and c"),
        ("", ""),
    ],
)
def test_only_what_was_put_below_is_history(text: str, new: str) -> None:
    now, history = split_history(text)

    assert now == new
    assert bool(history) == (now != text)


def test_a_forwarded_mail_is_whole() -> None:
    raw = HEAD + "Subject: Fwd: broken\n\nsee below\n\nFrom: Shop\nSent: Tuesday\n\nIt broke."

    assert "It broke." in post(raw).text


@pytest.mark.parametrize(
    ("head", "code"),
    [
        ("Auto-Submitted: auto-replied\n", "automatic_reply"),
        ("Auto-Submitted: auto-generated (vacation)\n", "automatic_reply"),
        ("X-Autoreply: yes\n", "automatic_reply"),
        ("Precedence: auto_reply\n", "mailing_list"),
        ("Precedence: Bulk\n", "mailing_list"),
        ("List-Id: <news.example>\n", "mailing_list"),
        ("List-Unsubscribe: <https://a.example>\n", "mailing_list"),
        ("Return-Path: <>\n", "bounce"),
    ],
)
def test_what_no_customer_wrote_is_kept_out(head: str, code: str) -> None:
    found = refused(HEAD + head + "Subject: Out of office\n\nI am away")

    assert (found.code, found.external_id) == (code, "m1@mail.example")
    assert "I am away" in found.raw


def test_people_may_say_that_they_are_no_machines() -> None:
    assert post(HEAD + "Auto-Submitted: no\nReturn-Path: <ana@mail.example>\n\nhi").text == "hi"


def test_a_bounce_names_the_reply_that_did_not_arrive() -> None:
    status = "Content-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nStatus: 5.1.1\n"
    status += "Diagnostic-Code: smtp; 550 no such user\n"
    ours = "Content-Type: text/rfc822-headers\n\nMessage-ID: <re_42@brand.example>\nSubject: Re\n"
    head = "From: MAILER-DAEMON@mail.example\nMessage-ID: <b1@mail.example>\n"

    found = refused(
        multipart("report; report-type=delivery-status", PLAIN, status, ours, head=head)
    )

    assert found.code == "bounce"
    assert "re_42 did not arrive" in found.detail
    assert "5.1.1" in found.detail
    whole = "Content-Type: message/rfc822\n\nMessage-ID: <re_42@brand.example>\n\nhello"
    again = refused(
        multipart("report; report-type=delivery-status", PLAIN, status, whole, head=head)
    )
    assert "re_42 did not arrive" in again.detail


def test_our_own_mail_is_known_by_its_id_and_its_sender() -> None:
    own = "From: Care <CARE@brand.example>\nMessage-ID: <re_42-2@Brand.example>\n\nhi"
    forged = "From: ana@mail.example\nMessage-ID: <re_42@brand.example>\n\nhi"
    by_hand = "From: care@brand.example\nMessage-ID: <x@brand.example>\n\nhi"

    assert (post(own).is_own, post(own).own_reply_id) == (True, "re_42-2")
    assert (post(forged).is_own, post(forged).own_reply_id) == (False, None)
    assert (post(by_hand).is_own, post(by_hand).own_reply_id) == (True, None)


def nested(depth: int) -> str:
    lines = [f'Content-Type: multipart/mixed; boundary="{n}"\n\n--{n}' for n in range(depth)]
    return HEAD + "\n".join([*lines, "", "deep"])


HOSTILE = {
    "empty": "",
    "no sender": "Subject: hi\n\nhi",
    "sender without address": "From: Ana\n\nhi",
    "nul": "From: a@b\0.example\n\nhi",
    "only headers": HEAD,
    "no end of headers": "From: ana@mail.example " * 10_000,
    "many headers": HEAD + "X: y\n" * 100_000 + "\nhi",
    "one long header": HEAD + f"Subject: {'=?utf-8?Q?x?= ' * 80_000}\n\nhi",
    "long references": HEAD + f"References: {'<a@b> ' * 200_000}\n\nhi",
    "many receivers": HEAD + f"Cc: {'a@b.example, ' * 80_000}\n\nhi",
    "comments in addresses": f"From: {'(' * 50_000}\n\nhi",
    "broken base64": HEAD + "Content-Transfer-Encoding: base64\n\n%%%= not base64 \x80",
    "broken quoted-printable": HEAD + "Content-Transfer-Encoding: quoted-printable\n\n=ZZ=\n=",
    "unknown encoding": HEAD + "Content-Transfer-Encoding: x-uuencode\n\nbegin 644 x\n!!\n",
    "no boundary": HEAD + "Content-Type: multipart/mixed\n\nhi",
    "nested": nested(200),
    "nested too deeply": nested(20_000),
    "many parts": multipart("mixed", *["\nx"] * 20_000),
    "a megabyte": HEAD + "\n" + "x" * 1_000_000,
    "a megabyte of quotes": HEAD + "\n" + "> \n" * 300_000,
    "a megabyte of html": HEAD + "Content-Type: text/html\n\n" + "<p>x" * 250_000,
    "bytes": "".join(map(chr, range(256))),
    "odd type": HEAD + "Content-Type: ;;;=\n\nhi",
    "odd charset": HEAD + "Content-Type: text/plain; charset*=x'y'%zz\n\nhi",
    "odd name": HEAD + "Content-Disposition: attachment; filename*0*=x'y'%zz; filename*2=b\n\nhi",
    "odd encoded word": HEAD + "Subject: =?x?b?===?= =?utf-8?b?a?=\n\nhi",
    "message in message": HEAD + "Content-Type: message/rfc822\n\n" * 1_000 + "hi",
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE.keys())
def test_whatever_comes_is_a_post_or_quarantined_and_soon(raw: str) -> None:
    begin = time.process_time()

    found = read(raw.encode("latin-1", "replace"))

    assert time.process_time() - begin < 4
    words = found.text if isinstance(found, Post) else found.raw + found.detail
    assert "\0" not in words
    assert words.encode().decode() == words


def test_a_text_of_a_megabyte_is_cut_and_says_so() -> None:
    assert post(HOSTILE["a megabyte"]).text.endswith(CUT)
    assert len(post(HOSTILE["a megabyte"]).text) <= 100_000


def test_a_mail_that_was_not_read_to_its_end_says_so() -> None:
    raw = HEAD.encode() + b"\nhello"

    found = post_from(Received(raw, AT, 30_000_000), OURS)

    assert isinstance(found, Post)
    assert found.text == "hello" + CUT


def test_flowed_lines_are_joined() -> None:
    head = HEAD + "Content-Type: text/plain; format=flowed\n\n"

    assert post(head + "one \ntwo\nthree\n").text == "one two\nthree"


def test_encoded_words_in_a_body_are_words() -> None:
    body = base64.b64encode("grüße".encode()).decode()
    head = HEAD + "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"

    assert post(head + body).text == "grüße"

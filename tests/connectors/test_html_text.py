import time

import pytest

from connectors.html_text import LONGEST_HTML, text_of

HOSTILE = """<div> <b> <p> < <!-- &amp; <a/href='https://a.example'> <a/b=' <table> </p> <li> <td>
<blockquote> <font><p> \0 &#0; ]]> <![CDATA["""
MASTODON_LINK = (
    '<a href="https://a.example/long"><span class="invisible">https://</span>'
    '<span class="ellipsis">a.example/lo</span><span class="invisible">ng</span></a>'
)


def test_paragraphs_and_lines_are_kept() -> None:
    html = "<p>Hello</p><p>one<br>two</p><div>three</div><div><br></div><div>four</div>"

    assert text_of(html) == "Hello\n\none\ntwo\n\nthree\n\nfour"


def test_lists_and_tables_are_readable() -> None:
    html = "<ul><li>bread<li>butter</ul><table><tr><td>no.</td><td>42</td></tr></table>"

    assert text_of(html) == "• bread\n• butter\n\nno. 42"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ('<a href="https://a.example/x">here</a>', "here (https://a.example/x)"),
        ('<a href="https://a.example/">a.example</a>', "a.example"),
        ('<a href="https://a.example/x"></a>', "https://a.example/x"),
        ('<a href="mailto:ana@a.example">ana@a.example</a>', "ana@a.example"),
        (MASTODON_LINK, "https://a.example/long"),
        ('<a href="javascript:alert(1)">click</a>', "click"),
        ('<a href="java&#x0A;script:alert(1)">click</a>', "click"),
        ('<a href="data:text/html,x">click</a>', "click"),
        ('<a href="/inside">click</a>', "click"),
        ('<a href="//evil.example/x">click</a>', "click"),
        (
            '<a href="https://evil.example/">https://bank.example/</a>',
            "https://bank.example/ (https://evil.example/)",
        ),
    ],
)
def test_links_say_where_they_lead(html: str, text: str) -> None:
    assert text_of(html) == text


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        "<SCRIPT SRC=//evil.example></SCRIPT>",
        "<style>body{color:red}</style>",
        "<svg><style><img src=x onerror=alert(1)></style></svg>",
        "<math><mtext><script>alert(1)</script></mtext></math>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
        "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
        "<template><script>alert(1)</script></template>",
        "<title>not said</title>",
        "<p hidden>not said</p>",
        "<div style='display: none'>a <b>preheader</b><br><img alt='x'></div>",
        "<div style='DISPLAY:NONE !important'>not said</div>",
        "<span style='font-size:0px'>not said</span>",
        "<span style='max-height:0;overflow:hidden'>not said</span>",
        "<span style='visibility:hidden'>not said</span>",
        "<!-- <p>not said</p> -->",
        "<img src='https://tracker.example/1.gif'>",
        "&#8203;&#65279;&#173;",
    ],
)
def test_what_nobody_would_see_or_should_run_is_left_out(html: str) -> None:
    words = text_of(f"<p>before</p>{html}<p>after</p>")

    assert words.startswith("before")
    assert "alert" not in words.replace("onerror=alert(1)", "")
    assert "not said" not in words
    assert "preheader" not in words
    assert "<" not in words.replace("'>", "")


def test_entities_are_letters_and_spaces_are_one() -> None:
    html = "<p>5 &lt; 6 &amp;&nbsp; 7\n  &euro; &#x1F600; &bogus; &#xD800;</p>"

    assert text_of(html) == "5 < 6 & 7 € 😀 &bogus; \N{REPLACEMENT CHARACTER}"


def test_words_that_look_like_tags_stay_words() -> None:
    assert text_of("&lt;script&gt;alert(1)&lt;/script&gt;") == "<script>alert(1)</script>"


def test_pictures_speak_by_their_description() -> None:
    assert text_of("<p>hi <img src='cid:1' alt='😀'></p>") == "hi 😀"


def test_quotations_are_marked_when_asked_for() -> None:
    html = "<p>yes</p><blockquote>no<blockquote>why<br>not</blockquote></blockquote><p>end</p>"

    assert text_of(html) == "yes\n\nno\n\nwhy\nnot\n\nend"
    assert text_of(html, marks_quotes=True) == "yes\n\n> no\n\n> > why\n> > not\n\nend"


def test_preformatted_lines_stay_lines() -> None:
    assert text_of("<pre>one\n two\n</pre>after") == "one\ntwo\n\nafter"


@pytest.mark.parametrize("piece", HOSTILE.split())
def test_a_megabyte_of_anything_is_read_in_no_time(piece: str) -> None:
    begin = time.process_time()

    text = text_of(piece * (LONGEST_HTML // len(piece)) + "x")

    assert time.process_time() - begin < 5
    assert len(text) <= LONGEST_HTML


def test_what_is_nested_too_deeply_keeps_its_words() -> None:
    assert text_of("<div>" * 5_000 + "words") == "words"


def test_half_a_surrogate_pair_is_no_reason_to_fail() -> None:
    assert text_of("<p>half \ud83d</p>").startswith("half")

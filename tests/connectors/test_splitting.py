"""A long text as a thread: whole words, in order, nothing lost, each part within the rule."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.lengths import LINK, fits, graphemes, length_of
from connectors.splitting import TooLongError, split
from conversations.capabilities import CountingUnit, LengthRule
from conversations.reply_parts import MOST_PARTS

X = LengthRule(CountingUnit.X_WEIGHTED, 280, link_length=23)
BLUESKY = LengthRule(CountingUnit.GRAPHEMES, 300, most_bytes=3_000)
MASTODON = LengthRule(CountingUnit.MASTODON, 500, link_length=23)
SMS = LengthRule(CountingUnit.SMS_SEGMENTS, 1)
RULES = (X, BLUESKY, MASTODON, SMS)
WORDS = st.sampled_from(
    [
        "hello",
        "wörld",
        "日本語",
        "👨‍👩‍👧‍👦",
        "https://example.com/a/b",
        "@some.body",
        "end.",
        "\n\n",
        "\n",
        "…",
    ]
)


def parts_of(text: str, rule: LengthRule) -> tuple[str, ...]:
    return split(text, rule, is_threaded=True)


def unnumbered(parts: tuple[str, ...]) -> list[str]:
    return [re.sub(r" \(\d+/\d+\)$", "", part) for part in parts]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.unit)
def test_what_fits_is_left_as_it_is(rule: LengthRule) -> None:
    assert parts_of(" as it is ", rule) == (" as it is ",)


def test_a_long_text_is_numbered_and_torn_at_paragraphs() -> None:
    first, second = "The first. " * 15, "The second. " * 15

    parts = parts_of(f"{first.strip()}\n\n{second.strip()}", X)

    assert parts == (f"{first.strip()} (1/2)", f"{second.strip()} (2/2)")


def test_where_there_is_no_paragraph_it_is_torn_at_sentences() -> None:
    parts = parts_of("This is one of many sentences. " * 20, X)

    assert all(part.endswith(".") for part in unnumbered(parts))


def test_where_there_is_no_sentence_it_is_torn_at_words() -> None:
    assert set(" ".join(unnumbered(parts_of("word " * 200, X))).split()) == {"word"}


def test_a_word_that_fills_a_post_is_torn() -> None:
    parts = parts_of("a" * 600, X)

    assert "".join(unnumbered(parts)) == "a" * 600
    assert [length_of(part, X) for part in parts[:2]] == [280, 280]


def test_a_link_is_never_torn() -> None:
    link = "https://example.com/" + "a" * 60
    text = f"{'x' * 250} {link} {'y' * 250}"

    assert sum(LINK.findall(part).count(link) for part in parts_of(text, BLUESKY)) == 1


def test_a_link_longer_than_a_post_is_refused() -> None:
    with pytest.raises(TooLongError, match="cannot be torn apart"):
        parts_of("see https://example.com/" + "a" * 400, BLUESKY)


def test_without_threads_it_is_refused_with_its_length_and_the_limit() -> None:
    with pytest.raises(TooLongError) as refusal:
        split("a" * 281, X, is_threaded=False)

    assert (refusal.value.count, refusal.value.limit) == (281, "280 x weighted")


def test_the_bytes_are_named_where_they_are_too_many() -> None:
    with pytest.raises(TooLongError) as refusal:
        split("👨‍👩‍👧‍👦" * 121, BLUESKY, is_threaded=False)

    assert (refusal.value.count, refusal.value.limit) == (3_025, "3000 bytes")


def test_a_thread_has_a_longest_length() -> None:
    assert len(parts_of("a" * 272 * MOST_PARTS, X)) == MOST_PARTS
    with pytest.raises(TooLongError, match=f"{MOST_PARTS} posts at most"):
        parts_of("a" * (272 * MOST_PARTS + 1), X)


@given(text=st.lists(WORDS, min_size=40, max_size=160).map(" ".join), rule=st.sampled_from(RULES))
def test_nothing_is_lost_or_changed_and_every_part_fits(text: str, rule: LengthRule) -> None:
    try:
        parts = parts_of(text, rule)
    except TooLongError as refusal:
        assert refusal.count > rule.most  # noqa: PT017 - too much even for a thread
        return
    assert all(fits(part, rule) for part in parts)
    assert "".join("".join(unnumbered(parts)).split()) == "".join(text.split())
    whole = set(graphemes(text))
    assert all(set(graphemes(part)) <= whole for part in unnumbered(parts))

"""Files of a reply: what they are by their bytes, and which of them a network takes."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.attachments import (
    FILM,
    IMAGES,
    KNOWN,
    NO_ATTACHMENTS,
    Attachment,
    AttachmentRule,
    media_type_of,
    require_taken,
)
from conversations.capabilities import Capabilities, CountingUnit, LengthRule
from conversations.errors import AttachmentsNotTaken
from conversations.model import Visibility
from conversations.replies import current_part
from conversations.reply_parts import Part
from tests.conversations.test_reply_life import REPLY

PNG = b"\x89PNG\r\n\x1a\n"
RULE = AttachmentRule(
    most=2,
    media_types=IMAGES | {FILM},
    most_bytes=1_000,
    alone=frozenset({FILM}),
    longest_alt_text=10,
)
CAT = Attachment("at_1", "cat.png", "image/png", 1_000, "a cat")


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"),
        (PNG + b"rest", "image/png"),
        (b"GIF87a rest", "image/gif"),
        (b"GIF89a rest", "image/gif"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"\x00\x00\x00\x18ftypisom\x00\x00", FILM),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00", FILM),
        (b"%PDF-1.7 rest", "application/pdf"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00", None),
        (b"\x00\x00\x00\x14ftypqt  \x00\x00", None),
        (b"RIFF\x10\x00\x00\x00WAVEfmt ", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", None),
        (b"<!doctype html><script>", None),
        (b"MZ\x90\x00", None),
        (b"\x89PNG", None),
        (b"", None),
    ],
)
def test_a_file_is_what_its_first_bytes_say(content: bytes, media_type: str | None) -> None:
    assert media_type_of(content) == media_type


@given(st.binary(max_size=40))
def test_whatever_it_is_it_is_known_or_nothing(content: bytes) -> None:
    assert media_type_of(content) in {*KNOWN, None}


@pytest.mark.parametrize(
    ("attachments", "what", "why"),
    [
        ([CAT] * 3, "3 files", "acme takes 2 at most"),
        (
            [replace(CAT, media_type="application/pdf", name="bill.pdf")],
            "bill.pdf",
            f"it is application/pdf, acme takes {', '.join(sorted(RULE.media_types))}",
        ),
        ([replace(CAT, size_bytes=1_001)], "cat.png", "it has 1001 bytes, acme takes 1000"),
        (
            [CAT, replace(CAT, media_type=FILM, name="cat.mp4")],
            "cat.mp4",
            "on acme video/mp4 goes alone",
        ),
        (
            [replace(CAT, alt_text="a" * 11)],
            "cat.png",
            "its alternative text has 11 characters, acme takes 10",
        ),
    ],
)
def test_what_a_network_does_not_take_is_named_with_the_limit(
    attachments: list[Attachment], what: str, why: str
) -> None:
    with pytest.raises(AttachmentsNotTaken) as refused:
        require_taken(RULE, "acme", attachments)

    assert str(refused.value) == f"{what} cannot go with the reply: {why}"
    assert refused.value.code == "attachments_not_taken"


@pytest.mark.parametrize(
    "attachments",
    [
        [],
        [CAT],
        [CAT, CAT],
        [replace(CAT, media_type=FILM)],
        [replace(CAT, alt_text="a" * 10)],
        [replace(CAT, alt_text=None)],
    ],
)
def test_what_keeps_to_every_limit_is_taken(attachments: list[Attachment]) -> None:
    require_taken(RULE, "acme", attachments)


def test_where_nothing_is_carried_even_one_file_is_too_many() -> None:
    require_taken(NO_ATTACHMENTS, "acme", [])
    with pytest.raises(AttachmentsNotTaken, match=r"1 files .* acme takes none with such a reply"):
        require_taken(NO_ATTACHMENTS, "acme", [CAT])


@pytest.mark.parametrize("alt_text", [None, "", "  "])
def test_an_alternative_text_can_be_asked_for(alt_text: str | None) -> None:
    asking, silent = replace(RULE, needs_alt_text=True), replace(CAT, alt_text=alt_text)
    with pytest.raises(AttachmentsNotTaken, match="needs an alternative text"):
        require_taken(asking, "acme", [silent])
    require_taken(asking, "acme", [CAT])
    require_taken(asking.without_alt_text, "acme", [silent])


def test_where_none_is_carried_an_alternative_text_may_be_as_long_as_it_likes() -> None:
    require_taken(replace(RULE, longest_alt_text=0), "acme", [replace(CAT, alt_text="a" * 500)])


@pytest.mark.parametrize(("given", "kept"), [("  a cat ", "a cat"), ("  ", None), (None, None)])
def test_blanks_are_no_alternative_text(given: str | None, kept: str | None) -> None:
    assert CAT.described(given) == replace(CAT, alt_text=kept)


def test_private_messages_and_captions_may_have_rules_of_their_own() -> None:
    caption = LengthRule(CountingUnit.BYTES, 7)
    plain = Capabilities(attachments=RULE)
    able = replace(plain, private_attachments=NO_ATTACHMENTS, caption_length=caption)

    for visibility in Visibility:
        assert plain.attachments_of(visibility) == RULE
        assert plain.length_of(visibility, has_attachments=True) == plain.length
        assert able.length_of(visibility, has_attachments=True) == caption
        assert able.length_of(visibility) == able.length
    assert able.attachments_of(Visibility.PUBLIC) == RULE
    assert able.attachments_of(Visibility.PRIVATE) == NO_ATTACHMENTS


def test_files_go_with_the_first_post_of_a_thread() -> None:
    whole = replace(REPLY, attachments=(CAT,))
    first = replace(whole, parts=(Part("one"), Part("two")))
    second = replace(whole, parts=(Part("one", "p_1", sent_at=5), Part("two")))

    assert current_part(whole).attachments == (CAT,)
    assert current_part(first).attachments == (CAT,)
    assert current_part(second).attachments == ()


def test_a_file_does_not_tell_its_content() -> None:
    assert "secret" not in repr(replace(CAT, content=b"secret"))

"""Edits and deletions: whatever the order, the newest words stand and the deleted are gone."""

from itertools import permutations

import pytest

from conversations.model import ConversationState, PostChange, PostChangeKind
from conversations.post_changes import (
    EarlierText,
    Wording,
    by_our_clock,
    changed,
    is_pointless,
    newest,
)
from tests.conversations.samples import in_state

FIRST = PostChange("p", PostChangeKind.EDITED, 10, "second words")
SECOND = PostChange("p", PostChangeKind.EDITED, 20, "third words")
GONE = PostChange("p", PostChangeKind.DELETED, 15)
POST = Wording("first words")


def after(*changes: PostChange) -> Wording:
    wording = POST
    for change in changes:
        wording = changed(wording, change)
    return wording


def test_an_edit_from_the_future_does_not_outlive_later_ones() -> None:
    year_9999 = PostChange("p", PostChangeKind.EDITED, 253_402_300_799_000, "for ever")
    next_one = PostChange("p", PostChangeKind.EDITED, 90_000, "later words")

    told = [by_our_clock(year_9999, now=20_000), by_our_clock(next_one, now=90_000)]

    assert after(*told).text == "later words"


def test_only_the_newest_earlier_texts_are_kept() -> None:
    edits = [PostChange("p", PostChangeKind.EDITED, at, f"words {at}") for at in range(1, 80)]

    earlier = after(*edits).earlier_texts

    assert (len(earlier), earlier[-1]) == (50, EarlierText("words 78", 79))


def test_an_edit_keeps_what_was_there_before() -> None:
    assert after(FIRST, SECOND) == Wording(
        "third words",
        (EarlierText("first words", 10), EarlierText("second words", 20)),
        edited_at=20,
    )


def test_an_older_edit_and_a_repeated_one_change_nothing() -> None:
    assert after(SECOND, FIRST) == after(SECOND)
    assert after(FIRST, FIRST) == after(FIRST)


@pytest.mark.parametrize("order", list(permutations([FIRST, SECOND, GONE])))
def test_of_a_deleted_post_no_word_is_left(order: tuple[PostChange, ...]) -> None:
    wording = after(*order)
    assert (wording.text, wording.earlier_texts, wording.deleted_at) == ("", (), 15)
    assert changed(wording, SECOND) == wording


@pytest.mark.parametrize("order", list(permutations([FIRST, SECOND, GONE])))
def test_what_is_kept_for_a_post_is_its_deletion(order: tuple[PostChange, ...]) -> None:
    kept = None
    for change in order:
        kept = newest(kept, change)
    assert kept == GONE


def test_what_is_kept_for_a_post_is_its_newest_text() -> None:
    assert newest(FIRST, SECOND) == newest(SECOND, FIRST) == SECOND


@pytest.mark.parametrize("state", list(ConversationState))
def test_only_what_nobody_has_yet_is_pointless(state: ConversationState) -> None:
    nobodys = state in {ConversationState.QUEUED, ConversationState.ALERTING}
    assert is_pointless(in_state(state), 0) is nobodys
    assert not is_pointless(in_state(state), 1)

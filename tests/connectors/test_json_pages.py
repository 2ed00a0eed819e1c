"""Pages of JSON: what cannot be read spares its neighbours, and a frame that is none is said so."""

import json

import pytest

from connectors.json_pages import NotAPage, read_page
from conversations.model import Unreadable

DEEP = "[" * 100_000 + "]" * 100_000


def test_a_page_is_its_entries_and_what_stands_beside_them() -> None:
    pieces = read_page(b'{"posts": [1, {"a": []}], "more": true}', "posts")

    assert (pieces.entries, pieces.beside) == ([1, {"a": []}], {"more": True})


@pytest.mark.parametrize("poison", [DEEP, '{"a": ' + DEEP + "}", "9" * 5_000, "{a: 1}", "nil"])
def test_an_entry_that_is_no_json_spares_its_neighbours(poison: str) -> None:
    first = {"text": 'brackets ]}, "posts": [ and \\ "quotes"', "inner": {"posts": [1, 2]}}
    body = f'{{"account": "a", "posts": [{json.dumps(first)}, {poison}, {{}}], "more": [1]}}'

    pieces = read_page(body.encode(), "posts")

    assert pieces.entries[0] == first
    assert isinstance(pieces.entries[1], Unreadable)
    assert pieces.entries[1].code == "not_json"
    assert pieces.entries[2:] == [{}]
    assert pieces.beside == {"account": "a", "more": [1]}


def test_bytes_that_are_no_utf8_spare_the_neighbours_too() -> None:
    pieces = read_page(b'{"posts": [{"text": "\xff"}, {"text": "ok"}]}', "posts")

    assert pieces.entries == [{"text": "\N{REPLACEMENT CHARACTER}"}, {"text": "ok"}]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"7",
        b"{}",
        b'{"posts": null}',
        b'{"posts": {}}',
        b'{"posts": [{"id": "12\xff\xfe',
        b'{"posts": [1, 2',
        b'{"posts": [nil], "more": nil}',
        b"<html>",
        DEEP.encode(),
        b'"' * 9,
    ],
)
def test_what_has_no_list_of_entries_is_no_page(body: bytes) -> None:
    with pytest.raises(NotAPage):
        read_page(body, "posts")


def test_an_empty_list_beside_something_unreadable_has_no_entries() -> None:
    with pytest.raises(NotAPage):
        read_page(b'{"posts": [], "more": nil}', "posts")

from connectors.x.queries import LONGEST_QUERY, queries
from tests.fakes.x_search import Searched, predicate


def test_handles_and_words_become_one_query() -> None:
    asked = queries(["@Rival", "other"], ["acme phone", "#broken", "$ACME"], "-is:retweet")

    assert asked == ['(@rival OR @other OR "acme phone" OR #broken OR $ACME) -is:retweet']


def test_nothing_to_look_for_is_no_query() -> None:
    assert queries([], ["", '""', "\ud800"], "-is:retweet") == []
    assert queries(["not a handle", "way_too_long_for_a_handle"], []) == []


def test_a_word_is_never_an_operator() -> None:
    (query,) = queries([], ["OR", "-acme", "from:acme", 'say "acme'])

    assert query == '("OR" OR "-acme" OR "from:acme" OR "say acme")'


def test_many_words_become_queries_that_x_takes_and_none_is_lost() -> None:
    words = [f"word number {number}" for number in range(200)]

    asked = queries([], words, "-is:retweet -from:acme")

    assert len(asked) > 1
    assert all(len(query) <= LONGEST_QUERY for query in asked)
    for word in words:
        post = Searched(word, "jo", "", frozenset(), "1")
        assert any(predicate(query)(post) for query in asked)


def test_a_word_that_no_query_can_hold_is_left_out() -> None:
    assert queries([], ["x" * 600, "acme"]) == ['("acme")']

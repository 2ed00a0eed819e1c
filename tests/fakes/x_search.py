"""X's query language, so far as the fake speaks it: words, phrases, OR, -, (), and operators."""

import re
from collections.abc import Callable
from dataclasses import dataclass

Predicate = Callable[["Searched"], bool]
_TOKEN = re.compile(r'-?"[^"]*"|[()]|[^\s()]+')


class BadQuery(Exception):
    """X answers 400."""


@dataclass(frozen=True)
class Searched:
    """What a query looks at."""

    text: str
    author: str
    replied_to: str
    mentions: frozenset[str]
    conversation_id: str
    is_repost: bool = False
    is_quote: bool = False
    is_reply: bool = False


def predicate(query: str) -> Predicate:
    """Understand a query.

    Raises:
        BadQuery: it is empty, or its brackets do not fit.
    """
    tokens = _TOKEN.findall(query)
    if not tokens:
        raise BadQuery("empty query")
    parsed, rest = _either(tokens)
    if rest:
        raise BadQuery(f"unexpected {rest[0]}")
    return parsed


def _either(tokens: list[str]) -> tuple[Predicate, list[str]]:
    first, rest = _all(tokens)
    options = [first]
    while rest and rest[0] == "OR":
        option, rest = _all(rest[1:])
        options.append(option)
    return (lambda post: any(one(post) for one in options)), rest


def _all(tokens: list[str]) -> tuple[Predicate, list[str]]:
    parts: list[Predicate] = []
    while tokens and tokens[0] not in {"OR", ")"}:
        part, tokens = _one(tokens)
        parts.append(part)
    if not parts:
        raise BadQuery("nothing between operators")
    return (lambda post: all(one(post) for one in parts)), tokens


def _one(tokens: list[str]) -> tuple[Predicate, list[str]]:
    token, rest = tokens[0], tokens[1:]
    if token == "(":
        inner, rest = _either(rest)
        if not rest or rest[0] != ")":
            raise BadQuery("a bracket is not closed")
        return inner, rest[1:]
    if token.startswith("-") and len(token) > 1:
        inner, _ = _one([token[1:]])
        return (lambda post: not inner(post)), rest
    return _term(token), rest


def _term(token: str) -> Predicate:
    name, sign, value = token.partition(":")
    wanted = value.removeprefix("@").casefold()
    operators: dict[str, Predicate] = {
        "from": lambda post: post.author.casefold() == wanted,
        "to": lambda post: post.replied_to.casefold() == wanted,
        "conversation_id": lambda post: post.conversation_id == value,
        "is": lambda post: {
            "retweet": post.is_repost,
            "quote": post.is_quote,
            "reply": post.is_reply,
        }.get(value, False),
    }
    if sign and name in operators:
        return operators[name]
    if token.startswith("@"):
        return lambda post: token[1:].casefold() in post.mentions
    sought = token.strip('"').casefold()
    pattern = re.compile(rf"(?<!\w){re.escape(sought)}(?!\w)")
    return lambda post: pattern.search(post.text.casefold()) is not None

"""Reads a rule's condition from JSON: every mistake is refused at its place, with the reason."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from acd.conditions import (
    OPERATORS,
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Not,
    Operand,
    Operator,
    comparable,
)
from acd.rule_facts import FACTS, Argument, ArgumentValue, Fact, FactType, Point
from acd.rule_places import Place
from acd.rule_texts import LONGEST_PATTERN, BadPattern, folded, keyword, pattern

MOST_NODES = 64
DEEPEST = 8
MOST_IN_A_LIST = 100
LARGEST_NUMBER = 2.0**53
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_JOINING = ("all", "any", "not")


@dataclass(slots=True)
class Budget:
    """How much of one rule is used up, and of its whole set: patterns and keywords take time."""

    nodes: int = 0
    patterns: int = 0
    keywords: int = 0


def read_condition(place: Place, budget: Budget, depth: int = 1) -> Condition | None:
    """Read a node and what is below it; None when something is wrong, which the place notes."""
    budget.nodes += 1
    if budget.nodes > MOST_NODES:
        if budget.nodes == MOST_NODES + 1:
            place.wrong(f"is the node after the {MOST_NODES}th: a rule has at most {MOST_NODES}")
        return None
    if depth > DEEPEST:
        place.wrong(f"lies deeper than {DEEPEST} levels")
        return None
    if not isinstance(place.value, dict):
        place.wrong("should be an object: all, any, not, or a comparison with a fact")
        return None
    joining = [name for name in _JOINING if name in place.value]
    if not joining:
        return _read_comparison(place, budget)
    if len(place.value) != 1:
        place.wrong(f"has {joining[0]} and something beside it: a node is one thing")
        return None
    return _read_joining(place.at(joining[0]), joining[0], budget, depth)


def _read_joining(place: Place, name: str, budget: Budget, depth: int) -> Condition | None:
    if name == "not":
        child = read_condition(place, budget, depth + 1)
        return None if child is None else Not(child)
    read = [read_condition(p, budget, depth + 1) for p in place.elements(MOST_NODES)]
    children = tuple(child for child in read if child is not None)
    if not read or len(children) != len(read):
        return None
    return AllOf(children) if name == "all" else AnyOf(children)


def _read_comparison(place: Place, budget: Budget) -> Condition | None:
    name = place.at("fact").value
    fact = FACTS.get(name) if isinstance(name, str) else None
    if fact is None:
        place.at("fact").wrong("should be the name of a fact that rules know")
        return None
    needed = {"fact"} | ({fact.argument.value} if fact.argument else set())
    operators = {operator.value for operator in OPERATORS[fact.type]}
    if not place.members(needed, operators):
        return None
    used = [Operator(name) for name in sorted(operators) if place.at(name).value is not None]
    if len(used) != 1:
        place.wrong(f"should have exactly one of {', '.join(sorted(operators))}")
        return None
    before = len(place.faults)
    argument = _read_argument(place, fact)
    operand = _READ_OPERAND[used[0]](place.at(used[0].value), fact, budget)
    if len(place.faults) > before:
        return None
    return Comparison(fact, used[0], operand, argument)


def _read_argument(place: Place, fact: Fact) -> ArgumentValue:
    match fact.argument:
        case None:
            return None
        case Argument.POINT:
            return _read_point(place.at("from"))
        case Argument.WORKGROUP:
            return place.at("workgroup_id").words(64)
        case Argument.TIME_ZONE:
            return _read_time_zone(place.at("time_zone"))


def _read_point(place: Place) -> Point | None:
    if not place.members({"lat", "lon"}, set()):
        return None
    lat, lon = place.at("lat").number(-90, 90), place.at("lon").number(-180, 180)
    return None if lat is None or lon is None else Point(lat, lon)


def _read_time_zone(place: Place) -> str | None:
    name = place.words(100)
    if name is None:
        return None
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        place.wrong("should be a time zone such as Europe/Vienna")
        return None
    return name


ReadOperand: TypeAlias = Callable[[Place, Fact, Budget], Operand]


def _one(place: Place, fact: Fact, _: Budget) -> Operand:
    """Read a value of the fact's own type."""
    match fact.type:
        case FactType.NUMBER:
            return place.number(-LARGEST_NUMBER, LARGEST_NUMBER)
        case FactType.FLAG:
            return place.flag()
        case FactType.CHOICE:
            return place.choice(fact.choices)
        case FactType.TIME_OF_DAY:
            return _read_clock(place)
        case _:
            words = place.words()
            return None if words is None else comparable(fact.type, words)


def _read_clock(place: Place) -> str | None:
    if isinstance(place.value, str) and _CLOCK.fullmatch(place.value):
        return place.value
    place.wrong("should be a time of day such as 09:30")
    return None


def _several(place: Place, fact: Fact, budget: Budget) -> Operand:
    return tuple(_one(p, fact, budget) for p in place.elements(MOST_IN_A_LIST))


def _part(place: Place, _: Fact, __: Budget) -> Operand:
    words = place.words()
    return None if words is None else folded(words)


def _keywords(place: Place, fact: Fact, budget: Budget) -> Operand:
    words = [p.words() for p in place.elements(MOST_IN_A_LIST)]
    named = list(dict.fromkeys(word for word in words if word is not None))
    if fact.type is FactType.NAMES:
        return tuple(named)
    budget.keywords += len(named)
    return tuple(keyword(word) for word in named)


def _pattern(place: Place, _: Fact, budget: Budget) -> Operand:
    budget.patterns += 1
    source = place.words(LONGEST_PATTERN)
    if source is None:
        return None
    try:
        return pattern(source)
    except BadPattern as bad:
        place.wrong(f"is no pattern of RE2: {bad}")
        return None


def _bounds(place: Place, fact: Fact, budget: Budget) -> Operand:
    bounds: tuple[Any, ...] = tuple(_one(p, fact, budget) for p in place.elements(2, least=2))
    if len(bounds) != len([bound for bound in bounds if bound is not None]) or not bounds:
        return None
    low, high = bounds
    if fact.type is FactType.TIME_OF_DAY and low == high:
        place.wrong("begins and ends at the same time")
    elif fact.type is FactType.NUMBER and low > high:
        place.wrong("ends before it begins")
    return bounds


_READ_OPERAND: dict[Operator, ReadOperand] = {
    Operator.EQUALS: _one,
    Operator.ONE_OF: _several,
    Operator.STARTS_WITH: _part,
    Operator.ENDS_WITH: _part,
    Operator.CONTAINS_ANY: _keywords,
    Operator.CONTAINS_ALL: _keywords,
    Operator.MATCHES: _pattern,
    Operator.AT_LEAST: _one,
    Operator.AT_MOST: _one,
    Operator.MORE_THAN: _one,
    Operator.LESS_THAN: _one,
    Operator.BETWEEN: _bounds,
    Operator.IS_PRESENT: lambda place, _, __: place.flag(),
}

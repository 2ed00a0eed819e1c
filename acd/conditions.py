"""The condition of a rule: a tree of typed comparisons in which every node tells its result."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from acd.rule_facts import ArgumentValue, Fact, FactType, RoutingFacts, Value
from acd.rule_texts import Keyword, Pattern, folded


class Operator(StrEnum):
    EQUALS = "equals"
    ONE_OF = "one_of"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    CONTAINS_ANY = "contains_any"
    CONTAINS_ALL = "contains_all"
    MATCHES = "matches"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    MORE_THAN = "more_than"
    LESS_THAN = "less_than"
    BETWEEN = "between"
    IS_PRESENT = "is_present"


_O = Operator
_SAME = frozenset({_O.EQUALS, _O.ONE_OF, _O.IS_PRESENT})
_ORDERED = frozenset({_O.AT_LEAST, _O.AT_MOST, _O.MORE_THAN, _O.LESS_THAN, _O.BETWEEN})
_HAVING = frozenset({_O.CONTAINS_ANY, _O.CONTAINS_ALL})

OPERATORS: dict[FactType, frozenset[Operator]] = {
    FactType.TEXT: _SAME | _HAVING | {_O.STARTS_WITH, _O.ENDS_WITH, _O.MATCHES},
    FactType.ID: _SAME,
    FactType.LANGUAGE: _SAME,
    FactType.CHOICE: _SAME,
    FactType.NUMBER: _ORDERED | {_O.EQUALS, _O.IS_PRESENT},
    FactType.FLAG: frozenset({_O.EQUALS, _O.IS_PRESENT}),
    FactType.NAMES: _HAVING | {_O.IS_PRESENT},
    FactType.TIME_OF_DAY: frozenset({_O.AT_LEAST, _O.LESS_THAN, _O.BETWEEN}),
}
"""Which operators each type of fact knows; any other is refused when the rule is written."""

Operand: TypeAlias = Any
"""As `rule_reading` prepares it: numbers, folded texts, keywords, a compiled pattern."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One look at one fact; a fact that is missing makes it false, whatever the operator."""

    fact: Fact
    operator: Operator
    operand: Operand
    argument: ArgumentValue = None


@dataclass(frozen=True, slots=True)
class AllOf:
    children: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class AnyOf:
    children: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    child: "Condition"


Condition: TypeAlias = Comparison | AllOf | AnyOf | Not


@dataclass(frozen=True, slots=True)
class Node:
    """What became of one node of a tree: `kind` is all, any, not or the fact's name."""

    kind: str
    result: bool
    children: "tuple[Node, ...]" = ()
    operator: str | None = None
    operand: Operand = None
    argument: ArgumentValue = None
    seen: Value | None = None
    is_missing: bool = False
    matched: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return 1 + sum(child.size for child in self.children)


def check(condition: Condition, facts: RoutingFacts) -> Node:
    """Evaluate every node, also those that cannot change the result: the trace is for people."""
    match condition:
        case Comparison():
            return _compare(condition, facts)
        case Not(child):
            node = check(child, facts)
            return Node("not", not node.result, (node,))
        case AllOf(children):
            nodes = tuple(check(child, facts) for child in children)
            return Node("all", all(node.result for node in nodes), nodes)
        case AnyOf(children):
            nodes = tuple(check(child, facts) for child in children)
            return Node("any", any(node.result for node in nodes), nodes)


def _compare(comparison: Comparison, facts: RoutingFacts) -> Node:
    fact, operator = comparison.fact, comparison.operator
    value = fact.read(facts, comparison.argument)
    result, matched = _test(comparison, value)
    return Node(
        fact.name,
        result,
        operator=operator.value,
        operand=comparison.operand,
        argument=comparison.argument,
        seen=value,
        is_missing=value is None,
        matched=matched,
    )


Tested: TypeAlias = tuple[bool, tuple[str, ...]]
Test: TypeAlias = Callable[[Fact, Any, Operand], Tested]


def _test(comparison: Comparison, value: Value | None) -> Tested:
    if comparison.operator is Operator.IS_PRESENT:
        return (value is not None) is comparison.operand, ()
    if value is None:
        return False, ()
    return _TESTS[comparison.operator](comparison.fact, value, comparison.operand)


def comparable(fact_type: FactType, value: Value) -> Value:
    """Return a value as it is compared for being the same: texts without case."""
    if isinstance(value, str) and fact_type in {FactType.TEXT, FactType.LANGUAGE}:
        plain = folded(value)
        return plain.replace("_", "-") if fact_type is FactType.LANGUAGE else plain
    return value


def _is_same(fact: Fact, value: Value, wanted: Value) -> bool:
    """Compare; a language also equals its variants: `de` is what `de-AT` is, not vice versa."""
    seen = comparable(fact.type, value)
    if fact.type is FactType.LANGUAGE and isinstance(seen, str):
        return seen == wanted or seen.startswith(f"{wanted}-")
    return seen == wanted


def _equals(fact: Fact, value: Value, wanted: Operand) -> Tested:
    return _is_same(fact, value, wanted), ()


def _one_of(fact: Fact, value: Value, wanted: Operand) -> Tested:
    return any(_is_same(fact, value, one) for one in wanted), ()


def _starts_with(_: Fact, value: str, wanted: Operand) -> Tested:
    return folded(value).startswith(wanted), ()


def _ends_with(_: Fact, value: str, wanted: Operand) -> Tested:
    return folded(value).endswith(wanted), ()


def _found(fact: Fact, value: Value, wanted: Operand) -> tuple[str, ...]:
    if fact.type is FactType.NAMES and isinstance(value, frozenset):
        have = {folded(name) for name in value}
        return tuple(name for name in wanted if folded(name) in have)
    text = folded(str(value))
    keywords: tuple[Keyword, ...] = wanted
    return tuple(keyword.word for keyword in keywords if keyword.is_in(text))


def _contains_any(fact: Fact, value: Value, wanted: Operand) -> Tested:
    found = _found(fact, value, wanted)
    return bool(found), found


def _contains_all(fact: Fact, value: Value, wanted: Operand) -> Tested:
    found = _found(fact, value, wanted)
    return len(found) == len(wanted), found


def _matches(_: Fact, value: str, wanted: Operand) -> Tested:
    pattern: Pattern = wanted
    found = pattern.found_in(value)
    return found is not None, () if found is None else (found,)


def _between(fact: Fact, value: Any, wanted: Operand) -> Tested:  # noqa: ANN401 - a number or time
    """Compare with two bounds: of numbers both belong to it, of times of day the end does not."""
    low, high = wanted
    if fact.type is not FactType.TIME_OF_DAY:
        return low <= value <= high, ()
    if low <= high:
        return low <= value < high, ()
    return value >= low or value < high, ()


_TESTS: dict[Operator, Test] = {
    Operator.EQUALS: _equals,
    Operator.ONE_OF: _one_of,
    Operator.STARTS_WITH: _starts_with,
    Operator.ENDS_WITH: _ends_with,
    Operator.CONTAINS_ANY: _contains_any,
    Operator.CONTAINS_ALL: _contains_all,
    Operator.MATCHES: _matches,
    Operator.AT_LEAST: lambda _, value, bound: (value >= bound, ()),
    Operator.AT_MOST: lambda _, value, bound: (value <= bound, ()),
    Operator.MORE_THAN: lambda _, value, bound: (value > bound, ()),
    Operator.LESS_THAN: lambda _, value, bound: (value < bound, ()),
    Operator.BETWEEN: _between,
}

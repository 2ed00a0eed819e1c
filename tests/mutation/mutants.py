"""Small wrong changes of a module's source: each is a mutant, found in the same order always."""

import ast
import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

COMPARED = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
COMPUTED = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
CALLED = {"min": "max", "max": "min", "any": "all", "all": "any"}
CODE_WORD = re.compile(r"[a-z][a-z0-9_.]*")
"""Names of states, events and facts; a sentence for people is nobody's business here."""

UNTOUCHED = (ast.Import, ast.ImportFrom, ast.Raise, ast.Assert, ast.JoinedStr)
"""What does nothing, and what is only said to people."""

Function = tuple[str, int]
"""Name and first line, by which its code is found again in the running program."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: where it is, and the lines that reach it when they run."""

    number: int
    line: int
    lines: range
    function: Function | None
    said: str
    apply: Callable[[], ast.AST]
    """Change the tree that it was found in; return what stands there now."""


@dataclass(frozen=True, slots=True)
class _Place:
    node: ast.AST
    parent: ast.AST
    field: str
    index: int | None
    statement: ast.stmt
    function: Function | None

    def put(self, node: ast.AST) -> ast.AST:
        """Replace the node in its tree."""
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node
        return node


def mutants_of(tree: ast.Module) -> Iterator[Mutant]:
    """Yield every mutant of a module."""
    number = 0
    for place in _places(tree, None, None):
        for changed in _changes(place):
            yield Mutant(
                number,
                getattr(place.node, "lineno", place.statement.lineno),
                _lines(place.statement),
                place.function,
                ast.unparse(place.node),
                lambda place=place, changed=changed: place.put(changed),  # type: ignore[misc]
            )
            number += 1


def mutated(source: str, number: int) -> tuple[ast.Module, str]:
    """Return the module with its mutant of that number, and what the mutant says."""
    tree = ast.parse(source)
    mutant = next(mutant for mutant in mutants_of(tree) if mutant.number == number)
    says = ast.unparse(ast.fix_missing_locations(mutant.apply()))
    return ast.fix_missing_locations(tree), says


def _places(
    parent: ast.AST, statement: ast.stmt | None, function: Function | None
) -> Iterator[_Place]:
    """Visit what does something: no annotations, docstrings, decorators or messages."""
    for field, value in ast.iter_fields(parent):
        if not _is_done(parent, field):
            continue
        inside = function
        if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef) and field == "body":
            inside = function or (parent.name, _first_line(parent))
        nodes = value if isinstance(value, list) else [value]
        for index, node in enumerate(nodes):
            if not isinstance(node, ast.AST) or isinstance(node, UNTOUCHED) or _is_said(node):
                continue
            within = node if isinstance(node, ast.stmt) else statement
            if within is not None:
                at = index if isinstance(value, list) else None
                yield _Place(node, parent, field, at, within, inside)
            yield from _places(node, within, inside)


def _is_done(parent: ast.AST, field: str) -> bool:
    if isinstance(parent, ast.ClassDef):
        return field == "body"
    if isinstance(parent, ast.arguments):
        return field in {"defaults", "kw_defaults"}
    return field not in {"annotation", "returns", "decorator_list", "target", "targets"}


def _is_said(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _first_line(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _lines(statement: ast.stmt) -> range:
    """Return the lines of a simple statement, or of a compound one's head."""
    body = getattr(statement, "body", None)
    end = body[0].lineno - 1 if body else statement.end_lineno or statement.lineno
    return range(statement.lineno, max(end, statement.lineno) + 1)


def _changes(place: _Place) -> Iterator[ast.AST]:
    node = place.node
    if isinstance(node, ast.stmt):
        yield from _changed_statement(node)
    elif isinstance(node, ast.Compare | ast.BoolOp | ast.UnaryOp | ast.BinOp):
        yield from _changed_operation(node, place)
    elif isinstance(node, ast.Constant):
        yield from _changed_constant(node, place)
    elif isinstance(node, ast.Call):
        yield from _changed_call(node)
    if isinstance(node, ast.Name | ast.Attribute | ast.Call) and _is_condition(place):
        yield ast.UnaryOp(ast.Not(), node)


def _changed_operation(node: ast.expr, place: _Place) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            swapped = COMPARED[type(operator)]()
            yield _with(node, ops=[*node.ops[:index], swapped, *node.ops[index + 1 :]])
    elif isinstance(node, ast.BoolOp):
        yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.BinOp) and place.function and type(node.op) in COMPUTED:
        yield _with(node, op=COMPUTED[type(node.op)]())


def _changed_statement(node: ast.stmt) -> Iterator[ast.AST]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield ast.copy_location(ast.Pass(), node)
    elif isinstance(node, ast.AugAssign) and type(node.op) in COMPUTED:
        yield _with(node, op=COMPUTED[type(node.op)]())
    elif isinstance(node, ast.Continue):
        yield ast.copy_location(ast.Break(), node)
    elif isinstance(node, ast.Break):
        yield ast.copy_location(ast.Continue(), node)


def _changed_constant(node: ast.Constant, place: _Place) -> Iterator[ast.AST]:
    """Change numbers and truths; code words only where something is done with them."""
    if isinstance(node.value, bool):
        yield _with(node, value=not node.value)
    elif isinstance(node.value, int | float):
        yield _with(node, value=node.value + 1)
    elif isinstance(node.value, str) and place.function and CODE_WORD.fullmatch(node.value):
        yield _with(node, value=f"not_{node.value}")


def _changed_call(node: ast.Call) -> Iterator[ast.AST]:
    if not isinstance(node.func, ast.Name):
        return
    if node.func.id in CALLED:
        yield _with(node, func=_with(node.func, id=CALLED[node.func.id]))
    if node.func.id == "replace":
        for index in range(len(node.keywords)):
            yield _with(node, keywords=node.keywords[:index] + node.keywords[index + 1 :])


def _is_condition(place: _Place) -> bool:
    if isinstance(place.parent, ast.If | ast.IfExp | ast.While):
        return place.field == "test"
    if isinstance(place.parent, ast.UnaryOp):
        return False
    return isinstance(place.parent, ast.BoolOp) or place.field == "ifs"


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed

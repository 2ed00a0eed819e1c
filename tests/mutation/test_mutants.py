"""The mutants themselves: which changes are made, and that each is one change."""

import ast

import pytest

from tests.mutation.mutants import mutants_of, mutated

SOURCE = '''
"""A module of two rules."""
LIMIT = 3
NAME = "a_name"


def rule(count: int | None, is_strict: bool = False) -> str:
    """Say what it does."""
    if count is None or count < LIMIT and not is_strict:
        return "too_few"
    if is_strict:
        raise ValueError(f"{count} of {LIMIT}")
    note(count)
    return replace(count, most=max(count, 1), text="Nothing to see")
'''


def changes(source: str = SOURCE) -> list[tuple[str, str]]:
    numbers = [mutant.number for mutant in mutants_of(ast.parse(source))]
    assert numbers == list(range(len(numbers)))
    found = {mutant.number: mutant.said for mutant in mutants_of(ast.parse(source))}
    return [(said, mutated(source, number)[1]) for number, said in found.items()]


@pytest.mark.parametrize(
    "change",
    [
        ("3", "4"),
        ("False", "True"),
        ("count is None", "count is not None"),
        ("count < LIMIT", "count <= LIMIT"),
        ("count < LIMIT and (not is_strict)", "count < LIMIT or not is_strict"),
        ("not is_strict", "is_strict"),
        ("'too_few'", "'not_too_few'"),
        ("is_strict", "not is_strict"),
        ("note(count)", "pass"),
        ("max(count, 1)", "min(count, 1)"),
        ("1", "2"),
    ],
)
def test_each_rule_is_changed_in_small_ways(change: tuple[str, str]) -> None:
    assert change in changes()


def test_a_field_that_is_replaced_is_left_out() -> None:
    left_out = [says for said, says in changes() if said.startswith("replace(") and said != says]

    assert left_out == [
        "replace(count, text='Nothing to see')",
        "replace(count, most=max(count, 1))",
    ]


@pytest.mark.parametrize("untouched", ["a_name", "Nothing to see'", "A module", "Say what"])
def test_names_on_the_wire_and_words_for_people_are_left_alone(untouched: str) -> None:
    assert not [said for said, _ in changes() if said.strip("'\"").startswith(untouched)]


def test_what_is_raised_and_how_things_are_typed_is_left_alone() -> None:
    assert not [said for said, _ in changes() if "ValueError" in said or "int |" in said]


def test_every_mutant_can_be_compiled_and_is_one_change() -> None:
    whole = ast.unparse(ast.parse(SOURCE)).splitlines()
    for number in range(len(changes())):
        tree, _ = mutated(SOURCE, number)
        compile(tree, "rule.py", "exec")
        said = ast.unparse(tree).splitlines()
        assert sum(a != b for a, b in zip(whole, said, strict=True)) == 1


def test_what_is_outside_of_functions_is_known_to_be() -> None:
    outside = [mutant.said for mutant in mutants_of(ast.parse(SOURCE)) if mutant.function is None]

    assert outside == ["3", "False"]

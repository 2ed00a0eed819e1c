"""Each refusal says both facts: what was wanted, and what stands against it."""

import inspect

import pytest

from conversations import errors
from conversations.errors import ConversationError

KINDS = sorted(
    (
        kind
        for kind in vars(errors).values()
        if inspect.isclass(kind) and issubclass(kind, ConversationError)
    ),
    key=lambda kind: kind.__name__,
)
WORDED = [kind for kind in KINDS if "__init__" in vars(kind)]


def facts_for(kind: type[ConversationError]) -> dict[str, object]:
    """Make up one fact for each thing that the refusal is told."""
    facts: dict[str, object] = {}
    for number, (name, told) in enumerate(inspect.signature(kind).parameters.items(), start=7):
        is_number = told.annotation is int
        is_list = "[" in str(told.annotation)
        facts[name] = number if is_number else [f"{name}-fact"] if is_list else f"{name}-fact"
    return facts


@pytest.mark.parametrize("kind", WORDED, ids=lambda kind: kind.__name__)
def test_a_refusal_names_every_fact(kind: type[ConversationError]) -> None:
    facts = facts_for(kind)
    said = str(kind(**facts))

    for name, fact in facts.items():
        shown = fact[0] if isinstance(fact, list) else fact
        assert str(shown) in said, f"{kind.__name__} does not say its {name}: {said}"
    assert len(said) > sum(len(str(fact)) for fact in facts.values()), "facts alone are no sentence"


def test_every_code_is_the_name_in_small_letters() -> None:
    assert errors.IllegalTransition("hold", "queued").code == "illegal_transition"
    assert len({kind.__name__ for kind in KINDS}) == len(KINDS) > 20

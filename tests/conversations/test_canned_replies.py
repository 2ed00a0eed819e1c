import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.canned_replies import (
    Variable,
    missing,
    place_of,
    render,
    unknown_variables,
    words_of,
)

VALUES = {
    Variable.CUSTOMER_NAME: "Blue Kettle",
    Variable.AGENT_NAME: "agent one",
    Variable.CONVERSATION_ID: "cv_1",
}


def test_each_variable_gets_its_value_wherever_it_stands() -> None:
    text = "{customer_name}, {agent_name} here ({conversation_id}). Bye {customer_name}!"

    assert render(text, VALUES) == "Blue Kettle, agent one here (cv_1). Bye Blue Kettle!"


def test_what_is_no_variable_stays_in_its_braces() -> None:
    assert render("{order} {} {customer_name}", VALUES) == "{order} {} Blue Kettle"


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("{customer_name}", []),
        ("{order}", ["order"]),
        ("{Customer_Name} {order} {order}", ["Customer_Name", "order"]),
        ("{} { customer_name } {1} a{b c}d {{", []),
        ("{{password}}", ["password"]),
        ("{agent_name.__class__}", []),
    ],
)
def test_only_names_in_braces_are_variables(text: str, unknown: list[str]) -> None:
    assert unknown_variables(text) == unknown


def test_a_value_is_plain_text_and_no_template() -> None:
    hostile = VALUES | {Variable.CUSTOMER_NAME: r"{agent_name} \1 <b> {conversation_id}"}

    assert render("Hi {customer_name}", hostile) == r"Hi {agent_name} \1 <b> {conversation_id}"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Blue\r\nKettle", "Blue Kettle"),
        (" \u2028Blue\t", "Blue"),
        ("\u202eelttek\u2066", "elttek"),
        ("\U0001f469\u200d\U0001f4bb", "\U0001f469\u200d\U0001f4bb"),
    ],
)
def test_a_name_stays_on_its_line_and_turns_nothing_around(name: str, said: str) -> None:
    assert render("{customer_name}!", {Variable.CUSTOMER_NAME: name}) == f"{said}!"


@given(st.text(), st.text())
def test_a_text_without_variables_stays_as_it_is(text: str, name: str) -> None:
    values = dict.fromkeys(Variable, name)

    if not any(f"{{{variable}}}" in text for variable in Variable):
        assert render(text, values) == text
    assert missing(text, VALUES) == []


def test_what_nothing_is_known_for_is_named() -> None:
    nameless = VALUES | {Variable.CUSTOMER_NAME: " "}

    assert missing("Hi {customer_name}, {agent_name}", nameless) == [Variable.CUSTOMER_NAME]
    assert missing("Hi {agent_name}", nameless) == []


def test_shortcuts_and_words_are_compared_without_case() -> None:
    assert place_of("LATE", "de") == place_of("late", "DE")
    assert place_of("late", None) != place_of("late", "de")
    assert words_of("Straße, \uff21\uff22\uff23 cafe\u0301") == ["strasse", "abc", "café"]

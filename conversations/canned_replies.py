"""Canned replies: which variables a text may have, what becomes of them, and how one is found."""

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum

_VARIABLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_WORD = re.compile(r"\w+")
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of what follows: a name must not turn the brand's words."""


class Variable(StrEnum):
    CUSTOMER_NAME = "customer_name"
    AGENT_NAME = "agent_name"
    CONVERSATION_ID = "conversation_id"


def unknown_variables(text: str) -> list[str]:
    """Return the names in braces that are no variables, each once, in their order."""
    known = {variable.value for variable in Variable}
    return list(dict.fromkeys(name for name in _VARIABLE.findall(text) if name not in known))


def render(text: str, values: Mapping[Variable, str]) -> str:
    """Put the values where their variables stand; a value is never looked at for variables."""

    def value_of(found: re.Match[str]) -> str:
        name = found.group(1)
        if name not in set(Variable):
            return found.group(0)
        return _one_line(values.get(Variable(name), ""))

    return _VARIABLE.sub(value_of, text)


def missing(text: str, values: Mapping[Variable, str]) -> list[Variable]:
    """Return the variables of the text for which there is nothing to say."""
    wanted = dict.fromkeys(_VARIABLE.findall(text))
    return [one for one in Variable if one in wanted and not _one_line(values.get(one, ""))]


def _one_line(value: str) -> str:
    """Return a value as words of one line that leave what is around them alone."""
    return " ".join("".join(one for one in value if one not in _TURNS).split())


def folded(text: str) -> str:
    """Return text as it is compared: without case, however its letters were composed."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def words_of(text: str) -> list[str]:
    """Return the words of a text as they are compared."""
    return _WORD.findall(folded(text))


def place_of(shortcut: str, language: str | None) -> str:
    """Return what no two canned replies have in common, and by what they are ordered."""
    return f"{folded(shortcut)} {folded(language or '')}".rstrip()

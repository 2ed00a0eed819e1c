"""Reads JSON strictly: what no database or answer could carry is refused."""

import json
import re
from typing import Any, NoReturn

DEEPEST = 32
_SURROGATE = re.compile("[\ud800-\udfff]")


class BadJson(json.JSONDecodeError):
    """The body is no JSON that can be kept; FastAPI makes it a validation error."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, "", 0)


def loads(raw: bytes) -> Any:  # noqa: ANN401 - any JSON
    """Read JSON of any kind, however hostile.

    Raises:
        BadJson: it is not UTF-8, not JSON, or has NaN, Infinity or endless digits or depth.
    """
    try:
        return json.loads(raw.decode(), parse_constant=_refuse_constant)
    except BadJson:
        raise
    except UnicodeDecodeError:
        raise BadJson("the body is not UTF-8") from None
    except RecursionError:
        raise BadJson("the body is nested too deeply") from None
    except ValueError as error:
        raise BadJson(getattr(error, "msg", "a number has too many digits")) from None


def _refuse_constant(name: str) -> NoReturn:
    raise BadJson(f"{name} is not JSON")


def require_keepable(value: Any) -> None:  # noqa: ANN401 - any JSON
    """Refuse text that cannot be stored or answered, and depth that nobody needs.

    Raises:
        BadJson: a NUL, half of a surrogate pair, a number beyond all bounds, or too deep.
    """
    if (reason := unkeepable(value)) is not None:
        raise BadJson(reason)


def unkeepable(value: Any) -> str | None:  # noqa: ANN401 - any JSON
    """Say why a value cannot be kept; None when it can."""
    level: list[Any] = [value]
    for _ in range(DEEPEST + 1):
        deeper: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                deeper += one.keys()
                deeper += one.values()
            elif isinstance(one, list):
                deeper += one
            elif (reason := _unkeepable_leaf(one)) is not None:
                return reason
        if not deeper:
            return None
        level = deeper
    return "the body is nested too deeply"


def _unkeepable_leaf(leaf: Any) -> str | None:  # noqa: ANN401
    if isinstance(leaf, str):
        if "\0" in leaf:
            return "a text has a NUL character"
        return "a text has half of a surrogate pair" if _SURROGATE.search(leaf) else None
    if isinstance(leaf, float) and leaf in (float("inf"), float("-inf")):
        return "a number is too large"
    return None

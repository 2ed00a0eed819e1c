"""X's published OpenAPI document, cut down, as a judge of requests and answers."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

DOCUMENT = json.loads((Path(__file__).parent / "x_contract.json").read_text())
_NUMBERS = {"integer": int, "number": float}


def operation_of(method: str, path: str) -> dict[str, Any] | None:
    """Return what the document says about a call; None when it has no such call."""
    for template, methods in sorted(DOCUMENT["paths"].items(), key=lambda one: one[0].count("{")):
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", template)
        if re.fullmatch(pattern, path) and method.lower() in methods:
            found: dict[str, Any] = methods[method.lower()]
            return found
    return None


def breaches_of_request(
    operation: dict[str, Any], query: list[tuple[str, str]], body: object
) -> list[str]:
    """Return what the document forbids about a request."""
    known = {one["name"]: one for one in operation["parameters"] if one["in"] == "query"}
    said = dict(query)
    found = [f"{name} is said twice" for name, _ in query if _count(query, name) > 1]
    found += [f"no parameter {name}" for name in said if name not in known]
    for name, one in known.items():
        if name not in said:
            found += [f"{name} is missing"] if one.get("required") else []
            continue
        found += _faults(one["schema"], _read(one["schema"], said[name]), name)
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is not None:
        found += _faults(content["schema"], body, "body")
    return found


def breaches_of_answer(operation: dict[str, Any], status: int, body: object) -> list[str]:
    """Return what the document forbids about an answer."""
    answers = operation["responses"]
    if str(status) in answers:
        return _faults(answers[str(status)]["content"]["application/json"]["schema"], body, "")
    content = answers["default"]["content"]
    kinds = [_faults(one["schema"], body, "") for one in content.values()]
    return [] if any(not faults for faults in kinds) else kinds[-1]


def _count(query: list[tuple[str, str]], name: str) -> int:
    return sum(1 for other, _ in query if other == name)


def _read(schema: dict[str, Any], text: str) -> object:
    if schema.get("type") == "array":
        return text.split(",")
    read = _NUMBERS.get(str(schema.get("type")))
    try:
        return read(text) if read else text
    except ValueError:
        return text


def _faults(schema: dict[str, Any], value: object, name: str) -> list[str]:
    errors = _validator(json.dumps(schema)).iter_errors(value)
    return [f"{name}{list(one.instance_path)}: {one.message}"[:300] for one in errors]


@cache
def _validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    whole = {**json.loads(schema), "components": DOCUMENT["components"]}
    return jsonschema_rs.Draft202012Validator(whole)

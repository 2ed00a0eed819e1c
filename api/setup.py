"""What all set-up resources do alike: merge patches, versions, and answers with an `ETag`."""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from fastapi import Depends, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from pydantic.json_schema import models_json_schema
from sqlalchemy import RowMapping

from api.errors import not_found
from api.fields import Body
from storage import setup

T = TypeVar("T", bound=Body)

_PATCHED: set[type[Body]] = set()
"""The models of all merge patches; some are the body of nothing else."""

IfMatch = Annotated[str | None, Header(max_length=200)]


def merge(target: Any, patch: Any) -> Any:  # noqa: ANN401 - JSON of any kind
    """Apply an RFC 7396 merge patch: null removes, lists are replaced."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged


def patched(model: type[T], present: Mapping[str, Any], patch: dict[str, Any]) -> T:
    """Return the resource as its creation would take it, with the patch applied.

    Raises:
        RequestValidationError: the patch makes it one that could not be created.
    """
    try:
        return model.model_validate_json(json.dumps(merge(present, patch)))
    except ValidationError as error:
        found = [{**e, "loc": ("body", *e["loc"])} for e in error.errors(include_url=False)]
        raise RequestValidationError(found) from error


def require_version(row: RowMapping | Mapping[str, Any], if_match: str | None) -> None:
    """Refuse a change that was meant for another version.

    Raises:
        VersionMismatch: the row has been changed since.
    """
    if if_match is None or if_match.strip() == "*":
        return
    if str(row["version"]) not in re.findall(r'"([^"]*)"', if_match):
        raise setup.VersionMismatch(if_match, row["version"])


def found(row: RowMapping | None, kind: str, row_id: str) -> RowMapping:
    """Return the row.

    Raises:
        Problem: 404, there is none.
    """
    if row is None:
        raise not_found(kind, row_id)
    return row


def with_etag(body: Mapping[str, Any]) -> Response:
    return JSONResponse(dict(body), headers={"ETag": f'"{body["version"]}"'})


def merge_patch_of(model: type[Body]) -> dict[str, Any]:
    """Describe the body of a PATCH for `openapi.json`: any part of what a creation takes."""
    _PATCHED.add(model)
    reference = {"$ref": f"#/components/schemas/{model.__name__}"}
    schema = {
        "type": "object",
        "description": f"A merge patch (RFC 7396): any fields of {model.__name__}; null resets one",
        "properties": {
            name: {"anyOf": [{"$ref": f"{reference['$ref']}/properties/{name}"}, {"type": "null"}]}
            for name in model.model_fields
        },
        "additionalProperties": False,
    }
    content = {
        kind: {"schema": schema} for kind in ("application/json", "application/merge-patch+json")
    }
    return {"requestBody": {"required": True, "content": content}}


def describe(document: dict[str, Any]) -> None:
    """Put the models of merge patches into the description: the patches refer to them."""
    patched_ones = sorted(_PATCHED, key=lambda model: model.__name__)
    models: list[tuple[type[Body], Literal["validation"]]] = [
        (model, "validation") for model in patched_ones
    ]
    _, definitions = models_json_schema(models, ref_template="#/components/schemas/{model}")
    for name, schema in definitions["$defs"].items():
        document["components"]["schemas"].setdefault(name, schema)


async def body_of_patch(request: Request) -> dict[str, Any]:
    """Read a merge patch: an object of any fields, judged after it is applied."""
    patch = await request.json() if await request.body() else None
    if not isinstance(patch, dict):
        where = ("body",)
        raise RequestValidationError(
            [{"loc": where, "msg": "should be an object", "type": "dict_type"}]
        )
    return patch


Patch = Annotated[dict[str, Any], Depends(body_of_patch)]

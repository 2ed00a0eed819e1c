"""`/docs`: the description as a page that needs no script and nothing from elsewhere."""

import base64
import hashlib
from collections.abc import Iterator
from html import escape
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

from api.policy import ANYBODY, POLICY

STYLE = """
:root{color-scheme:light dark;font:15px/1.45 system-ui,sans-serif}
body{margin:0 auto;max-width:60rem;padding:1rem 1.5rem 4rem}
h2{margin-top:2.5rem}h3{margin:2rem 0 .25rem;font-size:1rem}
code,pre,.path{font-family:ui-monospace,monospace;font-size:.9em}
.method{display:inline-block;min-width:4.5em;font-weight:600}
table{border-collapse:collapse;margin:.5rem 0}
td,th{text-align:left;vertical-align:top;padding:.15rem .9rem .15rem 0;border-top:1px solid #8884}
nav a{margin-right:1em}.quiet{opacity:.75}
"""
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_HASH}';"
    " frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-cache",
}


def install(app: FastAPI, prefix: str) -> None:
    """Serve the page, by a function that holds no application: FastAPI remembers it for ever."""

    @app.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        document = request.app.openapi()
        return HTMLResponse("".join(_page(document, prefix)), headers=HEADERS)


def _page(document: dict[str, Any], prefix: str) -> Iterator[str]:
    title = escape(f"{document['info']['title']} {document['info']['version']}")
    yield f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}: the API</title>"
    yield "<meta name=viewport content='width=device-width'>"
    yield f"<style>{STYLE}</style><h1>{title}: the API</h1>"
    yield "<p>Send <code>Authorization: Bearer KEY</code>, and with every POST an"
    yield " <code>Idempotency-Key</code>: the same key is the same command, however often it is"
    yield " sent. For machines: <a href=/openapi.json>openapi.json</a>.</p>"
    by_tag: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            tag = operation["tags"][0]
            html = "".join(_operation(method.upper(), path, prefix, operation))
            by_tag.setdefault(tag, []).append(html)
    links = (f"<a href='#{escape(tag)}'>{escape(tag)}</a>" for tag in by_tag)
    yield f"<nav>{''.join(links)}<a href='#schemas'>schemas</a></nav>"
    for tag, operations_of in by_tag.items():
        yield f"<h2 id='{escape(tag)}'>{escape(tag)}</h2>{''.join(operations_of)}"
    yield "<h2 id=schemas>schemas</h2>"
    for name, schema in sorted(document["components"]["schemas"].items()):
        yield f"<h3 id='{escape(name)}'>{escape(name)}</h3>"
        yield f"<p class=quiet>{escape(schema.get('description', ''))}</p>"
        yield _fields(schema)


def _operation(method: str, path: str, prefix: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"<h3 id='{escape(operation['operationId'])}'><span class=method>{method}</span>"
    yield f" <span class=path>{escape(path)}</span></h3>"
    yield f"<p>{escape(operation.get('description', ''))}</p><p class=quiet>For: "
    roles = POLICY[f"{method} {path.removeprefix(prefix)}"]
    yield ("anybody" if roles == ANYBODY else escape(", ".join(sorted(roles)))) + "</p>"
    rows = [
        (parameter["name"], _type(parameter["schema"]), parameter["in"])
        for parameter in operation.get("parameters", [])
    ]
    if "requestBody" in operation:
        rows.append(("body", _content_type(operation["requestBody"]), "body"))
    for status, response in operation["responses"].items():
        rows.append((status, _content_type(response), response["description"]))
    yield _table(rows)


def _content_type(described: dict[str, Any]) -> str:
    content: dict[str, Any] = described.get("content", {})
    return next((_type(one["schema"]) for one in content.values() if "schema" in one), "")


def _fields(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return f"<p>{escape(', '.join(map(str, schema['enum'])))}</p>"
    required = set(schema.get("required", ()))
    return _table(
        (name, _type(field), "required" if name in required else field.get("description", ""))
        for name, field in schema.get("properties", {}).items()
    )


def _table(rows: Any) -> str:  # noqa: ANN401 - any rows of three
    cells = (
        f"<tr><th><code>{escape(name)}</code></th><td>{shown}</td><td>{escape(said)}</td></tr>"
        for name, shown, said in rows
    )
    return f"<table>{''.join(cells)}</table>"


def _type(schema: dict[str, Any]) -> str:
    """Return a schema's name, linked where it has one of its own."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f"<a href='#{name}'>{name}</a>"
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if schema.get("type") == "array" and isinstance(schema.get("items"), dict):
        return f"list of {_type(schema['items'])}"
    if "enum" in schema or "const" in schema:
        return escape(", ".join(map(str, schema.get("enum", [schema.get("const")]))))
    return escape(str(schema.get("format") or schema.get("type") or "any"))

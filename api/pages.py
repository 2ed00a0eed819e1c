"""The pages: joined scripts and sheets under a strict policy, clients of the API."""

import functools
import gzip
import hashlib
import re
import threading
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import Response
from starlette.requests import Request
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api.bundles import join_scripts, join_sheets

WEB = Path(__file__).parent.parent / "web"
POLICY = (
    "default-src 'none'; "
    "script-src 'self'; "
    "style-src 'self'; "
    "img-src 'self' data:; "
    "font-src 'self'; "
    "connect-src 'self'; "
    "manifest-src 'self'; "
    "frame-ancestors 'none'; "
    "base-uri 'none'; "
    "form-action 'self'; "
    "trusted-types parley-worker; "
    "require-trusted-types-for 'script'"
)
PAGE_HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
FOR_GOOD = "public, max-age=31536000, immutable"
JOINED = "/web/joined"
LATER = "later"
PAGES = {"/": "index", "/wallboard": "wallboard", "/administration": "administration"}
"""Address by address, the page under web/; one that has no file there is not served."""

_SCRIPT = re.compile(r'<script type="module" src="/web/([^"]+)"></script>')
_SHEETS = re.compile(r'(?:\s*<link rel="stylesheet" href="/web/[^"]+" />)+')
_SHEET = re.compile(r'href="/web/([^"]+)"')
_SINGLE = re.compile(r'(?<==")/web/(?!joined/)([\w/-]+\.(?:js|svg))(?=")')
_KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", "": "text/html"}


@dataclass(frozen=True, slots=True)
class Made:
    """One answer, ready to be sent packed or plain."""

    kind: str
    plain: bytes
    packed: bytes
    mark: str

    @classmethod
    def of(cls, text: str, suffix: str = "") -> "Made":
        """Pack once what is sent often."""
        plain = text.encode()
        packed = gzip.compress(plain, compresslevel=9, mtime=0)
        mark = hashlib.sha256(plain).hexdigest()[:16]
        return cls(f"{_KINDS[suffix]}; charset=utf-8", plain, packed, mark)


class Shelf:
    """The pages of one folder, made when first asked for and again when a file in it changes."""

    def __init__(self, web: Path) -> None:
        self.web = web
        self._lock = threading.Lock()
        self._seen: dict[str, int] = {}
        self._pages: dict[str, Made] = {}
        self._parts: dict[str, Made] = {}

    def page(self, name: str) -> Made:
        """Answer the page with the addresses of its parts in it."""
        self._look()
        return self._pages[name]

    def part(self, address: str) -> tuple[Made, bool]:
        """Answer what lies there, and whether it is exactly what was asked for.

        Another process may be a version ahead while servers are replaced: then what is here is
        nearest, but nobody may keep it under that address. A part that comes later goes with one
        version of its page only.
        """
        self._look()
        stem, _, last = address.rpartition("-")
        wanted, _, suffix = last.partition(".")
        made = self._parts[f"{stem}.{suffix}"]
        if made.mark != wanted and f"-{LATER}-" in stem:
            raise KeyError(address)
        return made, made.mark == wanted

    def _look(self) -> None:
        seen = {
            str(path): path.stat().st_mtime_ns
            for path in self.web.rglob("*")
            if path.suffix in {".js", ".css", ".html", ".svg"}
        }
        with self._lock:
            if seen == self._seen:
                return
            self._pages, self._parts = {}, {}
            for name in PAGES.values():
                source = self.web / f"{name}.html"
                if source.exists():
                    self._make(name, source.read_text(encoding="utf-8"))
            self._seen = seen

    def _make(self, name: str, html: str) -> None:
        called = "desk" if name == "index" else name

        def script(match: re.Match[str]) -> str:
            joined = join_scripts(self.web, match[1])
            parts = {
                path: self._keep(f"{called}-{LATER}-{_dashed(path)}", ".js", text)
                for path, text in joined.parts.items()
            }
            address = self._keep(called, ".js", joined.placed(parts))
            return f'<script type="module" src="{address}"></script>'

        def sheets(match: re.Match[str]) -> str:
            paths = _SHEET.findall(match[0])
            address = self._keep(called, ".css", join_sheets(self.web, paths))
            return f'\n    <link rel="stylesheet" href="{address}" />'

        def single(match: re.Match[str]) -> str:
            path = self.web / match[1]
            return self._keep(path.stem, path.suffix, path.read_text(encoding="utf-8"))

        html = _SINGLE.sub(single, _SHEETS.sub(sheets, _SCRIPT.sub(script, html)))
        self._pages[name] = Made.of(html)

    def _keep(self, stem: str, suffix: str, text: str) -> str:
        made = Made.of(text, suffix)
        self._parts[f"{stem}{suffix}"] = made
        return f"{JOINED}/{stem}-{made.mark}{suffix}"


def _dashed(path: str) -> str:
    return path.removesuffix(".js").replace("/", "-")


class Sources(StaticFiles):
    """The files as they lie there; checked anew at every load."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(PAGE_HEADERS)
        return response


@functools.cache
def _shelf_of(web: Path) -> Shelf:
    return Shelf(web)


def routes(web: Path = WEB) -> list[BaseRoute]:
    """Where the pages and what they are made of are found."""
    shelf = _shelf_of(web)

    def page(name: str, request: Request) -> Response:
        return _answer(request, shelf.page(name), PAGE_HEADERS)

    def part(request: Request) -> Response:
        try:
            made, is_exact = shelf.part(request.path_params["address"])
        except KeyError:
            return Response(status_code=404, headers=PAGE_HEADERS)
        kept = {"Cache-Control": FOR_GOOD} if is_exact else {}
        return _answer(request, made, PAGE_HEADERS | kept)

    served = {at: name for at, name in PAGES.items() if (web / f"{name}.html").exists()}
    return [
        *(Route(at, functools.partial(page, name)) for at, name in served.items()),
        Route(f"{JOINED}/{{address}}", part),
        Mount("/web", Sources(directory=web), name="web"),
    ]


def _answer(request: Request, made: Made, headers: dict[str, str]) -> Response:
    takes_packed = "gzip" in request.headers.get("Accept-Encoding", "")
    mark = f'"{made.mark}{"-gzip" if takes_packed else ""}"'
    headers = headers | {"ETag": mark, "Vary": "Accept-Encoding"}
    if mark in request.headers.get("If-None-Match", ""):
        return Response(status_code=304, headers=headers)
    if not takes_packed:
        return Response(made.plain, headers=headers, media_type=made.kind)
    packed = headers | {"Content-Encoding": "gzip"}
    return Response(made.packed, headers=packed, media_type=made.kind)


def install(app: FastAPI) -> None:
    """Serve the pages and what they are made of."""
    app.router.routes.extend(routes())

"""The desk and the wallboard: static files under a strict policy, clients of the API."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

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


class Assets(StaticFiles):
    """Scripts, styles and icons; checked anew at every load, so that an update is seen."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(PAGE_HEADERS)
        return response


def install(app: FastAPI) -> None:
    """Serve the pages and what they are made of."""

    @app.get("/", include_in_schema=False)
    async def desk() -> FileResponse:
        return FileResponse(WEB / "index.html", headers=PAGE_HEADERS)

    @app.get("/wallboard", include_in_schema=False)
    async def wallboard() -> FileResponse:
        return FileResponse(WEB / "wallboard.html", headers=PAGE_HEADERS)

    app.mount("/web", Assets(directory=WEB), name="web")

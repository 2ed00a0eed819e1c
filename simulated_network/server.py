"""Puts the simulated network together: one application around one world."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from simulated_network import brand_api, control_api, public_api, stream_api
from simulated_network.answering import Spoilt
from simulated_network.connection import ConnectionWasReset
from simulated_network.deliveries import Deliveries
from simulated_network.guards import Guards
from simulated_network.model import Refusal
from simulated_network.wire import Json, refusal_response
from simulated_network.world import World

_log = structlog.get_logger()

_CODES = {404: "not_found", 405: "method_not_allowed", 400: "bad_request"}


def create_app(
    state: Path, *, seed: int, base_url: str, keep_alive_ms: int
) -> tuple[ASGIApp, World]:
    """Return the application and its world; the ledger in `state` is opened at once."""
    world = World(state, seed=seed, base_url=base_url, keep_alive_ms=keep_alive_ms)
    app = FastAPI(title="Simulated network", lifespan=_lifespan, docs_url=None, redoc_url=None)
    app.state.world = world
    app.state.deliveries = Deliveries(world)
    for module in (stream_api, brand_api, control_api, public_api):
        app.include_router(module.router)
    app.exception_handler(Refusal)(_refused)
    app.exception_handler(Spoilt)(_spoilt)
    app.exception_handler(ConnectionWasReset)(_nobody_listens)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(HTTPException)(_http_error)
    return Guards(app), world


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    world: World = app.state.world
    deliveries: Deliveries = app.state.deliveries
    clock = asyncio.create_task(world.keep_time())
    clock.add_done_callback(_say_if_stopped)
    await deliveries.look_for_accounts()
    yield
    clock.cancel()
    await asyncio.gather(clock, return_exceptions=True)
    await deliveries.close()
    world.close()


def _say_if_stopped(clock: asyncio.Task[None]) -> None:
    if not clock.cancelled() and clock.exception() is not None:
        _log.error("clock_stopped", error=repr(clock.exception()))


async def _refused(_: Request, refusal: Refusal) -> Response:
    return refusal_response(refusal)


async def _spoilt(_: Request, spoilt: Spoilt) -> Response:
    return spoilt.response


async def _nobody_listens(_: Request, __: ConnectionWasReset) -> Response:
    return Response(status_code=502)


async def _invalid(_: Request, error: RequestValidationError) -> Response:
    errors = [
        {"field": ".".join(str(part) for part in one["loc"]), "message": one["msg"]}
        for one in error.errors()[:50]
    ]
    detail = f"{errors[0]['field']}: {errors[0]['message']}" if errors else "invalid"
    return Json(_printable({"code": "invalid", "detail": detail, "errors": errors}), 422)


async def _http_error(_: Request, error: HTTPException) -> Response:
    code = _CODES.get(error.status_code, "refused")
    return Json({"code": code, "detail": str(error.detail)}, error.status_code)


def _printable(shape: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Replace half characters, which a caller may have sent as a field's name."""
    if isinstance(shape, str):
        return shape.encode("utf-8", "replace").decode()
    if isinstance(shape, list):
        return [_printable(one) for one in shape]
    if isinstance(shape, dict):
        return {name: _printable(one) for name, one in shape.items()}
    return shape

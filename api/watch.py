"""Probes and metrics of the API."""

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import Connection
from temporalio.client import Client

from api.context import Context
from probes import Check, verdict
from storage import events, reading, schema
from storage.database import Database

RELAY_LAG_LIMIT_MS = 5_000


def checks_of(database: Database) -> dict[str, Check]:
    """Return what has to be well before requests are sent here."""

    async def answers() -> str | None:
        await database.read(events.head)
        return None

    async def is_migrated() -> str | None:
        if await database.read(schema.is_at_head):
            return None
        return "the schema is not at head: run `python parley.py migrate`"

    async def keeps_up() -> str | None:
        lag_ms = await database.read(events.relay_lag_ms)
        return None if lag_ms < RELAY_LAG_LIMIT_MS else f"the relay is {lag_ms} ms behind"

    return {"database": answers, "migrations": is_migrated, "relay": keeps_up}


def temporal_check(client: Client) -> Check:
    """Return a check that only informs: without Temporal posts and commands are still taken."""

    async def serves() -> str | None:
        is_healthy = await client.service_client.check_health()
        return None if is_healthy else "not serving"

    return serves


def install(app: FastAPI) -> None:
    @app.get("/livez", include_in_schema=False)
    async def livez() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", include_in_schema=False)
    async def readyz(request: Request) -> JSONResponse:
        """Name the failed check; a Temporal that is away degrades, but does not fail."""
        state = request.app.state
        checks = await verdict(state.checks)
        temporal = await verdict({"temporal": state.temporal_check})
        is_ready = all(said == "ok" for said in checks.values())
        is_whole = temporal["temporal"] == "ok"
        status = "failed" if not is_ready else "ok" if is_whole else "degraded"
        body = {"status": status, "checks": checks | temporal}
        return JSONResponse(body, 200 if is_ready else 503)

    @app.get("/metrics", include_in_schema=False)
    async def metrics(request: Request) -> Response:
        context: Context = request.app.state.context
        counts = await context.database.read(_counts)
        waiting, oldest_ms, lag_ms = counts
        context.metrics.waiting.set(waiting)
        context.metrics.longest_wait.set(oldest_ms / 1000)
        context.metrics.relay_lag.set(lag_ms / 1000)
        context.metrics.bells_dropped.set(request.app.state.ringer.dropped)
        return Response(context.metrics.exposition(), media_type=CONTENT_TYPE_LATEST)


def _counts(connection: Connection) -> tuple[int, int, int]:
    waiting, oldest_ms = reading.waiting(connection)
    return waiting, oldest_ms, events.relay_lag_ms(connection)

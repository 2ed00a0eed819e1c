"""The server asked to stop: streams end by themselves, nobody waits for them."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import httpx

from settings import Settings
from tests.api.conftest import ADMIN_KEY
from tests.ports import free_port

ROOT = Path(__file__).parents[2]


async def test_an_open_stream_does_not_hold_the_server_up(settings: Settings) -> None:
    port = free_port()
    environment = {
        **os.environ,
        "PARLEY_SECRET_KEY": settings.secret_key.get_secret_value(),
        "PARLEY_DATABASE_URL": settings.database_url.get_secret_value(),
        "PARLEY_BOOTSTRAP_ADMIN_KEY": ADMIN_KEY,
    }
    command = [sys.executable, "-m", "uvicorn", "api.main:create_app", "--factory"]
    command += ["--port", str(port), "--no-access-log", "--timeout-graceful-shutdown", "20"]
    server = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=environment, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {ADMIN_KEY}"}
        ) as http:
            await _ready(http)
            async with http.stream("GET", "/api/v1/events", timeout=30) as stream:
                asked_at = time.monotonic()
                server.send_signal(signal.SIGTERM)
                lines = [line async for line in stream.aiter_lines()]
        assert lines[0].startswith("retry:")
        # uvicorn gives the signal on to the process when everything is closed.
        assert await server.wait() in {0, -signal.SIGTERM}
        assert time.monotonic() - asked_at < 10
    finally:
        if server.returncode is None:
            server.kill()
            await server.wait()


async def _ready(http: httpx.AsyncClient) -> None:
    for _ in range(300):
        try:
            await http.get("/livez")
        except httpx.TransportError:
            await asyncio.sleep(0.1)
        else:
            return
    raise AssertionError("the server does not start")

"""The worker's own small HTTP port: `/livez`, `/readyz`, `/metrics`."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Check = Callable[[], Awaitable[str | None]]
"""Returns what is wrong, None when all is well."""

CHECK_TIMEOUT_S = 1.0
REQUEST_TIMEOUT_S = 5.0
LONGEST_LINE = 4_096


async def verdict(checks: Mapping[str, Check]) -> dict[str, str]:
    """Return each check's name with `ok` or what is wrong."""
    return {name: await _run(check) for name, check in checks.items()}


async def _run(check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            return await check() or "ok"
    except Exception as error:  # noqa: BLE001 - whatever it is, the probe's reader sees it
        return f"failed: {type(error).__name__}"


class Probes:
    """Answers probes on a port; three fixed paths need no web framework in a worker."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks

    async def serve(self, host: str, port: int) -> asyncio.Server:
        return await asyncio.start_server(self._answer, host, port)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                line = (await reader.readline())[:LONGEST_LINE].decode("latin-1")
                while (await reader.readline()).strip():
                    pass
                status, kind, body = await self._page(line.split(" ")[1] if " " in line else "")
                head = (
                    f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\n"
                    f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
                )
                writer.write(head.encode() + body)
                await writer.drain()
        except (TimeoutError, ConnectionError, ValueError):
            return
        finally:
            writer.close()

    async def _page(self, path: str) -> tuple[str, str, bytes]:
        match path.partition("?")[0]:
            case "/livez":
                return "200 OK", "application/json", b'{"status": "ok"}'
            case "/metrics":
                return "200 OK", CONTENT_TYPE_LATEST, generate_latest()
            case "/readyz":
                checks = await verdict(self._checks)
                is_ready = all(said == "ok" for said in checks.values())
                body = json.dumps({"status": "ok" if is_ready else "failed", "checks": checks})
                status = "200 OK" if is_ready else "503 Service Unavailable"
                return status, "application/json", body.encode()
            case _:
                return "404 Not Found", "application/json", b'{"status": "not found"}'

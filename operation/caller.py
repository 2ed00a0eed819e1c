"""Calls of Parley's API and of the simulated network that outlive a server's restart."""

import asyncio
import time
import uuid
from typing import Any

import httpx

Json = dict[str, Any]

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0
PATIENCE_S = 120.0
"""So long a server may be away before a caller gives up."""

_COMES_BACK = frozenset({429, 500, 502, 503, 504})
_IN_PROGRESS = "command_in_progress"


class Refused(Exception):
    """The server understood the call and does not do it."""

    def __init__(self, call: str, status: int, code: str, detail: str) -> None:
        super().__init__(f"{call} was answered {status} {code}: {detail}")
        self.status = status
        self.code = code


class Away(Exception):
    """The server did not come back within a caller's patience."""


def new_client() -> httpx.AsyncClient:
    """Return a client for servers on this machine."""
    limits = httpx.Limits(max_connections=64, keepalive_expiry=2.0)
    return httpx.AsyncClient(timeout=30.0, trust_env=False, limits=limits)


class Caller:
    """One principal's way to a server; what is repeated has the same `Idempotency-Key`."""

    def __init__(
        self, client: httpx.AsyncClient, base_url: str, key: str, *, patience_s: float = PATIENCE_S
    ) -> None:
        self._client = client
        self._base_url = base_url.rstrip("/")
        self._key = key
        self._patience_s = patience_s

    async def get(self, path: str, **params: Any) -> Json:  # noqa: ANN401
        given = {name: value for name, value in params.items() if value is not None}
        return await self.call("GET", path, params=given)

    async def post(self, path: str, body: Json | None = None) -> Json:
        return await self.call("POST", path, json=body or {})

    async def all(self, path: str, **params: Any) -> list[Json]:  # noqa: ANN401
        """Read a list page by page to its end."""
        found: list[Json] = []
        cursor: str | None = None
        while True:
            page = await self.get(path, limit=200, cursor=cursor, **params)
            found += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    async def found_or_made(self, path: str, naming: str, wanted: Json) -> Json:
        """Return the resource of that name, made if there is none yet."""
        for one in await self.all(path):
            if one[naming] == wanted[naming]:
                return one
        return await self.post(path, wanted)

    async def call(self, method: str, path: str, *, is_repeated: bool = True, **what: Any) -> Json:  # noqa: ANN401
        """Call until the server answers.

        Raises:
            Refused: it says no.
            Away: it does not answer for too long, or something is wrong with it.
        """
        headers = {"authorization": f"Bearer {self._key}"} if self._key else {}
        if method == "POST" and is_repeated and self._key:
            headers["idempotency-key"] = str(uuid.uuid4())
        gives_up_at, pause_s = time.monotonic() + self._patience_s, FIRST_PAUSE_S
        while True:
            said = await self._once(method, path, headers, what)
            if isinstance(said, httpx.Response):
                return _body(f"{method} {path}", said)
            if time.monotonic() > gives_up_at:
                raise Away(f"{method} {path}: {said} for {self._patience_s:.0f} s")
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def _once(
        self, method: str, path: str, headers: dict[str, str], what: Json
    ) -> httpx.Response | str:
        """Return the answer, or why there is none yet."""
        try:
            answer = await self._client.request(
                method, self._base_url + path, headers=headers, **what
            )
        except httpx.TransportError as error:
            return type(error).__name__
        if answer.status_code in _COMES_BACK or _code(answer) == _IN_PROGRESS:
            return f"{answer.status_code} {_code(answer)}"
        return answer


def _body(call: str, answer: httpx.Response) -> Json:
    if not answer.is_success:
        detail = str(_json(answer).get("detail", ""))[:300]
        raise Refused(call, answer.status_code, _code(answer), detail)
    return _json(answer)


def _code(answer: httpx.Response) -> str:
    return str(_json(answer).get("code", "")) if answer.status_code >= 400 else ""  # noqa: PLR2004


def _json(answer: httpx.Response) -> Json:
    try:
        value = answer.json()
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}

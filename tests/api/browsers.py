"""Browsers that sign in: each with its own cookies, calling as Parley's page does."""

from typing import Any

import httpx

HOST = "http://parley.test"
GOOD = "seven green lamps"
OTHER = "a porch with a light"
TOKEN = "parley_session"


class Browser:
    """One browser; `token` is the cookie that it has now."""

    def __init__(self, http: httpx.AsyncClient, origin: str = HOST, app: Any = None) -> None:
        self.http, self.origin, self.app = http, origin, app

    @property
    def token(self) -> str | None:
        return self.http.cookies.get(TOKEN)

    async def call(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> httpx.Response:
        """Call as a page of Parley's own; headers may say otherwise."""
        said = {"Sec-Fetch-Site": "same-origin"} if method == "GET" else {"Origin": self.origin}
        said |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.request(method, f"/api/v1{path}", json=body, headers=said)

    async def sign_in(self, username: str, password: str) -> httpx.Response:
        body = {"username": username, "password": password}
        return await self.call("POST", "/session", body)

    async def status(self, method: str, path: str, body: Any = None, **headers: str) -> int:
        return (await self.call(method, path, body, **headers)).status_code

    async def sessions(self) -> list[dict[str, Any]]:
        """List the sessions without being a use of this one."""
        answer = await self.call("GET", "/sessions", Parley_Attended="no")
        found: list[dict[str, Any]] = answer.json()["items"]
        return found


def browser_of(app: Any, address: str = "192.0.2.7", host: str = HOST) -> Browser:
    transport = httpx.ASGITransport(app, client=(address, 40_000))
    return Browser(httpx.AsyncClient(transport=transport, base_url=host), host, app)

"""The application on a real database, without Temporal: bells find nobody, as in an outage."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from pydantic import SecretStr

from api.main import create_app
from settings import LogSettings, Settings
from storage.ids import new_id
from tests.api.browsers import GOOD, Browser, browser_of
from tests.ports import free_port

ADMIN_KEY = "an administrator's key of the tests"
Json = dict[str, Any]


@dataclass
class Caller:
    """One principal's view of the API."""

    http: httpx.AsyncClient
    key: str | None

    async def call(
        self, method: str, path: str, body: Any = None, key: str | None = None
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        if key is not None:
            headers["Idempotency-Key"] = key
        if body is None:
            return await self.http.request(method, f"/api/v1{path}", headers=headers)
        headers["Content-Type"] = "application/json"
        raw = json.dumps(body)
        return await self.http.request(method, f"/api/v1{path}", content=raw, headers=headers)

    async def ok(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.call(method, path, body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def refused(self, method: str, path: str, body: Any, status: int, code: str) -> Json:
        answer = await self.call(method, path, body)
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        problem: Json = answer.json()
        assert (answer.status_code, problem["code"]) == (status, code), problem
        return problem


@pytest.fixture
def settings(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{free_port()}")
    return Settings(
        secret_key=SecretStr("a secret of the tests, long enough"),
        database_url=SecretStr(sqlite_url),
        bootstrap_admin_key=SecretStr(ADMIN_KEY),
        log=LogSettings(level="error"),
    )


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    return create_app(settings)


@pytest_asyncio.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://parley.test") as client:
            yield client


@pytest.fixture
def browser(app: FastAPI, http: httpx.AsyncClient) -> Browser:
    return browser_of(app)


@pytest.fixture
def admin(http: httpx.AsyncClient) -> Caller:
    return Caller(http, ADMIN_KEY)


@pytest.fixture
def nobody(http: httpx.AsyncClient) -> Caller:
    return Caller(http, None)


class Floor:
    """A workgroup, its agents and a channel, set up through the API."""

    def __init__(self, admin: Caller) -> None:
        self.admin = admin
        self.workgroup = self.channel = ""

    async def set_up(self, **workgroup: Any) -> "Floor":
        name = new_id("name")
        group = await self.admin.ok("POST", "/workgroups", {"name": name, **workgroup})
        self.workgroup = group["id"]
        account = {"network": "webhook", "name": name, "settings": {"reply_url": "http://x/"}}
        account_id = (await self.admin.ok("POST", "/accounts", account))["id"]
        channel = {"name": name, "account_id": account_id, "workgroup_id": self.workgroup}
        self.channel = (await self.admin.ok("POST", "/channels", channel))["id"]
        return self

    async def agent(self, *roles: str, on_queue: bool = True, member: bool = True) -> Caller:
        name = new_id("user")
        body: Json = {"username": name, "name": name, "presence_lease": False}
        body |= {"workgroups": [self.workgroup] if member else []}
        if roles:
            body["roles"] = list(roles)
        agent = await self.admin.ok("POST", "/agents", body)
        made = await self.admin.ok("POST", f"/agents/{agent['id']}/keys", {})
        caller = Caller(self.admin.http, made["key"])
        if on_queue:
            await caller.ok("PUT", "/agents/me/status", {"routing_status": "on_queue"})
        return caller

    async def somebody(self, password: str | None = GOOD, *roles: str) -> tuple[str, str]:
        """Make an agent, with a password if one is given; return id and username."""
        me = await (await self.agent(*roles, on_queue=False)).ok("GET", "/session")
        if password is not None:
            path = f"/agents/{me['agent_id']}/password"
            await self.admin.ok("PUT", path, {"password": password})
        return me["agent_id"], me["username"]

    async def post(self, customer: str, *texts: str, **fields: Any) -> Json:
        posts = [
            {"external_id": new_id("p"), "author": {"external_id": customer}, "text": text} | fields
            for text in texts or ("Where is my parcel?",)
        ]
        path = f"/channels/{self.channel}/posts"
        taken: Json = await self.admin.ok("POST", path, {"posts": posts})
        return taken

    async def open(self, customer: str, *texts: str, **fields: Any) -> str:
        taken = await self.post(customer, *texts, **fields)
        (conversation_id,) = set(taken["conversation_ids"].values())
        return str(conversation_id)

    async def connect(self, customer: str) -> tuple[str, Caller]:
        agent = await self.agent()
        opened = await self.open(customer)
        await agent.ok("POST", f"/conversations/{opened}/pickup", {})
        return opened, agent


@pytest_asyncio.fixture
async def floor(admin: Caller) -> Floor:
    return await Floor(admin).set_up()

"""A fake of the parts of X's API v2 that Parley uses; it is no X, and not X's simulator.

Written from the published contract: the OpenAPI document 2.159 of github.com/xdevplatform/xdk
(`x_contract.json`; requests and answers are judged by it) and the pages of
github.com/xdevplatform/docs on limits, streams, errors, edits, posting and webhooks.
"""

import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes import x_posting, x_problems, x_reading, x_streaming
from tests.fakes.x_contract import breaches_of_answer, breaches_of_request, operation_of
from tests.fakes.x_doors import App, Limits, Person, caller_of
from tests.fakes.x_ledger import Ledger
from tests.ports import free_port

BRAND, CUSTOMER, STRANGER = "1111111111", "2222222222", "3333333333"
CREDENTIALS = {
    "consumer_key": "the-apps-key",
    "consumer_secret": "the-apps-secret",
    "access_token": f"{BRAND}-token",
    "access_token_secret": "the-tokens-secret",
    "bearer_token": "the-apps-bearer",
}


def _app() -> App:
    person = Person(BRAND, CREDENTIALS["access_token"], CREDENTIALS["access_token_secret"])
    key, secret = CREDENTIALS["consumer_key"], CREDENTIALS["consumer_secret"]
    return App(key, secret, CREDENTIALS["bearer_token"], [person])


@dataclass(frozen=True)
class Call:
    """One request, its caller known and its body read."""

    fake: "FakeX"
    caller: str
    query: dict[str, str]
    path: dict[str, str]
    body: dict[str, Any]


Handler = Callable[[Call], tuple[int, dict[str, Any]]]


@dataclass
class FakeX:
    """The server and what it knows; `breaches` is what the contract found wrong."""

    port: int = field(default_factory=free_port)
    ledger: Ledger = field(default_factory=Ledger)
    limits: Limits = field(default_factory=Limits)
    app: App = field(default_factory=_app)
    public_url: str = ""
    breaches: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    is_self_serve: bool = True
    closed_to_messages: set[str] = field(default_factory=set)
    heartbeat_s: float = 20.0
    lines: int = 0
    is_closing: bool = False

    def __post_init__(self) -> None:
        self.public_url = self.public_url or self.url
        self.ledger.user(BRAND, "acme")
        self.ledger.user(CUSTOMER, "jo")
        self.ledger.user(STRANGER, "kim")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator["FakeX"]:
        """Serve in a thread of its own until this is left."""
        app = Starlette(routes=self._routes())
        config = uvicorn.Config(
            app, host="127.0.0.1", port=self.port, log_level="critical", lifespan="off"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield self
        finally:
            self.is_closing = True
            server.should_exit = True
            server.force_exit = True
            thread.join(5)

    def _routes(self) -> list[Route]:
        conversation = "/2/dm_conversations"
        rules = "/2/tweets/search/stream/rules"
        user, app = frozenset({"user"}), frozenset({"app"})
        listed: list[tuple[str, str, str, Handler, frozenset[str]]] = [
            ("GET", "/2/users/me", "me", x_reading.me, user),
            ("GET", "/2/users/{id}/mentions", "mentions", x_reading.mentions, user | app),
            ("GET", "/2/users/{id}/tweets", "own", x_reading.own_posts, user | app),
            ("GET", "/2/tweets/search/recent", "search", x_reading.search, user | app),
            ("GET", "/2/dm_events", "messages", x_reading.messages, user),
            ("GET", conversation + "/with/{id}/dm_events", "conversation", x_reading.pair, user),
            ("GET", conversation + "/{id}/dm_events", "conversation", x_reading.group, user),
            ("POST", "/2/tweets", "post", x_posting.post, user),
            ("POST", "/2/media/upload", "upload", x_posting.upload, user),
            ("POST", "/2/media/metadata", "metadata", x_posting.describe, user),
            ("DELETE", "/2/tweets/{id}", "post", x_posting.delete, user),
            ("POST", conversation + "/with/{id}/messages", "message", x_posting.to_one, user),
            ("POST", conversation + "/{id}/messages", "message", x_posting.to_group, user),
            ("GET", rules, "rules", x_streaming.list_rules, app),
            ("POST", rules, "rules", x_streaming.change_rules, app),
        ]
        routes = [
            Route(path, self._endpoint(f"{method} {name}", handler, callers), methods=[method])
            for method, path, name, handler, callers in listed
        ]
        return [*routes, Route("/2/tweets/search/stream", self._stream, methods=["GET"])]

    def _endpoint(
        self, name: str, handler: Handler, callers: frozenset[str]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            headers: dict[str, str] = {}
            try:
                caller = self._admitted(request, callers)
                is_taken, headers = self.limits.count(name, caller)
                if not is_taken:
                    raise x_problems.too_many()
                call = await self._judged(request, caller)
                status, body = handler(call)
                response: Response = JSONResponse(body, status, headers)
            except x_problems.Refused as refused:
                response = x_problems.answer_of(refused, headers)
            self._judge_answer(request, response)
            return response

        return endpoint

    async def _stream(self, request: Request) -> Response:
        try:
            caller = self._admitted(request, frozenset({"app"}))
            is_taken, headers = self.limits.count("GET stream", caller)
            if not is_taken:
                raise x_problems.too_many()
            return x_streaming.stream(await self._judged(request, caller), headers)
        except x_problems.Refused as refused:
            return x_problems.answer_of(refused, {})

    def _admitted(self, request: Request, callers: frozenset[str]) -> str:
        self.calls.append(f"{request.method} {request.url.path}")
        caller = caller_of(request, self.app, self.public_url)
        if caller is None:
            raise x_problems.unauthorised()
        if ("app" if caller == "app" else "user") not in callers:
            offered = "OAuth 2.0 Application-Only" if caller == "app" else "OAuth 1.0a User Context"
            raise x_problems.wrong_context(offered)
        return caller

    async def _judged(self, request: Request, caller: str) -> Call:
        raw = await request.body()
        try:
            body = json.loads(raw) if raw else {}
        except ValueError:
            raise x_problems.invalid("the body is no JSON") from None
        query = request.query_params.multi_items()
        operation = operation_of(request.method, request.url.path)
        if operation is not None and not _is_newer(query):
            found = breaches_of_request(operation, query, body)
            self.breaches += [f"{request.method} {request.url.path}: {one}" for one in found]
            if found:
                raise x_problems.invalid("; ".join(found))
        return Call(self, caller, dict(query), dict(request.path_params), body)

    def _judge_answer(self, request: Request, response: Response) -> None:
        operation = operation_of(request.method, request.url.path)
        if operation is None or _is_newer(request.query_params.multi_items()):
            return
        body = json.loads(bytes(response.body))
        found = breaches_of_answer(operation, response.status_code, body)
        if not any(stored.more for stored in list(self.ledger.posts.values())):
            self.breaches += [f"answer to {request.url.path}: {one}" for one in found]


def _is_newer(query: list[tuple[str, str]]) -> bool:
    """Whether the words are those of a document that is newer than ours."""
    said = dict(query)
    return "post.fields" in said or "sender_id" not in said.get("dm_event.fields", "sender_id")

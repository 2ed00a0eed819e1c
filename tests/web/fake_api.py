"""A fake of Parley's public API for the pages: in memory, following api.md, with its headers."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from api import pages
from tests.web.fake_desk import FakeDesk
from tests.web.fake_sign_in import FakeSignIn, RefusedForNow
from tests.web.fake_statistics import FakeStatistics
from tests.web.fake_supervisor import FakeSupervisor
from tests.web.fake_world import RefusedError, Row, World, at

HEADERS = [
    (b"content-security-policy", pages.POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-cache"),
]
POLL_S = 0.02
KEEP_ALIVE_S = 1.0


def problem(status: int, code: str, detail: str) -> JSONResponse:
    body = {"type": "about:blank", "title": code, "status": status, "detail": detail, "code": code}
    return JSONResponse(body, status, media_type="application/problem+json")


def page(rows: list[Row]) -> Row:
    return {"items": rows, "next_cursor": None}


class FakeApi(FakeSignIn, FakeDesk, FakeSupervisor, FakeStatistics):
    """The routes; what happens behind them is the world's business."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def agents(self, request: Request) -> Response:
        self.key_of(request)
        return JSONResponse(page(list(self.world.agents.values())))

    async def agent(self, request: Request) -> Response:
        me = self.agent_of(request)
        agent_id = request.path_params["id"]
        agent = self.world.agents.get(me or "" if agent_id == "me" else agent_id)
        if agent is None:
            raise RefusedError("not_found", "no such agent", 404)
        return JSONResponse(agent)

    async def status(self, request: Request) -> Response:
        self.key_of(request)
        body = await request.json()
        agent = self.world.agents[request.path_params["id"]]
        self.world.requests.append(("", request.url.path, body))
        if "sign_off_at" in body:
            agent["sign_off_at"] = body["sign_off_at"]
        if "routing_status" in body:
            agent |= {"routing_status": body["routing_status"], "reason": body.get("reason")}
        self.world.tell("agent.status_changed", agent_id=agent["id"], agent=dict(agent))
        return JSONResponse(agent)

    async def heartbeat(self, request: Request) -> Response:
        self.key_of(request)
        self.world.heartbeats.append(request.path_params["id"])
        return Response(status_code=204)

    async def names(self, request: Request) -> Response:
        self.key_of(request)
        groups = request.url.path.endswith("workgroups")
        rows = (
            list(self.world.workgroups.values()) if groups else list(self.world.channels.values())
        )
        return JSONResponse(page(rows))

    async def conversations(self, request: Request) -> Response:
        me = self.agent_of(request)
        if "newest_first" in request.query_params and self.world.empty_looks:
            self.world.empty_looks -= 1
            nothing = {"items": [], "next_cursor": "further", "searched_to": at(-86_400)}
            return JSONResponse(nothing)
        rows = [row for row in self.world.conversations.values() if self.world.visible(me, row)]
        for name, value in request.query_params.items():
            if name == "agent_id":
                rows = [r for r in rows if value in (r["agent_id"], (r["offer"] or {}).get(name))]
            elif name == "customer_id":
                rows = [row for row in rows if row["customer"]["id"] == value]
            elif name in ("state", "workgroup_id", "consulted_agent_id"):
                rows = [row for row in rows if row[name] == value]
            elif name == "q":
                rows = [row for row in rows if value in str(row)]
        if "customer_id" in request.query_params:
            return JSONResponse(self.some_of(rows, request))
        return JSONResponse(page(rows))

    def some_of(self, rows: list[Row], request: Request) -> Row:
        """Page through a customer's conversations, the newest first."""
        rows = sorted(rows, key=lambda row: str(row["created_at"]), reverse=True)
        limit = int(request.query_params.get("limit", 50))
        start = int(request.query_params.get("cursor", 0))
        more = str(start + limit) if start + limit < len(rows) else None
        return {"items": rows[start : start + limit], "next_cursor": more}

    def row_of(self, request: Request) -> Row:
        me = self.agent_of(request)
        row = self.world.conversations.get(request.path_params["id"])
        if row is None or not self.world.visible(me, row):
            raise RefusedError("not_found", "no such conversation", 404)
        return row

    async def conversation(self, request: Request) -> Response:
        return JSONResponse(self.row_of(request))

    async def timeline(self, request: Request) -> Response:
        entries = self.world.entries[self.row_of(request)["id"]]
        return JSONResponse(page(sorted(entries, key=lambda entry: str(entry["at"]))))

    async def decisions(self, request: Request) -> Response:
        rows = self.world.decisions[self.row_of(request)["id"]]
        asked = request.query_params.get("agent_id")
        return JSONResponse(page([self.told_of(row, asked) for row in rows] if asked else rows))

    async def command(self, request: Request) -> Response:
        body = await request.json()
        key = request.headers["Idempotency-Key"]
        name = request.path_params["name"]
        with self.world.lock:
            self.world.requests.append((key, request.url.path, body))
            if key in self.world.answers:
                status, answer = self.world.answers[key]
                return JSONResponse(answer, status)
            status, answer = self.perform(request, name, body)
            self.world.answers[key] = (status, answer)
            if self.world.away:
                # Done and remembered, but the answer is lost on the way: the repeat must find it.
                self.world.away -= 1
                return problem(503, "unavailable", "try again")
            return JSONResponse(answer, status)

    def perform(self, request: Request, name: str, body: Row) -> tuple[int, Row]:
        row, me = self.row_of(request), self.agent_of(request)
        if name == "replies":
            if body.get("from_draft"):
                self.drop_draft(row["id"])
            return 202, self.world.reply(row, body, me)
        if name == "notes":
            return 201, self.world.note(row, body, me)
        return 200, dict(self.world.command(row, name, body, me))

    async def preview(self, request: Request) -> Response:
        """Tear a text into posts by its length alone, on the only network that has a limit."""
        body = await request.json()
        limit = 280 if self.row_of(request)["network"] == "x" else 20_000
        text = body["text"]
        if len(text) > 2 * limit:
            return problem(409, "reply_too_long", f"the text counts {len(text)}")
        parts = [text[at : at + limit] for at in range(0, len(text), limit)]
        rule = {"unit": "x_weighted", "limit": limit, "link_length": 23, "limit_bytes": 0}
        shown = [{"text": part, "length": len(part)} for part in parts]
        rule |= {"reply_depth": "any", "audiences": self.audiences()}
        return JSONResponse({"parts": shown, **rule, "is_threaded": True})

    def audiences(self) -> list[Row]:
        refused = self.world.refused_audiences
        return [{"visibility": one, "refusal": refused.get(one)} for one in ("public", "private")]

    async def undo(self, request: Request) -> Response:
        self.key_of(request)
        return JSONResponse(self.world.withdraw(request.path_params["id"]))

    async def resolve(self, request: Request) -> Response:
        self.key_of(request)
        outcome = (await request.json())["outcome"]
        state = "sent" if outcome == "sent" else "sending"
        return JSONResponse(self.world.settle(request.path_params["id"], state))

    async def events(self, request: Request) -> Response:
        self.key_of(request)
        if self.world.refuse_streams:
            raise RefusedError("unavailable", "no streams now", 503)
        cursor = request.headers.get("Last-Event-ID")
        self.world.streams_opened.append(cursor)
        start = int(cursor) if cursor else len(self.world.events)
        return StreamingResponse(self.stream(start), media_type="text/event-stream")

    async def stream(self, cursor: int) -> AsyncIterator[str]:
        epoch, quiet_s, heard = self.world.stream_epoch, KEEP_ALIVE_S, len(self.world.live)
        while epoch == self.world.stream_epoch:
            for event in self.world.events[cursor:]:
                cursor, quiet_s = event["seq"], 0.0
                yield f"id: {cursor}\nevent: {event['type']}\ndata: {json.dumps(event)}\n\n"
            for news in self.world.live[heard:]:
                heard += 1
                yield f"event: {news['type']}\ndata: {json.dumps(news)}\n\n"
            if quiet_s >= KEEP_ALIVE_S:
                quiet_s = 0.0
                yield f"id: {cursor}\n: alive\n\n"
            await asyncio.sleep(POLL_S)
            quiet_s += POLL_S


def guarded(
    endpoint: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except RefusedError as refusal:
            answer = problem(refusal.status, refusal.code, refusal.detail)
            if isinstance(refusal, RefusedForNow):
                answer.headers["Retry-After"] = str(refusal.wait_s)
            return answer

    return answer


class WithHeaders:
    """Every answer carries the pages' security headers."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                message["headers"] += [pair for pair in HEADERS if pair[0] not in given]
            await send(message)

        await self.app(scope, receive, send_with_headers)


def create_app(world: World) -> WithHeaders:
    api = FakeApi(world)
    table: list[tuple[str, Callable[[Request], Awaitable[Response]], list[str]]] = [
        ("/session", api.session, ["GET", "POST", "DELETE"]),
        ("/session/demo", api.demo_session, ["GET", "POST"]),
        ("/session/password", api.own_password, ["PUT"]),
        ("/agents", api.agents, ["GET"]),
        ("/agents/{id}", api.agent, ["GET"]),
        ("/agents/{id}/status", api.status, ["PUT"]),
        ("/agents/{id}/heartbeat", api.heartbeat, ["POST"]),
        ("/workgroups", api.names, ["GET"]),
        ("/channels", api.names, ["GET"]),
        ("/workgroups/{id}/queue", api.queue, ["GET"]),
        ("/budgets", api.budgets, ["GET"]),
        ("/statistics/{kind}", api.statistics, ["GET"]),
        ("/displays", api.nothing, ["GET"]),
        ("/quarantine", api.quarantine, ["GET"]),
        ("/quarantine/{id}", api.quarantined, ["DELETE"]),
        ("/quarantine/{id}/retry", api.quarantined, ["POST"]),
        ("/conversations", api.conversations, ["GET"]),
        ("/conversations/{id}", api.conversation, ["GET"]),
        ("/conversations/{id}/timeline", api.timeline, ["GET"]),
        ("/conversations/{id}/queue", api.place, ["GET"]),
        ("/conversations/{id}/decisions", api.decisions, ["GET"]),
        ("/conversations/{id}/replies/preview", api.preview, ["POST"]),
        ("/conversations/{id}/draft", api.draft, ["GET", "PUT", "DELETE"]),
        ("/conversations/{id}/presence", api.presence, ["GET", "POST"]),
        ("/conversations/{id}/mentions", api.mentions, ["PUT"]),
        ("/mentions", api.mentions, ["GET"]),
        ("/customers", api.customers, ["GET"]),
        ("/customers/{id:path}", api.customers, ["GET"]),
        ("/conversations/{id}/{name}", api.command, ["POST"]),
        ("/networks", api.networks, ["GET"]),
        ("/dispositions", api.dispositions, ["GET"]),
        ("/canned-replies", api.canned_replies, ["GET"]),
        ("/canned-replies/{id}/render", api.render, ["POST"]),
        ("/replies/{id}/resolve", api.resolve, ["POST"]),
        ("/replies/{id}/undo", api.undo, ["POST"]),
        ("/replies/{id}/edit", api.change, ["POST"]),
        ("/replies/{id}/delete", api.change, ["POST"]),
        ("/events", api.events, ["GET"]),
    ]
    routes = [
        Route(f"/api/v1{path}", guarded(endpoint), methods=methods)
        for path, endpoint, methods in table
    ]
    return WithHeaders(Starlette(routes=[*routes, *pages.routes()]))

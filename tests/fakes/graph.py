"""A fake Graph API, written from Meta's published reference: no line of it is Meta's.

Its sources are the reference pages of Graph API v26.0 (object comments, conversations, IG media,
IG comment replies, IG mentions), of the Send API, private replies, error codes and rate limits.
It proves only that a connector keeps to what these pages say.
"""

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.graph_ledger import GraphLedger, Place
from tests.fakes.graph_lists import Lists
from tests.fakes.graph_sending import GraphError, Sending

SUPPORTED = frozenset({"v24.0", "v25.0", "v26.0"})


class FakeGraph:
    """Serves a ledger as the Graph API does."""

    def __init__(self, ledger: GraphLedger) -> None:
        self.ledger = ledger
        self.lists = Lists(ledger)
        self.sending = Sending(ledger)
        self.seen_urls: list[str] = []
        route = Route("/{version}/{path:path}", self._take, methods=["GET", "POST", "DELETE"])
        self.app = Starlette(routes=[route])

    async def _take(self, request: Request) -> Response:
        self.seen_urls.append(str(request.url))
        params = dict(request.query_params) | await _fields_of(request)
        planned = self.ledger.planned.popleft() if self.ledger.planned else None
        if planned is not None and not planned.after:
            return JSONResponse(planned.body, planned.status, planned.headers)
        try:
            answer = self._answer(request, params)
        except GraphError as error:
            return JSONResponse({"error": error.body}, error.status)
        if planned is not None:
            return JSONResponse(planned.body, planned.status, planned.headers)
        usage = {"call_count": 3, "total_cputime": 1, "total_time": 2}
        return JSONResponse(answer, headers={"x-app-usage": json.dumps(usage)})

    def _answer(self, request: Request, params: dict[str, str]) -> Any:
        if request.path_params["version"] not in SUPPORTED:
            raise GraphError(2635, "You are calling a deprecated version of the Graph API.")
        place = self._caller(request, params)
        node, _, edge = request.path_params["path"].partition("/")
        node = place.id if node == "me" else node
        with self.ledger.lock:
            match request.method, edge:
                case "GET", "":
                    return self.lists.node(node)
                case "GET", _:
                    return self.lists.edge(place, node, edge, params)
                case "DELETE", "":
                    return self.sending.delete(place, node)
                case "POST", "":
                    return self.sending.edit(place, node, params)
                case "POST", "messages":
                    return self.sending.message(place, node, params)
                case "POST", "comments" | "replies" | "mentions":
                    return self.sending.comment(place, node, edge, params)
        raise GraphError(100, "Unsupported request - method type")

    def _caller(self, request: Request, params: dict[str, str]) -> Place:
        """Return whose token this is; applications can demand a proof with it."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token if scheme == "Bearer" else params.get("access_token", "")
        place = next((p for p in self.ledger.places.values() if p.token == token), None)
        if place is None:
            raise GraphError(190, "Invalid OAuth access token.", status=401)
        secret = self.ledger.app_secret.encode()
        proof = hmac.new(secret, token.encode(), hashlib.sha256).hexdigest()
        if self.ledger.is_proof_required and params.get("appsecret_proof") != proof:
            raise GraphError(100, "API calls from the server require an appsecret_proof argument")
        return place


async def _fields_of(request: Request) -> dict[str, str]:
    body = (await request.body()).decode()
    if request.headers.get("content-type", "").startswith("application/json"):
        fields = json.loads(body or "{}")
        return {n: v if isinstance(v, str) else json.dumps(v) for n, v in fields.items()}
    return {name: values[-1] for name, values in parse_qs(body).items()}

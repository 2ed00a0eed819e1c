"""A fake Mastodon instance: its client API, written from https://docs.joinmastodon.org (4.5).

What is faithful: `min_id`, `max_id`, `since_id` and `Link` paging, notifications, visibilities,
idempotency keys (kept an hour, stored after the status was made and without a lock, as the real
one does), edits, deletions, the server-sent streams, rate-limit headers, revoked tokens.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.connectors.peer import ShownFile
from tests.fakes.forms import form_of
from tests.fakes.mastodon_ledger import KEY_KEPT_S, MastodonLedger, Status, Subscriber, stamp

WINDOW_S = 300
HEARTBEAT_S = 0.2
RESERVED_PER_URL = 23
Endpoint = Callable[[Request], Awaitable[Response]]


def error(status: int, words: str) -> JSONResponse:
    return JSONResponse({"error": words}, status)


class FakeMastodon:
    """The API over a ledger; `app` is to be served."""

    def __init__(self, ledger: MastodonLedger) -> None:
        self.ledger = ledger
        self.requests: list[tuple[str, str, dict[str, Any]]] = []
        statuses, accounts = "/api/v1/statuses", "/api/v1/accounts"
        self.app = Starlette(
            routes=[
                Route("/api/v2/instance", self._instance),
                self._route(f"{accounts}/verify_credentials", self._verify_credentials),
                self._route(f"{accounts}/{{id}}", self._account),
                self._route(f"{accounts}/{{id}}/statuses", self._account_statuses),
                self._route("/api/v1/notifications", self._notifications),
                self._route("/api/v1/timelines/tag/{tag}", self._tag),
                self._route("/api/v2/search", self._search),
                self._route("/api/v2/media", self._upload, "POST"),
                self._route("/api/v1/media/{id}", self._medium),
                self._route(statuses, self._publish, "POST"),
                self._route(f"{statuses}/{{id}}", self._status),
                self._route(f"{statuses}/{{id}}", self._edit, "PUT"),
                self._route(f"{statuses}/{{id}}", self._delete, "DELETE"),
                self._route(f"{statuses}/{{id}}/source", self._source),
                self._route(f"{statuses}/{{id}}/context", self._context),
                self._route("/api/v1/streaming/user", self._stream),
                self._route("/api/v1/streaming/hashtag", self._stream),
                Route("/api/v1/streaming/health", lambda _: PlainTextResponse("OK")),
            ]
        )

    def _route(self, path: str, endpoint: Endpoint, method: str = "GET") -> Route:
        """Ask for a token, count the call, and say how many are left."""

        async def asked(request: Request) -> Response:
            self.requests.append((request.method, request.url.path, dict(request.query_params)))
            token = request.headers.get("authorization", "").removeprefix("Bearer ")
            account_id = self.ledger.tokens.get(token)
            if account_id is None:
                return error(401, "The access token is invalid")
            request.state.account_id = account_id
            left = self.ledger.calls_left.get(account_id, self.ledger.calls_per_window)
            if left <= 0:
                return self._counted(error(429, "Too many requests"), 0)
            self.ledger.calls_left[account_id] = left - 1
            return self._counted(await endpoint(request), left - 1)

        return Route(path, asked, methods=[method])

    def _counted(self, answer: Response, left: int) -> Response:
        answer.headers["X-RateLimit-Limit"] = str(self.ledger.calls_per_window)
        answer.headers["X-RateLimit-Remaining"] = str(left)
        answer.headers["X-RateLimit-Reset"] = stamp(int((time.time() + WINDOW_S) * 1_000))
        return answer

    async def _instance(self, _request: Request) -> Response:
        statuses = {
            "max_characters": self.ledger.max_characters,
            "max_media_attachments": 4,
            "characters_reserved_per_url": RESERVED_PER_URL,
        }
        media = {
            "supported_mime_types": ["image/jpeg", "image/png", "image/gif", "video/mp4"],
            "description_limit": 1_500,
            "image_size_limit": 16_777_216,
            "video_size_limit": 103_809_024,
        }
        configuration = {"urls": {}, "statuses": statuses, "media_attachments": media}
        shown = {"domain": self.ledger.host, "title": "A fake", "version": "4.5.0"}
        return JSONResponse(shown | {"configuration": configuration, "languages": ["en"]})

    async def _verify_credentials(self, request: Request) -> Response:
        return JSONResponse(self.ledger.accounts[request.state.account_id] | {"source": {}})

    async def _account(self, request: Request) -> Response:
        found = self.ledger.accounts.get(request.path_params["id"])
        return JSONResponse(found) if found else error(404, "Record not found")

    async def _account_statuses(self, request: Request) -> Response:
        account_id = request.path_params["id"]
        theirs = [s for s in self._seen_by(request) if s.account_id == account_id]
        return self._listed(request, theirs, 20, 40)

    async def _notifications(self, request: Request) -> Response:
        kinds = request.query_params.getlist("types[]")
        with self.ledger.lock:
            told = [
                one
                for one in self.ledger.notifications.get(request.state.account_id, [])
                if (not kinds or one["type"] in kinds)
                and time.monotonic() >= self.ledger.statuses[one["status"]].visible_at_s
            ]
            page = paged(request, told, lambda one: str(one["id"]), 40, 80)
            shown = [self.ledger.notification_json(one) for one in page]
        return JSONResponse(shown, headers=links(request, [one["id"] for one in page]))

    async def _tag(self, request: Request) -> Response:
        tag = f"#{request.path_params['tag']}".casefold()
        found = [
            status
            for status in self._seen_by(request)
            if status.visibility == "public" and tag in status.text.casefold().split()
        ]
        return self._listed(request, found, 20, 40)

    async def _search(self, request: Request) -> Response:
        """Search gives the newest first: `min_id` is but a lower bound here."""
        query = request.query_params
        sought = query["q"].casefold()
        limit = min(40, int(query.get("limit", 20)))
        found = [
            status
            for status in self._seen_by(request)
            if status.visibility == "public"
            and sought in status.text.casefold()
            and int(query.get("min_id", 0)) < int(status.id)
            and int(status.id) < int(query.get("max_id", 1 << 80))
        ]
        newest = sorted(found, key=lambda status: int(status.id), reverse=True)[:limit]
        shown = [self.ledger.status_json(status) for status in newest]
        return JSONResponse({"accounts": [], "statuses": shown, "hashtags": []})

    async def _upload(self, request: Request) -> Response:
        form = await form_of(request)
        _, kind, content = form.files["file"]
        if not kind.startswith(("image/", "video/")):
            return error(422, "Validation failed: File content type is invalid")
        file = ShownFile(kind, content, form.fields.get("description"))
        media_id = self.ledger.upload(file)
        status = 202 if self.ledger.working[media_id] else 200
        return JSONResponse(self.ledger.media_json(media_id), status)

    async def _medium(self, request: Request) -> Response:
        media_id = request.path_params["id"]
        shown = self.ledger.media_json(media_id)
        is_working = self.ledger.working[media_id] > 0
        self.ledger.working[media_id] -= is_working
        return JSONResponse(shown, 206 if is_working else 200)

    async def _publish(self, request: Request) -> Response:
        ledger, account_id = self.ledger, request.state.account_id
        form = await request.json()
        parent_id = form.get("in_reply_to_id")
        parent = ledger.statuses.get(parent_id) if parent_id else None
        if parent_id and (parent is None or not ledger.can_see(account_id, parent)):
            return error(404, "Record not found")
        key = request.headers.get("idempotency-key")
        kept = ledger.keys.get((account_id, key)) if key else None
        if kept and ledger.now_s() - kept[1] < KEY_KEPT_S and kept[0] in ledger.statuses:
            return JSONResponse(ledger.status_json(ledger.statuses[kept[0]]))
        if (refused := self._refusal(form)) is not None:
            return refused
        await asyncio.sleep(ledger.creation_delay_s)
        status = ledger.post(
            account_id,
            form["status"],
            visibility=form.get("visibility", "public"),
            in_reply_to_id=parent_id,
            application="Parley",
            media=[ledger.media_json(one) for one in form.get("media_ids", [])],
        )
        if key:
            ledger.keys[account_id, key] = (status.id, ledger.now_s())
        return JSONResponse(ledger.status_json(status))

    def _refusal(self, form: dict[str, Any]) -> Response | None:
        text = str(form.get("status", "")).strip()
        if not text:
            return error(422, "Validation failed: Text can't be blank")
        if len(text) > self.ledger.max_characters:
            most = self.ledger.max_characters
            return error(422, f"Validation failed: Text character limit of {most} exceeded")
        media_ids = form.get("media_ids", [])
        if any(self.ledger.working.get(one, 1) for one in media_ids):
            return error(422, "Cannot attach files that have not finished processing.")
        films = [one for one in media_ids if self.ledger.media[one].media_type == "video/mp4"]
        if len(media_ids) > 4 or (films and len(media_ids) > 1):
            return error(422, "Cannot attach a video to a post that already contains images")
        if form.get("visibility", "public") not in ("public", "unlisted", "private", "direct"):
            return error(422, "Validation failed: Visibility is not included in the list")
        return None

    def _own(self, request: Request) -> Status | None:
        status = self.ledger.statuses.get(request.path_params["id"])
        is_own = status is not None and status.account_id == request.state.account_id
        return status if is_own else None

    def _visible(self, request: Request) -> Status | None:
        status = self.ledger.statuses.get(request.path_params["id"])
        is_seen = status is not None and self.ledger.can_see(request.state.account_id, status)
        return status if is_seen else None

    async def _status(self, request: Request) -> Response:
        status = self._visible(request)
        if status is None:
            return error(404, "Record not found")
        return JSONResponse(self.ledger.status_json(status))

    async def _edit(self, request: Request) -> Response:
        status, form = self._own(request), await request.json()
        if status is None:
            return error(404, "Record not found")
        if (refused := self._refusal(form)) is not None:
            return refused
        status.media = [self.ledger.media_json(one) for one in form.get("media_ids", [])]
        return JSONResponse(self.ledger.status_json(self.ledger.edit(status.id, form["status"])))

    async def _delete(self, request: Request) -> Response:
        status = self._own(request)
        if status is None:
            return error(404, "Record not found")
        shown = self.ledger.status_json(status) | {"text": status.text}
        self.ledger.delete(status.id)
        return JSONResponse(shown)

    async def _source(self, request: Request) -> Response:
        status = self._own(request)
        if status is None:
            return error(404, "Record not found")
        return JSONResponse(
            {"id": status.id, "text": status.text, "spoiler_text": status.spoiler_text}
        )

    async def _context(self, request: Request) -> Response:
        status, seen = self._visible(request), {s.id: s for s in self._seen_by(request)}
        if status is None:
            return error(404, "Record not found")
        ancestors: list[Status] = []
        parent = seen.get(status.in_reply_to_id or "")
        while parent is not None:
            ancestors.insert(0, parent)
            parent = seen.get(parent.in_reply_to_id or "")
        descendants, family = [], {status.id}
        for other in seen.values():
            if other.in_reply_to_id in family:
                family.add(other.id)
                descendants.append(other)
        shown = self.ledger.status_json
        return JSONResponse(
            {"ancestors": list(map(shown, ancestors)), "descendants": list(map(shown, descendants))}
        )

    def _seen_by(self, request: Request) -> list[Status]:
        with self.ledger.lock:
            everything = list(self.ledger.statuses.values())
        return [s for s in everything if self.ledger.can_see(request.state.account_id, s)]

    def _listed(self, request: Request, found: list[Status], usual: int, most: int) -> Response:
        page = paged(request, found, lambda status: status.id, usual, most)
        shown = [self.ledger.status_json(status) for status in page]
        return JSONResponse(shown, headers=links(request, [status.id for status in page]))

    async def _stream(self, request: Request) -> Response:
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[str] = asyncio.Queue()

        def put(text: str) -> None:
            loop.call_soon_threadsafe(queue.put_nowait, text)

        tag = request.query_params.get("tag")
        subscriber = Subscriber(request.state.account_id, tag, put)

        async def events() -> AsyncIterator[str]:
            self.ledger.subscribers.append(subscriber)
            try:
                yield ":)\n"
                while True:
                    try:
                        yield await asyncio.wait_for(queue.get(), HEARTBEAT_S)
                    except TimeoutError:
                        yield ":thump\n"
            finally:
                self.ledger.subscribers.remove(subscriber)

        return StreamingResponse(events(), media_type="text/event-stream")


def paged(
    request: Request, found: list[Any], id_of: Callable[[Any], str], usual: int, most: int
) -> list[Any]:
    """Return the newest first; `min_id` gives what comes right after it, `since_id` the newest."""
    query = request.query_params
    limit = max(1, min(most, int(query.get("limit", usual))))
    ascending = sorted(found, key=lambda one: int(id_of(one)))
    if "max_id" in query:
        ascending = [one for one in ascending if int(id_of(one)) < int(query["max_id"])]
    if "min_id" in query:
        later = [one for one in ascending if int(id_of(one)) > int(query["min_id"])]
        return later[:limit][::-1]
    since = int(query.get("since_id", 0))
    return [one for one in ascending if int(id_of(one)) > since][::-1][:limit]


def links(request: Request, ids: list[str]) -> dict[str, str]:
    if not ids:
        return {}
    base = str(request.url.remove_query_params(["min_id", "max_id", "since_id"]))
    sign = "&" if "?" in base else "?"
    older, newer = f"{base}{sign}max_id={ids[-1]}", f"{base}{sign}min_id={ids[0]}"
    return {"Link": f'<{older}>; rel="next", <{newer}>; rel="prev"'}

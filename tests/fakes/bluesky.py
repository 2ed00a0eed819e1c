"""A fake Bluesky: PDS, AppView, chat and Jetstream in one, written from the published lexicons.

What is faithful: sessions that expire and are refreshed, `putRecord` (the same record is no
change, `swapRecord`), newest-first lists with cursors, lost reply notifications, the chat proxy's
header and its log, Jetstream's events, rate limits. The real PDS and AppView run in
`tests/peers/bluesky.py`; this is for what they lack, and for `make test`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import regex
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.fakes.bluesky_ledger import POST, BlueskyLedger, Record, cid_of

CHAT = "did:web:api.bsky.chat#bsky_chat"
MOST_GRAPHEMES, MOST_BYTES = 300, 3_000
LARGEST_PICTURE = 1_000_000
LOG_PAGE = 100
Endpoint = Callable[[Request, str], Awaitable[Response]]


def refused(status: int, error: str, message: str = "") -> JSONResponse:
    return JSONResponse({"error": error, "message": message}, status)


class FakeBluesky:
    """The API over a ledger; `app` is to be served."""

    def __init__(self, ledger: BlueskyLedger) -> None:
        self.ledger = ledger
        self.requests: list[tuple[str, dict[str, Any]]] = []
        repo, feed, convo = "com.atproto.repo", "app.bsky.feed", "chat.bsky.convo"
        self.app = Starlette(
            routes=[
                Route("/xrpc/com.atproto.server.createSession", self._create, methods=["POST"]),
                Route("/xrpc/com.atproto.server.refreshSession", self._refresh, methods=["POST"]),
                self._route(f"{repo}.putRecord", self._put, "POST"),
                self._route(f"{repo}.uploadBlob", self._upload, "POST"),
                self._route(f"{repo}.getRecord", self._get),
                self._route(f"{repo}.deleteRecord", self._delete, "POST"),
                self._route(f"{feed}.getPosts", self._posts),
                self._route(f"{feed}.getPostThread", self._thread),
                self._route(f"{feed}.getAuthorFeed", self._author_feed),
                self._route(f"{feed}.searchPosts", self._search),
                self._route("app.bsky.actor.getProfiles", self._profiles),
                self._route("app.bsky.notification.listNotifications", self._notifications),
                self._route(f"{convo}.getLog", self._log),
                self._route(f"{convo}.getConvoForMembers", self._convo),
                self._route(f"{convo}.getMessages", self._messages),
                self._route(f"{convo}.sendMessage", self._send, "POST"),
                WebSocketRoute("/subscribe", self._subscribe),
            ]
        )

    def _route(self, name: str, endpoint: Endpoint, method: str = "GET") -> Route:
        """Ask for a token, count the call, and let only chat's proxy speak of chat."""

        async def asked(request: Request) -> Response:
            self.requests.append((name, dict(request.query_params)))
            did = self._did_of(request)
            if isinstance(did, Response):
                return did
            left = self.ledger.calls_left
            reset = {"RateLimit-Limit": "3000", "RateLimit-Reset": str(int(time.time()) + 30)}
            if left is not None and left <= 0:
                answer: Response = refused(429, "RateLimitExceeded", "Rate Limit Exceeded")
            elif name.startswith("chat.") and request.headers.get("atproto-proxy") != CHAT:
                answer = refused(501, "MethodNotImplemented", "Method Not Implemented")
            else:
                answer = await endpoint(request, did)
            if left is not None:
                self.ledger.calls_left = max(0, left - 1)
                answer.headers["RateLimit-Remaining"] = str(max(0, left - 1))
                answer.headers.update(reset)
            return answer

        return Route(f"/xrpc/{name}", asked, methods=[method])

    def _did_of(self, request: Request) -> str | Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not token:
            return refused(401, "AuthMissing", "Authentication Required")
        did = self.ledger.tokens.get(token)
        if did is None:
            return refused(400, "ExpiredToken", "Token has expired")
        return did

    async def _create(self, request: Request) -> Response:
        asked = await request.json()
        self.ledger.sessions_created += 1
        for person in self.ledger.people.values():
            is_named = asked["identifier"] in (person.handle, person.did)
            if is_named and person.password and asked["password"] == person.password:
                return JSONResponse(self.ledger.open_session(person.did))
        return refused(401, "AuthenticationRequired", "Invalid identifier or password")

    async def _refresh(self, request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        did = self.ledger.refresh_tokens.pop(token, None)
        if did is None:
            return refused(400, "ExpiredToken", "Token has been revoked")
        return JSONResponse(self.ledger.open_session(did))

    async def _put(self, request: Request, did: str) -> Response:
        asked = await request.json()
        value, uri = asked["record"], f"at://{did}/{asked['collection']}/{asked['rkey']}"
        if asked["repo"] not in (did, self.ledger.people[did].handle):
            return refused(401, "AuthRequired")
        text = value.get("text", "")
        if len(regex.findall(r"\X", text)) > MOST_GRAPHEMES or len(text.encode()) > MOST_BYTES:
            message = "Record/text must not be longer than 300 graphemes"
            return refused(400, "InvalidRequest", f"Invalid {POST} record: {message}")
        if (missing := self._refusal_of_pictures(value)) is not None:
            return missing
        current = self.ledger.records.get(uri)
        if current is not None and current.value == value:
            return JSONResponse({"uri": uri, "cid": current.cid, "validationStatus": "valid"})
        if current is not None and "swapRecord" in asked and asked["swapRecord"] != current.cid:
            return refused(400, "InvalidSwap", f"Record was at {current.cid}")
        written = self.ledger.write(did, value, asked["rkey"], asked["collection"])
        return JSONResponse({"uri": uri, "cid": written.cid, "validationStatus": "valid"})

    def _refusal_of_pictures(self, record: dict[str, Any]) -> Response | None:
        for image in record.get("embed", {}).get("images", []):
            blob = image["image"]
            if blob["ref"]["$link"] not in self.ledger.blobs:
                return refused(400, "BlobNotFound", "Could not find blob")
            if blob["size"] > LARGEST_PICTURE:
                return refused(400, "BlobTooLarge", "This file is too large.")
        return None

    async def _upload(self, request: Request, _did: str) -> Response:
        content, kind = await request.body(), request.headers["content-type"]
        link = cid_of({"content": content.hex()})
        self.ledger.blobs[link] = (kind, content)
        blob = {"$type": "blob", "ref": {"$link": link}, "mimeType": kind, "size": len(content)}
        return JSONResponse({"blob": blob})

    async def _get(self, request: Request, _did: str) -> Response:
        query = request.query_params
        uri = f"at://{query['repo']}/{query['collection']}/{query['rkey']}"
        found = self.ledger.records.get(uri)
        if found is None:
            return refused(400, "RecordNotFound", f"Could not locate record: {uri}")
        return JSONResponse({"uri": uri, "cid": found.cid, "value": found.value})

    async def _delete(self, request: Request, did: str) -> Response:
        asked = await request.json()
        self.ledger.delete(f"at://{did}/{asked['collection']}/{asked['rkey']}")
        return JSONResponse({})

    async def _posts(self, request: Request, _did: str) -> Response:
        wanted = request.query_params.getlist("uris")
        found = [one for one in self.ledger.seen() if one.uri in wanted]
        return JSONResponse({"posts": [self.ledger.view(one) for one in found]})

    async def _thread(self, request: Request, _did: str) -> Response:
        uri = request.query_params["uri"]
        found = [one for one in self.ledger.seen() if one.uri == uri]
        if not found:
            return refused(400, "NotFound", f"Post not found: {uri}")
        kind = "app.bsky.feed.defs#threadViewPost"
        answers = [
            {"$type": kind, "post": self.ledger.view(one)}
            for one in self.ledger.seen()
            if one.value.get("reply", {}).get("parent", {}).get("uri") == uri
        ]
        thread = {"$type": kind, "post": self.ledger.view(found[0]), "replies": answers}
        return JSONResponse({"thread": thread})

    async def _author_feed(self, request: Request, _did: str) -> Response:
        actor = request.query_params["actor"]
        theirs = [one for one in self.ledger.seen() if one.did == actor and one.collection == POST]
        newest = theirs[::-1][: int(request.query_params.get("limit", 50))]
        return JSONResponse({"feed": [{"post": self.ledger.view(one)} for one in newest]})

    async def _search(self, request: Request, _did: str) -> Response:
        sought = request.query_params["q"].strip('"').casefold()
        since = request.query_params.get("since", "")
        found = [
            one
            for one in self.ledger.seen()
            if one.collection == POST
            and sought in one.value["text"].casefold()
            and self.ledger.view(one)["indexedAt"] >= since
        ]
        page, cursor = self._page(request, found)
        return JSONResponse({"posts": [self.ledger.view(one) for one in page], **cursor})

    async def _profiles(self, request: Request, _did: str) -> Response:
        actors = request.query_params.getlist("actors")
        if len(actors) > 25:
            return refused(400, "InvalidRequest", "actors must not have more than 25 elements")
        known = [actor for actor in actors if actor in self.ledger.people]
        profiles = [self.ledger.profile(actor, is_detailed=True) for actor in known]
        return JSONResponse({"profiles": profiles})

    async def _notifications(self, request: Request, did: str) -> Response:
        seen = {one.uri: one for one in self.ledger.seen()}
        with self.ledger.lock:
            told = [one for one in self.ledger.notifications.get(did, []) if one["uri"] in seen]
        page, cursor = self._page(request, told)
        shown = [self._notification(one, seen[one["uri"]]) for one in page]
        return JSONResponse({"notifications": shown, "priority": False, **cursor})

    def _notification(self, told: dict[str, Any], record: Record) -> dict[str, Any]:
        view = self.ledger.view(record)
        kept = {name: view[name] for name in ("uri", "cid", "author", "record", "indexedAt")}
        subject = {"reasonSubject": told["reasonSubject"]} if told["reasonSubject"] else {}
        return kept | {"reason": told["reason"], "isRead": False, "labels": []} | subject

    def _page(self, request: Request, found: list[Any]) -> tuple[list[Any], dict[str, str]]:
        """Return the newest first; a cursor leads to older ones."""
        skipped = int(request.query_params.get("cursor", 0))
        limit = max(1, min(100, int(request.query_params.get("limit", 50))))
        newest = found[::-1]
        is_more = skipped + limit < len(newest)
        cursor = {"cursor": str(skipped + limit)} if is_more else {}
        return newest[skipped : skipped + limit], cursor

    async def _log(self, request: Request, did: str) -> Response:
        cursor = request.query_params.get("cursor", "")
        with self.ledger.lock:
            later = [
                log
                for log in self.ledger.log
                if log["rev"] > cursor and did in self.ledger.convos[log["convoId"]]
            ][:LOG_PAGE]
            shown = [self._with_profiles(log) for log in later]
        return JSONResponse({"logs": shown, "cursor": later[-1]["rev"] if later else cursor})

    def _with_profiles(self, log: dict[str, Any]) -> dict[str, Any]:
        members = self.ledger.convos[log["convoId"]]
        return log | {"relatedProfiles": [self.ledger.profile(did) for did in members]}

    async def _convo(self, request: Request, did: str) -> Response:
        (other,) = [one for one in request.query_params.getlist("members") if one != did]
        if other in self.ledger.closed_to_strangers:
            return refused(400, "MessagesDisabled", "recipient has disabled incoming messages")
        convo_id = self.ledger.convo_of(did, other)
        members = [self.ledger.profile(one) for one in self.ledger.convos[convo_id]]
        shown = {"id": convo_id, "rev": convo_id, "members": members, "muted": False}
        return JSONResponse({"convo": shown | {"unreadCount": 0}})

    async def _messages(self, request: Request, did: str) -> Response:
        convo_id = request.query_params["convoId"]
        if did not in self.ledger.convos.get(convo_id, ()):
            return refused(400, "InvalidRequest", "Convo not found")
        with self.ledger.lock:
            said = [
                log["message"]
                for log in self.ledger.log
                if log["convoId"] == convo_id and log["$type"].endswith("#logCreateMessage")
            ]
        page, cursor = self._page(request, said)
        return JSONResponse({"messages": page, **cursor})

    async def _send(self, request: Request, did: str) -> Response:
        asked = await request.json()
        convo_id, text = asked["convoId"], asked["message"]["text"]
        if did not in self.ledger.convos.get(convo_id, ()):
            return refused(400, "InvalidConvo", "Convo not found")
        if len(regex.findall(r"\X", text)) > 1_000:
            return refused(400, "InvalidRequest", "text must not be longer than 1000 graphemes")
        return JSONResponse(self.ledger.chat(convo_id, did, text))

    async def _subscribe(self, socket: WebSocket) -> None:
        wanted = socket.query_params.getlist("wantedCollections")
        dids = socket.query_params.getlist("wantedDids")
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[str] = asyncio.Queue()

        def put(event: str) -> None:
            is_wanted = any(f'"collection":"{name}"' in event for name in wanted)
            is_by_wanted = not dids or any(f'"did":"{did}"' in event[:200] for did in dids)
            if is_wanted and is_by_wanted:
                loop.call_soon_threadsafe(queue.put_nowait, event)

        await socket.accept()
        self.ledger.listeners.append(put)
        try:
            while True:
                await socket.send_text(await queue.get())
        except (WebSocketDisconnect, RuntimeError):
            pass
        finally:
            self.ledger.listeners.remove(put)

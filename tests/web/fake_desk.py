"""The fake API's part for second thoughts, drafts, canned replies and onlookers."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.web.fake_world import RefusedError, Row, World, at

CAN_EVERYTHING = {"can_edit": True, "can_delete": True, "can_change_private": True}
NETWORKS: dict[str, Row] = {
    "mastodon": CAN_EVERYTHING,
    "x": CAN_EVERYTHING | {"can_edit": False, "can_change_private": False},
}
NO_DRAFT: Row = {"text": "", "visibility": None, "in_reply_to": None, "version": 0}


class FakeDesk:
    """Routes of what an agent has at hand beside the conversation itself."""

    world: World

    def key_of(self, request: Request) -> str:
        raise NotImplementedError

    async def networks(self, request: Request) -> Response:
        self.key_of(request)
        rows = [{"network": name, "capabilities": can} for name, can in NETWORKS.items()]
        return JSONResponse({"items": rows, "next_cursor": None})

    async def change(self, request: Request) -> Response:
        self.key_of(request)
        kind = request.url.path.rpartition("/")[2]
        body = await request.json()
        if self.world.change_refusal:
            raise RefusedError("cannot_change_reply", self.world.change_refusal)
        reply = self.world.ask_change(request.path_params["id"], kind, body.get("text"))
        return JSONResponse(reply, 202)

    async def draft(self, request: Request) -> Response:
        self.key_of(request)
        conversation_id = request.path_params["id"]
        known = self.world.drafts.get(conversation_id, NO_DRAFT)
        if request.method == "GET":
            return JSONResponse({"conversation_id": conversation_id, **known})
        if self.world.refuse_drafts:
            raise RefusedError("database_unavailable", "not now", 503)
        if request.method == "DELETE":
            self.drop_draft(conversation_id)
            return Response(status_code=204)
        wanted = request.headers.get("If-Match", "").strip('"')
        if wanted != str(known["version"]):
            raise RefusedError("version_mismatch", f"it is {known['version']}", 412)
        kept = NO_DRAFT | await request.json() | {"version": next(self.world.draft_versions)}
        self.world.drafts[conversation_id] = kept
        return JSONResponse({"conversation_id": conversation_id, **kept})

    def drop_draft(self, conversation_id: str) -> None:
        self.world.drafts.pop(conversation_id, None)

    async def canned_replies(self, request: Request) -> Response:
        self.key_of(request)
        q = request.query_params.get("q", "").lower()
        rows = [row for row in self.world.canned_replies if row["shortcut"].startswith(q)]
        return JSONResponse({"items": rows, "next_cursor": None})

    async def dispositions(self, request: Request) -> Response:
        self.key_of(request)
        rows = [{"code": code, "name": code.title()} for code in self.world.wrap_up_codes]
        return JSONResponse({"items": rows, "next_cursor": None})

    async def render(self, request: Request) -> Response:
        self.key_of(request)
        asked = request.path_params["id"]
        row = next(row for row in self.world.canned_replies if row["id"] == asked)
        conversation = self.world.conversations[(await request.json())["conversation_id"]]
        name = conversation["customer"]["name"]
        text = row["text"].replace("{customer_name}", name or "")
        missing = [] if name else ["customer_name"]
        return JSONResponse({"text": text, "missing": missing})

    async def presence(self, request: Request) -> Response:
        self.key_of(request)
        conversation_id = request.path_params["id"]
        if request.method == "GET":
            rows = self.world.onlookers.get(conversation_id, [])
            return JSONResponse({"items": rows, "next_cursor": None})
        activity = (await request.json())["activity"]
        self.world.presence.append((conversation_id, activity))
        return Response(status_code=204)


def onlooker(agent_id: str, name: str, activity: str) -> dict[str, Any]:
    """Return somebody who looks or types, for 15 s from now."""
    lease = {"since": at(), "until": at(15)}
    return {"agent_id": agent_id, "name": name, "activity": activity, **lease}

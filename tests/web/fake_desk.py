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

    def agent_of(self, request: Request) -> str | None:
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

    async def customers(self, request: Request) -> Response:
        """Find customers of the visible conversations; one by its id."""
        self.key_of(request)
        cards = {
            row["customer"]["id"]: self.card_of(row) for row in self.world.conversations.values()
        }
        if "id" in request.path_params:
            card = cards.get(request.path_params["id"])
            if card is None:
                raise RefusedError("not_found", "no such customer", 404)
            return JSONResponse(card)
        q = request.query_params.get("q", "").lower()
        return JSONResponse({"items": [c for c in cards.values() if q in str(c).lower()]})

    def card_of(self, row: Row) -> Row:
        customer = row["customer"]
        face = {"network": row["network"], "external_id": "1", "avatar_url": None}
        face |= {"handle": customer["handle"], "name": customer["name"], "followers": 1204}
        face |= {"language": "en", "location": None}
        card = {"id": customer["id"], "name": customer["name"], "own_agent_id": None, "tags": []}
        card |= {"identities": [face], "created_at": row["created_at"]}
        return card | self.world.cards.get(customer["id"], {})

    async def mentions(self, request: Request) -> Response:
        """Tell an agent of the notes that name him; the key says who he is."""
        me = self.agent_of(request)
        if request.method == "PUT":
            for mention in self.world.mentions:
                if mention["conversation_id"] == request.path_params["id"]:
                    mention["read_at"] = at()
            return Response(status_code=204)
        unread = "unread" in request.query_params
        rows = [one for one in self.world.mentions if one["agent_id"] == me]
        rows = [one for one in rows if not (unread and one["read_at"])]
        return JSONResponse({"items": rows[::-1], "next_cursor": None})

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

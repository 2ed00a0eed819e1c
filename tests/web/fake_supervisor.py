"""The fake API's part for supervisors: queues, quarantine, search, why not an agent."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.web.fake_world import RefusedError, Row, World, at

LEVEL = {"target_s": 120, "percent": 80, "reached_percent": 71.0, "waiting_late": 2}
WAITS = ("queued", "alerting")


def listing(rows: list[Row], **more: Any) -> JSONResponse:
    return JSONResponse({"items": rows, "next_cursor": None, **more})


def quarantined(number: int, **more: Any) -> Row:
    """Return a piece that lacks its author's id."""
    return {
        "id": f"qu_{number:032x}",
        "channel_id": "ch-1",
        "network": "x",
        "workgroup_id": "w-parcels",
        "external_id": f"p{number}",
        "code": "invalid_post",
        "detail": "author.external_id: Field required",
        "raw": f'{{"external_id": "p{number}", "author": {{"handle": "ferry"}}, "text": "Where?"}}',
        "received_at": at(-60 * number),
        "is_readable": True,
        **more,
    }


class FakeSupervisor:
    """Routes that only a supervisor's view calls."""

    world: World

    def key_of(self, request: Request) -> str:
        raise NotImplementedError

    def waiting_in(self, workgroup_id: str) -> list[Row]:
        rows = [row for row in self.world.conversations.values() if row["state"] in WAITS]
        theirs = [row for row in rows if row["workgroup_id"] == workgroup_id]
        return sorted(theirs, key=lambda row: str(row["queued_at"]))

    async def queue(self, request: Request) -> Response:
        self.key_of(request)
        waiting = self.waiting_in(request.path_params["id"])
        alerting = sum(row["state"] == "alerting" for row in waiting)
        queue = {
            "workgroup_id": request.path_params["id"],
            "waiting": len(waiting) - alerting,
            "alerting": alerting,
            "longest_waiting_s": 130 if waiting else 0,
            "estimated_wait_s": 95 if waiting else None,
            "service_level": {"social_conversation": LEVEL} if waiting else {},
            "since": at(-3600),
            "is_open": True,
            "next_change_at": None,
        }
        return JSONResponse(queue)

    async def place(self, request: Request) -> Response:
        self.key_of(request)
        row = self.world.conversations[request.path_params["id"]]
        ids = [one["id"] for one in self.waiting_in(row["workgroup_id"])]
        position = ids.index(row["id"]) + 1 if row["state"] == "queued" else None
        place = {"queue_position": position, "waited_s": 30, "estimated_wait_s": 60}
        return JSONResponse({"workgroup_id": row["workgroup_id"], **place})

    async def budgets(self, request: Request) -> Response:
        self.key_of(request)
        calls = {"name": "x_reads", "calls": 300, "per_s": 900, "used_percent": 40}
        rows = self.world.channels.values()
        accounts = {str(row["account_id"]) for row in rows if "account_id" in row}
        return listing(
            [
                {"account_id": one, "network": "x", "waits_until": None, "allowances": [calls]}
                for one in sorted(accounts)
            ]
        )

    async def quarantine(self, request: Request) -> Response:
        self.key_of(request)
        return listing(list(self.world.quarantine))

    async def quarantined(self, request: Request) -> Response:
        """Take a corrected piece in, refuse one that came wrong once more, or throw it away."""
        self.key_of(request)
        asked = request.path_params["id"]
        piece = next((one for one in self.world.quarantine if one["id"] == asked), None)
        if piece is None:
            raise RefusedError("not_found", "no such piece", 404)
        if request.method == "DELETE":
            self.world.quarantine.remove(piece)
            return Response(status_code=204)
        post = (await request.json()).get("post")
        if post is None:
            raise RefusedError("still_not_accepted", f"not now either: {piece['detail']}")
        self.world.quarantine.remove(piece)
        handle = post["author"].get("handle", "somebody")
        row = self.world.add_conversation(handle, [post["text"]])
        opened = {post["external_id"]: row["id"]}
        return JSONResponse({"accepted": 1, "duplicates": 0, "conversation_ids": opened})

    def told_of(self, decision: Row, agent_id: str) -> Row:
        """Return a decision with what it meant for one agent."""
        chosen = decision.get("agent_id")
        order = (decision.get("chosen") or {}).get("order")
        agent: Row = {"agent_id": agent_id, "outcome": "not_eligible", "reasons": ["not_on_queue"]}
        if agent_id == chosen:
            agent |= {"outcome": "chosen", "reasons": []}
        if order and any(one["agent_id"] == agent_id for one in decision["runners_up"]):
            agent |= {"outcome": "runner_up", "reasons": [], "order": {**order, "load_percent": 50}}
        return decision | {"evaluated": {"is_reproduced": True, "agent": {"order": None} | agent}}

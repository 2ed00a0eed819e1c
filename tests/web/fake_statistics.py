"""The fake API's part for wallboards: the floor now, counted from the world."""

from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.web.fake_world import Row, World, at

ACTIVE = ("connected", "held")


def age_s(moment: str | None) -> int:
    if moment is None:
        return 0
    now, then = (datetime.fromisoformat(one) for one in (at(), moment))
    return max(0, int((now - then).total_seconds()))


class FakeStatistics:
    world: World

    def key_of(self, request: Request) -> str:
        raise NotImplementedError

    def standing(self, group: Row) -> Row:
        rows = [
            row
            for row in self.world.conversations.values()
            if row["workgroup_id"] == group["id"] and not row["ended_at"]
        ]
        waits = [row for row in rows if row["state"] in ("queued", "alerting")]
        active = [row for row in rows if row["state"] in ACTIVE]
        agents = [a["routing_status"] for a in self.world.agents.values()]
        target = group["service_level"]
        counted: dict[str, Any] = {"answered": 4, "answered_in_time": 3, "counted": 4}
        level = target | counted | {"reached_percent": 75.0, "abandoned": 0, "flowed_out": 0}
        return {
            "workgroup_id": group["id"],
            "name": group["name"],
            "waiting": sum(row["state"] == "queued" for row in waits),
            "alerting": sum(row["state"] == "alerting" for row in waits),
            "active_social_conversations": len(active),
            "longest_waiting_s": max([age_s(row["queued_at"]) for row in waits], default=0),
            "longest_social_conversation_s": max(
                [age_s(row["connected_at"]) for row in active], default=0
            ),
            "agents": {
                status: agents.count(status)
                for status in ("on_queue", "off_queue", "not_responding", "draining")
            },
            "utilization_percent": 40.0,
            "service_level_percent": 75.0,
            "service_level": {"social_conversation": level},
            "since": at(-3600),
        }

    async def statistics(self, request: Request) -> Response:
        self.key_of(request)
        kind = request.url.path.rpartition("/")[2]
        items: list[Row] = []
        if kind == "now":
            items = [self.standing(group) for group in self.world.workgroups.values()]
        if kind == "agents":
            items = [self.crew_member(agent) for agent in self.world.agents.values()]
        return JSONResponse({"as_of": at(), "items": items, "kept_since": None})

    async def nothing(self, request: Request) -> Response:
        self.key_of(request)
        return JSONResponse({"items": [], "next_cursor": None})

    def crew_member(self, agent: Row) -> Row:
        wanted = ("id", "name", "routing_status", "reason", "since", "utilization_percent")
        active = [row["agent_id"] for row in self.world.conversations.values()]
        return {name: agent[name] for name in wanted} | {
            "active_social_conversations": active.count(agent["id"]),
            "workgroups": agent["workgroups"],
        }

"""What the fake server knows: a small contact centre in memory, with a log of events."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from tests.web.fake_door import Door
from tests.web.fake_moves import OWNED_MOVES

Row = dict[str, Any]
OFFER_S = 20


def at(offset_s: float = 0) -> str:
    """Return a moment as the API writes it."""
    moment = datetime.fromtimestamp(time.time() + offset_s, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def new_conversation(conversation_id: str, state: str, agent_id: str | None, age_s: float) -> Row:
    """Return what every conversation of a scene has alike."""
    return {
        "id": conversation_id,
        "state": state,
        "channel_id": "ch-1",
        "agent_id": agent_id,
        "consulted_agent_id": None,
        "preferred_agent_id": None,
        "priority": 50,
        "required_skills": [{"skill": "parcel", "min_proficiency": 40}],
        "offer": None,
        "created_at": at(-age_s),
        "queued_at": at(-age_s),
        "offered_at": None,
        "connected_at": at(-age_s / 2) if agent_id else None,
        "held_at": at(-20) if state == "held" else None,
        "ended_at": None,
        "last_post_at": at(-age_s),
        "affinity_until": at(3600),
        "post_count": 0,
        "unanswered_count": 0,
        "continues": None,
        "continued_by": None,
        "wrap_up_code": None,
        "ended_by": None,
        "version": 1,
        "workflow": {"id": f"conversation/{conversation_id}", "run_id": "r", "url": None},
    }


def no_people() -> tuple[list[Row], dict[str, Row], dict[str, Row]]:
    """Return what is known of mentions, of customers, and of whom may not be answered how."""
    return [], {}, {}


class RefusedError(Exception):
    def __init__(self, code: str, detail: str, status: int = 409) -> None:
        super().__init__(detail)
        self.code, self.detail, self.status = code, detail, status


class World:
    """One lock around everything; tests call it from their own thread."""

    wrap_up_codes: tuple[str, ...] = ("solved", "complaint")
    empty_looks = 0
    """So many pages of a search find nothing and lead to another."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.counter = itertools.count(1)
        self.events: list[Row] = []
        self.live: list[Row] = []
        self.conversations: dict[str, Row] = {}
        self.entries: dict[str, list[Row]] = {}
        self.decisions: dict[str, list[Row]] = {}
        self.agents: dict[str, Row] = {}
        self.workgroups: dict[str, Row] = {}
        self.replies: dict[str, Row] = {}
        self.channels: dict[str, Row] = {}
        self.add_channel("ch-1", "@brand")
        self.canned_replies: list[Row] = []
        self.quarantine: list[Row] = []
        self.drafts: dict[str, Row] = {}
        self.mentions, self.cards, self.refused_audiences = no_people()
        self.draft_versions = itertools.count(1)
        self.refuse_drafts = False
        self.presence: list[tuple[str, str]] = []
        self.onlookers: dict[str, list[Row]] = {}
        self.change_refusal: str | None = None
        self.answers: dict[str, tuple[int, Any]] = {}
        self.requests: list[tuple[str, str, Any]] = []
        self.heartbeats: list[str] = []
        self.streams_opened: list[str | None] = []
        self.refuse_streams = False
        self.stream_epoch = self.away = self.undo_window_s = 0
        self.wrap_up = False
        self.next_reply_state = "sent"
        self.door = Door()

    def new_id(self, kind: str) -> str:
        return f"{kind}-{next(self.counter)}"

    def tell(self, kind: str, conversation: Row | None = None, /, **more: object) -> None:
        """Append an event; about a conversation it is also an entry of its timeline."""
        event: Row = {"seq": len(self.events) + 1, "type": kind, "at": at(), **more}
        if conversation:
            conversation["version"] += 1
            event |= {
                "conversation_id": conversation["id"],
                "workgroup_id": conversation["workgroup_id"],
                "conversation": dict(conversation),
            }
            entry = {"type": kind, "at": event["at"], "agent_id": more.get("agent_id")}
            self.entries[conversation["id"]].append(
                {"kind": "event", "at": event["at"], "event": entry | {"detail": more}}
            )
        self.events.append(event)

    def tell_live(self, kind: str, **more: object) -> None:
        """Tell whoever listens now; it has no place in the sequence."""
        self.live.append({"type": kind, **more})

    def add_channel(self, channel_id: str, name: str, network: str = "x", **more: Any) -> None:
        health = {"health": "healthy", "health_detail": None, "health_since": at(-3600)}
        row = {"id": channel_id, "name": name, "network": network, "enabled": True, "version": 1}
        self.channels[channel_id] = row | health | more

    def tell_health(self, channel_id: str, health: str, detail: str | None) -> None:
        row = self.channels[channel_id]
        row |= {"health": health, "health_detail": detail, "health_since": at()}
        told = {"channel_id": channel_id, "health": health, "detail": detail}
        self.tell("channel.health_changed", detail=told)

    def add_agent(self, agent_id: str, name: str, status: str = "on_queue", load: int = 0) -> Row:
        self.agents[agent_id] = {
            "id": agent_id,
            "username": agent_id,
            "name": name,
            "routing_status": status,
            "reason": None,
            "since": at(-240),
            "utilization_percent": load,
            "conversations": {},
            "skills": [{"skill": "parcel", "proficiency": 80}],
            "workgroups": list(self.workgroups),
            "licensed": True,
        }
        return self.agents[agent_id]

    def add_workgroup(self, group_id: str, name: str, target_s: int = 120) -> None:
        level = {"target_s": target_s, "percent": 80}
        self.workgroups[group_id] = {"id": group_id, "name": name, "service_level": level}

    def add_conversation(  # noqa: PLR0913 - a scene is told in one call
        self,
        handle: str,
        texts: list[str],
        *,
        state: str = "queued",
        agent_id: str | None = None,
        network: str = "x",
        private: bool = False,
        workgroup_id: str = "w-parcels",
        name: str | None = None,
        age_s: float = 30,
    ) -> Row:
        with self.lock:
            row = new_conversation(self.new_id("c"), state, agent_id, age_s)
            row |= {
                "media_type": "social_direct_message" if private else "social_conversation",
                "network": network,
                "workgroup_id": workgroup_id,
                "customer": {"id": f"cu-{handle}", "handle": handle, "name": name},
            }
            self.conversations[row["id"]] = row
            self.entries[row["id"]] = []
            self.decisions[row["id"]] = []
            self.tell("conversation.created", row)
            for index, text in enumerate(texts):
                self.add_post(row, text, at(-age_s + index), private=private)
            return row

    def add_post(
        self, row: Row, text: str, moment: str | None = None, *, private: bool = False, **more: Any
    ) -> None:
        with self.lock:
            moment = moment or at()
            post_id = self.new_id("p")
            author = {"external_id": post_id, **row["customer"], "followers": 1204} | more
            post = {
                "id": post_id,
                "external_id": f"x-{post_id}",
                "author": author,
                "text": text,
                "visibility": "private" if private else "public",
                "created_at": moment,
                "url": f"https://x.example/{post_id}",
                "media": more.get("media", []),
            }
            self.entries[row["id"]].append({"kind": "post", "at": moment, "post": post})
            row["post_count"] += 1
            row["unanswered_count"] += 1
            row["last_post_at"] = moment
            self.tell("conversation.post_received", row)

    def offer(self, row: Row, agent_id: str, seconds: float = OFFER_S) -> None:
        with self.lock:
            offer = {"id": self.new_id("o"), "agent_id": agent_id, "expires_at": at(seconds)}
            row |= {"state": "alerting", "offer": offer, "offered_at": at()}
            self.agents[agent_id]["utilization_percent"] += 25
            self.decisions[row["id"]].append(self.decision(row, agent_id))
            self.tell("conversation.offered", row, agent_id=agent_id)

    def decision(self, row: Row, agent_id: str) -> Row:
        now_ms = int(time.time() * 1000)
        order = {
            "not_preferred": True,
            "lacking_skill": -80,
            "load_percent": 25,
            "idle_since": now_ms - 240_000,
        }
        others = [other for other in self.agents if other != agent_id]
        return {
            "id": self.new_id("d"),
            "at": at(),
            "offer_id": row["offer"]["id"],
            "agent_id": agent_id,
            "policy_version": 3,
            "candidates": 12,
            "filtered": {"capacity": 7, "missing_skill": 3},
            "chosen": {"agent_id": agent_id, "order": order},
            "runners_up": [
                {"agent_id": other, "order": order | {"idle_since": now_ms - 60_000}}
                for other in others[:1]
            ],
            "workgroup_id": row["workgroup_id"],
        }

    def visible(self, agent_id: str | None, row: Row) -> bool:
        return agent_id is None or row["workgroup_id"] in self.agents[agent_id]["workgroups"]

    def command(self, row: Row, name: str, body: Row, agent_id: str | None) -> Row:
        """Apply an agent's command, or refuse it with both facts."""
        special: dict[str, Callable[[Row, Row, str | None], None]] = {
            "pickup": self.pick_up,
            "decline": self.decline,
            "transfer": self.transfer,
        }
        if name in special:
            special[name](row, body, agent_id)
            return row
        sources, target, event = OWNED_MOVES[name]
        if agent_id is not None and row["agent_id"] != agent_id:
            raise RefusedError("not_your_conversation", f"it is {row['agent_id']}'s")
        if row["state"] not in sources:
            raise RefusedError("illegal_transition", f"{name} while {row['state']}")
        row["state"] = "wrapup" if name == "disconnect" and self.wrap_up else target
        if name == "disconnect":
            row |= {"ended_at": at(), "ended_by": agent_id}
        row["wrap_up_code"] = body.get("wrap_up_code")
        row["held_at"] = at() if name == "hold" else None
        self.tell(f"conversation.{event}", row, agent_id=agent_id, reason=body.get("reason"))
        return row

    def pick_up(self, row: Row, body: Row, agent_id: str | None) -> None:
        if row["state"] not in ("alerting", "queued"):
            raise RefusedError("offer_expired", f"the conversation is {row['state']}")
        if body.get("offer_id") and (row["offer"] or {}).get("id") != body["offer_id"]:
            raise RefusedError("offer_expired", "another offer stands")
        row |= {"state": "connected", "offer": None, "agent_id": agent_id, "connected_at": at()}
        self.tell("conversation.connected", row, agent_id=agent_id)

    def decline(self, row: Row, _body: Row, agent_id: str | None) -> None:
        row |= {"state": "queued", "offer": None}
        if agent_id:
            self.agents[agent_id]["utilization_percent"] -= 25
        self.tell("conversation.declined", row, agent_id=agent_id)

    def transfer(self, row: Row, body: Row, agent_id: str | None) -> None:
        row |= {"state": "queued", "agent_id": None}
        row["workgroup_id"] = body.get("workgroup_id", row["workgroup_id"])
        self.tell(
            "conversation.transferred",
            row,
            agent_id=agent_id,
            comment=body.get("comment"),
            to_workgroup_id=body.get("workgroup_id"),
        )
        if "agent_id" in body:
            self.offer(row, body["agent_id"])

    def reply(self, row: Row, body: Row, agent_id: str | None) -> Row:
        if row["state"] != "connected" or row["agent_id"] != agent_id:
            raise RefusedError("illegal_transition", f"reply while {row['state']}")
        reply: Row = {
            "id": self.new_id("r"),
            "conversation_id": row["id"],
            "agent_id": agent_id,
            "text": body["text"],
            "visibility": body.get("visibility", "public"),
            "in_reply_to": body.get("in_reply_to"),
            "state": "accepted",
            "attempts": 0,
            "external_id": None,
            "url": None,
            "reason": None,
            "created_at": at(),
            "sent_at": None,
            "undo_until": at(self.undo_window_s) if self.undo_window_s else None,
            "confirm_public": body.get("confirm_public", False),
        }
        self.replies[reply["id"]] = reply
        entry = {"kind": "reply", "at": reply["created_at"], "reply": reply}
        self.entries[row["id"]].append(entry)
        self.tell("reply.accepted", row, agent_id=agent_id, reply=dict(reply))
        answer = dict(reply)
        if not self.undo_window_s:
            self.settle(reply["id"], self.next_reply_state)
        return answer

    def withdraw(self, reply_id: str) -> Row:
        reply = self.replies[reply_id]
        reply |= {"state": "rejected", "reason": "withdrawn before it was sent"}
        self.tell("reply.rejected", self.conversations[reply["conversation_id"]], reply=dict(reply))
        return reply

    def settle(self, reply_id: str, state: str) -> Row:
        with self.lock:
            reply = self.replies[reply_id]
            row = self.conversations[reply["conversation_id"]]
            reply |= {"state": state, "attempts": 1}
            if state == "sent":
                reply |= {"sent_at": at(), "url": "https://x.example/reply"}
                row["unanswered_count"] = 0
            if state == "rejected":
                reply["reason"] = "The customer has blocked you"
            self.tell(f"reply.{state}", row, reply=dict(reply))
            return reply

    def ask_change(self, reply_id: str, kind: str, text: str | None) -> Row:
        with self.lock:
            asked = {"kind": kind, "state": "pending", "text": text, "reason": None}
            reply = self.replies[reply_id]
            reply["change"] = asked | {"asked_at": at()}
            return dict(reply)

    def settle_change(self, reply_id: str, state: str, reason: str | None = None) -> None:
        with self.lock:
            reply = self.replies[reply_id]
            change = reply["change"] | {"state": state, "reason": reason}
            is_edited = change["kind"] == "edit" and state == "done"
            reply |= {"change": change, "text": change["text"] if is_edited else reply["text"]}
            done = {"edit": "edited", "delete": "deleted"}[change["kind"]]
            event = done if state == "done" else "change_refused"
            self.tell(f"reply.{event}", self.conversations[reply["conversation_id"]])

    def change_post(self, row: Row, text: str | None = None) -> None:
        """Let the customer edit the newest post, or delete it."""
        with self.lock:
            post = next(e["post"] for e in reversed(self.entries[row["id"]]) if e["kind"] == "post")
            if text is None:
                post |= {"text": "", "media": [], "earlier_texts": [], "deleted_at": at()}
            else:
                earlier = [*post.get("earlier_texts", []), {"text": post["text"], "until": at()}]
                post |= {"text": text, "edited_at": at(), "earlier_texts": earlier}
            kind = "edited" if text is not None else "deleted"
            self.tell("conversation.post_changed", row, post_id=post["id"], kind=kind)

    def note(self, row: Row, body: Row, agent_id: str | None) -> Row:
        note = {"id": self.new_id("n"), "agent_id": agent_id, "text": body["text"]}
        note |= {"created_at": at(), "author_name": "somebody"}
        note["mentions"] = body.get("mentions", [])
        self.entries[row["id"]].append({"kind": "note", "at": note["created_at"], "note": note})
        self.mention(row, note, agent_id)
        return note

    def mention(self, row: Row, note: Row, by: str | None) -> None:
        told = {"note_id": note["id"], "conversation_id": row["id"], "read_at": None}
        told |= {"customer": row["customer"], "network": row["network"], "text": note["text"]}
        told |= {"created_at": note["created_at"]}
        name = self.agents[by]["name"] if by else "somebody"
        for agent_id in note["mentions"]:
            writer = {"agent_id": by, "name": name}
            self.mentions.append(told | {"agent_id": agent_id, "by": writer})
        if note["mentions"]:
            detail = {"note_id": note["id"], "mentions": note["mentions"]}
            self.tell("conversation.note_written", row, agent_id=by, detail=detail)

    @contextmanager
    def streams_refused(self) -> Iterator[None]:
        """Cut every event stream and let none be opened meanwhile."""
        self.refuse_streams = True
        self.stream_epoch += 1
        yield
        self.refuse_streams = False

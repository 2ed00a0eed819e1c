"""What the fake Graph API shows: feeds, comments, conversations, page by page."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tests.fakes.graph_ledger import GraphLedger, Message, Place, Said, Thread
from tests.fakes.graph_sending import GraphError, gone

MOST_A_PAGE = 100
NESTED = 25
SHOWN_WHOLE = 20
"""Of a conversation's older messages only that they were said is told."""


def when(ms: int) -> str:
    """Write a time as the Graph API does: in whole seconds."""
    return datetime.fromtimestamp(ms // 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def paged(entries: Sequence[Any], limit: int, after: str | None = None) -> dict[str, Any]:
    """Return one page with cursors that mean nothing to anybody else."""
    start = int(base64.b64decode(after)) if after else 0
    end = start + limit
    page: dict[str, Any] = {"data": list(entries[start:end])}
    if page["data"]:
        cursors = {"before": _cursor(start), "after": _cursor(end)}
        page["paging"] = {"cursors": cursors}
        if end < len(entries):
            token = "access_token=never-to-be-followed"
            page["paging"]["next"] = f"https://graph.facebook.com/next?{token}"
    return page


def _cursor(place: int) -> str:
    return base64.b64encode(str(place).encode()).decode()


class Lists:
    """Everything that can be asked for."""

    def __init__(self, ledger: GraphLedger) -> None:
        self._ledger = ledger

    def node(self, node: str) -> dict[str, Any]:
        said = self._ledger.said.get(node)
        if said is None:
            raise gone(node)
        return self._comment(said)

    def edge(self, place: Place, node: str, edge: str, params: dict[str, str]) -> dict[str, Any]:
        entries = self._entries(place, node, edge, params)
        limit = min(int(params.get("limit", self._ledger.page_size)), MOST_A_PAGE)
        return paged(entries, min(limit, self._ledger.page_size), params.get("after"))

    def _entries(self, place: Place, node: str, edge: str, params: dict[str, str]) -> list[Any]:
        match edge:
            case "feed" | "tagged":
                kind = "tagged" if edge == "tagged" else "post"
                seen = self._ledger.visible(lambda s: s.place_id == node and s.kind == kind)
                return [self._post(said) for said in seen]
            case "media":
                seen = self._ledger.visible(lambda s: s.place_id == node and s.author_id == node)
                return [self._picture(said) for said in seen if said.kind == "post"]
            case "tags":
                seen = self._ledger.visible(lambda s: s.place_id == node and s.kind == "tagged")
                return [self._tag(said) for said in seen]
            case "comments" | "replies":
                return self._comments(node, is_stream=params.get("filter") == "stream")
            case "conversations":
                return self._conversations(place, params)
            case "messages":
                threads = self._ledger.threads.values()
                thread = next((one for one in threads if one.id == node), None)
                return self._messages(thread) if thread else []
        raise GraphError(100, f"Tried accessing nonexisting field ({edge})")

    def _comments(self, node: str, *, is_stream: bool) -> list[Any]:
        """List below a node; a stream has every depth, as far as it is below."""
        if node not in self._ledger.said:
            raise gone(node)
        below = self._below(node) if is_stream else {node}

        def is_wanted(said: Said) -> bool:
            if said.kind != "comment":
                return False
            return (said.parent_id or said.root_id) in below

        return [self._comment(said) for said in self._ledger.visible(is_wanted)]

    def _below(self, node: str) -> set[str]:
        found = {node}
        for said in self._ledger.said.values():  # a comment is always later than what it answers
            if (said.parent_id or said.root_id) in found:
                found.add(said.id)
        return found

    def _post(self, said: Said) -> dict[str, Any]:
        return {
            "id": said.id,
            "message": said.text,
            "from": {"id": said.author_id, "name": said.author_name},
            "created_time": when(said.at),
            "updated_time": when(said.updated_at),
            "permalink_url": f"https://www.facebook.com/{said.id}",
        }

    def _comment(self, said: Said) -> dict[str, Any]:
        if self._ledger.places[said.place_id].platform == "instagram":
            return self._answer(said)
        comment = self._post(said)
        del comment["updated_time"]
        return comment | ({"parent": {"id": said.parent_id}} if said.parent_id else {})

    def _answer(self, said: Said) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "id": said.id,
            "text": said.text,
            "timestamp": when(said.at),
            "username": said.author_name,
            "from": {"id": said.author_id, "username": said.author_name},
        }
        if said.parent_id:
            return answer | {"parent_id": said.parent_id}
        below = self._ledger.visible(lambda one: one.parent_id == said.id)
        return answer | {"replies": paged([self._answer(one) for one in below], NESTED * 2)}

    def _picture(self, said: Said) -> dict[str, Any]:
        below = self._ledger.visible(lambda s: s.root_id == said.id and s.parent_id is None)
        comments = paged([self._answer(one) for one in below], self._ledger.page_size)
        return {"id": said.id, "timestamp": when(said.at), "comments": comments}

    def _tag(self, said: Said) -> dict[str, Any]:
        return {
            "id": said.id,
            "caption": said.text,
            "username": said.author_name,
            "timestamp": when(said.at),
            "permalink": f"https://www.instagram.com/p/{said.id}",
            "media_type": "IMAGE",
            "media_url": "https://cdn.example/tagged.jpg",
        }

    def _conversations(self, place: Place, params: dict[str, str]) -> list[Any]:
        if params.get("platform") != place.platform:
            raise GraphError(100, "Param platform must be one of messenger, instagram")
        threads = [one for one in self._ledger.threads.values() if one.place_id == place.id]
        if "user_id" in params:
            threads = [one for one in threads if one.person_id == params["user_id"]]
        threads.sort(key=lambda one: one.updated_at, reverse=True)
        return [self._conversation(one) for one in threads]

    def _conversation(self, thread: Thread) -> dict[str, Any]:
        messages = paged(self._messages(thread), min(SHOWN_WHOLE, self._ledger.page_size))
        return {
            "id": thread.id,
            "updated_time": when(thread.updated_at),
            "messages": messages,
        }

    def _messages(self, thread: Thread) -> list[Any]:
        now = self._ledger.now
        seen = [message for message in thread.messages if message.visible_at <= now]
        whole = [self._message(message, thread) for message in reversed(seen)]
        older = [{"id": m["id"], "created_time": m["created_time"]} for m in whole[SHOWN_WHOLE:]]
        return whole[:SHOWN_WHOLE] + older

    def _message(self, message: Message, thread: Thread) -> dict[str, Any]:
        place = self._ledger.places[thread.place_id]
        name = "username" if place.platform == "instagram" else "name"
        return {
            "id": message.id,
            "created_time": when(message.at),
            "from": {"id": message.author_id, name: self._ledger.name_of(message.author_id)},
            "message": message.text,
        }

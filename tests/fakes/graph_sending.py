"""What the fake Graph API takes and refuses: comments, messages, edits, deletions."""

import json
from typing import Any

from tests.fakes.graph_ledger import (
    HUMAN_AGENT_MS,
    PRIVATE_REPLY_MS,
    WINDOW_MS,
    GraphLedger,
    Place,
    Said,
)

LONGEST = {"messenger": 8_000, "instagram": 2_200}
LONGEST_MESSAGE = 2_000
LONGEST_INSTAGRAM_BYTES = 1_000


class GraphError(Exception):
    """A refusal in the Graph API's own form."""

    def __init__(
        self, code: int, message: str, *, subcode: int | None = None, status: int = 400
    ) -> None:
        super().__init__(message)
        self.status = status
        kind = "OAuthException"
        self.body: dict[str, Any] = {"message": f"(#{code}) {message}", "type": kind, "code": code}
        self.body |= {"error_subcode": subcode} if subcode else {}
        self.body["fbtrace_id"] = "AbCdEf"


def gone(node: str) -> GraphError:
    words = f"Object with ID '{node}' does not exist, cannot be loaded due to missing permissions"
    return GraphError(100, words, subcode=33)


class Sending:
    """Everything that changes the ledger in an account's name."""

    def __init__(self, ledger: GraphLedger) -> None:
        self._ledger = ledger

    def comment(self, place: Place, node: str, edge: str, params: dict[str, str]) -> dict[str, Any]:
        text = params.get("message", "").strip()
        if not text or len(text) > LONGEST[place.platform]:
            raise GraphError(100, "Invalid parameter: message")
        if edge == "mentions":
            node = params.get("comment_id") or params.get("media_id", "")
        said = self._visible(node)
        is_replies = place.platform == "instagram" and said.kind == "comment"
        if (edge == "replies") is not is_replies and edge != "mentions":
            raise GraphError(100, "Unsupported post request.")
        return {"id": self._ledger.comment(node, place.id, text).id}

    def _visible(self, node: str) -> Said:
        said = self._ledger.said.get(node)
        if said is None:
            raise gone(node)
        return said

    def edit(self, place: Place, node: str, params: dict[str, str]) -> dict[str, Any]:
        self._own(place, node)
        if place.platform == "instagram":
            raise GraphError(100, "Unsupported post request.")
        self._ledger.edit(node, params["message"])
        return {"success": True}

    def delete(self, place: Place, node: str) -> dict[str, Any]:
        self._own(place, node)
        self._ledger.remove(node)
        return {"success": True}

    def _own(self, place: Place, node: str) -> None:
        if self._visible(node).author_id != place.id:
            raise GraphError(200, "Permissions error")

    def message(self, place: Place, node: str, params: dict[str, str]) -> dict[str, Any]:
        """Take a message as the Send API does."""
        if node != place.id:
            raise GraphError(100, "No matching user found", subcode=2_018_001)
        recipient, message = json.loads(params["recipient"]), json.loads(params["message"])
        text = message.get("text", "")
        if place.platform == "instagram" and set(message) - {"text", "attachment"}:
            raise GraphError(100, "Invalid keys were found in param message")
        self._check_length(place, text)
        if "id" in recipient:
            person_id = recipient["id"]
            self._check_window(place, person_id, params)
        else:
            person_id = self._answered(recipient)
        metadata = message.get("metadata")
        sent = self._ledger.message(place, place.id, text, to=person_id, metadata=metadata)
        return {"recipient_id": person_id, "message_id": sent.id}

    def _check_length(self, place: Place, text: str) -> None:
        is_long = len(text) > LONGEST_MESSAGE
        if place.platform == "instagram":
            is_long = len(text.encode()) > LONGEST_INSTAGRAM_BYTES
        if not text or is_long:
            raise GraphError(100, "Length of param message[text] must be less than or equal to")

    def _check_window(self, place: Place, person_id: str, params: dict[str, str]) -> None:
        if person_id not in self._ledger.people:
            raise GraphError(100, "No matching user found", subcode=2_018_001)
        thread = self._ledger.threads.get((place.id, person_id))
        quiet_ms = self._ledger.now - (thread.last_from_person if thread else -HUMAN_AGENT_MS)
        kind, tag = params.get("messaging_type"), params.get("tag")
        if kind == "MESSAGE_TAG" and tag != "HUMAN_AGENT":
            raise GraphError(100, "Invalid parameter")
        if kind == "MESSAGE_TAG" and not place.may_answer_as_human:
            raise GraphError(10, "This message requires the Human Agent permission")
        if kind not in (None, "RESPONSE", "UPDATE", "MESSAGE_TAG"):
            raise GraphError(100, "Param messaging_type must be one of RESPONSE, UPDATE")
        if quiet_ms > (HUMAN_AGENT_MS if kind == "MESSAGE_TAG" else WINDOW_MS):
            subcode = 2_018_278 if place.platform == "messenger" else 2_534_022
            words = "This message is sent outside of allowed window."
            raise GraphError(10, words, subcode=subcode, status=403)

    def _answered(self, recipient: dict[str, str]) -> str:
        """Return who gets a private reply, which there is one of."""
        said = self._ledger.said.get(recipient.get("comment_id") or recipient.get("post_id", ""))
        is_comment = "comment_id" in recipient
        if said is None or (said.kind == "comment") is not is_comment:
            raise GraphError(100, "Invalid comment_id parameter", subcode=2_018_292)
        if self._ledger.now - said.at > PRIVATE_REPLY_MS:
            raise GraphError(10, "This message is sent outside of allowed window.")
        if said.was_answered_privately:
            raise GraphError(10900, "Activity already replied to")
        said.was_answered_privately = True
        return said.author_id

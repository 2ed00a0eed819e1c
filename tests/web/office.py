"""A small office on the real API: pages are tested against the truth."""

from itertools import count
from typing import Any

from tests.web.served import Served

Json = dict[str, Any]
_numbers = count(1)


class Office:
    """Rows of its own on an application that several tests share."""

    def __init__(self, served: Served, *, threading: str = "customer", **workgroup: Any) -> None:
        self.served = served
        self.number = next(_numbers)
        body = {"name": f"Office {self.number}", **workgroup}
        self.workgroup: str = served.call("POST", "/workgroups", body)["id"]
        account = {"network": "webhook", "name": f"Account {self.number}"}
        account |= {"settings": {"reply_url": "http://127.0.0.1:9/"}}  # type: ignore[dict-item]
        account_id = served.call("POST", "/accounts", account)["id"]
        channel = {"name": f"Channel {self.number}", "account_id": account_id}
        channel |= {"workgroup_id": self.workgroup, "threading": threading}
        self.channel: str = served.call("POST", "/channels", channel)["id"]

    def agent(self, name: str, *, on_queue: bool = True) -> tuple[str, str]:
        """Make an agent; return the id and a key."""
        body = {"username": f"{name}_{self.number}", "name": f"{name} {self.number}"}
        more = {"presence_lease": False, "workgroups": [self.workgroup]}
        agent_id = self.served.call("POST", "/agents", body | more)["id"]
        key = self.served.call("POST", f"/agents/{agent_id}/keys", {})["key"]
        if on_queue:
            status = {"routing_status": "on_queue"}
            self.served.call("PUT", "/agents/me/status", status, key=key)
        return agent_id, key

    def post(self, customer: str, *texts: str) -> list[str]:
        """Let a customer write; return the conversation of each post."""
        author = {"external_id": f"{customer}-{self.number}", "handle": customer}
        posts = [
            {"external_id": f"p{next(_numbers)}", "author": author, "text": text} for text in texts
        ]
        taken = self.served.call("POST", f"/channels/{self.channel}/posts", {"posts": posts})
        return [taken["conversation_ids"][post["external_id"]] for post in posts]

    def pick_up(self, conversation_id: str, key: str) -> None:
        self.served.call("POST", f"/conversations/{conversation_id}/pickup", {}, key=key)

    def conversation(self, conversation_id: str) -> Json:
        found: Json = self.served.call("GET", f"/conversations/{conversation_id}")
        return found

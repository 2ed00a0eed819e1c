"""A morning at a lamp maker's care desk, played on the real system before pictures are taken."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.running import Caller, Json, Running, eventually
from tests.simulated_network.network import Network

BRAND = "lamp_care"
CARE, REPAIRS, BILLING = "Care", "Repairs", "Billing"
WORKGROUPS: dict[str, Json] = {
    CARE: {"service_level": {"target_s": 120, "percent": 80}},
    REPAIRS: {"service_level": {"target_s": 300, "percent": 80}},
    BILLING: {"service_level": {"target_s": 180, "percent": 90}},
}
AGENTS: dict[str, Json] = {
    "agent-7": {"workgroups": [CARE], "skills": [("orders", 90), ("english", 100)]},
    "agent-8": {"workgroups": [CARE, REPAIRS], "skills": [("orders", 60), ("repairs", 70)]},
    "agent-9": {"workgroups": [CARE, BILLING], "skills": [("billing", 95), ("orders", 40)]},
    "agent-10": {"workgroups": [REPAIRS], "skills": [("repairs", 80)]},
    "agent-11": {"workgroups": [CARE, BILLING], "skills": [("billing", 50)]},
    "agent-12": {"workgroups": [CARE], "skills": [("orders", 30)]},
}
CANNED = {
    "late": "Hello {customer_name}, we are sorry that it is late. May we have the order's number?",
    "later": "We look into it and come back to you today.",
    "thanks": "Thank you for telling us!",
}
LONG_REPLY = (
    "Thank you for the picture, that helps. The dimmer in the wall was made for old bulbs and "
    "needs at least 20 W, the lamp takes 9 W: below half it cannot hold the current and "
    "flickers. Two ways out: set the dimmer's minimum a little higher (the small wheel under "
    "the knob, a quarter turn to the right), or let us send you our own dimmer, which costs "
    "you nothing in the first year. Tell us which you like better, and if the small wheel is "
    "there at all: on the older ones it hides under the frame. We keep your place in the "
    "queue meanwhile."
)


class Stage:
    """The set-up, and everybody on it with a hand to act with."""

    def __init__(self, running: Running, network: Network) -> None:
        self.running, self.network, self.admin = running, network, running.admin
        self.ids: dict[str, str] = {}
        self.groups = {name: self._group(name, more) for name, more in WORKGROUPS.items()}
        self.channels = [
            self._channel(BRAND, CARE),
            self._channel("lamp_repairs", REPAIRS),
            self._channel("lamp_billing", BILLING),
        ]
        self.keys = {name: self._key(name, **self._placed(what)) for name, what in AGENTS.items()}
        self.keys["supervisor"] = self._key("supervisor", roles=["supervisor"], licensed=False)
        self.agents = {name: Caller(running, key) for name, key in self.keys.items()}
        for shortcut, text in CANNED.items():
            self.admin.ok("POST", "/canned-replies", {"shortcut": shortcut, "text": text})

    def _group(self, name: str, more: Json) -> str:
        settings = {"offer_timeout_s": 90, "wrap_up": {"mode": "optional"}, **more}
        return str(self.admin.ok("POST", "/workgroups", {"name": name, **settings})["id"])

    def _channel(self, handle: str, group: str) -> str:
        name = handle.replace("_", " ").capitalize()
        token = self.network.made("PUT", f"/control/accounts/{handle}", {"name": name})["token"]
        settings = {"url": self.network.url, "handle": handle, "delivery": "stream"}
        account = {"network": "simulated", "name": name, "settings": settings}
        made = self.admin.ok("POST", "/accounts", {**account, "credentials": {"token": token}})
        channel = {"name": name, "account_id": made["id"], "workgroup_id": self.groups[group]}
        return str(self.admin.ok("POST", "/channels", channel)["id"])

    def _placed(self, what: Json) -> Json:
        skills = [{"skill": skill, "proficiency": level} for skill, level in what["skills"]]
        return {"workgroups": [self.groups[g] for g in what["workgroups"]], "skills": skills}

    def _key(self, username: str, **what: Any) -> str:
        body = {"username": username, "name": username, "presence_lease": False, **what}
        agent = self.admin.ok("POST", "/agents", body)
        self.ids[username] = agent["id"]
        return str(self.admin.ok("POST", f"/agents/{agent['id']}/keys", {})["key"])

    def on_queue(self, *names: str) -> None:
        for name in names:
            self.status(name, "on_queue")

    def status(self, name: str, status: str, reason: str | None = None) -> None:
        body = {"routing_status": status, **({"reason": reason} if reason else {})}
        self.admin.ok("PUT", f"/agents/{self.ids[name]}/status", body)

    def says(
        self, handle: str, text: str, *, to: str = BRAND, ago_s: float = 0, **how: Any
    ) -> None:
        """Let a customer write to the brand; how long ago is how the network tells it."""
        moment = datetime.now(UTC) - timedelta(seconds=ago_s)
        if how.pop("privately", False):
            how |= {"visibility": "private", "to": to}
        else:
            text = f"@{to} {text}"
        self.network.says(handle, text, created_at=moment.isoformat(), **how)

    def conversation(self, handle: str, *, state: str = "alerting") -> str:
        """Return the path of the customer's conversation, once it is in this state."""

        def found() -> str | None:
            for one in self.admin.ok("GET", "/conversations?limit=200")["items"]:
                if one["customer"]["handle"] == handle and one["state"] == state:
                    return f"/conversations/{one['id']}"
            return None

        path: str = eventually(found, f"{handle} is {state}", 20)
        return path

    def takes(self, agent: str, handle: str) -> str:
        path = self.conversation(handle)
        self.agents[agent].ok("POST", f"{path}/pickup", {})
        return path

    def replies(self, agent: str, path: str, text: str, **how: Any) -> None:
        """Answer, and wait until the network has it."""
        reply = self.agents[agent].ok("POST", f"{path}/replies", {"text": text, **how})

        def is_sent() -> bool:
            return bool(self.admin.ok("GET", f"/replies/{reply['id']}")["state"] == "sent")

        eventually(is_sent, "the reply is sent", 20)

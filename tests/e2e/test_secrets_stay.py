"""A working day with failures, then a search: no secret of an account stands anywhere."""

import base64
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.counting import CountingListener
from tests.e2e.running import Caller, Json, Running, eventually
from tests.invariants import nothing_personal_is_in

pytestmark = pytest.mark.timeout(180)

NAMES = ("token", "webhook", "mistake", "refused", "changed", "inside", "wrong")
CANARIES = {name: f"canary{index}x7f3a9" for index, name in enumerate(NAMES)}
SIGNING = "whsec_" + base64.b64encode(CANARIES["webhook"].encode()).decode()
MAY_KNOW = frozenset({"secret.key"})
BROKEN = b"HTTP/1.1 500 Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
LISTS = ("accounts", "channels", "conversations", "quarantine", "agents", "workgroups")


@pytest.fixture(scope="module")
def parley(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(tmp_path_factory.mktemp("parley")).start()
    yield running
    running.stop()


@pytest.fixture
def broken() -> Iterator[CountingListener]:
    """Answer every call with a failure, as a network on its worst day."""
    with CountingListener(BROKEN) as listener:
        yield listener


class Day:
    """Set up brands whose networks fail, let them hear, answer, and be changed."""

    def __init__(self, parley: Running, network_url: str) -> None:
        self.parley, self.admin, self.said = parley, parley.admin, list[str]()
        self._url = network_url
        group = self._made("/workgroups", {"name": "w", "offer_timeout_s": 120})
        self.group = group["id"]
        agent = {"username": "a", "name": "a", "workgroups": [self.group], "presence_lease": False}
        made = self._made("/agents", agent)
        key = self.admin.ok("POST", f"/agents/{made['id']}/keys", {})["key"]
        self.agent = Caller(parley, key)
        self.agent.ok("PUT", "/agents/me/status", {"routing_status": "on_queue"})

    def _made(self, path: str, body: Json) -> Any:
        answer = self.admin.call("POST", path, body)
        self.said.append(answer.text)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def account(self, network: str, settings: Json, credentials: Json) -> str:
        body = {"network": network, "name": network}
        made = self._made("/accounts", {**body, "settings": settings, "credentials": credentials})
        return str(made["id"])

    def channel(self, account_id: str) -> str:
        body = {"name": account_id, "account_id": account_id, "workgroup_id": self.group}
        return str(self._made("/channels", {**body, "poll_interval_ms": 200})["id"])

    def call(self, method: str, path: str, body: Json | None = None) -> Any:
        answer = self.admin.call(method, path, body)
        self.said.append(answer.text)
        return answer

    def mistakes(self) -> None:
        """Put secrets where they do not belong, in ways that are taken and that are refused."""
        taken = self.account("webhook", {"token": CANARIES["mistake"]}, {})
        self.call("PATCH", f"/accounts/{taken}", {"credentials": {"x": CANARIES["changed"]}})
        wrong = {"network": "simulated", "name": "n", "credentials": {"token": [CANARIES["wrong"]]}}
        assert self.call("POST", "/accounts", wrong).status_code == 422
        address = f"https://user:{CANARIES['refused']}@brand.example/"
        body = {"network": "simulated", "name": "n", "settings": {"url": address}}
        assert self.call("POST", "/accounts", body).status_code == 422

    def listens_in_vain(self) -> None:
        """Let channels poll a network that fails, and one that may not be reached."""
        secrets = {"token": CANARIES["token"], "webhook_secret": SIGNING}
        failing = self.account("simulated", {"url": self._url, "handle": "acme"}, secrets)
        inside = {"url": "http://169.254.169.254/", "handle": "acme"}
        refused = self.account("simulated", inside, {"token": CANARIES["inside"]})
        for channel_id in (self.channel(failing), self.channel(refused)):
            path = f"/channels/{channel_id}"
            eventually(partial(self._has_trouble, path), "its trouble is told", within_s=30)
            self.call("POST", f"{path}/deliveries", {"posts": []})

    def _has_trouble(self, path: str) -> bool:
        return bool(self.call("GET", path).json()["health_detail"])

    def answers_in_vain(self) -> None:
        """Let a reply meet a receiver that fails."""
        settings = {"reply_url": f"{self._url}replies", "lookup_url": f"{self._url}lookup"}
        account_id = self.account("webhook", settings, {"secret": SIGNING})
        channel_id = self.channel(account_id)
        post = {"external_id": "p1", "author": {"external_id": "c"}, "text": "hello"}
        taken = self.admin.ok("POST", f"/channels/{channel_id}/posts", {"posts": [post]})
        (conversation_id,) = taken["conversation_ids"].values()
        self.agent.ok("POST", f"/conversations/{conversation_id}/pickup", {})
        path = f"/conversations/{conversation_id}/replies"
        reply = self.agent.ok("POST", path, {"text": "hello there"})
        eventually(lambda: self._attempts(reply["id"]) > 0, "the reply was tried")

    def _attempts(self, reply_id: str) -> int:
        answer = self.agent.call("GET", f"/replies/{reply_id}")
        self.said.append(answer.text)
        return int(answer.json()["attempts"])

    def answers(self) -> str:
        for name in LISTS:
            self.call("GET", f"/{name}")
        return "\n".join(self.said)


def stored(folder: Path) -> dict[str, str]:
    """Return every file of the instance: both databases, logs, what it wrote down for itself."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in MAY_KNOW]
    return {path.name: path.read_bytes().decode("latin-1") for path in files}


def test_no_secret_is_in_a_database_a_log_a_history_or_an_answer(
    parley: Running, broken: CountingListener
) -> None:
    day = Day(parley, broken.url)
    day.mistakes()
    day.listens_in_vain()
    day.answers_in_vain()
    answers = day.answers()
    assert "PARLEY_INTERNAL_TARGETS" in answers, "the health of a channel names what would help"

    files = stored(parley.folder)
    encoded = [base64.b64encode(canary.encode()).decode() for canary in CANARIES.values()]
    canaries = [*CANARIES.values(), *(text.rstrip("=")[:-1] for text in encoded), SIGNING]

    assert {"parley.db", "temporal.db"} <= set(files)
    assert [name for name in files if name.endswith(".log")]
    assert "hello there" in "".join(files.values())
    assert CANARIES["token"] in broken.heard, "the secret was used"
    assert list(nothing_personal_is_in({**files, "answers": answers}, canaries)) == []

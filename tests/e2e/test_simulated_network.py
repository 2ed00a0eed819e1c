"""Parley on a network that fails on demand: every post arrives, every answer is there once."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.running import Caller, Json, Running, eventually
from tests.simulated_network.network import Network

SECRET = "whsec_" + "c2VjcmV0LW9mLXRoZS10ZXN0cw=="
pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def parley(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(tmp_path_factory.mktemp("parley")).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    network = Network(tmp_path_factory.mktemp("network"))
    network.start()
    yield network
    network.stop()


class Brand:
    """An account on the network with its channel, and one agent who takes everything."""

    def __init__(self, parley: Running, network: Network, handle: str, delivery: str) -> None:
        self.network, self.handle = network, handle
        self.admin = parley.admin
        token = network.made("PUT", f"/control/accounts/{handle}", {"name": handle})["token"]
        workgroup = self._made("/workgroups", {"offer_timeout_s": 120})
        account = self._made(
            "/accounts",
            {
                "network": "simulated",
                "settings": {"url": network.url, "handle": handle, "delivery": delivery},
                "credentials": {"token": token, "webhook_secret": SECRET},
            },
        )
        channel = {"account_id": account["id"], "workgroup_id": workgroup["id"]}
        self.channel = self._made("/channels", {**channel, "poll_interval_ms": 200})
        agent = {"username": handle, "workgroups": [workgroup["id"]], "presence_lease": False}
        made = self._made("/agents", {**agent, "utilization": {}})
        key = self.admin.ok("POST", f"/agents/{made['id']}/keys", {})["key"]
        self.agent = Caller(parley, key)
        self.agent.ok("PUT", "/agents/me/status", {"routing_status": "on_queue"})
        if delivery == "webhook":
            url = f"{parley.api_url}/channels/{self.channel['id']}/deliveries"
            webhook = {"webhook": {"url": url, "secret": SECRET, "page_size": 3}}
            network.made("PUT", f"/control/accounts/{handle}", webhook)

    def close(self) -> None:
        self.admin._http.close()
        self.agent._http.close()

    def _made(self, path: str, body: Json) -> Any:
        return self.admin.ok("POST", path, {"name": self.handle, **body})

    def conversations(self, **filters: str) -> list[Json]:
        query = "&".join(
            f"{n}={v}" for n, v in {"channel_id": self.channel["id"], **filters}.items()
        )
        items: list[Json] = self.admin.ok("GET", f"/conversations?{query}")["items"]
        return items

    def hears(self, posts: int) -> list[Json]:
        def all_of_them() -> list[Json]:
            found = self.conversations()
            return found if sum(one["post_count"] for one in found) == posts else []

        conversations: list[Json] = eventually(all_of_them, f"{posts} posts", 30)
        return conversations

    def takes(self, conversation: Json) -> str:
        path = f"/conversations/{conversation['id']}"
        eventually(lambda: self.admin.ok("GET", path)["state"] == "alerting", "an offer")
        self.agent.ok("POST", f"{path}/pickup", {})
        return path

    def published(self, reply: Json) -> list[Json]:
        posts = self.network.made("GET", "/control/ledger")["posts"]
        return [post for post in posts if post["reference"] == reply["id"]]

    def is_settled(self, reply: Json, within_s: float = 60) -> Json:
        def settled() -> Json | None:
            now: Json = self.admin.ok("GET", f"/replies/{reply['id']}")
            return now if now["state"] in {"sent", "rejected", "needs_human"} else None

        found: Json = eventually(settled, "the reply is settled", within_s)
        return found


Make = Callable[[str, str], Brand]


@pytest.fixture
def brand_of(parley: Running, network: Network) -> Iterator[Make]:
    """Return how to make a brand of that handle whose posts come that way."""
    made: list[Brand] = []

    def make(handle: str, delivery: str) -> Brand:
        made.append(Brand(parley, network, handle, delivery))
        return made[-1]

    yield make
    for brand in made:
        brand.close()


@pytest.mark.parametrize(
    ("delivery", "faults"),
    [
        (
            "poll",
            [("mentions", "garbage"), ("mentions", "duplicate"), ("direct_messages", "reset")],
        ),
        ("poll", [("mentions", "reorder"), ("direct_messages", "status")]),
        ("stream", [("stream", "garbage"), ("stream", "duplicate"), ("stream", "reset")]),
        ("stream", [("stream", "reorder"), ("stream_connect", "status")]),
        ("webhook", [("webhook", "lost_answer"), ("webhook", "bad_signature")]),
        ("webhook", [("webhook", "reorder"), ("webhook", "duplicate"), ("webhook", "garbage")]),
    ],
)
def test_every_post_arrives_once_and_in_order_whatever_its_way(
    brand_of: Make, network: Network, delivery: str, faults: list[tuple[str, str]]
) -> None:
    handle = f"{delivery}_{faults[0][1]}"
    for operation, kind in faults:
        network.fault(operation, kind, account=handle, times=2)
    brand = brand_of(handle, delivery)
    for number in range(5):
        network.says("customer_1", f"@{handle} {number}")
        network.says("customer_2", f"psst {number}", visibility="private", to=handle)

    conversations = brand.hears(10)

    assert {one["media_type"] for one in conversations} == {
        "social_conversation",
        "social_direct_message",
    }
    assert [one["post_count"] for one in conversations] == [5, 5]
    for one in conversations:
        told = brand.admin.ok("GET", f"/conversations/{one['id']}/timeline")["items"]
        texts = [e["post"]["text"] for e in told if e["kind"] == "post"]
        assert texts == sorted(texts)
    webhooks = network.made("GET", "/control/webhooks")["webhooks"]
    assert not any(one["bad_signatures_accepted"] for one in webhooks)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("accept_then_500", {}),
        ("accept_then_reset", {}),
        ("accept_then_garbage", {}),
        ("accept_then_timeout", {"delay_ms": 500}),
        ("status", {"status": 429, "retry_after_s": 1}),
        ("status", {"status": 503}),
        pytest.param("reset", {}, marks=pytest.mark.long),
        ("delay", {"delay_ms": 700}),
    ],
)
def test_an_answer_is_there_once_whatever_becomes_of_the_call(
    brand_of: Make, network: Network, kind: str, fields: Json
) -> None:
    handle = f"say_{kind}_{fields.get('status', '')}"
    brand = brand_of(handle, "stream")
    network.made("PUT", f"/control/accounts/{handle}", {"visibility_delay_ms": 1500})
    network.says("customer_1", f"@{handle} hello?")
    (conversation,) = brand.hears(1)
    path = brand.takes(conversation)
    network.fault("publish", kind, account=handle, **fields)

    reply = brand.agent.ok("POST", f"{path}/replies", {"text": "Here you are."})

    assert brand.is_settled(reply)["state"] == "sent"
    assert [post["text"] for post in brand.published(reply)] == ["Here you are."]
    assert brand.hears(1), "the echo of the reply is no customer's post"


def test_a_refusal_is_told_and_a_cold_private_message_never_leaves(
    brand_of: Make, network: Network
) -> None:
    brand = brand_of("refusing", "stream")
    network.made("PUT", "/control/accounts/refusing", {"text_limit": 5})
    network.says("customer_1", "@refusing hello?")
    (conversation,) = brand.hears(1)
    path = brand.takes(conversation)

    reply = brand.agent.ok("POST", f"{path}/replies", {"text": "Far too long for them."})

    told = brand.is_settled(reply)
    assert told["state"] == "rejected"
    assert "text_too_long" in told["reason"]
    assert brand.published(reply) == []


def test_an_account_that_is_suspended_is_told_and_goes_on_afterwards(
    brand_of: Make, network: Network
) -> None:
    brand = brand_of("suspended", "poll")
    network.made("PUT", "/control/accounts/suspended", {"suspended": True})
    network.says("customer_1", "@suspended hello?")

    def health() -> str:
        path = f"/channels/{brand.channel['id']}"
        return str(brand.admin.ok("GET", path).get("health"))

    eventually(lambda: health() == "unauthorised", "trouble is told", 20)
    network.made("PUT", "/control/accounts/suspended", {"suspended": False})
    brand.admin.ok("PATCH", f"/accounts/{brand.channel['account_id']}", {"name": "let in again"})

    assert brand.hears(1)
    eventually(lambda: health() == "healthy", "health is told", 20)


def test_a_long_answer_is_a_thread_that_can_be_edited_and_taken_back(brand_of: Make) -> None:
    brand = brand_of("thread_brand", "poll")
    asked = brand.network.says("customer_1", "@thread_brand tell me everything")
    path = brand.takes(brand.hears(1)[0])
    words = [f"word{number:05}" for number in range(1_200)]
    brand.network.fault("publish", "accept_then_reset", account="thread_brand")

    reply = brand.agent.ok("POST", f"{path}/replies", {"text": " ".join(words)})
    sent = brand.is_settled(reply)

    parts = _thread_of(brand, reply)
    assert (sent["state"], len(parts)) == ("sent", len(sent["parts"]))
    assert [part["reply_to"] for part in parts] == [asked["id"], *(p["id"] for p in parts[:-1])]
    assert [word for part in parts for word in part["text"].split() if word in set(words)] == words

    better = " ".join(word.upper() for word in words)
    brand.agent.ok("POST", f"/replies/{reply['id']}/edit", {"text": better})
    _changed(brand, reply)
    shouted = " ".join(part["text"] for part in _thread_of(brand, reply))
    assert [word for word in shouted.split() if word.startswith("WORD")] == better.split()

    brand.agent.ok("POST", f"{path}/disconnect", {})
    brand.admin.ok("POST", f"/replies/{reply['id']}/delete", {})
    _changed(brand, reply)
    assert _thread_of(brand, reply) == []


def test_what_a_customer_edits_and_takes_back_is_followed(brand_of: Make) -> None:
    brand = brand_of("change_brand", "poll")
    post = brand.network.says("customer_1", "@change_brand teh parcel is late")
    path = f"/conversations/{brand.hears(1)[0]['id']}"

    def shown() -> Json:
        entries = brand.admin.ok("GET", f"{path}/timeline")["items"]
        found: Json = next(entry["post"] for entry in entries if entry["kind"] == "post")
        return found

    better = {"text": "@change_brand the parcel is late"}
    brand.network.made("PATCH", f"/control/posts/{post['id']}", better)
    eventually(lambda: shown()["text"] == better["text"], "the edit is shown")
    brand.network.made("DELETE", f"/control/posts/{post['id']}")
    ended = eventually(lambda: brand.admin.ok("GET", path)["ended_by"], "it was taken back")

    assert (ended, shown()["text"]) == ("posts_deleted", "")
    assert brand.admin.ok("GET", path)["state"] == "abandoned"


def _thread_of(brand: Brand, reply: Json) -> list[Json]:
    """Return the reply's posts that stand on the network, in the order of their parts."""
    ledger = brand.network.made("GET", "/control/ledger")
    ours = [
        post
        for post in ledger["posts"]
        if str(post["reference"]).startswith(reply["id"]) and post["id"] not in ledger["deleted"]
    ]
    return sorted(ours, key=lambda post: int(post["id"]))


def _changed(brand: Brand, reply: Json) -> None:
    def done() -> bool:
        now: Json = brand.admin.ok("GET", f"/replies/{reply['id']}")
        assert now["change"]["state"] != "refused", now
        return bool(now["change"]["state"] == "done")

    eventually(done, "the change is done", 40)

"""One address for many pages of an app at Meta: each delivery finds the accounts that it names."""

import httpx
import pytest

from connectors.registry import NETWORKS
from conversations.networks import DeliveryRequest
from storage.ids import new_id
from tests.api.conftest import Floor
from tests.fakes.graph_ledger import GraphLedger, Place
from tests.fakes.graph_webhooks import deliveries

pytestmark = pytest.mark.skipif("facebook" not in NETWORKS, reason="facebook is not registered")

VERIFY_TOKEN = "ask-me"


async def connected(floor: Floor, page: Place, app_secret: str) -> str:
    """Connect a page and return its channel's id."""
    account = {
        "network": "facebook",
        "name": new_id("name"),
        "settings": {"page_id": page.id, "url": "http://127.0.0.1:9"},
        "credentials": {
            "token": page.token,
            "app_secret": app_secret,
            "verify_token": VERIFY_TOKEN,
        },
    }
    account_id = (await floor.admin.ok("POST", "/accounts", account))["id"]
    channel = {"name": new_id("name"), "account_id": account_id, "workgroup_id": floor.workgroup}
    made = await floor.admin.ok("POST", "/channels", channel)
    return str(made["id"])


async def bring(floor: Floor, channel_id: str, call: DeliveryRequest) -> httpx.Response:
    path = f"/api/v1/channels/{channel_id}/deliveries"
    return await floor.admin.http.post(path, content=call.body, headers=dict(call.headers))


async def texts(floor: Floor, channel_id: str) -> list[str]:
    listed = await floor.admin.ok("GET", f"/conversations?channel_id={channel_id}")
    found = []
    for conversation in listed["items"]:
        told = await floor.admin.ok("GET", f"/conversations/{conversation['id']}/timeline")
        found += [e["post"]["text"] for e in told["items"] if e["kind"] == "post"]
    return sorted(found)


async def test_a_delivery_reaches_every_page_that_it_names_once(floor: Floor) -> None:
    ledger = GraphLedger()
    here, there = ledger.place("acme", "token-1"), ledger.place("acme france", "token-2")
    nobodys, customer_id = ledger.place("elsewhere", "token-3"), ledger.person("ana")
    called = await connected(floor, here, ledger.app_secret)
    other = await connected(floor, there, ledger.app_secret)
    ledger.message(here, customer_id, "hello")
    ledger.message(there, customer_id, "bonjour")
    ledger.message(nobodys, customer_id, "hallo")
    (call,) = deliveries(ledger, "page")

    answers = [await bring(floor, called, call) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert (await texts(floor, called), await texts(floor, other)) == (["hello"], ["bonjour"])


async def test_a_page_of_another_app_is_not_reached(floor: Floor) -> None:
    ledger = GraphLedger()
    here, there = ledger.place("acme", "token-1"), ledger.place("rival", "token-2")
    called = await connected(floor, here, ledger.app_secret)
    other = await connected(floor, there, "the secret of another app")
    ledger.message(there, ledger.person("ana"), "forged by a neighbour")
    (call,) = deliveries(ledger, "page")

    assert (await bring(floor, called, call)).status_code == 200

    assert (await texts(floor, called), await texts(floor, other)) == ([], [])


async def test_the_handshake_is_answered_to_who_knows_the_word(floor: Floor) -> None:
    ledger = GraphLedger()
    channel_id = await connected(floor, ledger.place("acme", "token-1"), ledger.app_secret)
    path = f"/api/v1/channels/{channel_id}/deliveries"
    query = {"hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKEN, "hub.challenge": "115820"}

    answer = await floor.admin.http.get(path, params=query)
    refused = await floor.admin.http.get(path, params=query | {"hub.verify_token": "guess"})

    assert (answer.status_code, answer.text) == (200, "115820")
    assert answer.headers["content-type"].startswith("text/plain")
    assert refused.status_code == 401

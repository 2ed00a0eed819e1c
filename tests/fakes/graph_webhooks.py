"""What the fake Graph API would bring to a webhook: signed, batched, and brought again."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any

from conversations.networks import DeliveryRequest
from tests.fakes.graph_ledger import GraphLedger, Happening

MOST_CHANGES = 1_000


def deliveries(
    ledger: GraphLedger, object_name: str, happened: Sequence[Happening] | None = None
) -> list[DeliveryRequest]:
    """Return the calls that tell what happened, as Meta batches them: 1,000 in each at most."""
    told = ledger.happened if happened is None else happened
    wanted = [one for one in told if one.place.object_name == object_name]
    calls = []
    for first in range(0, len(wanted), MOST_CHANGES):
        batch = wanted[first : first + MOST_CHANGES]
        calls.append(signed(ledger.app_secret, {"object": object_name, "entry": _entries(batch)}))
    return calls


def _entries(batch: Sequence[Happening]) -> list[dict[str, Any]]:
    entries: dict[tuple[str, str], dict[str, Any]] = {}
    for one in batch:
        key = (one.place.id, one.list_name)
        entry = entries.setdefault(key, {"id": one.place.id, one.list_name: []})
        entry["time"] = one.at if one.list_name == "messaging" else one.at // 1_000
        entry[one.list_name].append(one.content)
    return list(entries.values())


def signed(app_secret: str, what: Any) -> DeliveryRequest:
    """Sign as Meta does: over a body in which all but ASCII, and slashes, are escaped."""
    body = json.dumps(what).replace("/", "\\/").encode()
    return signed_bytes(app_secret, body)


def signed_bytes(app_secret: str, body: bytes) -> DeliveryRequest:
    digest = hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()
    old = hmac.new(app_secret.encode(), body, hashlib.sha1).hexdigest()
    headers = {
        "content-type": "application/json",
        "x-hub-signature": f"sha1={old}",
        "x-hub-signature-256": f"sha256={digest}",
    }
    return DeliveryRequest("POST", "https://parley.example/deliveries", headers, body)

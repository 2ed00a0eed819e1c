"""The Twilio of `emulate`, behind the fault proxy."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from connectors.sms.connector import SmsConnector
from conversations.model import Visibility
from conversations.networks import Account
from tests.connectors.fault_proxy import FaultProxy
from tests.connectors.loopback import loopback_client
from tests.connectors.peer import Peer, Published
from tests.peers import emulate

SID, TOKEN = "AC" + "0" * 32, "twilio_test_auth_token"
CARE, ANA = "+15551234567", "+15550002222"
LIST = f"/2010-04-01/Accounts/{SID}/Messages.json"
_PAGE = 1_000


@dataclass
class SmsPeer:
    connector: SmsConnector
    account: Account
    proxy: FaultProxy
    server: httpx.AsyncClient

    async def customer_says(
        self, text: str, *, visibility: Visibility = Visibility.PRIVATE, to: str | None = None
    ) -> str:
        message = {"From": ANA, "To": CARE, "Body": text}
        answer = await self.server.post("/_twilio/simulate/inbound-message", data=message)
        return str(answer.raise_for_status().json()["sid"])

    async def published(self) -> Sequence[Published]:
        answer = await self.server.get(LIST, params={"From": CARE, "PageSize": _PAGE})
        return [
            Published(each["sid"], each["body"], Visibility.PRIVATE)
            for each in answer.raise_for_status().json()["messages"]
        ]

    async def simulate(self, what: str, **form: Any) -> dict[str, Any]:
        """Let the server do what a telephone network would."""
        answer = await self.server.post(f"/_twilio/simulate/{what}", data=form)
        result: dict[str, Any] = answer.raise_for_status().json()
        return result

    def is_publishing(self, method: str, path: str) -> bool:
        return (method, path) == ("POST", LIST)


@asynccontextmanager
async def peer(folder: Path, sms_url: str | None = None) -> AsyncIterator[Peer]:
    """Start the server with one number; what is sent to it is brought to `sms_url`, too."""
    number = {"phone_number": CARE} | ({"sms_url": sms_url} if sms_url else {})
    seed = {"account": {"sid": SID, "auth_token": TOKEN}, "phone_numbers": [number]}
    with emulate.running(folder, "twilio", seed) as url:
        proxy = FaultProxy(url)
        settings = {"account_sid": SID, "number": CARE, "url": proxy.url}
        account = Account("ac-1", "sms", settings, {"auth_token": TOKEN})
        with proxy.running():
            direct = httpx.AsyncClient(base_url=url, auth=(SID, TOKEN), trust_env=False)
            async with loopback_client() as client, direct as server:
                one = SmsPeer(SmsConnector(client), account, proxy, server)
                proxy.hits = one.is_publishing
                yield one

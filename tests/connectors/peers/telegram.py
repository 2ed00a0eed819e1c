"""A fake Telegram with a group and a private chat, behind the fault proxy."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from connectors.telegram.connector import TelegramConnector
from connectors.telegram.wire import chat_and_message, external_id
from conversations.model import Visibility
from conversations.networks import Account
from tests.connectors.fault_proxy import FaultProxy
from tests.connectors.loopback import loopback_client
from tests.connectors.peer import Peer, Published
from tests.fakes.served import served
from tests.fakes.telegram import SENT_FILES, FakeTelegram

TOKEN = "4711:token-of-the-test"
GROUP, ANA = -1001234567890, 42


@dataclass
class TelegramPeer:
    connector: TelegramConnector
    account: Account
    proxy: FaultProxy
    fake: FakeTelegram

    async def customer_says(
        self, text: str, *, visibility: Visibility = Visibility.PUBLIC, to: str | None = None
    ) -> str:
        chat_id = ANA if visibility is Visibility.PRIVATE else GROUP
        answered = chat_and_message(to)
        message = self.fake.says(ANA, chat_id, text, answered[1] if answered else None)
        return external_id(chat_id, message["message_id"])

    async def published(self) -> Sequence[Published]:
        return [
            Published(
                external_id(chat_id, number),
                message.get("text") or message["caption"],
                Visibility.PRIVATE if chat_id > 0 else Visibility.PUBLIC,
                files=tuple(filter(None, [self.fake.files.get((chat_id, number))])),
            )
            for (chat_id, number), message in list(self.fake.messages.items())
            if message["from"]["is_bot"]
        ]

    def is_publishing(self, method: str, path: str) -> bool:
        return path.rpartition("/")[2] in {"sendMessage", *SENT_FILES}


@asynccontextmanager
async def peer(folder: Path) -> AsyncIterator[Peer]:
    """Serve the fake to a bot that is in a group and was written to by a customer."""
    del folder
    fake = FakeTelegram(TOKEN)
    with served(fake.app) as url:
        proxy = FaultProxy(url)
        with proxy.running():
            account = Account("ac-1", "telegram", {"url": proxy.url}, {"token": TOKEN})
            async with loopback_client() as client:
                one = TelegramPeer(TelegramConnector(client), account, proxy, fake)
                proxy.hits = one.is_publishing
                yield one

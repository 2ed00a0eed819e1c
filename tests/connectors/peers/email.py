"""GreenMail with the brand's and a customer's mailbox, behind the fault proxy."""

import asyncio
import imaplib
import smtplib
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from connectors.email.connector import EmailConnector
from conversations.model import Visibility
from conversations.networks import Account
from tests.connectors.email.mail_proxy import MailFaultProxy
from tests.connectors.loopback import LOOPBACK, loopback_client
from tests.connectors.peer import Peer, Published, ShownFile
from tests.peers.greenmail import MailPorts, running

CARE, ANA = "care@example.com", "ana@example.com"
USERS = "care:care-pw@example.com,ana:ana-pw@example.com"


@dataclass
class EmailPeer:
    connector: EmailConnector
    account: Account
    proxy: MailFaultProxy
    ports: MailPorts

    async def customer_says(
        self, text: str, *, visibility: Visibility = Visibility.PRIVATE, to: str | None = None
    ) -> str:
        mail = EmailMessage()
        message_id = f"{uuid.uuid4().hex}@mail.example"
        mail["From"], mail["To"], mail["Subject"] = f"Ana <{ANA}>", CARE, "My order"
        mail["Message-ID"] = f"<{message_id}>"
        if to is not None:
            mail["In-Reply-To"] = mail["References"] = f"<{to}>"
        mail.set_content(text)
        await self.deliver(mail.as_bytes())
        return message_id

    async def deliver(self, raw: bytes) -> None:
        """Let a mail come to the brand as it is."""
        await asyncio.to_thread(self._deliver, raw)

    def _deliver(self, raw: bytes) -> None:
        with smtplib.SMTP("127.0.0.1", self.ports.smtp, timeout=10) as line:
            line.sendmail(ANA, [CARE], raw)

    async def published(self) -> Sequence[Published]:
        mails = await asyncio.to_thread(self.mailbox, ANA, "ana-pw")
        return [
            Published(
                str(mail["Message-ID"]).strip("<>"),
                _text(mail),
                Visibility.PRIVATE,
                str(mail["In-Reply-To"] or "").strip("<>") or None,
                tuple(_file(part) for part in mail.iter_attachments()),
            )
            for mail in mails
        ]

    def mailbox(self, address: str, password: str, folder: str = "INBOX") -> list[EmailMessage]:
        """Return what is in somebody's mailbox."""
        line = imaplib.IMAP4("127.0.0.1", self.ports.imap, timeout=30)
        try:
            line.login(address, password)
            line.select(folder, readonly=True)
            _, found = line.fetch("1:*", "(BODY.PEEK[])")
            raw = [one[1] for one in found if isinstance(one, tuple)]
            return [message_from_bytes(each, policy=default) for each in raw]
        finally:
            line.logout()

    def is_publishing(self, method: str, path: str) -> bool:
        return (method, path) == ("SMTP", "DATA")


def _text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def _file(part: EmailMessage) -> ShownFile:
    shows = part["Content-Description"]
    return ShownFile(part.get_content_type(), part.get_content(), shows and str(shows))


@asynccontextmanager
async def peer(folder: Path) -> AsyncIterator[Peer]:
    """Start the server; every reply goes to the brand's own mailbox, too, as its proof."""
    with running(folder, USERS) as ports:
        proxy = MailFaultProxy(smtp_target=ports.smtp, imap_target=ports.imap)
        with proxy.running():
            settings = {"address": CARE, "name": "Care", "journal_address": CARE}
            for name, port in (("smtp", proxy.smtp_port), ("imap", proxy.imap_port)):
                settings |= {f"{name}_host": "localhost", f"{name}_port": str(port)}
                settings |= {f"{name}_security": "none"}
            account = Account("ac-1", "email", settings, {"password": "care-pw"})
            async with loopback_client() as client:
                yield EmailPeer(EmailConnector(client, LOOPBACK), account, proxy, ports)

"""What an account of e-mail is: an address, the servers it is kept on, and its folders."""

from dataclasses import dataclass
from typing import Any, Final

from connectors.email.headers import is_address
from connectors.email.mail_server import MailServer, Security, WrongSettings
from conversations.connector import Setting
from conversations.networks import Account

IMAP_PORTS: Final = {Security.TLS: 993, Security.STARTTLS: 143, Security.NONE: 143}
SMTP_PORTS: Final = {Security.TLS: 465, Security.STARTTLS: 587, Security.NONE: 25}
JOURNAL_DELAY_S: Final = 120.0
_LONGEST_DELAY_S: Final = 3_600.0

SETTINGS: Final = (
    Setting("address", "the brand's address, which customers write to"),
    Setting("name", "the name beside it", is_required=False),
    Setting("reply_to", "where answers go instead", is_required=False),
    Setting("subject", "the subject of mails that answer none", is_required=False),
    Setting("imap_host", "the server that keeps the mailbox"),
    Setting("imap_port", "993, with starttls 143", is_required=False),
    Setting("imap_security", "tls, starttls, or none for a server inside", is_required=False),
    Setting("smtp_host", "the server that takes mails"),
    Setting("smtp_port", "465, with starttls 587", is_required=False),
    Setting("smtp_security", "tls, starttls, or none for a server inside", is_required=False),
    Setting("username", "the name to log in with, if it is not the address", is_required=False),
    Setting("smtp_username", "the same for SMTP, if it is another", is_required=False),
    Setting("mailbox", "where customers' mails are; INBOX", is_required=False),
    Setting("sent_folder", "where a copy of each reply is put", is_required=False),
    Setting("keeps_sent", "true: the server itself puts it there", is_required=False),
    Setting("journal_address", "gets a blind copy of each reply, as proof", is_required=False),
    Setting("journal_folder", "where those copies arrive; INBOX", is_required=False),
    Setting("journal_delay_s", "after how long they are surely there; 120", is_required=False),
    Setting("delivery", "stream (IMAP IDLE) or poll", is_required=False),
    Setting("password", "the mailbox's password, or one for this program", is_secret=True),
    Setting("smtp_password", "for SMTP, if another", is_secret=True, is_required=False),
)


@dataclass(frozen=True, slots=True)
class MailAccount:
    """The settings of an account, as far as they make sense."""

    settings: dict[str, Any]
    credentials: dict[str, Any]

    @classmethod
    def of(cls, account: Account) -> "MailAccount":
        return cls(account.settings, account.credentials)

    def _text(self, name: str, otherwise: str = "") -> str:
        value = self.settings.get(name)
        return value.strip() if isinstance(value, str) and value.strip() else otherwise

    @property
    def address(self) -> str:
        """The brand's address.

        Raises:
            WrongSettings: it is none.
        """
        address = self._text("address")
        if not is_address(address) or not address.isascii():
            raise WrongSettings("the account has no address that mails can be sent from")
        return address

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2].lower()

    @property
    def name(self) -> str:
        return self._text("name")

    @property
    def reply_to(self) -> str | None:
        return self._optional_address("reply_to")

    @property
    def journal_address(self) -> str | None:
        return self._optional_address("journal_address")

    def _optional_address(self, name: str) -> str | None:
        found = self._text(name)
        return found if is_address(found) and found.isascii() else None

    @property
    def subject(self) -> str:
        return self._text("subject", "Your message")

    @property
    def mailbox(self) -> str:
        return self._text("mailbox", "INBOX")

    @property
    def sent_folder(self) -> str | None:
        return self._text("sent_folder") or None

    @property
    def keeps_sent(self) -> bool:
        """Whether the server itself files what it sends, so that what is absent was not sent."""
        return self.sent_folder is not None and self.settings.get("keeps_sent") in (True, "true")

    @property
    def proof_folder(self) -> str | None:
        """Where everything that was accepted is to be found; None when nowhere."""
        if self.journal_address is not None:
            return self._text("journal_folder", "INBOX")
        return self.sent_folder if self.keeps_sent else None

    @property
    def proof_delay_ms(self) -> int:
        try:
            delay_s = float(self.settings.get("journal_delay_s") or JOURNAL_DELAY_S)
        except (TypeError, ValueError):
            delay_s = JOURNAL_DELAY_S
        return int(min(max(delay_s, 1.0), _LONGEST_DELAY_S) * 1000)

    @property
    def imap(self) -> MailServer:
        return MailServer.from_settings(self.settings, "imap", IMAP_PORTS)

    @property
    def smtp(self) -> MailServer:
        return MailServer.from_settings(self.settings, "smtp", SMTP_PORTS)

    @property
    def imap_login(self) -> tuple[str, str]:
        """The name and the password for the mailbox.

        Raises:
            WrongSettings: there is no password.
        """
        password = self.credentials.get("password")
        if not isinstance(password, str) or not password:
            raise WrongSettings("the account has no password")
        return self._text("username", self.address), password

    @property
    def smtp_login(self) -> tuple[str, str]:
        name, password = self.imap_login
        other = self.credentials.get("smtp_password")
        is_other = isinstance(other, str) and bool(other)
        return self._text("smtp_username", name), str(other) if is_other else password

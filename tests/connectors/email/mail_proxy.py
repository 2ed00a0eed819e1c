"""The fault proxy for mail: SMTP's answers go missing after the last dot, IMAP's logins fail."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.connectors.fault_proxy import Fault, FaultProxy

AFTER_THE_DOT = {
    Fault.ACCEPTED_THEN_RESET: b"",
    Fault.ACCEPTED_THEN_500: b"421 4.3.2 going down\r\n",
    Fault.ACCEPTED_THEN_GARBAGE: b"half of an ans\r\n",
    Fault.RESET: b"",
    Fault.ERROR_500: b"451 4.3.0 oops\r\n",
    Fault.GARBAGE_200: b"half of an ans\r\n",
}
"""What the client gets to hear instead of the server's answer; nothing is a line that is cut."""

BEFORE = {
    Fault.UNAVAILABLE_503: (b"MAIL", b"421 4.3.2 too busy\r\n"),
    Fault.TOO_MANY_429: (b"RCPT", b"451 4.7.1 greylisted, come back\r\n"),
    Fault.UNAUTHORISED_401: (b"AUTH", b"535 5.7.8 wrong\r\n"),
}
GREETINGS = {
    Fault.ERROR_500: b"554 oops\r\n",
    Fault.GARBAGE_200: b"half of an ans\r\n",
    Fault.RESET: b"",
}
IMAP_GREETINGS = {Fault.GARBAGE_200: b"half of an ans\r\n", Fault.RESET: b""}


@dataclass
class MailFaultProxy(FaultProxy):
    """Stands before an SMTP and an IMAP server; a planned fault meets the next mail."""

    target: str = ""
    smtp_target: int = 0
    imap_target: int = 0
    refuses: bytes = b""
    """What the next recipient is answered, if anything."""

    smtp_port: int = field(default=0, init=False)
    imap_port: int = field(default=0, init=False)

    @contextmanager
    def running(self) -> Iterator["MailFaultProxy"]:
        with _listening() as smtp, _listening() as imap:
            self.smtp_port, self.imap_port = smtp.getsockname()[1], imap.getsockname()[1]
            threading.Thread(target=_serve, args=[smtp, self._smtp], daemon=True).start()
            threading.Thread(target=_serve, args=[imap, self._imap], daemon=True).start()
            yield self

    def _smtp(self, client: socket.socket) -> None:
        self.calls.append(("SMTP", "connect"))
        if self.every in GREETINGS:
            client.sendall(GREETINGS[self.every])
            return
        with _connected(self.smtp_target) as server:
            _SmtpTalk(self, client, server).run()

    def _imap(self, client: socket.socket) -> None:
        self.calls.append(("IMAP", "connect"))
        if self.every is Fault.UNAUTHORISED_401:
            _refuse_login(client)
            return
        if self.every is not None:
            client.sendall(IMAP_GREETINGS.get(self.every, b"* BYE oops\r\n"))
            return
        with _connected(self.imap_target) as server:
            back = threading.Thread(target=_pour, args=[server, client], daemon=True)
            back.start()
            _pour(client, server)
            back.join(5)


@dataclass
class _SmtpTalk:
    """One client's talk with the server, command by command."""

    proxy: MailFaultProxy
    client: socket.socket
    server: socket.socket

    def run(self) -> None:
        said, answered = self.client.makefile("rb"), self.server.makefile("rb")
        self.client.sendall(_answer(answered))
        fault = self.proxy.every
        while line := said.readline():
            verb = line[:4].upper()
            if verb == b"MAIL" and fault is None and self.proxy.planned:
                fault = self.proxy.planned.popleft()
            if verb == b"RCPT" and self.proxy.refuses:
                self.client.sendall(self.proxy.refuses)
                continue
            if fault in BEFORE and BEFORE[fault][0] == verb:
                self.client.sendall(BEFORE[fault][1])
                continue
            if verb == b"DATA" and fault in AFTER_THE_DOT:
                self._take_mail(said, answered, fault)
                return
            self.server.sendall(line)
            answer = _answer(answered)
            self.client.sendall(answer)
            if verb == b"DATA" and answer.startswith(b"354"):
                self.server.sendall(b"".join(_mail(said)))
                self.client.sendall(_answer(answered))

    def _take_mail(self, said: object, answered: object, fault: Fault) -> None:
        self.client.sendall(b"354 go on\r\n")
        mail = b"".join(_mail(said))
        if fault.is_accepted:
            self.server.sendall(b"DATA\r\n")
            _answer(answered)
            self.server.sendall(mail)
            assert _answer(answered).startswith(b"250")
        self.client.sendall(AFTER_THE_DOT[fault])


def _mail(said: object) -> Iterator[bytes]:
    while line := said.readline():  # type: ignore[attr-defined]
        yield line
        if line == b".\r\n":
            return


def _answer(answered: object) -> bytes:
    lines = []
    while line := answered.readline():  # type: ignore[attr-defined]
        lines.append(line)
        if line[3:4] != b"-":
            break
    return b"".join(lines)


def _refuse_login(client: socket.socket) -> None:
    client.sendall(b"* OK hello\r\n")
    said = client.makefile("rb")
    while line := said.readline():
        tag = line.split(b" ")[0]
        client.sendall(tag + b" NO [AUTHENTICATIONFAILED] wrong\r\n")


def _pour(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65_536):
            # GreenMail answers in small pieces, each waiting for the one before to be confirmed.
            source.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextmanager
def _listening() -> Iterator[socket.socket]:
    """Listen on the loopback; a thread that waits for clients is woken at the end."""
    listener = socket.create_server(("127.0.0.1", 0))
    try:
        yield listener
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _connected(port: int) -> socket.socket:
    server = socket.create_connection(("127.0.0.1", port), timeout=30)
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return server


def _serve(listener: socket.socket, talk: object) -> None:
    with contextlib.suppress(OSError):
        while True:
            client, _ = listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_talk, args=[client, talk], daemon=True).start()


def _talk(client: socket.socket, talk: object) -> None:
    with client, contextlib.suppress(OSError):
        talk(client)  # type: ignore[operator]
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)

"""A server that says what it is told to say, for what no real mail server would do."""

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Answer = Callable[[str, str], Sequence[bytes]]


@dataclass
class MailSpeaker:
    """Greets, and answers each line by `answer(tag, command)`; b"TLS" begins encryption."""

    answer: Answer
    greeting: bytes = b"* OK hello\r\n"
    context: ssl.SSLContext | None = None
    heard: list[str] = field(default_factory=list)
    port: int = 0
    _open: list[asyncio.WriteTransport] = field(default_factory=list)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.append(writer.transport)
        writer.write(self.greeting)
        while line := await self._heard(reader):
            self.heard.append(line)
            tag, _, command = line.partition(" ")
            for said in self.answer(tag, command):
                if said == b"TLS":
                    await self._encrypt(writer.transport)
                    return
                writer.write(said)

    async def _encrypt(self, transport: asyncio.WriteTransport) -> None:
        """Go on with the talk over an encrypted line, without a greeting."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        assert self.context is not None
        try:
            encrypted = await loop.start_tls(transport, protocol, self.context, server_side=True)
        except OSError:
            return
        if encrypted is not None:
            protocol.connection_made(encrypted)
            self.greeting = b""
            await self._talk(reader, asyncio.StreamWriter(encrypted, protocol, reader, loop))

    async def _heard(self, reader: asyncio.StreamReader) -> str:
        try:
            return (await reader.readline()).decode("utf-8", "replace").rstrip("\r\n")
        except OSError:
            return ""

    @asynccontextmanager
    async def running(self, *, is_encrypted: bool = False) -> AsyncIterator["MailSpeaker"]:
        context = self.context if is_encrypted else None
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0, ssl=context)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for transport in self._open:
                transport.abort()
            await asyncio.sleep(0.02)


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    """Return a server's context for a name, and the file of those who are to trust it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "certificate.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, secret)
    return context, pem

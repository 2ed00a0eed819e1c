"""TLS through the guard: connected to the judged address, checked for the host's name."""

import datetime as dt
import ssl
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connectors.guard import Guard
from connectors.guarded_transport import GuardedTransport

HOST = "brand.example"


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        del format, args


@dataclass
class Served:
    certificate: Path
    port: int = 0
    names: list[str | None] = field(default_factory=list)


def written_certificate(folder: Path) -> Path:
    """Write a key and a certificate of the host's, signed by itself, into one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "host.pem"
    path.write_bytes(private + certificate.public_bytes(pem))
    return path


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(written_certificate(tmp_path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate)
    context.sni_callback = lambda _socket, name, _context: made.names.append(name)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    made.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


def client(served: Served) -> httpx.AsyncClient:
    async def resolve(host: str, port: int) -> Sequence[str]:
        del host, port
        return ["127.0.0.1"]

    trusting = ssl.create_default_context(cafile=str(served.certificate))
    guard = Guard.allowing(["127.0.0.0/8"], resolve)
    return httpx.AsyncClient(transport=GuardedTransport(guard, context=trusting), trust_env=False)


async def test_the_name_that_is_asked_for_and_checked_is_the_hosts(served: Served) -> None:
    async with client(served) as calling:
        answer = await calling.get(f"https://{HOST}:{served.port}/")

    assert answer.text == "ok"
    assert served.names == [HOST]


async def test_a_certificate_of_another_name_is_refused(served: Served) -> None:
    async with client(served) as calling:
        with pytest.raises(httpx.ConnectError, match="certificate"):
            await calling.get(f"https://other.example:{served.port}/")

"""Addresses that nobody may make Parley call, each in the forms that have fooled others."""

from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio

from connectors.fetcher import LARGEST_BYTES, Fetcher, NotFetched, Refusal
from connectors.guard import Guard
from tests.connectors.counting import CountingListener

PORT = "{port}"
INSIDE_FORMS = {
    "the loopback": "http://127.0.0.1/",
    "the loopback at the listener": "http://127.0.0.1:{port}/",
    "another of the loopback": "http://127.8.9.10:{port}/",
    "decimal": "http://2130706433:{port}/",
    "octal": "http://0177.0.0.1:{port}/",
    "octal, whole": "http://017700000001:{port}/",
    "hex": "http://0x7f000001:{port}/",
    "hex, dotted": "http://0x7f.0x0.0x0.0x1:{port}/",
    "hex, upper": "http://0X7F.1:{port}/",
    "short": "http://127.1:{port}/",
    "shorter": "http://127.0.1:{port}/",
    "nought": "http://0:{port}/",
    "nought, whole": "http://0.0.0.0:{port}/",
    "leading zeros": "http://127.000.000.001:{port}/",
    "too large a number": "http://4294967297:{port}/",
    "trailing dot": "http://127.0.0.1.:{port}/",
    "IPv6 loopback": "http://[::1]:{port}/",
    "IPv6 loopback, long": "http://[0:0:0:0:0:0:0:1]:{port}/",
    "IPv6 nought": "http://[::]:{port}/",
    "IPv4-mapped": "http://[::ffff:127.0.0.1]:{port}/",
    "IPv4-mapped, hex": "http://[::ffff:7f00:1]:{port}/",
    "IPv4-compatible": "http://[::127.0.0.1]:{port}/",
    "IPv4-translated": "http://[::ffff:0:127.0.0.1]:{port}/",
    "NAT64": "http://[64:ff9b::7f00:1]/",
    "NAT64, local": "http://[64:ff9b:1::7f00:1]/",
    "6to4": "http://[2002:7f00:1::]/",
    "Teredo": "http://[2001:0:7f00:1::]/",
    "link-local with a zone": "http://[fe80::1%25lo]:{port}/",
    "loopback with a zone": "http://[::1%25lo]:{port}/",
    "unique local": "http://[fd00:ec2::254]/latest/meta-data/",
    "documentation": "http://[2001:db8::1]/",
    "multicast": "http://224.0.0.1/",
    "IPv6 multicast": "http://[ff02::1]/",
    "broadcast": "http://255.255.255.255/",
    "shared by providers": "http://100.64.0.1/",
    "the metadata of clouds": "http://169.254.169.254/latest/meta-data/",
    "metadata, decimal": "http://2852039166/latest/meta-data/",
    "metadata, hex": "http://0xa9fea9fe/",
    "metadata of a container": "http://169.254.170.2/",
    "metadata of Alibaba": "http://100.100.100.200/",
    "metadata of Azure's wire": "http://168.63.129.16/",
    "private, ten": "http://10.0.0.1/",
    "private, 172": "http://172.16.0.1/",
    "private, 192": "http://192.168.0.1/",
    "localhost": "http://localhost:{port}/",
    "localhost with a dot": "http://localhost.:{port}/",
    "localhost, loud": "http://LOCALHOST:{port}/",
    "a file": "file:///etc/passwd",
    "gopher": "gopher://127.0.0.1:{port}/_GET",
    "ftp": "ftp://127.0.0.1:{port}/",
    "a dictionary": "dict://127.0.0.1:{port}/info",
    "data": "data:image/png;base64,AAAA",
    "a script": "javascript:alert(1)",
    "no scheme": "//127.0.0.1:{port}/",
    "no scheme, a path": "/etc/passwd",
    "a user": "http://brand.example@127.0.0.1:{port}/",
    "a user with a password": "http://user:secret@127.0.0.1:{port}/",
    "an empty user": "http://@127.0.0.1:{port}/",
    "two of them": "http://brand.example@evil.example@127.0.0.1:{port}/",
    "a backslash": "http://brand.example\\@127.0.0.1:{port}/",
    "a fragment and a user": "http://127.0.0.1:{port}#@brand.example/",
    "unicode digits, circled": "http://①②⑦.⓪.⓪.①:{port}/",
    "unicode digits, wide": "http://\uff11\uff12\uff17.0.0.1:{port}/",
    "unicode full stops": "http://127。0。0。1:{port}/",
    "unicode letters": "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{port}/",
    "a soft hyphen": "http://local\u00adhost:{port}/",
    "a new line": "http://127.0.0.1:{port}/\r\nHost: brand.example",
    "a tab": "http://127.0.\t0.1:{port}/",
    "a blank in front": " http://127.0.0.1:{port}/",
    "a NUL": "http://127.0.0.1\x00.brand.example/",
    "an escaped host": "http://%31%32%37.0.0.1:{port}/",
    "no host": "http:///etc/passwd",
    "no host but a port": "http://:{port}/",
    "a port beyond": "http://127.0.0.1:65536/",
    "a port of another service": "http://public.example:{port}/",
    "mail": "http://public.example:25/",
    "Redis": "http://public.example:6379/",
    "a name that leads inside": "http://inside.example/",
    "a name that leads inside, too": "http://both.example/",
    "a name that leads inside by IPv6": "http://inside6.example/",
    "an international name that leads inside": "http://bücher.example/",
    "a name that is an address in a suffix": "http://127.0.0.1.nip.example/",
    "a label that is too long": "http://" + "a" * 64 + ".invalid/",
    "too long an address": "http://public.example/" + "a" * 2_048,
}
NAMES = {
    "public.example": ["1.1.1.1"],
    "inside.example": ["127.0.0.1"],
    "both.example": ["1.1.1.1", "127.0.0.1"],
    "inside6.example": ["::1"],
    "xn--bcher-kva.example": ["10.0.0.1"],
    "127.0.0.1.nip.example": ["127.0.0.1"],
}


async def resolve(host: str, port: int) -> Sequence[str]:
    """Answer for the invented names; leave the others to the system, which knows odd numbers."""
    if host in NAMES:
        return NAMES[host]
    if host.endswith(".example"):
        raise OSError(host)
    return await Guard().resolve(host, port)


@pytest_asyncio.fixture
async def strict() -> AsyncIterator[Fetcher]:
    fetcher = Fetcher(Guard((), resolve))
    yield fetcher
    await fetcher.aclose()


@pytest_asyncio.fixture
async def inside() -> AsyncIterator[Fetcher]:
    """Return a fetcher that may reach the loopback."""
    fetcher = Fetcher(Guard.allowing(["127.0.0.0/8"], resolve))
    yield fetcher
    await fetcher.aclose()


async def read(fetcher: Fetcher, address: str) -> bytes:
    fetched = await fetcher.open(address)
    return b"".join([piece async for piece in fetched.pieces()])


def answering(*lines: str, body: bytes = b"") -> bytes:
    return "\r\n".join((*lines, "Connection: close", "", "")).encode() + body


@pytest.mark.parametrize("form", INSIDE_FORMS)
async def test_no_form_of_an_address_inside_is_connected_to(form: str, strict: Fetcher) -> None:
    with CountingListener() as listener:
        with pytest.raises(NotFetched) as refused:
            await strict.open(INSIDE_FORMS[form].replace(PORT, str(listener.port)))

        assert listener.connections == 0
    assert refused.value.refusal is Refusal.TARGET
    assert len(str(refused.value)) > 10


def test_there_are_enough_forms() -> None:
    assert len(INSIDE_FORMS) >= 40


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "//169.254.169.254/",
        "http://[::1]/",
        "http://10.0.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "http://user@public.example/",
        "http://2130706433/",
        "http://public.example:22/",
        "http://inside6.example/",
    ],
)
async def test_a_redirect_is_judged_as_the_address_was(location: str, inside: Fetcher) -> None:
    first = answering("HTTP/1.1 302 Found", f"Location: {location}")
    with CountingListener(first) as listener, pytest.raises(NotFetched) as refused:
        await inside.open(listener.url)

    assert listener.connections == 1
    assert refused.value.refusal is Refusal.TARGET


async def test_an_answer_that_changes_between_check_and_connection_changes_nothing() -> None:
    answers = iter([["127.0.0.1"], ["1.1.1.1"], ["127.0.0.1"]])

    async def changing(host: str, port: int) -> Sequence[str]:
        del host, port
        return next(answers)

    with CountingListener() as listener:
        fetcher = Fetcher(Guard((), changing))
        with pytest.raises(NotFetched, match="loopback"):
            await fetcher.open("http://changing.example/")
        await fetcher.aclose()

        assert listener.connections == 0
    assert next(answers) == ["1.1.1.1"]


async def test_a_few_redirects_are_followed_and_no_more(inside: Fetcher) -> None:
    with CountingListener() as there:
        again = answering("HTTP/1.1 301 Moved", f"Location: {there.url}")
        with CountingListener(again) as listener:
            assert await read(inside, listener.url) == b"ok"
    with CountingListener() as endless:
        endless.answer = answering("HTTP/1.1 302 Found", f"Location: {endless.url}")
        with pytest.raises(NotFetched, match="more than 3"):
            await inside.open(endless.url)

        assert endless.connections == 4


async def test_what_is_allowed_is_fetched_without_saying_who_asks(inside: Fetcher) -> None:
    cookie = answering(
        "HTTP/1.1 200 OK", "Content-Type: image/png", "Set-Cookie: a=b; Path=/", body=b"picture"
    )
    with CountingListener(cookie) as listener:
        assert await read(inside, listener.url) == b"picture"
        assert await read(inside, f"{listener.url}two") == b"picture"

    said = listener.heard.lower()
    assert not [word for word in ("cookie", "authorization", "referer") if f"\r\n{word}:" in said]


@pytest.mark.parametrize(
    ("kind", "is_shown"),
    [
        ("image/png", True),
        ("VIDEO/mp4; codecs=x", True),
        ("application/pdf", False),
        ("image/svg+xml", False),
    ],
)
async def test_types_are_shown_or_saved(kind: str, inside: Fetcher, *, is_shown: bool) -> None:
    with CountingListener(answering("HTTP/1.1 200 OK", f"Content-Type: {kind}")) as listener:
        fetched = await inside.open(listener.url)
        await fetched.aclose()

    assert fetched.is_shown is is_shown


@pytest.mark.parametrize(
    ("lines", "refusal"),
    [
        (["HTTP/1.1 200 OK", "Content-Type: text/html"], Refusal.KIND),
        (["HTTP/1.1 200 OK", "Content-Type: application/octet-stream"], Refusal.KIND),
        (["HTTP/1.1 200 OK"], Refusal.KIND),
        (
            ["HTTP/1.1 200 OK", "Content-Type: image/png", "Content-Encoding: gzip"],
            Refusal.KIND,
        ),
        (
            ["HTTP/1.1 200 OK", "Content-Type: image/png", f"Content-Length: {LARGEST_BYTES + 1}"],
            Refusal.SIZE,
        ),
        (["HTTP/1.1 404 Not Found", "Content-Type: image/png"], Refusal.UNAVAILABLE),
        (["HTTP/1.1 206 Partial", "Content-Type: image/png"], Refusal.UNAVAILABLE),
        (["SSH-2.0-OpenSSH_9.6"], Refusal.UNAVAILABLE),
    ],
)
async def test_other_answers_are_refused(
    lines: list[str], refusal: Refusal, inside: Fetcher
) -> None:
    with CountingListener(answering(*lines)) as listener, pytest.raises(NotFetched) as refused:
        await inside.open(listener.url)

    assert refused.value.refusal is refusal


async def test_a_body_without_end_is_cut(inside: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.fetcher.LARGEST_BYTES", 1_000)
    long = answering("HTTP/1.1 200 OK", "Content-Type: image/png", body=b"x" * 1_001)
    with CountingListener(long) as listener, pytest.raises(NotFetched) as refused:
        await read(inside, listener.url)

    assert refused.value.refusal is Refusal.SIZE


async def test_a_body_that_drips_is_left(inside: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.fetcher.LONGEST_S", 0.5)
    with CountingListener(drips=True) as listener, pytest.raises(NotFetched, match="broke off"):
        await read(inside, listener.url)

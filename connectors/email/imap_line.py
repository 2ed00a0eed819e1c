"""An IMAP line (RFC 3501) of the few commands that are needed: bounded, and cut at any moment.

Own code, since aioimaplib 2.0.3 cannot be given a checked address, has no STARTTLS and no bound
on what a server sends, and logs mails; a thread for each mailbox that idles is too many threads.
"""

import asyncio
import base64
import re
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from connectors.email.mail_server import MailServer, NotReached, Security, open_socket, tls
from connectors.guard import Guard

ANSWER_WITHIN_S: Final = 20.0
LONGEST_LINE: Final = 8 * 1024 * 1024
"""A search may find a million messages."""

LARGEST_LITERAL: Final = 4 * 1024 * 1024
MOST_LITERALS: Final = 64
_LITERAL = re.compile(rb"\{(\d{1,10})\+?\}\r\n$")
_CODE = re.compile(rb"^\[([A-Za-z0-9-]+)")
_LONGEST_REASON: Final = 200


class ImapBroken(Exception):
    """The line broke, or what came over it is no IMAP."""


class ImapRefused(Exception):
    """The server answered NO or BAD; `code` is its response code, if there is one."""

    def __init__(self, command: str, answer: bytes) -> None:
        words = answer[:_LONGEST_REASON].decode("utf-8", "replace").strip()
        super().__init__(f"{command} was refused: {words}")
        found = _CODE.match(answer)
        self.code = found[1].decode().upper() if found else ""


class LoginRefused(ImapRefused):
    """The server does not take the name and the password."""


@dataclass(frozen=True, slots=True)
class Untagged:
    """A line from the server; where a literal stood in it is `{n}`, its bytes in `literals`."""

    text: bytes
    literals: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Literal:
    """Bytes that go to the server as they are."""

    content: bytes


def text(value: str) -> bytes | Literal:
    """Return a value as an argument: quoted where that can be, else literal."""
    is_plain = value.isascii() and value.isprintable()
    if not is_plain:
        return Literal(value.encode("utf-8", "replace").replace(b"\0", b""))
    return b'"' + value.replace("\\", "\\\\").replace('"', '\\"').encode() + b'"'


def mailbox(name: str) -> bytes | Literal:
    """Return a mailbox's name as an argument, in IMAP's own UTF-7."""
    encoded = []
    for piece in re.findall(r"&|[ -%'-~]+|[^ -~]+", name):
        if piece == "&":
            encoded.append("&-")
        elif piece.isascii() and piece.isprintable():
            encoded.append(piece)
        else:
            shifted = base64.b64encode(piece.encode("utf-16-be", "surrogatepass")).decode()
            encoded.append("&" + shifted.rstrip("=").replace("/", ",") + "-")
    return text("".join(encoded))


@dataclass
class ImapLine:
    """An open line; one command at a time."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    capabilities: frozenset[str] = frozenset()
    beneath: asyncio.StreamWriter | None = None
    """The unencrypted line that an encrypted one began as: it lives as long."""

    _tag: int = field(default=0, init=False)

    async def command(
        self, *words: bytes | Literal, within_s: float = ANSWER_WITHIN_S
    ) -> list[Untagged]:
        """Give a command and return what the server says before it is done.

        Raises:
            ImapRefused: the answer is NO or BAD.
            ImapBroken: the line broke, or the answer did not come in time.
        """
        try:
            async with asyncio.timeout(within_s):
                return await self._command(words)
        except (TimeoutError, OSError, asyncio.IncompleteReadError, ValueError) as error:
            self.writer.transport.abort()
            raise ImapBroken(f"the line broke: {type(error).__name__}") from error

    async def _command(self, words: Sequence[bytes | Literal]) -> list[Untagged]:
        self._tag += 1
        tag = b"p%d" % self._tag
        name = words[0].decode() if isinstance(words[0], bytes) else ""
        said: list[Untagged] = []
        line = tag
        for word in words:
            if isinstance(word, bytes):
                line += b" " + word
                continue
            self.writer.write(line + b" {%d}\r\n" % len(word.content))
            said += await self._until(tag, name, b"+")
            line = word.content
        self.writer.write(line + b"\r\n")
        await self.writer.drain()
        return said + await self._until(tag, name, tag)

    async def _until(self, tag: bytes, name: str, wanted: bytes) -> list[Untagged]:
        """Read on until the server asks for more, or is done with the command."""
        said: list[Untagged] = []
        while True:
            line = await self.read()
            first, _, rest = line.text.partition(b" ")
            if first == tag:
                _require_done(name, rest)
                return said
            if first.rstrip() == wanted:
                return said
            if first == b"*" and rest[:3].upper() == b"BYE" and name != "LOGOUT":
                raise ImapBroken("the server said good-bye")
            said.append(line)

    async def read(self) -> Untagged:
        """Read one line, with the literals in it."""
        parts: list[bytes] = []
        literals: list[bytes] = []
        while True:
            try:
                line = await self.reader.readuntil(b"\n")
            except asyncio.LimitOverrunError as error:
                raise ValueError("the line has no end") from error
            found = _LITERAL.search(line)
            parts.append(line)
            if found is None:
                return Untagged(b"".join(parts).rstrip(b"\r\n"), tuple(literals))
            size = int(found[1])
            if size > LARGEST_LITERAL or len(literals) >= MOST_LITERALS:
                raise ValueError("the server sends more than was asked for")
            literals.append(await self.reader.readexactly(size))

    async def ask_capabilities(self) -> None:
        for line in await self.command(b"CAPABILITY"):
            words = line.text.decode("ascii", "replace").upper().split()
            if words[1:2] == ["CAPABILITY"]:
                self.capabilities = frozenset(words[2:])

    async def idle(self, within_s: float) -> bool:
        """Wait until something comes into the mailbox; return whether it did.

        Raises:
            ImapBroken: the line broke.
        """
        try:
            self._tag += 1
            tag = b"p%d" % self._tag
            self.writer.write(tag + b" IDLE\r\n")
            async with asyncio.timeout(ANSWER_WITHIN_S):
                said = await self._until(tag, "IDLE", b"+")
            is_new = _tells_of_news(said)
            with suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    while not is_new:
                        is_new = _tells_of_news([await self.read()])
            self.writer.write(b"DONE\r\n")
            async with asyncio.timeout(ANSWER_WITHIN_S):
                said = await self._until(tag, "IDLE", tag)
        except (TimeoutError, OSError, asyncio.IncompleteReadError, ValueError) as error:
            raise ImapBroken(f"the line broke: {type(error).__name__}") from error
        return is_new or _tells_of_news(said)


def _tells_of_news(said: Sequence[Untagged]) -> bool:
    for line in said:
        if line.text[:5].upper() == b"* BYE":
            raise ImapBroken("the server said good-bye")
    return any(line.text.upper().endswith(b" EXISTS") for line in said)


def _require_done(name: str, rest: bytes) -> None:
    result, _, answer = rest.partition(b" ")
    if result.upper() == b"OK":
        return
    refusal = LoginRefused if name == "LOGIN" else ImapRefused
    raise refusal(name, answer)


@asynccontextmanager
async def opened(
    guard: Guard, server: MailServer, username: str, password: str
) -> AsyncIterator[ImapLine]:
    """Open a line, log in, and say good-bye at the end.

    Raises:
        NotReached: no line to the server could be opened.
        LoginRefused: the server does not take the name and the password.
        ImapRefused, ImapBroken: it is not to be spoken to.
    """
    line = await _greeted(guard, server)
    try:
        if not line.capabilities:
            await line.command(b"LOGIN", text(username), text(password))
            await line.ask_capabilities()
        yield line
        with suppress(ImapBroken, ImapRefused):
            await line.command(b"LOGOUT", within_s=1.0)
    finally:
        line.writer.transport.abort()


async def _greeted(guard: Guard, server: MailServer) -> ImapLine:
    """Open a line up to where one can log in; with capabilities when one need not."""
    found = await open_socket(guard, server)
    context = tls() if server.security is Security.TLS else None
    name = server.host if context else None
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            reader, writer = await asyncio.open_connection(
                sock=found, ssl=context, server_hostname=name, limit=LONGEST_LINE
            )
    except (OSError, TimeoutError) as error:
        found.close()
        raise NotReached(f"no line to the IMAP server: {type(error).__name__}") from error
    line = ImapLine(reader, writer)
    try:
        await _read_greeting(line, server.security)
        return await _encrypted(line, server) if server.security is Security.STARTTLS else line
    except BaseException:
        line.writer.transport.abort()
        raise


async def _read_greeting(line: ImapLine, security: Security) -> None:
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            greeting = (await line.read()).text.upper()
    except (TimeoutError, OSError, asyncio.IncompleteReadError, ValueError) as error:
        raise ImapBroken(f"no greeting came: {type(error).__name__}") from error
    if greeting.startswith(b"* PREAUTH") and security is not Security.STARTTLS:
        await line.ask_capabilities()
    elif not greeting.startswith(b"* OK"):
        raise ImapBroken("the server did not greet as IMAP servers do")


async def _encrypted(line: ImapLine, server: MailServer) -> ImapLine:
    """Encrypt the line; what came before, unencrypted, is forgotten with its reader."""
    await line.command(b"STARTTLS")
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(LONGEST_LINE, loop)
    protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            transport = await loop.start_tls(
                line.writer.transport, protocol, tls(), server_hostname=server.host
            )
    except (ssl.SSLError, OSError, TimeoutError) as error:
        raise NotReached(f"the line could not be encrypted: {type(error).__name__}") from error
    if transport is None:
        raise NotReached("the line was closed while it was encrypted")
    protocol.connection_made(transport)
    encrypted = asyncio.StreamWriter(transport, protocol, reader, loop)
    return ImapLine(reader, encrypted, beneath=line.writer)

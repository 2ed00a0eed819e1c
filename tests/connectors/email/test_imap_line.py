from collections.abc import Sequence
from pathlib import Path

import pytest

from connectors.email import imap_line
from connectors.email.imap_line import (
    ImapBroken,
    ImapRefused,
    Literal,
    LoginRefused,
    mailbox,
    opened,
    text,
)
from connectors.email.mail_server import MailServer, NotReached, Security
from connectors.guard import STRICT
from tests.connectors.email.mail_speaker import MailSpeaker, certificate
from tests.connectors.loopback import LOOPBACK

PLAIN = "localhost"


def friendly(tag: str, command: str) -> Sequence[bytes]:
    if command.startswith("CAPABILITY"):
        return [b"* CAPABILITY IMAP4rev1 IDLE\r\n", f"{tag} OK\r\n".encode()]
    if command.startswith("STARTTLS"):
        return [f"{tag} OK go\r\n* OK [INJECTED]\r\n".encode(), b"TLS"]
    return [f"{tag} OK\r\n".encode()]


async def capabilities(
    speaker: MailSpeaker, security: Security, host: str = PLAIN
) -> frozenset[str]:
    server = MailServer(host, speaker.port, security)
    async with opened(LOOPBACK, server, "care", 'pass"word') as line:
        return line.capabilities


async def test_names_and_passwords_are_quoted() -> None:
    async with MailSpeaker(friendly).running() as speaker:
        assert "IDLE" in await capabilities(speaker, Security.NONE)

    assert speaker.heard[0] == 'p1 LOGIN "care" "pass\\"word"'


async def test_the_line_is_encrypted_from_the_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, trusted = certificate(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    async with MailSpeaker(friendly, context=context).running(is_encrypted=True) as speaker:
        assert "IDLE" in await capabilities(speaker, Security.TLS)


async def test_starttls_comes_before_the_login_and_forgets_what_was_said_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, trusted = certificate(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    async with MailSpeaker(friendly, context=context).running() as speaker:
        assert "IDLE" in await capabilities(speaker, Security.STARTTLS)

    assert [line.split()[1] for line in speaker.heard] == [
        "STARTTLS",
        "LOGIN",
        "CAPABILITY",
        "LOGOUT",
    ]


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
@pytest.mark.parametrize("name", ["other.example", "localhost"])
async def test_a_certificate_for_another_name_or_of_nobody_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: Security, name: str
) -> None:
    context, trusted = certificate(tmp_path, name)
    if name != "localhost":
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    is_encrypted = security is Security.TLS
    speaking = MailSpeaker(friendly, context=context).running(is_encrypted=is_encrypted)
    async with speaking as speaker:
        with pytest.raises(NotReached):
            await capabilities(speaker, security)

    assert not any("LOGIN" in line for line in speaker.heard)


async def test_a_server_that_refuses_encryption_hears_no_password() -> None:
    def refusing(tag: str, command: str) -> Sequence[bytes]:
        return [f"{tag} NO never\r\n".encode()]

    async with MailSpeaker(refusing).running() as speaker:
        with pytest.raises(ImapRefused):
            await capabilities(speaker, Security.STARTTLS)
    async with MailSpeaker(friendly, greeting=b"* PREAUTH hi\r\n").running() as eager:
        with pytest.raises(ImapBroken):
            await capabilities(eager, Security.STARTTLS)

    assert not any("LOGIN" in line for line in speaker.heard + eager.heard)


async def test_nothing_unencrypted_leads_out_and_nothing_leads_inside_unasked() -> None:
    with pytest.raises(NotReached, match="use tls"):
        async with opened(LOOPBACK, MailServer("1.1.1.1", 1, Security.NONE), "a", "b"):
            pass
    async with MailSpeaker(friendly).running() as speaker:
        with pytest.raises(NotReached, match="PARLEY_INTERNAL_TARGETS"):
            async with opened(STRICT, MailServer(PLAIN, speaker.port, Security.TLS), "a", "b"):
                pass

    assert speaker.heard == []


async def test_a_refused_login_is_told_apart_and_keeps_the_secret() -> None:
    def refusing(tag: str, command: str) -> Sequence[bytes]:
        return [f"{tag} NO [AUTHENTICATIONFAILED] no\r\n".encode()]

    async with MailSpeaker(refusing).running() as speaker:
        with pytest.raises(LoginRefused) as refusal:
            await capabilities(speaker, Security.NONE)

    assert refusal.value.code == "AUTHENTICATIONFAILED"
    assert "pass" not in str(refusal.value)


@pytest.mark.parametrize(
    "said",
    [
        b"* 1 FETCH (BODY[] {99999999999}\r\n",
        b"* 1 FETCH (BODY[] {9999999}\r\n",
        b"* 1 FETCH (BODY[] {10}\r\nabc",
        b"x" * 9_000_000,
        b"* BYE going\r\n",
        b"",
    ],
)
async def test_what_is_no_imap_ends_the_line(said: bytes) -> None:
    def odd(tag: str, command: str) -> Sequence[bytes]:
        return friendly(tag, command) if "NOOP" not in command else [said]

    async with MailSpeaker(odd).running() as speaker:
        server = MailServer(PLAIN, speaker.port, Security.NONE)
        with pytest.raises(ImapBroken):
            async with opened(LOOPBACK, server, "care", "x") as line:
                await line.command(b"NOOP", within_s=1)


async def test_literals_are_read_whole_wherever_they_stand() -> None:
    def fetched(tag: str, command: str) -> Sequence[bytes]:
        if "FETCH" not in command:
            return friendly(tag, command)
        return [
            b"* 1 FETCH (UID 7 BODY[] {12}\r\n)\r\np9 OK x\r\n FLAGS ())\r\n",
            f"{tag} OK\r\n".encode(),
        ]

    async with MailSpeaker(fetched).running() as speaker:
        server = MailServer(PLAIN, speaker.port, Security.NONE)
        async with opened(LOOPBACK, server, "care", "x") as line:
            (answer,) = await line.command(b"FETCH", b"1")

    assert answer.literals == (b")\r\np9 OK x\r\n",)
    assert answer.text.endswith(b" FLAGS ())")


async def test_a_line_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap_line, "ANSWER_WITHIN_S", 0.2)
    async with MailSpeaker(friendly, greeting=b"").running() as speaker:
        with pytest.raises(ImapBroken):
            await capabilities(speaker, Security.NONE)


def test_arguments_cannot_end_a_command() -> None:
    assert text('a"b\\c') == b'"a\\"b\\\\c"'
    assert text("a\r\nLOGOUT") == Literal(b"a\r\nLOGOUT")
    assert text("pässword") == Literal("pässword".encode())


def test_folders_have_names_in_any_script() -> None:
    assert mailbox("Envoyés") == b'"Envoy&AOk-s"'
    assert mailbox("Tom & Ana") == b'"Tom &- Ana"'
    assert mailbox("台北") == b'"&U,BTFw-"'

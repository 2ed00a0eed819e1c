"""Signing in by name and password: counted, compared off the loop, and silent about why not."""

import ipaddress
import math
from dataclasses import dataclass

import structlog
from fastapi import Request, Response
from sqlalchemy import Connection

from api.auth import cookie_name, unauthenticated
from api.context import Context, context_of
from api.errors import Problem
from storage import passwords, principals, sessions, sign_in_attempts
from storage.passwords import Known
from storage.principals import Identity
from storage.sign_in_attempts import Subject

log = structlog.get_logger()

LONGEST_COOKIE_S = principals.LONGEST_SESSION_MS // 1000
LONGEST_BROWSER = 300
IPV6_NETWORK = 64
"""Whoever has one IPv6 address has a network of them."""


@dataclass(frozen=True, slots=True)
class Proven:
    """Somebody whose password was right, and its hash under newer parameters if need be."""

    known: Known
    account: Subject
    address: Subject
    better_hash: str | None

    def settle(self, connection: Connection) -> None:
        """Write down that it was right, in the transaction that it allows.

        Raises:
            Problem: 401, the password was changed while it was compared.
        """
        if not passwords.is_still(connection, self.known):
            raise wrong()
        sign_in_attempts.forgive(connection, self.account, self.address)
        if self.better_hash is not None:
            passwords.hash_again(connection, self.known, self.better_hash)


def wrong() -> Problem:
    """Say the same of an unknown name, a wrong password and an account that is switched off."""
    return unauthenticated("there is nobody with this username and password")


def throttled(wait_ms: int) -> Problem:
    """Say how long to wait, whatever the password was."""
    wait_s = math.ceil(wait_ms / 1000)
    return Problem(
        429,
        "too_many_attempts",
        f"too many attempts; the next one is looked at in {wait_s} s",
        headers={"Retry-After": str(wait_s)},
    )


async def prove(
    request: Request, username: str, password: str, principal_id: str | None = None
) -> Proven | None:
    """Compare the password of a name, or of a principal that is known; None when it is wrong.

    Raises:
        Problem: 429, the attempt comes too early or too many are being compared.
    """
    context = context_of(request)
    if context.passwords.is_full:
        raise throttled(1000)
    account = sign_in_attempts.account(username)
    address = sign_in_attempts.address(_network_of(request))

    def charge(connection: Connection) -> tuple[int, Known | None]:
        wait_ms = sign_in_attempts.charge(connection, (account, address))
        if principal_id is not None:
            return wait_ms, passwords.of_principal(connection, principal_id)
        return wait_ms, passwords.of_username(connection, username)

    wait_ms, known = await context.database.write(charge)
    whose = known.identity.principal_id if known else None
    if wait_ms:
        log.warning("sign_in_throttled", principal_id=whose)
        raise throttled(wait_ms)
    verdict = await context.passwords.verify(known.hash if known else None, password)
    if known is None or not verdict.is_right:
        log.warning("sign_in_refused", principal_id=whose)
        return None
    better = await context.passwords.hash(password) if verdict.is_outdated else None
    return Proven(known, account, address, better)


def _network_of(request: Request) -> str:
    """Return whose attempts are counted together: an address, or a network of IPv6."""
    host = request.client.host if request.client else ""
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(ipaddress.ip_network((found.packed, IPV6_NETWORK), strict=False))


def opening(request: Request, by: str) -> sessions.Opening:
    """Describe the session that a browser is to get in place of the one that it has."""
    browser = request.headers.get("user-agent", "")[:LONGEST_BROWSER]
    token = request.cookies.get(cookie_name(context_of(request)))
    return sessions.Opening(by, browser or None, token)


def admitted(context: Context, identity: Identity, token: str, by: str) -> Response:
    """Answer with the session's cookie, which no script can read."""
    log.info("signed_in", principal_id=identity.principal_id, by=by)
    context.rights_changed()
    response = Response(status_code=204)
    response.set_cookie(
        cookie_name(context),
        token,
        max_age=LONGEST_COOKIE_S,
        path="/",
        secure=context.has_secure_cookies,
        httponly=True,
        samesite="lax",
    )
    return response

"""At the door of every route: who calls, may they, and did their browser mean it."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from api.context import Context, context_of
from api.doorkeeper import Principal
from api.errors import Problem
from api.policy import ANYBODY, Role

SECURE_COOKIE = "__Host-parley_session"
PLAIN_COOKIE = "parley_session"
"""Without https a browser takes no `__Host-` cookie."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
ATTENDED = "Parley-Attended"
"""What a page says of a call that it made by itself while nobody was at it: `no`."""


def cookie_name(context: Context) -> str:
    return SECURE_COOKIE if context.has_secure_cookies else PLAIN_COOKIE


async def authorise(
    request: Request, roles: frozenset[Role], *, is_automatic: bool = False
) -> None:
    """Let the caller through, or say why not; remembers the principal on the request.

    What is automatic keeps no session alive.

    Raises:
        Problem: 401 when nobody knows the caller, 403 when the right is missing.
    """
    if roles == ANYBODY:
        return
    request.state.is_automatic = is_automatic
    principal = await _principal(request)
    if not principal.roles & roles:
        needed = ", ".join(sorted(roles))
        raise Problem(403, "forbidden", f"this needs one of the roles {needed}")
    request.state.principal = principal


async def _principal(request: Request) -> Principal:
    context = context_of(request)
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if key:
        known = await context.doorkeeper.by_key(key.strip()) if scheme.lower() == "bearer" else None
        if known is None:
            raise unauthenticated("the key is not known")
        return known
    token = request.cookies.get(cookie_name(context))
    if not token:
        raise unauthenticated("send Authorization: Bearer KEY")
    by_session = await context.doorkeeper.by_session(token, is_use=is_use(request))
    if by_session is None:
        raise unauthenticated("the session has ended")
    if request.method not in SAFE_METHODS:
        require_same_origin(request)
    return by_session


def unauthenticated(detail: str) -> Problem:
    headers = {"WWW-Authenticate": 'Bearer realm="parley"'}
    return Problem(401, "unauthenticated", detail, headers=headers)


def is_use(request: Request) -> bool:
    """Whether somebody wanted this call, and so goes on using the session."""
    return not request.state.is_automatic and request.headers.get(ATTENDED) != "no"


def refuse_other_sites(request: Request, *, is_proof_needed: bool = False) -> None:
    """Refuse what a browser sent for another site's page; programs say nothing of sites.

    Raises:
        Problem: 403, it comes from elsewhere.
    """
    says_where = "origin" in request.headers or "sec-fetch-site" in request.headers
    if says_where or is_proof_needed:
        require_same_origin(request)


def require_same_origin(request: Request) -> None:
    """Refuse what another site's page made a browser send with our cookie.

    Raises:
        Problem: 403 when the origin is another one, or nothing proves that it is ours.
    """
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    is_ours = site == "same-origin"
    if origin is not None:
        is_ours = urlsplit(origin).netloc == request.headers.get("host") and origin != "null"
        is_ours = is_ours and site in (None, "same-origin")
    if not is_ours:
        raise Problem(403, "cross_site_request", "a session is only used from Parley's own pages")


def principal_of(request: Request) -> Principal:
    principal: Principal = request.state.principal
    return principal


async def _caller(request: Request) -> Principal:
    return principal_of(request)


Caller = Annotated[Principal, Depends(_caller)]
"""Who calls; the route's policy has let them through."""

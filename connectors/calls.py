"""HTTP calls to networks, with bounds, and what their failures say about acceptance."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from connectors.cookies import no_cookies
from connectors.guard import Guard
from connectors.guarded_transport import GuardedTransport, RefusedTarget
from conversations.replies import Certainty, Outcome

LARGEST_ANSWER = 1_048_576
TIMEOUT = httpx.Timeout(10.0, connect=5.0)
LONGEST_CALL_S = 30.0
"""A network that gives byte after byte keeps within the other time-outs for ever."""

CERTAINLY_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)
"""The request cannot have reached the network: no byte of it left."""

HTTP_TOO_MANY = 429
HTTP_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes
    is_whole: bool = True
    """Whether the body was read to its end: one that is too long is cut."""

    @property
    def json(self) -> dict[str, Any]:
        """The body as an object; empty when it is anything else."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def retry_after_s(self) -> float | None:
        """Seconds from `Retry-After`, when it is a number."""
        try:
            return max(0.0, float(self.headers.get("retry-after", "")))
        except ValueError:
            return None


def new_client(guard: Guard) -> httpx.AsyncClient:
    """Return the client of all calls to networks: each connection is one that the guard judged.

    It follows no redirects, keeps no cookies and takes nothing from its surroundings: no proxy,
    no `.netrc`.
    """
    return httpx.AsyncClient(
        transport=GuardedTransport(guard),
        timeout=TIMEOUT,
        cookies=no_cookies(),
        follow_redirects=False,
        trust_env=False,
    )


async def call(
    client: httpx.AsyncClient,
    request: httpx.Request,
    *,
    largest: int = LARGEST_ANSWER,
    within_s: float = LONGEST_CALL_S,
) -> Answer:
    """Make the call and read so much of its answer, 1 MiB at most if nothing else is said.

    Raises:
        httpx.HTTPError: the line broke; `outcome_of_failure` says what that means.
    """
    try:
        async with asyncio.timeout(within_s):
            return await _called(client, request, largest)
    except TimeoutError as error:
        raise httpx.ReadTimeout("the call took too long", request=request) from error


async def _called(client: httpx.AsyncClient, request: httpx.Request, largest: int) -> Answer:
    response = await client.send(request, stream=True)
    try:
        body = bytearray()
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > largest:
                break
        is_whole = len(body) <= largest
        return Answer(response.status_code, response.headers, bytes(body[:largest]), is_whole)
    finally:
        await response.aclose()


def cause_of(error: Exception) -> str:
    """Name what broke: the kind of it, and of a target that was refused the reason."""
    return str(error) if isinstance(error, RefusedTarget) else type(error).__name__


def outcome_of_failure(error: httpx.HTTPError) -> Outcome:
    """Say what a broken call means: certainly not accepted, or maybe."""
    if isinstance(error, CERTAINLY_NOT_SENT):
        reason = f"the network could not be reached: {cause_of(error)}"
        return Outcome(Certainty.NOT_ACCEPTED, reason=reason)
    reason = f"the line broke: {cause_of(error)}"
    return Outcome(Certainty.MAYBE, reason=reason, may_still_arrive=True)

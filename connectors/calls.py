"""HTTP calls to networks, with bounds, and what their failures say about acceptance."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from conversations.replies import Certainty, Outcome

LARGEST_ANSWER = 1_048_576
TIMEOUT = httpx.Timeout(10.0, connect=5.0)

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


def new_client() -> httpx.AsyncClient:
    """Return a client that follows no redirects and takes nothing from its surroundings."""
    return httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False, trust_env=False)


async def call(
    client: httpx.AsyncClient, request: httpx.Request, *, largest: int = LARGEST_ANSWER
) -> Answer:
    """Make the call and read so much of its answer, 1 MiB at most if nothing else is said.

    Raises:
        httpx.HTTPError: the line broke; `outcome_of_failure` says what that means.
    """
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


def outcome_of_failure(error: httpx.HTTPError) -> Outcome:
    """Say what a broken call means: certainly not accepted, or maybe."""
    reason = f"the network could not be reached: {type(error).__name__}"
    if isinstance(error, CERTAINLY_NOT_SENT):
        return Outcome(Certainty.NOT_ACCEPTED, reason=reason)
    reason = f"the line broke: {type(error).__name__}"
    return Outcome(Certainty.MAYBE, reason=reason, may_still_arrive=True)

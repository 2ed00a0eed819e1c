"""The simulated network's stream: one post a line, an empty line while there is none."""

from collections.abc import AsyncGenerator

import httpx

from connectors.calls import HTTP_TOO_MANY
from connectors.json_pages import read_entry
from connectors.simulated_wire import post_from
from conversations.model import Post, Unreadable
from conversations.networks import Account, NetworkTrouble, Page

LONGEST_LINE = 16 * 1024 * 1024
SILENT_S = 40.0
"""The network keeps the line alive more often: one that is silent so long is dead."""

_TIMEOUT = httpx.Timeout(10.0, read=SILENT_S, connect=5.0)


async def pages_of_lines(
    client: httpx.AsyncClient, request: httpx.Request, account: Account
) -> AsyncGenerator[Page, None]:
    """Yield what each arrival of bytes completes; what is broken off comes again.

    Raises:
        NetworkTrouble: the network refused, or sends a line without end.
        httpx.HTTPError: the line broke.
    """
    request.extensions["timeout"] = _TIMEOUT.as_dict()
    response = await client.send(request, stream=True)
    try:
        if response.status_code == HTTP_TOO_MANY:
            yield Page(retry_after_s=_seconds(response.headers.get("retry-after", "")))
            return
        if response.status_code != 200:  # noqa: PLR2004
            raise NetworkTrouble(f"the stream was answered {response.status_code}")
        begun = b""
        async for chunk in response.aiter_bytes():
            *lines, begun = (begun + chunk).split(b"\n")
            if len(begun) > LONGEST_LINE:
                raise NetworkTrouble("the stream sent a line without end")
            if lines:
                yield _page(lines, account)
    finally:
        await response.aclose()


def _page(lines: list[bytes], account: Account) -> Page:
    """Understand whole lines; an empty one is a sign of life."""
    texts = [line.decode("utf-8", "replace") for line in lines if line.strip()]
    read = [post_from(read_entry(text), account) for text in texts]
    posts = [one for one in read if isinstance(one, Post)]
    return Page(posts=posts, unreadable=[one for one in read if isinstance(one, Unreadable)])


def _seconds(text: str) -> float:
    try:
        return max(0.0, float(text))
    except ValueError:
        return 1.0

"""Pictures, sounds and films of posts, fetched for the viewer: no browser calls a stranger."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Path, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import Connection

from api.auth import Caller
from api.context import ContextOf
from api.doorkeeper import Principal
from api.errors import Problem, not_found
from api.routes import READS_ONE, new_router, problems
from api.sight import viewer_of
from connectors.fetcher import Fetched, NotFetched, Refusal
from conversations.model import Visibility
from storage import media, reading

router = new_router("posts")

STATUSES = {Refusal.UNAVAILABLE: 502}
"""What is no refusal of ours; everything else is 409."""

PUBLIC_AGE_S = 300
ANY_MEDIA: dict[int | str, dict[str, Any]] = {
    200: {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}
}

PostId = Annotated[str, Path(max_length=64)]
Index = Annotated[int, Path(ge=0, lt=1_000)]


@dataclass(frozen=True, slots=True)
class _Medium:
    address: str
    is_private: bool


@router.get(
    "/posts/{post_id}/media/{index}",
    response_class=Response,
    responses={**ANY_MEDIA, **READS_ONE, **problems(409, 502)},
)
async def get_media(
    post_id: PostId, index: Index, context: ContextOf, caller: Caller
) -> StreamingResponse:
    """Fetch one piece of a post's media from where it is; Parley keeps no copy."""
    found = await context.database.read(lambda k: _find(k, caller, post_id, index))
    try:
        fetched = await context.fetcher.open(found.address)
    except NotFetched as reason:
        raise _problem(reason) from reason
    return StreamingResponse(
        _passed_on(fetched), media_type=fetched.media_type, headers=_headers(fetched, found, index)
    )


def _find(connection: Connection, caller: Principal, post_id: str, index: int) -> _Medium:
    row = media.of_post(connection, post_id)
    viewer = viewer_of(connection, caller)
    if row is None or not reading.is_visible(connection, row["conversation_id"], viewer):
        raise not_found("post", post_id)
    if index >= len(row["media"]):
        raise not_found("media", f"{index} of post {post_id}")
    is_private = row["visibility"] == Visibility.PRIVATE
    return _Medium(str(row["media"][index].get("url") or ""), is_private)


def _problem(reason: NotFetched) -> Problem:
    detail = f"the media cannot be shown: {reason}"
    return Problem(STATUSES.get(reason.refusal, 409), reason.refusal.value, detail)


def _headers(fetched: Fetched, found: _Medium, index: int) -> dict[str, str]:
    ending = fetched.media_type.partition("/")[2].partition("+")[0]
    name = f'filename="media-{index}.{ending}"'
    headers = file_headers(name, is_shown=fetched.is_shown, is_private=found.is_private)
    if fetched.length_bytes is not None:
        headers["Content-Length"] = str(fetched.length_bytes)
    return headers


def file_headers(name: str, *, is_shown: bool, is_private: bool) -> dict[str, str]:
    """Return headers under which nothing that is in the file runs, whatever it is."""
    return {
        "Content-Security-Policy": "sandbox; script-src 'none'; object-src 'none'",
        "Content-Disposition": f"{'inline' if is_shown else 'attachment'}; {name}",
        "Cache-Control": "no-store" if is_private else f"private, max-age={PUBLIC_AGE_S}",
    }


async def _passed_on(fetched: Fetched) -> AsyncIterator[bytes]:
    """Pass the body on; one that breaks off breaks off here too, so that nobody keeps half."""
    try:
        async for piece in fetched.pieces():
            yield piece
    except NotFetched as reason:
        raise _problem(reason) from reason
    finally:
        await fetched.aclose()

"""The account's posts as a stream of lines that never ends and resumes behind any post."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable

from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse

from simulated_network import accounts, posts
from simulated_network.answering import GARBAGE, meet
from simulated_network.brand_api import spoilt_page
from simulated_network.calling import CallingAccount, SinceId, TheWorld, id_number
from simulated_network.connection import ConnectionWasReset, reset
from simulated_network.model import Account, Post
from simulated_network.wire import encoded
from simulated_network.world import World, wait_for_ring

router = APIRouter(prefix="/api")

_PAGE_POSTS = 100


@router.get("/stream")
async def stream(
    request: Request, world: TheWorld, account: CallingAccount, since_id: SinceId = None
) -> Response:
    """One post a line (NDJSON), public and private; an empty line keeps the connection alive."""
    await meet(request, world.admit(account, "stream_connect"))
    if since_id is None:
        place = await world.read(lambda db: posts.inbox_end(db, account.id))
    else:
        since = id_number(since_id)
        place = await world.read(lambda db: posts.inbox_place(db, account, since))
    return StreamingResponse(
        _lines(request, world, account, place), media_type="application/x-ndjson"
    )


async def _lines(
    request: Request, world: World, account: Account, place: int
) -> AsyncIterator[bytes]:
    # The first line leaves at once, so that the reader knows that it listens.
    yield b"\n"
    while not world.closing.is_set():
        ring = world.bells[account.id].next_ring
        if not await _may_still_listen(world, account):
            return
        found = await world.read(_next_posts(account, place))
        if not found:
            if not await wait_for_ring(ring, timeout_s=world.keep_alive_s):
                yield b"\n"
            continue
        try:
            async for line in _lines_of(request, world, account, [post for _, post in found]):
                yield line
        except ConnectionWasReset:
            return
        place = found[-1][0]


async def _lines_of(
    request: Request, world: World, account: Account, page: list[Post]
) -> AsyncIterator[bytes]:
    hit = world.faults.hit(account.handle, "stream")
    await asyncio.sleep(hit.delay_ms / 1000)
    if hit.kind == "garbage":
        yield GARBAGE + b"\n"
    shapes = spoilt_page(world, hit, account, page)
    if hit.kind == "reset":
        # Half a line has left: what follows must be asked for again.
        yield encoded(shapes[0])[:20]
        await reset(request)
    for shape in shapes:
        yield encoded(shape) + b"\n"


def _next_posts(
    account: Account, place: int
) -> Callable[[sqlite3.Connection], list[tuple[int, Post]]]:
    return lambda db: posts.inbox_after(db, account, place, limit=_PAGE_POSTS)


async def _may_still_listen(world: World, account: Account) -> bool:
    now = await world.read(lambda db: accounts.account_by_token(db, account.token))
    return now is not None and now.id == account.id and not now.suspended

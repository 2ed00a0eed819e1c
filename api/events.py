"""The event stream: everything that happens, in one sequence, resumed where it was cut."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Header, Query, Request
from fastapi.responses import StreamingResponse

from api.auth import Caller
from api.context import Context, ContextOf
from api.errors import Problem, unprocessable
from api.feed import Stream, Wanted
from api.routes import READS, new_router
from storage import events

router = new_router("events")

KEEP_ALIVE_S = 15.0
RETRY_MS = 2_000
MOST_STREAMS = 5
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def _cursor(last_event_id: str | None, after: int | None) -> int | None:
    if last_event_id is None or not last_event_id.strip():
        return after
    if not last_event_id.strip().isdigit() or len(last_event_id) > 18:  # noqa: PLR2004 - digits of a bigint
        where = ["header", "Last-Event-ID"]
        raise unprocessable("unknown_cursor", where, "should be the id of an event")
    return int(last_event_id)


@router.get("/events", response_class=StreamingResponse, responses=READS)
async def stream_events(  # noqa: PLR0913, PLR0917 - one parameter a filter
    request: Request,
    context: ContextOf,
    caller: Caller,
    after: Annotated[int | None, Query(ge=0, le=2**62)] = None,
    types: Annotated[str | None, Query(max_length=2_000)] = None,
    workgroup_id: Annotated[str | None, Query(max_length=64)] = None,
    agent_id: Annotated[str | None, Query(max_length=64)] = None,
    last_event_id: Annotated[str | None, Header(max_length=50)] = None,
) -> StreamingResponse:
    """Follow events as `text/event-stream`; `Last-Event-ID` or `after` resumes without a gap."""
    cursor = _cursor(last_event_id, after)
    chosen = frozenset(t.strip() for t in (types or "").split(",") if t.strip())
    if agent_id == "me":
        agent_id = caller.agent_id
    if context.feed.streams_of(caller) >= MOST_STREAMS:
        raise Problem(429, "too_many_streams", f"a principal has at most {MOST_STREAMS} streams")
    stream = await context.feed.open(caller, Wanted(chosen, workgroup_id, agent_id))
    told = _frames(request, context, stream, cursor)
    return StreamingResponse(told, media_type="text/event-stream", headers=HEADERS)


async def _frames(
    request: Request, context: Context, stream: Stream, cursor: int | None
) -> AsyncIterator[bytes]:
    try:
        yield f"retry: {RETRY_MS}\n\n".encode()
        place = context.feed.head
        if cursor is not None:
            async for frame in _catch_up(context, stream, cursor, place):
                yield frame
        else:
            yield _alive(place)
        async for frame in _follow(request, context, stream, place):
            yield frame
    finally:
        context.feed.leave(stream)


async def _catch_up(
    context: Context, stream: Stream, cursor: int, until: int
) -> AsyncIterator[bytes]:
    """Send what was missed, from the table; a cursor that is too old is told to resync."""
    oldest = await context.database.read(events.oldest)
    if cursor and cursor + 1 < oldest:
        yield _resync(until)
        return
    while cursor < until:
        page = await context.feed.since(cursor, until)
        if not page:
            return
        cursor = page[-1].seq
        wanted = [told for told in page if stream.wanted.covers(told)]
        for told in await context.feed.may_see(stream.viewer, wanted):
            yield told.frame


async def _follow(
    request: Request, context: Context, stream: Stream, place: int
) -> AsyncIterator[bytes]:
    while not await request.is_disconnected():
        while stream.buffer:
            told = stream.buffer.popleft()
            if told.seq > place:
                place = told.seq
                yield told.frame
        if stream.ending is not None:
            yield _resync(context.feed.head) if stream.ending == "resync" else b": bye\n\n"
            return
        stream.wake.clear()
        try:
            async with asyncio.timeout(KEEP_ALIVE_S):
                await stream.wake.wait()
        except TimeoutError:
            place = max(place, context.feed.head)
            yield _alive(place)


def _alive(place: int) -> bytes:
    """Return a keep-alive that moves the reader's cursor on."""
    return f"id: {place}\n: alive\n\n".encode()


def _resync(head: int) -> bytes:
    return f'id: {head}\nevent: resync\ndata: {{"seq":{head},"type":"resync"}}\n\n'.encode()

"""The event stream: everything that happens, in one sequence, resumed where it was cut."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated

from fastapi import Header, Query, Request
from fastapi.responses import StreamingResponse
from starlette.types import Message, Send

from api.auth import Caller
from api.context import Context, ContextOf
from api.errors import Problem, unprocessable
from api.feed import Stream, Wanted
from api.routes import READS, new_router, problems
from storage import events

router = new_router("events")

KEEP_ALIVE_S = 15.0
RETRY_MS = 2_000
MOST_STREAMS = 5
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
SEND_TIMEOUT_S = 30.0
"""A viewer that takes nothing for so long is cut; it resumes where it was."""


class EventStream(StreamingResponse):
    """A stream whose every piece has to be taken within a bounded time."""

    def __init__(self, frames: AsyncGenerator[bytes]) -> None:
        super().__init__(frames, media_type="text/event-stream", headers=HEADERS)
        self._frames = frames

    async def stream_response(self, send: Send) -> None:
        """Send frame by frame, and leave the feed in any case."""

        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await send(message)

        try:
            await super().stream_response(send_in_time)
        finally:
            await self._frames.aclose()


def _cursor(last_event_id: str | None, after: int | None) -> int | None:
    if last_event_id is None or not last_event_id.strip():
        return after
    if not last_event_id.strip().isdigit() or len(last_event_id) > 18:  # noqa: PLR2004 - digits of a bigint
        where = ["header", "Last-Event-ID"]
        raise unprocessable("unknown_cursor", where, "should be the id of an event")
    return int(last_event_id)


@router.get("/events", response_class=StreamingResponse, responses=READS | problems(429))
async def stream_events(  # noqa: PLR0913, PLR0917 - one parameter a filter
    request: Request,
    context: ContextOf,
    caller: Caller,
    after: Annotated[int | None, Query(ge=0, le=2**62)] = None,
    types: Annotated[str | None, Query(max_length=2_000)] = None,
    workgroup_id: Annotated[str | None, Query(max_length=64)] = None,
    agent_id: Annotated[str | None, Query(max_length=64)] = None,
    presence: Annotated[bool, Query(description="Tell too who comes and goes, live only")] = False,  # noqa: FBT002 - a filter as the others
    last_event_id: Annotated[str | None, Header(max_length=50)] = None,
) -> StreamingResponse:
    """Follow events as `text/event-stream`; `Last-Event-ID` or `after` resumes without a gap."""
    cursor = _cursor(last_event_id, after)
    chosen = frozenset(t.strip() for t in (types or "").split(",") if t.strip())
    if agent_id == "me":
        agent_id = caller.agent_id
    if context.feed.streams_of(caller) >= MOST_STREAMS:
        raise Problem(429, "too_many_streams", f"a principal has at most {MOST_STREAMS} streams")
    wanted = Wanted(chosen, workgroup_id, agent_id, with_presence=presence)
    stream = await context.feed.open(caller, wanted)
    return EventStream(_frames(request, context, stream, cursor))


async def _frames(
    request: Request, context: Context, stream: Stream, cursor: int | None
) -> AsyncGenerator[bytes]:
    try:
        yield f"retry: {RETRY_MS}\n\n".encode()
        place = context.feed.head
        if cursor is None:
            yield _alive(place)
        elif not await _is_kept(context, cursor):
            yield _resync(place)
        else:
            async for frame in _missed(context, stream, cursor, place):
                yield frame
            place = max(place, cursor)
        async for frame in _follow(request, context, stream, place):
            yield frame
    finally:
        context.feed.leave(stream)


async def _is_kept(context: Context, cursor: int) -> bool:
    """Whether all that followed the cursor is there, and the cursor is of this database."""
    oldest, newest = await context.database.read(lambda k: (events.oldest(k), events.head(k)))
    return cursor == 0 or oldest - 1 <= cursor <= newest


async def _missed(
    context: Context, stream: Stream, cursor: int, until: int
) -> AsyncIterator[bytes]:
    """Send what was told after the cursor, up to a place, from the table."""
    while cursor < until and not stream.is_ending:
        page = await context.feed.since(cursor, until)
        if not page:
            return
        cursor = page[-1].seq
        for told in page:
            if stream.wanted.covers(told) and told.is_for(stream.viewer):
                yield told.frame


async def _follow(
    request: Request, context: Context, stream: Stream, place: int
) -> AsyncIterator[bytes]:
    while not await request.is_disconnected():
        if stream.is_behind:
            stream.is_behind, until = False, context.feed.head
            async for frame in _missed(context, stream, place, until):
                yield frame
            place = max(place, until)
        for told in stream.taken(place):
            place = told.seq
            yield told.frame
        for frame in stream.passed():
            yield frame
        if stream.is_ending:
            yield b": bye\n\n"
            return
        if not await stream.is_woken(KEEP_ALIVE_S):
            # Nothing lies in the buffer, so everything handed out so far was not for this viewer.
            place = max(place, context.feed.handed_out)
            yield _alive(place)


def _alive(place: int) -> bytes:
    """Return a keep-alive that moves the reader's cursor on."""
    return f"id: {place}\n: alive\n\n".encode()


def _resync(head: int) -> bytes:
    return f'id: {head}\nevent: resync\ndata: {{"seq":{head},"type":"resync"}}\n\n'.encode()

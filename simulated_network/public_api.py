"""The public page and what it asks for; whoever opens it may speak as any customer."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from starlette.responses import StreamingResponse

from simulated_network import accounts, posts, timeline, uploads
from simulated_network.bodies import HANDLE, PublicPageBody
from simulated_network.calling import TheWorld, id_number
from simulated_network.model import Post, Refusal
from simulated_network.wire import Json, party_json, post_json
from simulated_network.world import PUBLIC_PAGE, World, wait_for_ring

router = APIRouter()

_WEB = Path(__file__).parent / "web"


@router.get("/", include_in_schema=False)
@router.get("/posts/{post_id}", include_in_schema=False)
async def page() -> Response:
    return Response((_WEB / "page.html").read_bytes(), media_type="text/html; charset=utf-8")


@router.get("/favicon.ico", include_in_schema=False)
async def no_icon() -> Response:
    return Response(status_code=204)


@router.get("/page.js", include_in_schema=False)
async def script() -> Response:
    return Response((_WEB / "page.js").read_bytes(), media_type="text/javascript; charset=utf-8")


@router.get("/page.css", include_in_schema=False)
async def style() -> Response:
    return Response((_WEB / "page.css").read_bytes(), media_type="text/css; charset=utf-8")


@router.get("/media/{upload_id}", include_in_schema=False)
async def media(world: TheWorld, upload_id: str) -> Response:
    """Show a file that a brand has brought."""
    wanted = id_number(upload_id)
    found = await world.read(lambda db: uploads.find(db, wanted))
    if found is None:
        raise Refusal(404, "unknown_media", "there is no such file")
    return Response(found[1], media_type=found[0])


@router.get("/livez")
async def livez(world: TheWorld) -> Response:
    """Answers when the ledger does."""
    await world.read(lambda db: db.execute("SELECT 1").fetchone())
    return Json({"status": "ok"})


@router.get("/public/timeline")
async def show_timeline(
    world: TheWorld,
    handle: Annotated[str | None, Query(alias="as", pattern=HANDLE)] = None,
    post: Annotated[str | None, Query(max_length=40)] = None,
) -> Response:
    """Threads, newest first: all public ones, the one of a post, and the private ones of `as`."""
    if post is None:
        public = await world.read(timeline.public_threads)
    else:
        public = await world.read(lambda db: timeline.one_public_thread(db, id_number(post)))
    private = await world.read(lambda db: timeline.private_threads(db, handle) if handle else [])
    brands = await world.read(timeline.brands)
    people = await world.read(lambda db: accounts.people(db, limit=timeline.PEOPLE_SHOWN))
    return Json(
        {
            "threads": [_thread_json(world, thread) for thread in public],
            "direct_messages": [_thread_json(world, thread) for thread in private],
            "accounts": [party_json(account) for account in brands],
            "people": [party_json(person) for person in people],
        }
    )


@router.post("/public/posts", status_code=201)
async def write(world: TheWorld, body: PublicPageBody) -> Response:
    """Write as a customer."""
    draft = body.draft()
    post, _ = await world.write(lambda writing: posts.write_as_person(writing, body.handle, draft))
    return Json(post_json(post, viewer=None, base_url=world.base_url), 201)


@router.get("/public/events")
async def news(world: TheWorld) -> Response:
    """Server-sent events: `changed` whenever there is something new to see."""
    return StreamingResponse(_news(world), media_type="text/event-stream")


async def _news(world: World) -> AsyncIterator[bytes]:
    yield b"retry: 1000\n\n"
    while not world.closing.is_set():
        ring = world.bells[PUBLIC_PAGE].next_ring
        has_news = await wait_for_ring(ring, timeout_s=world.keep_alive_s)
        yield b"event: changed\ndata: {}\n\n" if has_news else b": still here\n\n"


def _thread_json(world: World, thread: list[Post]) -> dict[str, Any]:
    return {
        "root": str(thread[0].root),
        "posts": [post_json(post, viewer=None, base_url=world.base_url) for post in thread],
    }

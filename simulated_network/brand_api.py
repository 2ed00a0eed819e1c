"""What a brand's software calls: read what concerns the account, publish, look up."""

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from simulated_network import changes, posts, publishing, uploads
from simulated_network.answering import meet, meet_after_acceptance
from simulated_network.bodies import PublishBody, TextBody
from simulated_network.calling import (
    AskedPage,
    CallingAccount,
    PageQuery,
    SinceId,
    TheWorld,
    id_number,
)
from simulated_network.faults import Hit
from simulated_network.model import Account, Post, Refusal, Visibility
from simulated_network.wire import Json, account_json, post_json
from simulated_network.world import World

router = APIRouter(prefix="/api")


@router.get("/accounts/me")
async def me(account: CallingAccount) -> Response:
    return Json(account_json(account))


@router.get("/mentions")
async def mentions(
    request: Request,
    world: TheWorld,
    account: CallingAccount,
    asked: AskedPage,
    changes_since: SinceId = None,
) -> Response:
    """Public posts that name or answer the account, and its own; oldest first.

    With `changes_since` also what became of others' posts, private ones too.
    """
    hit = world.admit(account, "mentions")
    await meet(request, hit)
    return await _page(world, account, "public", _Wanted(asked, hit, changes_since))


@router.get("/direct_messages")
async def direct_messages(
    request: Request,
    world: TheWorld,
    account: CallingAccount,
    asked: AskedPage,
) -> Response:
    """Private posts to the account, and its own; oldest first."""
    hit = world.admit(account, "direct_messages")
    await meet(request, hit)
    return await _page(world, account, "private", _Wanted(asked, hit))


@router.post("/posts", status_code=201)
async def publish(
    request: Request, world: TheWorld, account: CallingAccount, body: PublishBody
) -> Response:
    """Publish a post; 201, or 200 when the account deduplicates and the reference is known."""
    hit = world.admit(account, "publish")
    await meet(request, hit)
    published = await world.write(
        lambda writing: publishing.publish(writing, account, body.draft(), fault=hit.kind)
    )
    await meet_after_acceptance(request, hit)
    shape = post_json(published.post, viewer=account, base_url=world.base_url)
    return Json(shape, status_code=201 if published.is_new else 200)


@router.post("/media", status_code=201)
async def upload(request: Request, world: TheWorld, account: CallingAccount) -> Response:
    """Keep the body as a file; 201 with what `media` of a post may name."""
    await meet(request, world.admit(account, "upload"))
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    content = await request.body()
    medium = await world.write(
        lambda writing: uploads.keep(writing, account, media_type, content, base_url=world.base_url)
    )
    return Json(medium, status_code=201)


@router.patch("/posts/{post_id}")
async def change_words(
    request: Request, world: TheWorld, account: CallingAccount, post_id: str, body: TextBody
) -> Response:
    """Give an own post other words; 200 with the post, however often."""
    await meet(request, world.admit(account, "change"))
    wanted = id_number(post_id)
    post = await world.write(
        lambda writing: changes.edit(
            writing, changes.own_post(writing.db, account, wanted), body.text
        )
    )
    return Json(post_json(post, viewer=account, base_url=world.base_url))


@router.delete("/posts/{post_id}", status_code=204)
async def take_back(
    request: Request, world: TheWorld, account: CallingAccount, post_id: str
) -> Response:
    """Take an own post back; 404 when it is not there any more."""
    await meet(request, world.admit(account, "change"))
    wanted = id_number(post_id)
    await world.write(
        lambda writing: changes.delete(writing, changes.own_post(writing.db, account, wanted))
    )
    return Response(status_code=204)


@router.get("/posts")
async def look_up_reference(
    request: Request,
    world: TheWorld,
    account: CallingAccount,
    reference: Annotated[str, Query(min_length=1, max_length=255)],
) -> Response:
    """Return the account's own earliest visible post with that reference, else 404."""
    await meet(request, world.admit(account, "lookup"))
    post = await world.read(lambda db: posts.first_with_reference(db, account, reference))
    return _found(world, account, post)


@router.get("/posts/{post_id}")
async def look_up_post(
    request: Request, world: TheWorld, account: CallingAccount, post_id: str
) -> Response:
    await meet(request, world.admit(account, "lookup"))
    wanted = id_number(post_id)
    post = await world.read(lambda db: posts.visible_post(db, account, wanted))
    return _found(world, account, post)


class _Wanted:
    """The page that a poll asks for, and the fault it meets."""

    def __init__(self, asked: PageQuery, hit: Hit, changes_since: str | None = None) -> None:
        self.since_id = asked.since_id or "0"
        self.limit = asked.limit
        self.hit = hit
        self.changes_since = changes_since


async def _page(
    world: World, account: Account, visibility: Visibility, wanted: _Wanted
) -> Response:
    since = id_number(wanted.since_id)
    found = await world.read(
        lambda db: posts.inbox_after(
            db,
            account,
            posts.inbox_place(db, account, since),
            limit=wanted.limit + 1,
            visibility=visibility,
        )
    )
    page = [post for _, post in found[: wanted.limit]]
    shape = {
        "posts": spoilt_page(world, wanted.hit, account, page),
        "next_since_id": str(page[-1].id) if page else wanted.since_id,
        "has_more": len(found) > wanted.limit,
    }
    return Json(shape | await _changes(world, account, wanted))


async def _changes(world: World, account: Account, wanted: _Wanted) -> dict[str, Any]:
    if wanted.changes_since is None:
        return {}
    since = id_number(wanted.changes_since)
    found = await world.read(lambda db: changes.after(db, account, since, limit=wanted.limit))
    return {
        "changes": [changes.change_json(change) for change in found],
        "next_changes_since": str(found[-1].place if found else since),
    }


def spoilt_page(
    world: World, hit: Hit, account: Account, page: Iterable[Post]
) -> list[dict[str, Any]]:
    """Return the page's posts, shuffled or repeated when the call meets such a fault."""
    shapes = [post_json(post, viewer=account, base_url=world.base_url) for post in page]
    if hit.kind == "reorder":
        world.faults.chance.shuffle(shapes)
    if hit.fault is not None and hit.kind == "duplicate":
        return [shape for shape in shapes for _ in range(hit.fault.times)]
    return shapes


def _found(world: World, account: Account, post: Post | None) -> Response:
    if post is None:
        raise Refusal(404, "unknown_post", "there is no such post, or none that is visible yet")
    return Json(post_json(post, viewer=account, base_url=world.base_url))

"""The other side of the mirror: set the world up, speak as customers, order faults, judge."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Discriminator, Tag

from simulated_network import accounts, changes, ledger, posts, publishing
from simulated_network.bodies import (
    AccountBody,
    AuthoredPostsBody,
    FaultBody,
    Handle,
    PersonBody,
    PersonPostBody,
    PersonPostsBody,
    ResetBody,
    ScriptBody,
    TextBody,
)
from simulated_network.calling import TheDeliveries, TheWorld, id_number
from simulated_network.database import Writing
from simulated_network.model import Draft, Post, Refusal
from simulated_network.wire import Json, account_json, author_json, ledger_json
from simulated_network.world import World

router = APIRouter(prefix="/control")

_After = Annotated[int, Query(ge=0, le=2**63 - 1)]
_Most = Annotated[int, Query(ge=1, le=100_000)]


def _one_or_many(value: Any) -> str:  # noqa: ANN401 - raw JSON
    is_bulk = isinstance(value, PersonPostsBody) or (isinstance(value, dict) and "posts" in value)
    return "many" if is_bulk else "one"


OneOrMany = Annotated[
    Annotated[PersonPostBody, Tag("one")] | Annotated[PersonPostsBody, Tag("many")],
    Discriminator(_one_or_many),
]


@router.put("/accounts/{handle}")
async def put_account(
    world: TheWorld, deliveries: TheDeliveries, handle: Handle, body: AccountBody
) -> Response:
    """Create an account (201) or change the named fields (200); the answer carries the token."""
    wanted = body.model_dump(mode="json", exclude_unset=True)
    account, is_new = await world.write(
        lambda writing: accounts.put_account(writing, handle, wanted)
    )
    await deliveries.look_for_accounts()
    return Json(account_json(account) | {"token": account.token}, 201 if is_new else 200)


@router.get("/accounts")
async def list_accounts(world: TheWorld) -> Response:
    found = await world.read(accounts.all_accounts)
    return Json({"accounts": [account_json(account) for account in found]})


@router.put("/people/{handle}")
async def put_person(world: TheWorld, handle: Handle, body: PersonBody) -> Response:
    wanted = body.model_dump(mode="json", exclude_unset=True)
    person, is_new = await world.write(lambda writing: accounts.put_person(writing, handle, wanted))
    return Json(author_json(person), 201 if is_new else 200)


@router.post("/people/{handle}/posts", status_code=201)
async def write_as_customer(world: TheWorld, handle: Handle, body: OneOrMany) -> Response:
    """Write one post or up to 500 as this customer, in one transaction."""
    if isinstance(body, PersonPostBody):
        draft = body.draft()
        post, is_new = await world.write(
            lambda writing: posts.write_as_person(writing, handle, draft)
        )
        return Json(ledger_json(post, base_url=world.base_url), 201 if is_new else 200)
    return await _bulk(world, [(handle, one.draft()) for one in body.posts])


@router.post("/posts", status_code=201)
async def write_as_customers(world: TheWorld, body: AuthoredPostsBody) -> Response:
    """Write up to 500 posts of many customers in the given order, in one transaction."""
    return await _bulk(world, [(one.author, one.draft()) for one in body.posts])


@router.patch("/posts/{post_id}")
async def change_words_as_customer(world: TheWorld, post_id: str, body: TextBody) -> Response:
    """Give any post other words, as its author."""
    wanted = id_number(post_id)
    post = await world.write(
        lambda writing: changes.edit(writing, _standing(writing, wanted), body.text)
    )
    return Json(ledger_json(post, base_url=world.base_url))


@router.delete("/posts/{post_id}", status_code=204)
async def take_back_as_customer(world: TheWorld, post_id: str) -> Response:
    """Take any post back, as its author."""
    wanted = id_number(post_id)
    await world.write(lambda writing: changes.delete(writing, _standing(writing, wanted)))
    return Response(status_code=204)


def _standing(writing: Writing, post_id: int) -> Post:
    post = posts.post_by_id(writing.db, post_id)
    if post is None or changes.is_deleted(writing.db, post_id):
        raise Refusal(404, "unknown_post", "there is no such post, or not any more")
    return post


@router.post("/scripts", status_code=201)
async def add_script(world: TheWorld, body: ScriptBody) -> Response:
    """Let a customer answer back when a brand speaks to them."""
    script_id = await world.write(lambda writing: publishing.add_script(writing, body.script()))
    return Json({"id": str(script_id), **body.model_dump()}, 201)


@router.get("/scripts")
async def list_scripts(world: TheWorld) -> Response:
    found = await world.read(publishing.scripts)
    return Json({"scripts": [{**script, "id": str(script["id"])} for script in found]})


@router.delete("/scripts", status_code=204)
async def remove_scripts(world: TheWorld) -> Response:
    await world.write(publishing.remove_scripts)
    return Response(status_code=204)


@router.post("/faults", status_code=201)
async def arm_fault(world: TheWorld, body: FaultBody) -> Response:
    fault = world.faults.arm(**body.model_dump())
    return Json(world.faults.shape(fault), 201)


@router.get("/faults")
async def list_faults(world: TheWorld) -> Response:
    return Json({"faults": world.faults.listing()})


@router.delete("/faults", status_code=204)
async def disarm_all(world: TheWorld) -> Response:
    world.faults.disarm_all()
    return Response(status_code=204)


@router.delete("/faults/{fault_id}", status_code=204)
async def disarm(world: TheWorld, fault_id: str) -> Response:
    if not world.faults.disarm(id_number(fault_id)):
        raise Refusal(404, "unknown_fault", "there is no such fault")
    return Response(status_code=204)


@router.get("/webhooks")
async def list_webhooks(deliveries: TheDeliveries) -> Response:
    return Json({"webhooks": await deliveries.listing()})


@router.get("/ledger")
async def show_ledger(
    world: TheWorld, after_call: _After = 0, after_place: _After = 0, limit: _Most = 10_000
) -> Response:
    """Every accepted publish call and every post ever made, in order."""
    calls = await world.read(lambda db: ledger.publishes_after(db, after_call, limit=limit))
    made = await world.read(lambda db: posts.all_after(db, after_place, limit=limit))
    return Json(
        {
            "publishes": calls,
            "posts": [ledger_json(post, base_url=world.base_url) for post in made],
            "deleted": await world.read(changes.deleted_ids),
            "next_after_call": calls[-1]["call"] if calls else after_call,
            "next_after_place": made[-1].place if made else after_place,
        }
    )


@router.get("/ledger/summary")
async def show_summary(world: TheWorld) -> Response:
    return Json(await world.read(ledger.summary))


@router.post("/reset", status_code=204)
async def reset(world: TheWorld, body: ResetBody) -> Response:
    """Empty the world; faults, limits and scripts go too."""
    await world.write(lambda writing: ledger.wipe(writing, keep_accounts=body.keep_accounts))
    world.faults.disarm_all()
    if body.seed is not None:
        world.faults.chance.seed(body.seed)
    world.rates.forget()
    return Response(status_code=204)


async def _bulk(world: World, wanted: list[tuple[str, Draft]]) -> Response:
    written = await world.write(lambda writing: _write_all(writing, wanted))
    return Json(
        {
            "created": sum(is_new for _, is_new in written),
            "ids": [str(post.id) for post, _ in written],
        },
        201,
    )


def _write_all(writing: Writing, wanted: list[tuple[str, Draft]]) -> list[tuple[Post, bool]]:
    written = []
    for index, (handle, draft) in enumerate(wanted):
        try:
            written.append(posts.write_as_person(writing, handle, draft))
        except Refusal as refusal:
            raise Refusal(
                refusal.status, refusal.code, f"posts[{index}]: {refusal.detail}"
            ) from refusal
    return written

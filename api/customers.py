"""Customers: who they are on the networks, and the agent who is their own."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query, Response
from pydantic import Field
from sqlalchemy import Connection, RowMapping

from api.auth import Caller
from api.context import ContextOf
from api.doorkeeper import Principal
from api.errors import not_found
from api.fields import Body, Id, Shape, SkillName, Stamp, rfc3339
from api.listing import Asked, Listing, listing
from api.routes import CHANGES, READS, READS_ONE, new_router
from api.setup import Patch, merge_patch_of, patched
from api.sight import viewer_of
from storage import customer_search, customers, reading
from storage.pages import Window
from storage.reading import ConversationFilters

router = new_router("customers")


Tag = SkillName
"""A tag is written as a skill is: neither blank nor beginning or ending with a space."""


class CustomerBody(Body):
    """What of a customer can be changed."""

    own_agent_id: Annotated[
        Id | None, Field(description="Waited for when nobody had the customer last")
    ] = None
    tags: Annotated[
        list[Tag], Field(max_length=50, description="Routing rules may look at them")
    ] = []


class IdentityShape(Shape):
    network: str
    external_id: str
    handle: str | None
    name: str | None
    avatar_url: str | None
    followers: int | None
    language: str | None
    location: str | None


class CustomerCardShape(Shape):
    id: str
    name: str | None
    own_agent_id: str | None
    tags: list[str]
    identities: list[IdentityShape]
    created_at: Stamp


def _card(connection: Connection, row: RowMapping) -> dict[str, Any]:
    return _cards(connection, [row])[0]


def _cards(connection: Connection, rows: Sequence[RowMapping]) -> list[dict[str, Any]]:
    faces = customers.faces_of(connection, [row["id"] for row in rows])
    return [_card_with(row, faces[row["id"]]) for row in rows]


def _card_with(row: RowMapping, faces: Sequence[RowMapping]) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("id", "name", "own_agent_id", "tags")},
        "identities": [{n: face[n] for n in IdentityShape.model_fields} for face in faces],
        "created_at": rfc3339(row["created_at"]),
    }


def _visible(connection: Connection, caller: Principal, customer_id: str) -> RowMapping:
    """Return a customer of whom the caller sees a conversation; a supervisor sees all.

    Raises:
        Problem: 404, there is none.
    """
    row = customers.get(connection, customer_id)
    if row is None:
        raise not_found("customer", customer_id)
    viewer = viewer_of(connection, caller)
    if viewer.workgroup_ids is None:
        return row
    theirs = ConversationFilters(customer_id=customer_id)
    if not reading.listed(connection, theirs, viewer, Window(limit=1)).conversations:
        raise not_found("customer", customer_id)
    return row


@router.get("/customers", response_model=Listing[CustomerCardShape], responses=READS)
async def list_customers(
    context: ContextOf,
    caller: Caller,
    window: Asked,
    q: Annotated[str, Query(max_length=200, description="Words of handle or name, or an id")] = "",
) -> dict[str, Any]:
    """List customers, the newest first; an agent finds those of whom it sees a conversation.

    With `q`, and for agents, a page looks at the next 2,000 customers: it may hold fewer than
    `limit`, or none, and have a `next_cursor` all the same. Whose whole handle or id is the one
    word comes on the first page, beside the others.
    """

    def read(connection: Connection) -> dict[str, Any]:
        found = customer_search.found(connection, q, viewer_of(connection, caller), window)
        return listing(_cards(connection, found.rows), found.next)

    return await context.database.read(read)


@router.get("/customers/{customer_id}", response_model=CustomerCardShape, responses=READS_ONE)
async def get_customer(customer_id: str, context: ContextOf, caller: Caller) -> dict[str, Any]:
    """Read a customer."""
    return await context.database.read(lambda k: _card(k, _visible(k, caller, customer_id)))


@router.patch(
    "/customers/{customer_id}",
    response_model=CustomerCardShape,
    responses=CHANGES,
    openapi_extra=merge_patch_of(CustomerBody),
)
async def change_customer(
    customer_id: str, patch: Patch, context: ContextOf, caller: Caller
) -> Response | dict[str, Any]:
    """Give a customer an own agent or tags; they count from the next conversation on."""

    def change(connection: Connection) -> dict[str, Any]:
        row = _visible(connection, caller, customer_id)
        present = {name: row[name] for name in CustomerBody.model_fields}
        body = patched(CustomerBody, present, patch)
        customers.set_own_agent(connection, customer_id, body.own_agent_id)
        customers.set_tags(connection, customer_id, list(dict.fromkeys(body.tags)))
        return _card(connection, _visible(connection, caller, customer_id))

    return await context.database.write(change)

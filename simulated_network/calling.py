"""Who is calling and in which world: the dependencies that every endpoint shares."""

from typing import Annotated

from fastapi import Depends, Header, Query, Request

from simulated_network import accounts
from simulated_network.deliveries import Deliveries
from simulated_network.ids import LARGEST_ID
from simulated_network.model import Account, Refusal
from simulated_network.world import World

SinceId = Annotated[str | None, Query(pattern=r"^(0|[1-9][0-9]{0,18})$")]
PageLimit = Annotated[int, Query(ge=1, le=500)]


class PageQuery:
    """Which page is asked for."""

    def __init__(self, since_id: SinceId = None, limit: PageLimit = 100) -> None:
        self.since_id = since_id
        self.limit = limit


AskedPage = Annotated[PageQuery, Depends()]


def _world(request: Request) -> World:
    world: World = request.app.state.world
    return world


def _deliveries(request: Request) -> Deliveries:
    deliveries: Deliveries = request.app.state.deliveries
    return deliveries


TheWorld = Annotated[World, Depends(_world)]
TheDeliveries = Annotated[Deliveries, Depends(_deliveries)]


async def _calling_account(
    world: TheWorld, authorization: Annotated[str | None, Header()] = None
) -> Account:
    scheme, _, token = (authorization or "").partition(" ")
    account = None
    if scheme.lower() == "bearer" and token:
        account = await world.read(lambda db: accounts.account_by_token(db, token.strip()))
    if account is None:
        raise Refusal(
            401,
            "unknown_token",
            "send `Authorization: Bearer TOKEN` of an account",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return account


CallingAccount = Annotated[Account, Depends(_calling_account)]


def id_number(text: str) -> int:
    """Return an id given in an address as a number; one that cannot exist is nobody's."""
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0  # noqa: PLR2004 - 63 bits have 19 digits
    return number if number <= LARGEST_ID else 0

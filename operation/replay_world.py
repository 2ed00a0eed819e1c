"""The floor of a replay: brands on the simulated network, channels, and agents to be scripted."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import httpx

from operation.caller import Caller, Json

WORKGROUP = "Replay"
AGENT_PREFIX = "replay-"
OFFER_TIMEOUT_S = 60
AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Place:
    """Where a running Parley and its simulated network are."""

    api_url: str
    admin_key: str
    network_url: str


@dataclass(frozen=True, slots=True)
class World:
    """What a replay plays with; `brands` are channel ids by the brand's handle."""

    api: Caller
    network: Caller
    workgroup_id: str
    brands: Mapping[str, str]
    agents: Mapping[str, Caller]

    def brand_of(self, channel_id: str) -> str | None:
        return next((brand for brand, own in self.brands.items() if own == channel_id), None)


async def set_up(
    client: httpx.AsyncClient, place: Place, brands: Collection[str], agents: int
) -> World:
    """Find or make everything, so that a replay can be repeated on the same data."""
    api = Caller(client, place.api_url, place.admin_key)
    network = Caller(client, place.network_url, "")
    workgroup = await api.found_or_made(
        "/workgroups", "name", {"name": WORKGROUP, "offer_timeout_s": OFFER_TIMEOUT_S}
    )
    turns = asyncio.Semaphore(AT_ONCE)

    async def channel(brand: str) -> tuple[str, str]:
        async with turns:
            account_id = await _account(api, network, place.network_url, brand)
            return brand, await _channel(api, account_id, workgroup["id"], brand)

    channels = dict(await asyncio.gather(*(channel(brand) for brand in sorted(brands))))
    callers = await _agents(client, place, api, workgroup["id"], agents)
    return World(api, network, workgroup["id"], channels, callers)


async def _account(api: Caller, network: Caller, network_url: str, brand: str) -> str:
    registered = await network.call("PUT", f"/control/accounts/{brand}", json={"name": brand})
    settings = {
        "url": network_url,
        "handle": brand,
        "account_id": registered["id"],
        "delivery": "stream",
    }
    secret = {"token": registered["token"]}
    wanted = {"name": f"{WORKGROUP}: {brand}", "network": "simulated", "settings": settings}
    account = await api.found_or_made("/accounts", "name", {**wanted, "credentials": secret})
    if account["settings"] != settings:
        moved = {"settings": settings, "credentials": secret}
        await api.call("PATCH", f"/accounts/{account['id']}", json=moved)
    return str(account["id"])


async def _channel(api: Caller, account_id: str, workgroup_id: str, brand: str) -> str:
    wanted = {
        "name": f"{WORKGROUP}: {brand}",
        "account_id": account_id,
        "workgroup_id": workgroup_id,
        "poll_interval_ms": 1000,
    }
    channel = await api.found_or_made("/channels", "name", wanted)
    return str(channel["id"])


async def _agents(
    client: httpx.AsyncClient, place: Place, api: Caller, workgroup_id: str, count: int
) -> dict[str, Caller]:
    """Return a caller for each agent by id, all on queue; those of a larger replay go off it."""
    usernames = [f"{AGENT_PREFIX}{number}" for number in range(1, count + 1)]
    for agent in await api.all("/agents"):
        is_ours = str(agent["username"]).startswith(AGENT_PREFIX)
        if is_ours and agent["username"] not in usernames:
            await put_status(api, agent["id"], "off_queue")
    callers: dict[str, Caller] = {}
    for username in usernames:
        wanted: Json = {"username": username, "name": username, "presence_lease": False}
        wanted["workgroups"] = [workgroup_id]
        agent = await api.found_or_made("/agents", "username", wanted)
        path = f"/agents/{agent['id']}/keys"
        key = await api.call("POST", path, is_repeated=False, json={})
        callers[agent["id"]] = Caller(client, place.api_url, key["key"])
        await put_status(api, agent["id"], "on_queue")
    return callers


async def put_status(api: Caller, agent_id: str, status: str) -> None:
    await api.call("PUT", f"/agents/{agent_id}/status", json={"routing_status": status})

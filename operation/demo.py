"""The demonstration: a small floor, a brand on the simulated network, and customers who wait."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from operation.caller import Caller, Json, new_client
from operation.demo_people import (
    ADMINISTRATOR,
    AGENTS,
    CARE,
    ONE_CLICK,
    SECOND_LINE,
    STAFF,
    password_of,
)

BRAND = "lamp_care"
CHANNEL = "Lamp care"
NETWORK = "simulated"
APPEARS_WITHIN_S = 20.0
NOTHING = "none"
"""What the API says of a password that there is not."""

WORKGROUPS: Sequence[Json] = (
    {
        "name": CARE,
        "offer_timeout_s": 120,
        # One public conversation at a time: whoever tries it out has one thing to look at.
        "utilization": {
            "social_conversation": {"percent": 50, "max": 1},
            "social_direct_message": {"percent": 25, "max": 2},
        },
    },
    {"name": SECOND_LINE, "offer_timeout_s": 120},
)
WAITING: Sequence[tuple[str, str, str]] = (
    (
        "1000000000000000001",
        "green_lamp_21",
        f"@{BRAND} my order 4711 should be here since Monday.",
    ),
    ("1000000000000000002", "night_owl_88", f"@{BRAND} the new lamp flickers at 50 %. Known?"),
    ("1000000000000000003", "porch_light", f"@{BRAND} can I change the address of an order?"),
)
"""Ids of their own: whoever asks for them again does not write them twice."""

ANSWERS: Mapping[str, Sequence[str]] = {
    "green_lamp_21": ("Thanks! The number on the parcel ends with 09.", "It has come. Thank you!"),
    "night_owl_88": ("Only with the dimmer, yes.", "That did it. You are fast!"),
    "porch_light": ("Great, it is number 4712.", "Perfect, thanks."),
}


async def prepare(
    api_url: str,
    admin_key: str,
    simulated_url: str,
    known: Mapping[str, Any] | None = None,
    *,
    control_url: str | None = None,
) -> Json:
    """Make the demonstration, return its keys and passwords; what is there stays as it is.

    `known` are the keys of an earlier call: a key is shown once, so only who has none gets one.
    """
    async with new_client() as client:
        network = Caller(client, control_url or simulated_url, "")
        demo = _Demo(Caller(client, api_url, admin_key), network)
        keys = await demo.prepare(simulated_url, known or {})
        made = {username: password_of(username, admin_key) for username in ONE_CLICK}
        await demo.give_passwords(made)
        return {**keys, "passwords": made}


class _Demo:
    """Finds or makes each part, so that it can be called again after any crash."""

    def __init__(self, api: Caller, network: Caller) -> None:
        self._api = api
        self._network = network
        self._workgroups: dict[str, str] = {}
        self._agents: dict[str, str] = {}

    async def prepare(self, simulated_url: str, known: Mapping[str, Any]) -> Json:
        keys = await self.people(known)
        channel_id = await self.channel(simulated_url)
        await self.customers()
        await self.wait_for_posts(channel_id)
        return keys

    async def people(self, known: Mapping[str, Any]) -> Json:
        """Return keys for everybody, making workgroups and people that are not there."""
        for workgroup in WORKGROUPS:
            made = await self._api.found_or_made("/workgroups", "name", workgroup)
            self._workgroups[workgroup["name"]] = made["id"]
        keys: Json = {}
        for username, what in STAFF.items():
            keys[username] = await self._key(username, what, known.get(username))
        known_agents = known.get("agents", {})
        keys["agents"] = {
            username: await self._key(username, self._placed(what), known_agents.get(username))
            for username, what in AGENTS.items()
        }
        return keys

    def _placed(self, agent: Json) -> Json:
        return {**agent, "workgroups": [self._workgroups[name] for name in agent["workgroups"]]}

    async def _key(self, username: str, what: Json, known: str | None) -> str:
        wanted = {"username": username, "name": username, **what}
        agent = await self._api.found_or_made("/agents", "username", wanted)
        self._agents[username] = agent["id"]
        if known:
            return known
        made = await self._api.call(
            "POST", f"/agents/{agent['id']}/keys", is_repeated=False, json={}
        )
        return str(made["key"])

    async def give_passwords(self, made: Mapping[str, str]) -> None:
        """Give a password to whoever has none; one that somebody chose stays."""
        for username, password in made.items():
            if username == ADMINISTRATOR:
                if (await self._api.get("/session"))["password"] == NOTHING:
                    await self._api.call("PUT", "/session/password", json={"new": password})
                continue
            path = f"/agents/{self._agents[username]}/password"
            if (await self._api.get(path))["state"] == NOTHING:
                await self._api.call("PUT", path, json={"password": password})

    async def channel(self, simulated_url: str) -> str:
        """Return the brand's channel; its account follows the network to another port."""
        brand = await self._network.call(
            "PUT", f"/control/accounts/{BRAND}", json={"name": "Lamp care"}
        )
        settings = {
            "url": simulated_url,
            "handle": BRAND,
            "account_id": brand["id"],
            "delivery": "stream",
        }
        credentials = {"token": brand["token"]}
        account = await self._api.found_or_made(
            "/accounts",
            "name",
            {
                "name": CHANNEL,
                "network": NETWORK,
                "settings": settings,
                "credentials": credentials,
            },
        )
        if account["settings"].get("url") != simulated_url:
            moved = {"settings": settings, "credentials": credentials}
            await self._api.call("PATCH", f"/accounts/{account['id']}", json=moved)
        channel = await self._api.found_or_made(
            "/channels",
            "name",
            {
                "name": CHANNEL,
                "account_id": account["id"],
                "workgroup_id": self._workgroups[CARE],
                "poll_interval_ms": 1000,
            },
        )
        return str(channel["id"])

    async def customers(self) -> None:
        """Let three customers wait, who answer back when they are answered."""
        scripts = (await self._network.get("/control/scripts"))["scripts"]
        scripted = {script["customer"] for script in scripts}
        for post_id, handle, text in WAITING:
            path = f"/control/people/{handle}/posts"
            await self._network.post(path, {"id": post_id, "text": text})
            if handle not in scripted:
                answers = list(ANSWERS[handle])
                script = {
                    "customer": handle,
                    "account": BRAND,
                    "answers": answers,
                    "delay_ms": 2_500,
                    "at_most": len(answers),
                }
                await self._network.post("/control/scripts", script)

    async def wait_for_posts(self, channel_id: str) -> None:
        """Let the listener hear them, so that they wait when the welcome is printed."""
        gives_up_at = time.monotonic() + APPEARS_WITHIN_S
        while time.monotonic() < gives_up_at:
            found = await self._api.get("/conversations", channel_id=channel_id)
            if len(found["items"]) >= len(WAITING):
                return
            await asyncio.sleep(0.2)

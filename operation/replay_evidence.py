"""Collect what a replay is judged by: the network's ledger, and what Parley tells of itself."""

import asyncio
from collections.abc import Collection
from datetime import datetime

from operation.caller import Json
from operation.replay_checks import (
    Evidence,
    LedgerPost,
    SeenConversation,
    SeenReply,
    brands_reached,
)
from operation.replay_world import World

AT_ONCE = 8


async def collect(world: World, *, accepted: Collection[str], played: Collection[str]) -> Evidence:
    """Read everything about the replay's brands, from this run and from earlier ones."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def seen(conversation: Json) -> SeenConversation:
        async with turns:
            path = f"/conversations/{conversation['id']}/timeline"
            return _seen(world, conversation, await world.api.all(path))

    listed = await world.api.all("/conversations", workgroup_id=world.workgroup_id)
    conversations = await asyncio.gather(*(seen(one) for one in listed))
    return Evidence(
        brands=frozenset(world.brands),
        ledger=await _ledger(world),
        conversations=conversations,
        accepted=frozenset(accepted),
        played=frozenset(played),
        quarantined=len(await _quarantined(world)),
    )


async def _ledger(world: World) -> list[LedgerPost]:
    brands = {brand.casefold(): brand for brand in world.brands}
    found: list[LedgerPost] = []
    place = 0
    while True:
        page = await world.network.get("/control/ledger", after_place=place)
        posts = page["posts"]
        if not posts:
            return [post for post in found if post.brands or post.author in world.brands]
        found += [
            LedgerPost(
                post["id"],
                post["author"]["handle"],
                post["text"],
                brands_reached(post["author"]["handle"], post["mentions"], brands),
                post["reference"],
            )
            for post in posts
        ]
        place = page["next_after_place"]


async def _quarantined(world: World) -> list[Json]:
    pieces = await world.api.all("/quarantine")
    ours = set(world.brands.values())
    return [piece for piece in pieces if piece["channel_id"] in ours]


def _seen(world: World, conversation: Json, timeline: list[Json]) -> SeenConversation:
    replies = [entry["reply"] for entry in timeline if entry["kind"] == "reply"]
    return SeenConversation(
        id=conversation["id"],
        brand=world.brand_of(conversation["channel_id"]) or "",
        state=conversation["state"],
        post_count=conversation["post_count"],
        wait_s=_wait_s(conversation),
        posts=tuple(e["post"]["external_id"] for e in timeline if e["kind"] == "post"),
        replies=tuple(
            SeenReply(
                reply["id"],
                conversation["id"],
                reply["text"],
                reply["state"],
                reply["external_id"],
                reply["reason"],
            )
            for reply in replies
        ),
    )


def _wait_s(conversation: Json) -> float | None:
    """Return how long the customer waited for an agent."""
    if conversation["connected_at"] is None:
        return None
    began = datetime.fromisoformat(conversation["created_at"])
    return (datetime.fromisoformat(conversation["connected_at"]) - began).total_seconds()

"""The measurements by name, and the order in which they run."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from bench import (
    claims,
    commands,
    events,
    history,
    ingest,
    lifecycles,
    listening,
    matches,
    offers,
    open_conversations,
    pages,
    statistics,
)
from bench.instance import Parley, own_parley
from bench.sizes import Sizes

Measure: TypeAlias = Callable[[Parley, Sizes], Awaitable[dict[str, float]]]
Say: TypeAlias = Callable[[str], None]

MEASURES: Mapping[str, Measure] = {
    "ingest": ingest.measure,
    "lifecycles": lifecycles.measure,
    "history": history.measure,
    "offers": offers.measure,
    "commands": commands.measure,
    "events": events.measure,
    "open": open_conversations.measure,
    "statistics": statistics.measure,
    "pages": pages.measure,
}
CLAIMS, MATCHES, LISTENING = "claims", "matches", "listening"
NAMES = (*MEASURES, CLAIMS, MATCHES, LISTENING)


@dataclass(frozen=True, slots=True)
class Databases:
    """The PostgreSQL server that was given, and whether Parley itself is to run on it."""

    server_url: str | None = None
    is_parleys: bool = False


async def repetitions(
    name: str, sizes: Sizes, databases: Databases, say: Say
) -> list[dict[str, float]]:
    """Measure so many times, each time on a Parley that has just been set up."""
    found: list[dict[str, float]] = []
    for number in range(sizes.repeats):
        say(f"{number + 1} of {sizes.repeats}")
        found.append(await _once(name, sizes, databases))
    return found


async def _once(name: str, sizes: Sizes, databases: Databases) -> dict[str, float]:
    if name == CLAIMS:
        return await _claims(sizes, databases.server_url)
    if name == MATCHES:
        return await matches.measure(databases.server_url, sizes.matches)
    if name == LISTENING:
        return await listening.measure(databases.server_url, sizes.listening)
    measure = MEASURES[name]
    if databases.server_url is None or not databases.is_parleys:
        async with own_parley() as parley:
            return await measure(parley, sizes)
    async with (
        claims.fresh_database(databases.server_url) as database_url,
        own_parley(database_url) as parley,
    ):
        return await measure(parley, sizes)


async def _claims(sizes: Sizes, server_url: str | None) -> dict[str, float]:
    found = {"claims.sqlite": await claims.on_sqlite(sizes.claim_agents)}
    if server_url is not None:
        found["claims.postgresql"] = await claims.on_postgresql(server_url, sizes.claim_agents)
    return found

"""`parley.py explain`: decision records told to people, each evaluated again."""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from operation.caller import Away, Caller, Json, Refused, new_client


def _time_of_day(moment_ms: float) -> str:
    return datetime.fromtimestamp(moment_ms / 1000, UTC).strftime("%H:%M:%S") if moment_ms else "-"


WORDS: dict[str, tuple[str, Callable[[float], str]]] = {
    "not_preferred": ("preferred", lambda value: "no" if value else "yes"),
    "lacking_skill": ("skill fit", lambda value: f"{-value:g}"),
    "load_percent": ("load", lambda value: f"{value:g} %"),
    "idle_since": ("idle since", _time_of_day),
    "offered_at": ("last offered", _time_of_day),
    "distance_km": ("distance", lambda value: f"{value:g} km"),
}
OUTCOMES = {
    "chosen": "was chosen",
    "also_offered": "was offered it beside the chosen",
    "waited_for": "was waited for",
    "runner_up": "was eligible, and stood behind the chosen",
    "further_back": "was eligible, and stood further back",
    "not_eligible": "was not eligible",
    "not_there": "was not there",
}


def explain(conversation_id: str, agent: str | None, folder: Path) -> int:
    """Print the decisions about a conversation; 1 when one does not come out again, else 0."""
    found = _door(folder)
    if found is None:
        print(
            f"No Parley is described in {folder / 'run.json'}. Start one there with `up`, name its"
            " folder with --data, or set PARLEY_API_URL and PARLEY_KEY.",
            file=sys.stderr,
        )
        return 2
    try:
        return asyncio.run(_explain(*found, conversation_id, agent))
    except (Refused, Away, httpx.HTTPError) as error:
        print(error, file=sys.stderr)
        return 2


def _door(folder: Path) -> tuple[str, str] | None:
    """Return the API's address and a key: from the environment, else from run.json."""
    url, key = os.environ.get("PARLEY_API_URL"), os.environ.get("PARLEY_KEY")
    if url and key:
        return url, key
    try:
        run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return run["api_url"], run["keys"]["admin"]


async def _explain(url: str, key: str, conversation_id: str, agent: str | None) -> int:
    async with new_client() as client:
        caller = Caller(client, url, key, patience_s=5.0)
        agents = await caller.all("/agents")
        names = {each["id"]: each["username"] for each in agents}
        ids = {each["username"]: each["id"] for each in agents}
        if agent is not None and agent not in names and agent not in ids:
            print(f"there is no agent {agent}: give an id or a username", file=sys.stderr)
            return 2
        decisions = await caller.all(
            f"/conversations/{conversation_id}/decisions",
            evaluate="true",
            agent_id=ids.get(agent, agent) if agent else None,
        )
    for line in told(decisions, names):
        print(line)
    evaluated = (each["evaluated"] for each in decisions if each["evaluated"])
    return 0 if all(each["is_reproduced"] for each in evaluated) else 1


def told(decisions: list[Json], names: dict[str, str]) -> Iterator[str]:
    """Yield the lines that tell the decisions to people."""
    if not decisions:
        yield "Nothing was decided about this conversation yet."
    for decision in decisions:
        yield f"{decision['at']}  {_headline(decision, names)}"
        yield from (f"    {line}" for line in _body(decision, names))


def _headline(decision: Json, names: dict[str, str]) -> str:
    if decision["kind"] == "rules":
        fired = decision["rules"].get("fired") or []
        return f"routing rules: {', '.join(fired) if fired else 'none applied'}"
    if decision["kind"] == "named":
        chosen = decision["chosen"]["agent_id"]
        return f"given to {names.get(chosen, chosen)} by hand"
    if decision["chosen"]:
        others = [names.get(a["agent_id"], a["agent_id"]) for a in decision["also_offered"]]
        beside = f", and beside to {', '.join(others)}" if others else ""
        chosen = decision["chosen"]["agent_id"]
        return f"offered to {names.get(chosen, chosen)}{beside}"
    waited_for = decision["waits_for_agent_id"]
    if waited_for:
        return f"waits for {names.get(waited_for, waited_for)}, who lacks only room"
    return "found nobody"


def _body(decision: Json, names: dict[str, str]) -> Iterator[str]:
    if decision["kind"] == "rules":
        return
    yield f"score {decision['score']:g}, ring {decision['ring']}, {decision['candidates']} agents"
    for reason, count in sorted((decision["filtered"] or {}).items()):
        yield f"{count} {reason.replace('_', ' ')}"
    placed = [decision["chosen"]] if decision["chosen"] else []
    for number, ranked in enumerate([*placed, *decision["also_offered"], *decision["runners_up"]]):
        name = names.get(ranked["agent_id"], ranked["agent_id"])
        yield f"{number + 1}. {name}: {_placed(ranked['order'])}"
    evaluated = decision["evaluated"]
    if decision["kind"] == "named":
        return
    if evaluated is None:
        yield "what it was made from is not kept: not evaluated again"
        return
    if evaluated["agent"]:
        yield _meant(evaluated["agent"], names)
    comes_out = "comes out the same, byte for byte"
    yield f"evaluated again: {comes_out if evaluated['is_reproduced'] else 'COMES OUT DIFFERENTLY'}"


def _placed(order: dict[str, Any]) -> str:
    parts = []
    for key, value in order.items():
        word, shown = WORDS.get(key, (key, str))
        parts.append(f"{word} {shown(value)}")
    return ", ".join(parts)


def _meant(agent: Json, names: dict[str, str]) -> str:
    name = names.get(agent["agent_id"], agent["agent_id"])
    because = f": {', '.join(r.replace('_', ' ') for r in agent['reasons'])}"
    placed = f": {_placed(agent['order'])}" if agent["order"] else ""
    return f"{name} {OUTCOMES[agent['outcome']]}{because if agent['reasons'] else placed}"

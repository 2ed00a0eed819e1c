"""`parley.py explain`: what decisions say, in people's words, and whether they come out again."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from operation.explain import explain, told
from tests.api.conftest import ADMIN_KEY, admin, floor, http, settings
from tests.api.streaming import Served, served

__all__ = ["admin", "floor", "http", "served", "settings"]

AT = "2026-01-31T12:00:00.000Z"
NAMES = {"ag_1": "kim", "ag_2": "robin"}
PLACED = {
    "not_preferred": 0,
    "lacking_skill": -90,
    "load_percent": 25,
    "idle_since": 1_750_000_000_000,
    "offered_at": 0,
    "distance_km": 12.5,
}


def decision(**fields: Any) -> dict[str, Any]:
    return {
        "kind": "match",
        "at": AT,
        "score": 51.5,
        "ring": 0,
        "candidates": 3,
        "filtered": {},
        "chosen": None,
        "also_offered": [],
        "runners_up": [],
        "waits_for_agent_id": None,
        "rules": None,
        "evaluated": {"is_reproduced": True, "agent": None},
    } | fields


def placed(agent_id: str, **order: float) -> dict[str, Any]:
    return {"agent_id": agent_id, "order": order or {"load_percent": 0}}


def test_nothing_decided_is_said_too() -> None:
    assert list(told([], {})) == ["Nothing was decided about this conversation yet."]


def test_an_offer_is_told_with_places_and_counts() -> None:
    made = decision(
        chosen={"agent_id": "ag_1", "order": PLACED},
        runners_up=[placed("ag_2", load_percent=50)],
        filtered={"missing_skill": 1, "not_on_queue": 2},
    )

    assert list(told([made], NAMES)) == [
        f"{AT}  offered to kim",
        "    score 51.5, ring 0, 3 agents",
        "    1 missing skill",
        "    2 not on queue",
        (
            "    1. kim: preferred yes, skill fit 90, load 25 %, idle since 15:06:40,"
            " last offered -, distance 12.5 km"
        ),
        "    2. robin: load 50 %",
        "    evaluated again: comes out the same, byte for byte",
    ]


@pytest.mark.parametrize(
    ("fields", "headline"),
    [
        ({}, "found nobody"),
        ({"waits_for_agent_id": "ag_2"}, "waits for robin, who lacks only room"),
        ({"waits_for_agent_id": "ag_9"}, "waits for ag_9, who lacks only room"),
        (
            {"chosen": placed("ag_1"), "also_offered": [placed("ag_2")]},
            "offered to kim, and beside to robin",
        ),
        ({"kind": "rules", "rules": {"fired": []}}, "routing rules: none applied"),
        ({"kind": "rules", "rules": {"fired": ["vip", "de"]}}, "routing rules: vip, de"),
    ],
)
def test_each_kind_of_decision_has_its_headline(fields: dict[str, Any], headline: str) -> None:
    assert next(told([decision(**fields)], NAMES)) == f"{AT}  {headline}"


@pytest.mark.parametrize(
    ("agent", "line"),
    [
        (
            {"outcome": "not_eligible", "reasons": ["missing_skill", "capacity"], "order": None},
            "robin was not eligible: missing skill, capacity",
        ),
        (
            {"outcome": "runner_up", "reasons": [], "order": {"load_percent": 50}},
            "robin was eligible, and stood behind the chosen: load 50 %",
        ),
        ({"outcome": "not_there", "reasons": [], "order": None}, "robin was not there"),
    ],
)
def test_what_it_meant_for_one_agent_is_told(agent: dict[str, Any], line: str) -> None:
    evaluated = {"is_reproduced": True, "agent": {"agent_id": "ag_2", **agent}}

    assert f"    {line}" in told([decision(evaluated=evaluated)], NAMES)


def test_a_decision_that_comes_out_differently_is_cried_out() -> None:
    evaluated = {"is_reproduced": False, "agent": None}

    assert "    evaluated again: COMES OUT DIFFERENTLY" in told(
        [decision(evaluated=evaluated)], NAMES
    )


def test_what_is_kept_no_more_is_said_so() -> None:
    assert "    what it was made from is not kept: not evaluated again" in told(
        [decision(evaluated=None)], NAMES
    )


def test_without_a_parley_it_says_where_to_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PARLEY_API_URL", raising=False)

    assert explain("cv_1", None, tmp_path) == 2

    assert "run.json" in capsys.readouterr().err


async def test_a_running_parley_is_asked_and_explains(
    served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    floor = served.floor
    best = await floor.agent()
    opened = await floor.open("customer")
    away = await (await floor.agent(on_queue=False)).ok("GET", "/agents/me")
    mine = await best.ok("GET", "/agents/me")
    run = {"api_url": f"{served.url}/api/v1", "keys": {"admin": ADMIN_KEY}}
    (tmp_path / "run.json").write_text(json.dumps(run))

    for named in (mine["username"], mine["id"]):
        assert await asyncio.to_thread(explain, opened, named, tmp_path) == 0
        said = capsys.readouterr().out
        assert f"offered to {mine['username']}" in said
        assert f"{mine['username']} was chosen" in said
        assert "comes out the same, byte for byte" in said

    assert await asyncio.to_thread(explain, opened, away["id"], tmp_path) == 0
    assert f"{away['username']} was not there" in capsys.readouterr().out

    assert await asyncio.to_thread(explain, "cv_unknown", None, tmp_path) == 2
    assert "404" in capsys.readouterr().err

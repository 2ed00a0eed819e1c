"""The committed description is the one that the code gives; what comes later is not in it."""

import json
import re
from pathlib import Path

from api.openapi import document

COMMITTED = Path(__file__).parents[2] / "openapi.json"
LATER = ("campaigns",)


def test_the_committed_description_is_current() -> None:
    assert COMMITTED.read_text() == document(), "run: python parley.py openapi > openapi.json"


def test_what_comes_later_is_not_described() -> None:
    paths = json.loads(COMMITTED.read_text())["paths"]

    assert not [path for path in paths for word in LATER if word in path]


def test_operation_ids_are_unique_and_begin_with_a_verb() -> None:
    paths = json.loads(COMMITTED.read_text())["paths"]
    ids = [one["operationId"] for path in paths.values() for one in path.values()]

    assert len(ids) == len(set(ids))
    assert all(name[0].islower() and name.isalnum() for name in ids)


def test_every_reference_leads_somewhere() -> None:
    text = COMMITTED.read_text()
    known = set(json.loads(text)["components"]["schemas"])

    assert set(re.findall(r"#/components/schemas/(\w+)", text)) <= known

"""A replay on the real thing: every post arrives, every answer is said once, whoever dies."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.operation.real import ROOT, RealUp, clean_environment

EXAMPLES = ROOT / "examples" / "care-conversations.jsonl"


def replay(file: Path, *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "parley.py", "replay", str(file), *options],
        cwd=ROOT,
        env=clean_environment() | {"COLUMNS": "100"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def figures(said: str) -> dict[str, str]:
    """Read the table at the end."""
    rows = [line.strip("│ ").split("│") for line in said.splitlines() if line.startswith("│")]
    return {name.strip(): value.strip() for name, value in rows}


@pytest.mark.timeout(240)
def test_recordings_are_played_on_a_parley_of_their_own_and_nothing_is_lost(tmp_path: Path) -> None:
    some = tmp_path / "some.jsonl"
    some.write_text("\n".join(EXAMPLES.read_text(encoding="utf-8").splitlines()[:12]))

    process = replay(some, "--speed", "1000", "--agents", "3", "--data", str(tmp_path / "data"))
    said, _ = process.communicate(timeout=220)

    assert process.returncode == 0, said
    table = figures(said)
    assert (table["lost"], table["doubled"]) == ("0", "0")
    assert int(table["posts"]) == int(table["conversations"]) + int(table["follow-ups joined"])
    assert int(table["replies"]) >= 12
    assert not (tmp_path / "data" / "run.json").exists()


def test_a_file_that_is_no_recording_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text('{"company": 7}\n')

    process = replay(tmp_path / "bad.jsonl")
    said, _ = process.communicate(timeout=50)

    assert process.returncode == 1
    assert "line 1" in said
    assert "Traceback" not in said


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("victim", ["worker", "api", "temporal"])
def test_nothing_is_lost_or_doubled_when_one_is_killed_every_5_s(
    tmp_path: Path, victim: str
) -> None:
    up = RealUp(tmp_path / "data", "--no-demo")
    up.start()
    process = replay(EXAMPLES, "--speed", "120", "--data", str(up.folder))
    try:
        kills = 0
        while process.poll() is None:
            time.sleep(5)
            kills += up.kill(victim)
        said, _ = process.communicate()
        assert process.returncode == 0, said
        assert kills > 1
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
        up.stop()

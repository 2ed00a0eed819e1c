import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from tests.markdown import ROOT, blocks
from tests.ports import free_port

README = ROOT / "README.md"
CONNECTING = ROOT / "docs" / "connecting.md"
COMMANDED = (README, CONNECTING, ROOT / "docs" / "operating.md")
LONGEST = 200
DEFAULT_PORT = "127.0.0.1:8000"
READY_WITHIN_S = 120


def commands(*documents: Path) -> list[str]:
    """Return every command line of the documents' sh blocks."""
    joined = "\n".join(block for one in documents for block in blocks(one, "sh"))
    return [line.strip() for line in joined.splitlines() if line.strip()]


def has_curl(block: str) -> bool:
    return bool(re.search(r"\bcurl\b|\bfield\(\)|\bkill\b", block))


def test_it_is_short() -> None:
    assert len(README.read_text().splitlines()) <= LONGEST


def test_the_table_of_directories_names_every_package() -> None:
    text = README.read_text()
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    rows = set(re.findall(r"`(\w+)/`", "\n".join(re.findall(r"^\| `.*$", text, re.MULTILINE))))

    assert packages <= rows
    assert {name for name in rows if not (ROOT / name).is_dir()} == set()


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {n for one in COMMANDED for n in re.findall(r"\bmake ([a-z-]+)\b", one.read_text())}

    assert {"run", "test"} <= named <= targets


def test_every_command_of_parley_and_its_options_exist() -> None:
    lines = [line for line in commands(*COMMANDED) if "parley.py" in line]
    assert lines

    for line in lines:
        words = shlex.split(line)
        command = words[words.index("parley.py") + 1 :]
        asked = subprocess.run(
            [sys.executable, "parley.py", command[0], "--help"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert asked.returncode == 0, line
        for option in (word for word in command if word.startswith("--")):
            assert option in asked.stdout, line


def test_every_compose_file_and_profile_exists() -> None:
    lines = [line for line in commands(*COMMANDED) if line.startswith("docker compose")]
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    profiles = {name for service in services.values() for name in service.get("profiles", [])}

    assert lines
    assert {"demo", "production"} <= profiles
    for line in lines:
        for file in re.findall(r"--env-file (\S+)", line):
            assert (ROOT / f"{file}.example").exists(), line


def called(documents: tuple[Path, ...]) -> Iterator[tuple[str, str]]:
    """Yield method and path of every curl call, its variables as `{}`."""
    text = "\n".join(block for one in documents for block in blocks(one, "sh"))
    for call in re.findall(r"curl .*?(?=\n[A-Z]+=|\ncurl|\Z)", text, re.DOTALL):
        path = re.search(r'"\$API(/[^"?]*)', call)
        assert path, call
        method = "POST" if "--json" in call else "GET"
        if given := re.search(r"-X (\w+)", call):
            method = given[1]
        yield method, re.sub(r"\$\w+|\bme\b", "{}", path[1])


def test_every_curl_call_is_in_the_contract() -> None:
    paths = json.loads((ROOT / "openapi.json").read_text())["paths"]
    known = {
        (method.upper(), re.sub(r"\{\w+\}", "{}", path.removeprefix("/api/v1")))
        for path, methods in paths.items()
        for method in methods
    }

    made = set(called((README, CONNECTING)))
    assert len(made) >= 8
    assert made <= known


@contextmanager
def running_parley(folder: Path) -> Iterator[str]:
    """Start `up` with its demonstration on ports of its own; return the API's host and port."""
    port, temporal_port = free_port(), free_port()
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PARLEY_", "TEMPORAL_"))}
    options = ["--data", str(folder), "--port", str(port), "--temporal-port", str(temporal_port)]
    with (folder.parent / "up.log").open("w") as log:
        up = subprocess.Popen(
            [sys.executable, "parley.py", "up", *options],
            cwd=ROOT,
            env=clean,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            deadline = time.monotonic() + READY_WITHIN_S
            while not (folder / "run.json").exists():
                assert up.poll() is None, (folder.parent / "up.log").read_text()
                assert time.monotonic() < deadline, "not ready in time"
                time.sleep(0.1)
            yield f"127.0.0.1:{port}"
        finally:
            up.terminate()
            up.wait(60)


@pytest.mark.long
@pytest.mark.parametrize(
    ("document", "said"),
    [
        (README, ("connected", "lamp_1 was chosen", "comes out the same, byte for byte")),
        (CONNECTING, ("Does it also dance?",)),
    ],
    ids=["README", "connecting"],
)
def test_the_curl_examples_do_what_they_say(
    document: Path, said: tuple[str, ...], tmp_path: Path
) -> None:
    folder = tmp_path / "var"
    with running_parley(folder) as address:
        script = "\n".join(block for block in blocks(document, "sh") if has_curl(block))
        script = script.replace(DEFAULT_PORT, address).replace("var/run.json", f"{folder}/run.json")
        done = subprocess.run(
            ["bash", "-eu", "-c", script],
            cwd=ROOT,
            env={**os.environ, "PARLEY_DATA_DIR": str(folder)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert done.returncode == 0, done.stderr
    assert [words for words in said if words not in done.stdout] == []

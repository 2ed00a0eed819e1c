"""Whatever the description allows, and much that it does not: never a 5xx."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.api.streaming import Served, served  # noqa: F401 - a fixture


async def fuzz(served: Served, folder: Path, examples: int, *phases: str) -> None:  # noqa: F811
    """Run schemathesis on every operation but the endless stream."""
    await served.floor.connect("customer")
    everything = await served.floor.agent("admin", "agent")
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{served.url}/openapi.json"]
    command += ["--header", f"Authorization: Bearer {everything.key}"]
    command += ["--checks", "not_a_server_error", "--max-examples", str(examples)]
    command += ["--exclude-path", "/api/v1/events", "--phases", ",".join(phases)]
    command += ["--seed", "7", "--generation-database", "none", "--no-color"]
    run = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=folder,
    )
    said, _ = await run.communicate()

    assert run.returncode == 0, said.decode()[-4_000:]


@pytest.mark.timeout(180)
async def test_a_short_fuzz_finds_no_server_error(served: Served, tmp_path: Path) -> None:  # noqa: F811
    await fuzz(served, tmp_path, 4, "coverage", "fuzzing")


@pytest.mark.long
@pytest.mark.timeout(3_600)
async def test_a_long_fuzz_finds_no_server_error(served: Served, tmp_path: Path) -> None:  # noqa: F811
    await fuzz(served, tmp_path, 200, "examples", "coverage", "fuzzing", "stateful")

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from temporalio.client import Client

from operation import temporal_program
from operation.temporal_program import (
    NoTemporalProgram,
    cached_program,
    find_program,
    obtain_program,
)
from operation.temporal_server import (
    WrongSearchAttribute,
    dev_server_command,
    register_search_attributes,
)
from tests.operation.running import eventually, free_port
from workflows.addresses import SEARCH_ATTRIBUTES


def program(path: Path, script: str = "exit 0") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Make a machine without any `temporal`, and without network."""
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", f"{tmp_path}/cache")

    async def refuse(_: Path) -> None:
        raise RuntimeError("no network")

    monkeypatch.setattr(temporal_program, "_start_once", refuse)
    return tmp_path


def test_the_program_on_the_path_wins_over_the_cached_one(nothing: Path) -> None:
    program(cached_program())
    assert find_program() == cached_program()

    on_path = program(nothing / "bin" / "temporal")
    assert find_program() == on_path


def test_it_is_built_with_go_when_it_cannot_be_downloaded(nothing: Path) -> None:
    program(nothing / "bin" / "go", 'echo "$@" > "$GOBIN/temporal"')
    said: list[str] = []

    obtained = obtain_program(said.append)

    assert obtained == cached_program()
    assert obtained.read_text() == f"install {temporal_program.GO_MODULE}\n"
    assert os.access(obtained, os.X_OK)
    assert "3 to 5 minutes" in "\n".join(said)
    assert list(obtained.parent.iterdir()) == [obtained]


def test_without_any_way_the_choices_are_named(nothing: Path) -> None:
    program(nothing / "bin" / "go", "echo 'go: too old' >&2; exit 1")
    said: list[str] = []

    with pytest.raises(NoTemporalProgram) as refused:
        obtain_program(said.append)

    for choice in ("TEMPORAL_ADDRESS", "PATH", "Go 1.25", str(cached_program())):
        assert choice in str(refused.value)
    assert "go: too old" in said[-1]
    assert find_program() is None


async def is_healthy(port: int) -> bool:
    """Whether the server answers: it listens before it is ready."""
    try:
        await Client.connect(f"127.0.0.1:{port}")
    except RuntimeError:
        return False
    return True


@contextmanager
def dev_server(monkeypatch: pytest.MonkeyPatch, *options: str) -> Iterator[None]:
    """Run a bare dev server, and point TEMPORAL_ADDRESS at it."""
    found = find_program()
    assert found, "scripts/setup gets the program"
    port = free_port()
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{port}")
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", os.devnull)
    command = [str(found), "server", "start-dev", "--ip", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen([*command, "--headless", "--log-level", "error", *options])
    try:
        eventually(lambda: asyncio.run(is_healthy(port)))
        yield
    finally:
        server.kill()
        server.wait()


def test_an_external_server_gets_the_search_attributes_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with dev_server(monkeypatch):
        assert asyncio.run(register_search_attributes()) == sorted(SEARCH_ATTRIBUTES)
        assert asyncio.run(register_search_attributes()) == []


def test_a_search_attribute_of_another_type_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        dev_server(monkeypatch, "--search-attribute", "ParleyAgent=Int"),
        pytest.raises(WrongSearchAttribute, match="ParleyAgent"),
    ):
        asyncio.run(register_search_attributes())


def test_our_own_server_is_durable_local_and_knows_the_search_attributes(tmp_path: Path) -> None:
    line = " ".join(dev_server_command(Path("temporal"), database=tmp_path / "t.db", port=7233))

    assert "--ip 127.0.0.1 --port 7233 --ui-port 8233" in line
    assert f"--db-filename {tmp_path}/t.db" in line
    for option in (
        "--sqlite-pragma journal_mode=wal",
        "--sqlite-pragma synchronous=normal",
        "--dynamic-config-value system.enableActivityEagerExecution=true",
        "--search-attribute ParleyState=Keyword",
    ):
        assert option in line

"""Where a replay plays: a running `up`, or one of its own, with a simulated network beside it."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from operation.caller import Json
from operation.children import Children, Program
from operation.ports import answers_ok, first_free, is_free
from operation.refusals import OperationRefused
from operation.replay_world import Place

ROOT = Path(__file__).resolve().parent.parent
READY_WITHIN_S = 300.0
LOOK_EVERY_S = 0.2
UP_GRACE_S = 45.0
NETWORK_GRACE_S = 5.0
FIRST_PORT, LAST_PORT = 20_000, 29_000
UI_PORT_OFFSET = 1_000


class NoPlace(OperationRefused):
    """There is no running Parley and none could be started; the message says why."""


@asynccontextmanager
async def place(folder: Path) -> AsyncIterator[Place]:
    """Find what runs on the folder, or start it; what was started here is stopped here."""
    log_folder = folder / "logs"
    log_folder.mkdir(parents=True, exist_ok=True)
    children = Children(work_folder=ROOT, log_folder=log_folder, say=_say, on_restart=lambda: None)
    try:
        run = await running(folder)
        if run is None:
            await _start_up(children, folder)
            run = await _ready(children, folder)
        network_url = run.get("simulated_network_url")
        if network_url is None:
            network_url = await _start_network(children, folder)
        yield Place(run["api_url"], run["keys"]["admin"], network_url)
    finally:
        for name in ("replay-up", "replay-network"):
            await children.stop(name)


async def running(folder: Path) -> Json | None:
    """Return run.json when what it names answers."""
    try:
        run: Json = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        port = urlsplit(run["api_url"]).port
    except (OSError, ValueError, KeyError):
        return None
    return run if port and await answers_ok(port, "/readyz") else None


async def _start_up(children: Children, folder: Path) -> None:
    port, temporal_port = _free_ports()
    command = (sys.executable, "parley.py", "up", "--no-demo", "--data", str(folder))
    ports = ("--port", str(port), "--temporal-port", str(temporal_port))
    await children.start(Program("replay-up", (*command, *ports), os.environ, UP_GRACE_S))


async def _ready(children: Children, folder: Path) -> Json:
    gives_up_at = time.monotonic() + READY_WITHIN_S
    while (run := await running(folder)) is None:
        children.refuse_dying("replay-up", allowed_deaths=2)
        if time.monotonic() > gives_up_at:
            log = children.log("replay-up")
            raise NoPlace(f"Parley is not ready after {READY_WITHIN_S:.0f} s. See {log}")
        await asyncio.sleep(LOOK_EVERY_S)
    return run


async def _start_network(children: Children, folder: Path) -> str:
    port = first_free(FIRST_PORT + os.getpid() % 5_000)
    command = (sys.executable, "-m", "simulated_network", "--port", str(port))
    state = ("--state", str(folder / "simulated"))
    program = Program("replay-network", (*command, *state), os.environ, NETWORK_GRACE_S)
    await children.start(program)
    gives_up_at = time.monotonic() + READY_WITHIN_S
    while not await answers_ok(port, "/livez"):
        children.refuse_dying("replay-network", allowed_deaths=2)
        if time.monotonic() > gives_up_at:
            raise NoPlace(f"The simulated network does not start. See {children.log(program.name)}")
        await asyncio.sleep(LOOK_EVERY_S)
    return f"http://127.0.0.1:{port}"


def _free_ports() -> tuple[int, int]:
    """Return a port for the API with room behind it, and one for Temporal."""
    for port in range(FIRST_PORT + os.getpid() % 5_000, LAST_PORT, 10):
        near = (port, port + 1, port + 2, port + 5, port + 5 + UI_PORT_OFFSET)
        if all(is_free(number) for number in near):
            return port, port + 5
    raise NoPlace("There are no free ports.")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)

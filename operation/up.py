"""`up`: everything on one machine, from one command, until Ctrl-C."""

import asyncio
import fcntl
import json
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from operation.announcement import run_facts, welcome
from operation.check_config import load_settings
from operation.children import Children, Program
from operation.demo_people import ONE_CLICK
from operation.environment import (
    API_GRACE_S,
    WORKER_GRACE_S,
    Addresses,
    shared_environment,
    without_secrets,
)
from operation.ports import (
    LOOPBACK,
    PortTaken,
    accepts_connections,
    answers_ok,
    first_free,
    require_free,
)
from operation.refusals import OperationRefused
from operation.run_file import (
    Json,
    forget_run,
    read_keys,
    secret_key_file,
    write_keys,
    write_run,
)
from operation.schema_check import is_surely_at_head
from operation.temporal_program import obtain_program
from operation.temporal_server import (
    UI_PORT_OFFSET,
    dev_server_command,
    is_external,
    register_search_attributes,
)

ROOT = Path(__file__).resolve().parent.parent
READY_WITHIN_S = 90.0
PROBE_EVERY_S = 0.05
DEATHS_BEFORE_READY = 3
TEMPORAL_GRACE_S = 8
SIMULATED_GRACE_S = 3
EXTRA_GRACE_S = 2
"""Above the child's own grace; all of them together stay below 40 s."""

DEMO_NETWORK = "simulated_network_url"
"""In keys.json: the network that the demonstration was made for."""

STOP_ORDER = ("worker", "api", "temporal", "simulated")


@dataclass(frozen=True, slots=True)
class Options:
    """What the user may choose."""

    folder: Path
    api_port: int
    temporal_port: int
    demo: bool


@dataclass(frozen=True, slots=True)
class Parts:
    """What `up` starts and calls; `{port}` and `{folder}` are filled in. Tests replace them."""

    temporal: Callable[[Path, int], tuple[str, ...]]
    api: tuple[str, ...]
    worker: tuple[str, ...]
    simulated: tuple[str, ...]
    migrate: Callable[[str], None]
    prepare_demo: Callable[[str, str, str, Json], Awaitable[Json]]
    work_folder: Path = ROOT


def own_parts() -> Parts:
    """Name Parley's own programs."""
    python = sys.executable
    api = (python, "-m", "uvicorn", "api.main:create_app", "--factory", "--host", LOOPBACK)
    grace = ("--timeout-graceful-shutdown", str(API_GRACE_S))
    simulated = (python, "-m", "simulated_network", "--port", "{port}", "--state")
    return Parts(
        temporal=_temporal_command,
        api=(*api, "--port", "{port}", "--no-access-log", *grace),
        worker=(python, "worker.py"),
        simulated=(*simulated, "{folder}/simulated"),
        migrate=_migrate,
        prepare_demo=_prepare_demo,
    )


def up(options: Options, parts: Parts | None = None) -> int:
    """Run until a signal; answer the exit code."""
    try:
        _prepare_folder(options.folder)
        with _only_one(options.folder):
            return asyncio.run(_Up(options, parts or own_parts()).run())
    except OperationRefused as error:
        print(error, file=sys.stderr)
    return 1


class AlreadyRunning(OperationRefused):
    """Another `up` holds the folder."""


class UnusableFolder(OperationRefused):
    """The data folder cannot be written to."""


class NotReady(OperationRefused):
    """Something does not become ready; the message names its log."""


class _Up:
    def __init__(self, options: Options, parts: Parts) -> None:
        self._options = options
        self._parts = parts
        self._is_ready = False
        self._keys: Json = {}
        self._children = Children(
            work_folder=parts.work_folder,
            log_folder=options.folder / "logs",
            say=_say,
            on_restart=self._write_run,
        )

    async def run(self) -> int:
        forget_run(self._options.folder)
        stop = self._listen_for_signals()
        starting = asyncio.create_task(self._start())
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({starting, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                await stopped
            _say("Stopping …")
            return 0
        finally:
            starting.cancel()
            stopped.cancel()
            await asyncio.wait({starting, stopped})
            forget_run(self._options.folder)
            for name in STOP_ORDER:
                await self._children.stop(name)

    def _listen_for_signals(self) -> asyncio.Event:
        stop = asyncio.Event()

        def heard() -> None:
            if stop.is_set():  # impatient: the second signal
                self._children.kill()
            stop.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, heard)
        return stop

    async def _start(self) -> None:
        started = time.monotonic()
        options, folder = self._options, self._options.folder
        self._addresses = await self._choose_addresses()
        self._keys = read_keys(folder)
        shared = shared_environment(
            os.environ, self._addresses, folder=folder, secret_key=secret_key_file(folder)
        )
        os.environ.update(shared)  # settings and Temporal's configuration are read from there
        settings = load_settings()
        if self._addresses.is_temporal_ours:
            await self._start_temporal()
        else:
            await self._prepare_external_temporal()
        # Temporal starts meanwhile. In a thread, because a migration may need a loop of its own.
        await asyncio.to_thread(self._parts.migrate, settings.database_url.get_secret_value())
        await self._start_programs(shared)
        await self._all_become_ready()
        if options.demo and not self._is_demo_made():
            await self._prepare_demo()
        self._is_ready = True
        self._write_run()
        _say(welcome(self._addresses, folder, demo=options.demo, in_s=time.monotonic() - started))

    async def _choose_addresses(self) -> Addresses:
        options = self._options
        await require_free(options.api_port, purpose="API and desk", option="--port")
        temporal = {options.temporal_port, options.temporal_port + UI_PORT_OFFSET}
        worker_port = first_free(options.api_port + 1, but=temporal)
        wished = options.api_port + 2
        simulated_port = first_free(wished, but=temporal) if options.demo else None
        if is_external(os.environ):
            address = os.environ["TEMPORAL_ADDRESS"]
            ui_url = os.environ.get("PARLEY_TEMPORAL_UI_URL")
            return Addresses(
                options.api_port,
                worker_port,
                simulated_port,
                address,
                ui_url,
                is_temporal_ours=False,
            )
        ui_port = options.temporal_port + UI_PORT_OFFSET
        if options.api_port in (options.temporal_port, ui_port):
            taken = f"Port {options.api_port} is meant for the API and for Temporal or its web UI."
            raise PortTaken(f"{taken} Choose another: --port N or --temporal-port N")
        for port, purpose in ((options.temporal_port, "Temporal"), (ui_port, "Temporal's web UI")):
            await require_free(port, purpose=purpose, option="--temporal-port")
        return Addresses(
            options.api_port,
            worker_port,
            simulated_port,
            f"{LOOPBACK}:{options.temporal_port}",
            f"http://{LOOPBACK}:{ui_port}",
            is_temporal_ours=True,
        )

    async def _start_temporal(self) -> None:
        # To get the program may take minutes, and it has a loop of its own: not in this one.
        command = await asyncio.to_thread(
            self._parts.temporal, self._options.folder, self._options.temporal_port
        )
        environment = without_secrets(os.environ)
        await self._children.start(Program("temporal", command, environment, TEMPORAL_GRACE_S))

    async def _prepare_external_temporal(self) -> None:
        try:
            await register_search_attributes()
        except RuntimeError as error:
            address = self._addresses.temporal_address
            raise NotReady(f"Temporal at TEMPORAL_ADDRESS={address}: {error}") from error

    async def _start_programs(self, shared: dict[str, str]) -> None:
        parts = self._parts
        api = {**shared, "PARLEY_BOOTSTRAP_ADMIN_KEY": self._keys["admin"]}
        # Never from outside: a variable that is left over must not open a door.
        one_click = ONE_CLICK if self._options.demo else ()
        api["PARLEY_DEMO_USERNAMES"] = json.dumps(one_click)
        port = self._addresses.api_port
        await self._start_program("api", parts.api, port, api, API_GRACE_S + EXTRA_GRACE_S)
        port = self._addresses.worker_port
        await self._start_program(
            "worker", parts.worker, port, shared, WORKER_GRACE_S + EXTRA_GRACE_S
        )
        if self._addresses.simulated_port:
            stranger = without_secrets(shared)
            port = self._addresses.simulated_port
            await self._start_program(
                "simulated", parts.simulated, port, stranger, SIMULATED_GRACE_S
            )

    async def _start_program(
        self,
        name: str,
        command: tuple[str, ...],
        port: int,
        environment: dict[str, str],
        grace_s: float,
    ) -> None:
        folder = str(self._options.folder)
        filled = tuple(part.format(port=port, folder=folder) for part in command)
        await self._children.start(Program(name, filled, environment, grace_s))

    async def _all_become_ready(self) -> None:
        # They load while Temporal starts: all are waited for together, in the order of need.
        ports = self._addresses
        if ports.is_temporal_ours:
            temporal_port = self._options.temporal_port
            await self._become_ready("temporal", lambda: accepts_connections(temporal_port))
        await self._become_ready("api", lambda: answers_ok(ports.api_port, "/readyz"))
        await self._become_ready("worker", lambda: answers_ok(ports.worker_port, "/readyz"))
        if ports.simulated_port:
            simulated_port = ports.simulated_port
            await self._become_ready("simulated", lambda: accepts_connections(simulated_port))

    async def _become_ready(self, name: str, probe: Callable[[], Awaitable[bool]]) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while not await probe():
            self._children.refuse_dying(name, allowed_deaths=DEATHS_BEFORE_READY)
            if time.monotonic() > deadline:
                log = self._children.log(name)
                raise NotReady(f"{name} is not ready after {READY_WITHIN_S:.0f} s. See {log}")
            await asyncio.sleep(PROBE_EVERY_S)

    def _is_demo_made(self) -> bool:
        is_of_this_network = self._keys.get(DEMO_NETWORK) == self._addresses.simulated_url
        return is_of_this_network and "passwords" in self._keys

    async def _prepare_demo(self) -> None:
        """Make the demonstration, or tell it that its network has another port now."""
        admin_key, network = self._keys["admin"], self._addresses.simulated_url or ""
        # Not in a thread: nobody could stop it, and it would wait for those who are stopped.
        demo_keys = await self._parts.prepare_demo(
            self._addresses.api_url, admin_key, network, self._keys
        )
        self._keys = {**demo_keys, "admin": admin_key, DEMO_NETWORK: network}
        write_keys(self._options.folder, self._keys)

    def _write_run(self) -> None:
        if self._is_ready:
            keys = dict(self._keys) if self._options.demo else {"admin": self._keys["admin"]}
            keys.pop(DEMO_NETWORK, None)
            passwords = keys.pop("passwords", {})
            facts = run_facts(self._addresses, self._children.pids(), keys)
            write_run(self._options.folder, {**facts, "passwords": passwords})


def _prepare_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / "logs").mkdir(exist_ok=True)
        (folder / "up.lock").touch()
    except OSError as error:
        raise UnusableFolder(
            f"Cannot write to {folder} ({error.strerror}). Choose another folder: --data DIR"
        ) from error


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    with (folder / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(
                f"Parley already runs on {folder}. Stop it first, or choose another --data DIR."
            ) from error
        yield


def _say(line: str) -> None:
    print(line, flush=True)


def _temporal_command(folder: Path, port: int) -> tuple[str, ...]:
    program = obtain_program(_say)
    return dev_server_command(program, database=folder / "temporal.db", port=port)


def _migrate(database_url: str) -> None:
    if is_surely_at_head(database_url):
        return
    from storage.schema import upgrade  # noqa: PLC0415  # a second of imports

    upgrade(database_url)


async def _prepare_demo(api_url: str, admin_key: str, simulated_url: str, known: Json) -> Json:
    from operation.demo import prepare  # noqa: PLC0415  # only the demonstration needs it

    return await prepare(api_url, admin_key, simulated_url, known)

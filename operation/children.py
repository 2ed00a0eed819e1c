"""Supervised child processes: restarted when they die, stopped in order, gone when `up` is gone."""

import asyncio
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from operation.refusals import OperationRefused

BACKOFF_S = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
STEADY_AFTER_S = 30.0
"""A child that lived this long is forgiven its earlier deaths."""

LOG_KEPT_BYTES = 10 * 1024 * 1024
TAIL_BYTES = 2000
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Program:
    """What runs, with which environment, and how long it may take to stop."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    stop_grace_s: float


@dataclass(slots=True)
class _Child:
    program: Program
    process: asyncio.subprocess.Process
    started_at_s: float
    deaths: int = 0
    keeper: asyncio.Task[None] | None = field(default=None, repr=False)


class ChildKeepsDying(OperationRefused):
    """A program ends again and again before it is ready; the message ends with its last words."""


class Children:
    """The processes of one `up`.

    Must live in the thread that lives longest, the main one: Linux binds the parent-death signal
    to the thread that started the child.
    """

    def __init__(
        self,
        *,
        work_folder: Path,
        log_folder: Path,
        say: Callable[[str], None],
        on_restart: Callable[[], None],
    ) -> None:
        self._work_folder = work_folder
        self._log_folder = log_folder
        self._say = say
        self._on_restart = on_restart
        self._children: dict[str, _Child] = {}

    def pids(self) -> dict[str, int]:
        return {name: child.process.pid for name, child in self._children.items()}

    def log(self, name: str) -> Path:
        return self._log_folder / f"{name}.log"

    async def start(self, program: Program) -> None:
        """Start it and keep it alive until `stop`."""
        _shorten(self.log(program.name))
        child = _Child(program, await self._spawn(program), time.monotonic())
        self._children[program.name] = child
        child.keeper = asyncio.create_task(self._keep_alive(child))

    def refuse_dying(self, name: str, *, allowed_deaths: int) -> None:
        """Raise when the child died more often than is worth waiting for.

        Raises:
            ChildKeepsDying: with the end of its log.
        """
        child = self._children[name]
        if child.deaths > allowed_deaths:
            log = self.log(name)
            raise ChildKeepsDying(
                f"{name} ended {child.deaths} times before it was ready. "
                f"The end of {log}:\n{_tail(log)}"
            )

    async def stop(self, name: str) -> None:
        """Ask it to end; end it when it does not within its grace."""
        child = self._children.get(name)
        if child is None:
            return
        if child.keeper:
            child.keeper.cancel()
            await asyncio.wait([child.keeper])
        await self._end(child)
        del self._children[name]

    def kill(self) -> None:
        """End all of them at once."""
        for child in self._children.values():
            if child.keeper:
                child.keeper.cancel()
            if child.process.returncode is None:
                child.process.kill()

    async def _end(self, child: _Child) -> None:
        process, grace_s = child.process, child.program.stop_grace_s
        if process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), grace_s)
        except TimeoutError:
            self._say(f"{child.program.name} did not stop within {grace_s:.0f} s: killed.")
            process.kill()
            await process.wait()

    async def _keep_alive(self, child: _Child) -> None:
        while True:
            code = await child.process.wait()
            if time.monotonic() - child.started_at_s > STEADY_AFTER_S:
                child.deaths = 0
            pause_s = BACKOFF_S[min(child.deaths, len(BACKOFF_S) - 1)]
            child.deaths += 1
            name = child.program.name
            self._say(f"{name} ended ({_cause(code)}); starting it again. See {self.log(name)}")
            await asyncio.sleep(pause_s)
            await self._replace(child)
            child.started_at_s = time.monotonic()
            self._on_restart()

    async def _replace(self, child: _Child) -> None:
        spawning = asyncio.ensure_future(self._spawn(child.program))
        try:
            child.process = await asyncio.shield(spawning)
        except asyncio.CancelledError:
            # `stop` came meanwhile: a process that nobody knows could not be stopped.
            child.process = await spawning
            raise

    async def _spawn(self, program: Program) -> asyncio.subprocess.Process:
        with self.log(program.name).open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *program.command,
                cwd=self._work_folder,
                env=dict(program.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C in a terminal is for `up` alone, which then stops the others in order.
                process_group=0,
                preexec_fn=_die_with_parent(os.getpid()),
            )


def _die_with_parent(parent: int) -> Callable[[], None] | None:
    """Make the kernel kill the child when `up` is killed; elsewhere than on Linux it stays."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl  # looked up before the fork, only called after

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # died in between
            os._exit(1)

    return ask


def _cause(code: int) -> str:
    if code >= 0:
        return f"exit {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def _shorten(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_KEPT_BYTES:
        log.replace(log.with_suffix(".log.1"))


def _tail(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL_BYTES))
        return file.read().decode(errors="replace").strip()

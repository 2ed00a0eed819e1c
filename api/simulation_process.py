"""Runs a simulation in a process of its own: the API goes on answering, and a limit is kept."""

import asyncio
import os
import pickle
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, TypeVar

from acd.what_if import Comparison, Setting, Traffic, compare

T = TypeVar("T")

ROOT = Path(__file__).parent.parent
PAGE = 500
"""So much is packed at once: a longer step would hold up everything else in the process."""

NICENESS = 5
END = "end"


class SimulationFailed(Exception):
    """The process ended without an answer."""


async def compare_apart(traffic: Traffic, settings: Sequence[Setting]) -> Comparison:
    """Compare in another process, which ends when this is cancelled.

    Raises:
        SimulationFailed: it ended without an answer.
    """
    packed = await asyncio.to_thread(lambda: b"".join(_packed(traffic, settings)))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "api.simulation_process",
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        said, _ = await process.communicate(packed)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise SimulationFailed(f"the simulation ended with {process.returncode}")
    comparison: Comparison = pickle.loads(said)  # noqa: S301 - what our own process wrote
    return comparison


def _packed(traffic: Traffic, settings: Sequence[Setting]) -> Iterator[bytes]:
    """Pack in pages: each is one short step."""
    scripts = list(traffic.scripts.items())
    yield pickle.dumps((replace(traffic, arrivals=(), states=(), scripts={}), settings))
    for name, whole in (
        ("arrivals", traffic.arrivals),
        ("states", traffic.states),
        ("scripts", scripts),
    ):
        for start in range(0, len(whole), PAGE):
            yield pickle.dumps((name, list(whole[start : start + PAGE])))
    yield pickle.dumps((END, []))


def _unpacked(stream: BinaryIO) -> tuple[Traffic, Sequence[Setting]]:
    traffic, settings = pickle.load(stream)  # noqa: S301 - what our own process wrote
    pages: dict[str, list[object]] = {"arrivals": [], "states": [], "scripts": []}
    while True:
        name, page = pickle.load(stream)  # noqa: S301 - as above
        if name == END:
            break
        pages[name] += page
    arrivals, states = tuple(pages["arrivals"]), tuple(pages["states"])
    whole: Traffic = replace(
        traffic,
        arrivals=arrivals,
        states=states,
        scripts=dict(pages["scripts"]),  # type: ignore[arg-type]
    )
    return whole, settings


def main() -> None:
    """Answer on standard output what was asked on standard input."""
    os.nice(NICENESS)
    traffic, settings = _unpacked(sys.stdin.buffer)
    pickle.dump(compare(traffic, settings), sys.stdout.buffer)


if __name__ == "__main__":
    main()

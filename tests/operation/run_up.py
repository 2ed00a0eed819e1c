"""Runs `up` with stand-ins for its children.

    python run_up.py FOLDER PORT TEMPORAL_PORT [words…]

Words: `demo`; `worker:die`, `temporal:deaf`, `demo:slow` and the like set a stand-in's mood.
"""

import asyncio
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from operation.up import Options, Parts, up  # noqa: E402  # the path comes first


def stand_in(name: str, port: str, folder: Path, words: list[str]) -> tuple[str, ...]:
    moods = [word.partition(":")[2] for word in words if word.startswith(f"{name}:")]
    program = str(Path(__file__).with_name("stand_ins.py"))
    return (sys.executable, "-S", program, name, port, str(folder), *moods)


async def prepare_demo(
    api_url: str, admin_key: str, simulated_url: str, known: object
) -> dict[str, object]:
    if "demo:slow" in sys.argv:
        sys.stdout.write("preparing the demonstration\n")
        sys.stdout.flush()
        await asyncio.sleep(60)
    return {"supervisor": "s", "integrator": f"{api_url} {len(admin_key)}", "agents": {"a": "k"}}


def main(folder: Path, port: int, temporal_port: int, words: list[str]) -> int:
    parts = Parts(
        temporal=lambda _, number: stand_in("temporal", str(number), folder, words),
        api=stand_in("api", "{port}", folder, words),
        worker=stand_in("worker", "worker", folder, words),
        simulated=stand_in("simulated", "{port}", folder, words),
        migrate=lambda _: None,
        prepare_demo=prepare_demo,
    )
    return up(Options(folder, port, temporal_port, "demo" in words), parts)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]))

"""The npm package `emulate`: servers in the shape of Twilio's and Slack's, written by others."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.peers.base import NotInstalled, peers_folder, run, started
from tests.ports import free_port

IS_QUICK = True

_RECIPE = Path(__file__).parent / "emulate_packages"
_LOOPBACK = Path(__file__).parent / "loopback.cjs"
_PROGRAM = Path("node_modules") / "emulate" / "dist" / "index.js"


def install() -> Path:
    """Install it once, in the versions of the lock file, and return where.

    Raises:
        NotInstalled: it cannot be had here.
    """
    folder, wanted = peers_folder() / "emulate", _RECIPE / "package-lock.json"
    there = folder / "installed.json"
    if there.exists() and there.read_bytes() == wanted.read_bytes():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(_RECIPE / name, folder)
    run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder)
    if not (folder / _PROGRAM).exists():
        raise NotInstalled("npm installed an emulate without its program")
    shutil.copy(wanted, there)
    return folder


@contextmanager
def running(folder: Path, service: str, seed: Mapping[str, Any]) -> Iterator[str]:
    """Run one of its services with what is to be there from the beginning; yield its URL.

    It listens on every interface if it is let: `loopback.cjs` does not let it.
    """
    installed, port = install(), free_port()
    seed_file = folder / "seed.yaml"
    seed_file.write_text(json.dumps({service: seed}))  # JSON is YAML, too
    program: list[str | Path] = ["node", "--require", _LOOPBACK, installed / _PROGRAM]
    options: list[str | Path] = ["start", "-p", str(port), "-s", service, "--seed", seed_file]
    url = f"http://127.0.0.1:{port}"
    with started([*program, *options], health_url=f"{url}/", log=folder / "emulate.log"):
        yield url

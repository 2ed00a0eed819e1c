"""A program that stands in for a child of `up`: serves /readyz, notes its life, obeys a few words.

    python stand_ins.py NAME PORT FOLDER [die | deaf]

Standard library only: it starts in a twentieth of a second.
"""

import http.server
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType


class Readiness(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def main(name: str, port: str, folder: str, *moods: str) -> None:
    home = Path(folder)
    if "die" in moods:
        sys.exit(f"{name} cannot live like this")
    signal.signal(signal.SIGTERM, signal.SIG_IGN if "deaf" in moods else leave(home, name))
    seen = {key: value for key, value in os.environ.items() if key.startswith(("PARLEY", "TEMP"))}
    (home / f"{name}.env").write_text(json.dumps(seen))
    with (home / "life").open("a") as life:
        life.write(f"{name} started\n")
    number = int(os.environ["PARLEY_WORKER__PORT"] if port == "worker" else port)
    http.server.ThreadingHTTPServer(("127.0.0.1", number), Readiness).serve_forever()


def leave(home: Path, name: str) -> Callable[[int, FrameType | None], None]:
    def hear(*_: object) -> None:
        with (home / "life").open("a") as life:
            life.write(f"{name} stopped\n")
        os._exit(0)

    return hear


if __name__ == "__main__":
    main(*sys.argv[1:])

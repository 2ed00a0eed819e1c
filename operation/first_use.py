"""Started by a Python that has nothing installed: set up, then start again with the right one.

Standard library only, and nothing of Parley: this runs where nothing else can.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
AGAIN = "PARLEY_STARTED_AGAIN"


def start_again() -> NoReturn:
    """Run scripts/setup, then this very command line with the environment that it made."""
    if os.environ.pop(AGAIN, None):
        sys.exit("The environment in .venv lacks what Parley needs. Remove it and run: make setup")
    done = subprocess.run([str(ROOT / "scripts" / "setup")], check=False)
    if done.returncode:
        sys.exit(done.returncode)
    python = str(ROOT / ".venv" / "bin" / "python")
    os.execve(  # noqa: S606  # without a shell, on purpose
        python, [python, str(ROOT / "parley.py"), *sys.argv[1:]], {**os.environ, AGAIN: "1"}
    )

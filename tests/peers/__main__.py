"""Install the servers that connectors are tested against: `python -m tests.peers quick|all`."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

from tests.peers.base import NotInstalled

QUICK, ALL = "quick", "all"


def peers(which: str) -> list[ModuleType]:
    """Return the modules that know how to install a server; the quick ones, or all."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))
    modules = [importlib.import_module(f"tests.peers.{name}") for name in names if name != "base"]
    return [each for each in modules if which == ALL or each.IS_QUICK]


def install(which: str) -> list[str]:
    """Install what is not there yet; return what could not be, with the reason."""
    failed = []
    for each in peers(which):
        name = each.__name__.rpartition(".")[2]
        try:
            each.install()
        except NotInstalled as reason:
            failed.append(f"{name}: {reason}")
    return failed


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in (QUICK, ALL):
        sys.exit("say which: python -m tests.peers quick|all")
    failures = install(sys.argv[1])
    for failure in failures:
        sys.stderr.write(f"NOT INSTALLED, its tests are skipped: {failure}\n")
    sys.exit(1 if failures and sys.argv[1] == ALL else 0)

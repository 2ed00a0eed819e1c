"""Mutation testing of the pure rules: `python -m tests.mutation [MODULE …]`, or `make mutate`."""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.mutation.judging import Judge, Mutated, Reach, measure, parsed
from tests.mutation.mutants import Mutant, mutants_of, mutated

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("acd", "conversations")
TESTS = tuple(f"tests/{package}" for package in PACKAGES)
FLOOR_PERCENT = 85
EXAMPLES = 15
STEPS = 20
"""Of a property and of a life; so many are drawn, always the same ones."""

SLOW = "test_simulation.py"
SIMULATOR = ("acd/simulat", "acd/recorded_", "acd/what_if")
"""Whole days on a simulated floor judge the simulator: they take too long for every mutant."""

OPTIONS = ("-q", "-x", "--no-header", "-p", "no:randomly", "-p", "no:cacheprovider")


class Quick:
    """Keeps tests to those that are quick, and to the same examples each time."""

    def __init__(self, modules: Sequence[str]) -> None:
        self.modules = modules

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if not all(module.startswith(SIMULATOR) for module in self.modules):
            items[:] = [item for item in items if item.path.name != SLOW]
        for item in items:
            _draw_the_same(item)


def _draw_the_same(item: pytest.Item) -> None:
    """Bound a property's examples, and let nothing about them be random."""
    from hypothesis import settings  # noqa: PLC0415 - pytest wants to be the first to import it

    def bounded(own: settings) -> settings:
        return settings(
            own,
            max_examples=min(own.max_examples, EXAMPLES),
            stateful_step_count=min(own.stateful_step_count, STEPS),
            derandomize=True,
            database=None,
            deadline=None,
        )

    test: Any = getattr(item, "obj", None)
    machine: Any = getattr(item, "cls", None)
    if isinstance(getattr(machine, "settings", None), settings):
        machine.settings = bounded(machine.settings)
    test = getattr(test, "__func__", test)
    if hasattr(test, "_hypothesis_internal_use_settings"):
        own = test._hypothesis_internal_use_settings
        test._hypothesis_internal_use_settings = bounded(own)


class Mutation(Quick):
    """Judges the mutants of modules instead of running the tests."""

    def __init__(self, modules: Sequence[str]) -> None:
        super().__init__(modules)
        self.found: dict[str, list[Mutant]] = {}
        self.missed: dict[str, list[Mutant]] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        names = {str(ROOT / module): module for module in self.modules}
        with tempfile.TemporaryDirectory() as folder:
            reach = measure(session.items, names, Path(folder))
        if reach.failed:
            raise pytest.UsageError(f"these fail without any mutant: {reach.failed}")
        self._judge_all(Judge(ROOT, session.items, reach), reach)
        return True

    def _judge_all(self, judge: Judge, reach: Reach) -> None:
        seconds = sum(reach.seconds.values())
        _say(f"{len(reach.seconds)} tests take {seconds:.0f} s")
        for module in self.modules:
            found: list[Mutant] = []
            missed: list[Mutant] = []
            for mutant in mutants_of(parsed(ROOT / module)):
                (found if judge.is_found(module, mutant) else missed).append(mutant)
            self.found[module], self.missed[module] = found, missed
            _say(_line(module, len(found), len(missed)))
            for mutant in missed:
                _, says = mutated((ROOT / module).read_text(), mutant.number)
                _say(f"    {module}:{mutant.line}: {mutant.said}  →  {says}")

    def scores(self) -> dict[str, float]:
        """Return each package's score in percent."""
        scores: dict[str, float] = {}
        for package in PACKAGES:
            found = sum(len(m) for name, m in self.found.items() if name.startswith(package))
            missed = sum(len(m) for name, m in self.missed.items() if name.startswith(package))
            if found + missed:
                scores[package] = 100 * found / (found + missed)
                _say(_line(package, found, missed))
        return scores


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _line(name: str, found: int, missed: int) -> str:
    share = 100 * found / (found + missed) if found + missed else 100
    return f"{name}: {found} of {found + missed} mutants found, {share:.1f} %"


def judge_one(where: str, tests: Sequence[str]) -> int:
    """Run test files with one mutant in its place, imported anew."""
    module, _, number = where.partition(":")
    sys.meta_path.insert(0, Mutated(ROOT, module, int(number)))
    return pytest.main([*OPTIONS, *tests], plugins=[Quick([module])])


def _judge_apart(modules: Sequence[str]) -> int:
    """Judge the rules by the quick tests and the simulator by its own, one after the other."""
    simulator = [module for module in modules if module.startswith(SIMULATOR)]
    rules = [module for module in modules if module not in simulator]
    command = [sys.executable, "-m", "tests.mutation"]
    codes = [
        subprocess.run([*command, *some], cwd=ROOT, check=False).returncode
        for some in (rules, simulator)
    ]
    return max(codes)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make mutate", description=__doc__)
    parser.add_argument("--one", metavar="MODULE:NUMBER", help=argparse.SUPPRESS)
    parser.add_argument("paths", nargs="*", help="modules, such as acd/priority.py; else all")
    chosen = parser.parse_args()
    if chosen.one:
        return judge_one(chosen.one, chosen.paths)
    everything = [
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in sorted((ROOT / package).glob("*.py"))
        if path.name != "__init__.py"
    ]
    if not chosen.paths:
        return _judge_apart(everything)
    mutation = Mutation(chosen.paths)
    code = pytest.main([*OPTIONS, *TESTS], plugins=[mutation])
    scores = mutation.scores()
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED) or not scores:
        return 2
    return 0 if min(scores.values()) >= FLOOR_PERCENT else 1


if __name__ == "__main__":
    sys.exit(main())

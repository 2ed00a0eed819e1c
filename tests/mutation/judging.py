"""Run the tests that reach a mutant, in a process forked for it, until one of them fails.

The tests are collected once. A forked process gives the changed code to the functions that have
it, or a changed value to whoever uses it, and runs what reaches them. Where neither is possible,
everything is imported anew.
"""

import ast
import gc
import os
import pickle
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from tests.mutation.mutants import Function, Mutant, mutated
from tests.mutation.values import adopt

CPU_S = 20
"""A mutant that goes on for ever is one that was found."""

MEMORY_BYTES = 4 * 2**30
NOWHERE = 77
"""A change outside of functions that the running program cannot take over."""

PROGRAM = ("acd", "conversations", "tests")


@dataclass(slots=True)
class Reach:
    """How long each test takes, and which tests reach each line of each module."""

    seconds: dict[str, float] = field(default_factory=dict)
    tests: dict[tuple[str, int], set[str]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def of(self, module: str, lines: Iterable[int]) -> list[str]:
        """Return the tests that reach one of the lines, the quickest first."""
        found = {test for line in lines for test in self.tests.get((module, line), ())}
        return sorted(found, key=lambda test: (self.seconds[test], test))

    def of_module(self, module: str) -> list[str]:
        """Return all tests: whoever uses a constant or a default may live in another module."""
        near = set().union(*(tests for (m, _), tests in self.tests.items() if m == module))
        return sorted(self.seconds, key=lambda test: (test not in near, self.seconds[test], test))


def in_a_fork(work: Callable[[], int]) -> int:
    """Return what the work, done in a forked process without a voice, ends with."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
            code = work()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def is_passed(item: pytest.Item) -> bool:
    return not any(report.failed for report in runtestprotocol(item, log=False))


def measure(items: list[pytest.Item], modules: dict[str, str], folder: Path) -> Reach:
    """Run every test once and note what it reaches; `modules` maps files to names."""
    kept = folder / "reach"

    def work() -> int:
        reach = Reach()
        for item in items:
            lines: set[tuple[str, int]] = set()
            sys.settrace(_tracer(modules, lines))
            started = time.process_time()
            passed = is_passed(item)
            sys.settrace(None)
            reach.seconds[item.nodeid] = time.process_time() - started
            if not passed:
                reach.failed.append(item.nodeid)
            for line in lines:
                reach.tests.setdefault(line, set()).add(item.nodeid)
        kept.write_bytes(pickle.dumps(reach))
        return 0

    in_a_fork(work)
    found: Reach = pickle.loads(kept.read_bytes())  # noqa: S301 - written a moment ago
    return found


def _tracer(modules: dict[str, str], lines: set[tuple[str, int]]) -> Callable[..., Any]:
    def line(frame: FrameType, event: str, _: object) -> Any:
        if event == "line":
            lines.add((modules[frame.f_code.co_filename], frame.f_lineno))
        return line

    def call(frame: FrameType, _event: str, _: object) -> Any:
        return line if frame.f_code.co_filename in modules else None

    return call


class Judge:
    """Tells whether a mutant is found."""

    def __init__(self, root: Path, items: list[pytest.Item], reach: Reach) -> None:
        self._root = root
        self._items = {item.nodeid: item for item in items}
        self._reach = reach
        self._functions: dict[tuple[str, str, int], list[FunctionType]] = {}
        for thing in gc.get_objects():
            if isinstance(thing, FunctionType):
                code = thing.__code__
                key = (code.co_filename, code.co_name, code.co_firstlineno)
                self._functions.setdefault(key, []).append(thing)

    def is_found(self, module: str, mutant: Mutant) -> bool:
        """Whether a test fails with the mutant in its place."""
        if mutant.function is None:
            tests = self._reach.of_module(module)
        else:
            tests = self._reach.of(module, mutant.lines)
        if not tests:
            return False
        code = in_a_fork(lambda: self._run(module, mutant, tests))
        return self._is_found_anew(module, mutant) if code == NOWHERE else code != 0

    def _run(self, module: str, mutant: Mutant, tests: list[str]) -> int:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S + 1))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        path = self._root / module
        tree, _ = mutated(path.read_text(), mutant.number)
        changed = compile(tree, str(path), "exec")
        if mutant.function is not None:
            is_taken = self._replace_code(str(path), mutant.function, changed)
        else:
            is_taken = bool(adopt(_name_of(module), changed, PROGRAM))
        if not is_taken:
            return NOWHERE
        return 0 if all(is_passed(self._items[test]) for test in tests) else 1

    def _replace_code(self, path: str, function: Function, module: CodeType) -> bool:
        """Change the function, and those within it that were made when the module was imported.

        Answers False where a function that runs cannot take it: one without its `super()` has
        another closure.
        """
        changed = next(
            code for code in _codes(module) if (code.co_name, code.co_firstlineno) == function
        )
        for code in (changed, *_codes(changed)):
            for known in self._functions.get((path, code.co_name, code.co_firstlineno), ()):
                if known.__code__.co_freevars != code.co_freevars:
                    return False
                known.__code__ = code
        return True

    def _is_found_anew(self, module: str, mutant: Mutant) -> bool:
        tests = self._reach.of_module(module)
        if not tests:
            return False
        command = [sys.executable, "-m", "tests.mutation", "--one", f"{module}:{mutant.number}"]
        files = sorted({test.partition("::")[0] for test in tests})
        run = subprocess.run([*command, *files], cwd=self._root, capture_output=True, check=False)
        return run.returncode != 0


def _name_of(module: str) -> str:
    return module.removesuffix(".py").replace("/", ".")


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


class Mutated:
    """Imports one module with its mutant; everything else as it is."""

    def __init__(self, root: Path, module: str, number: int) -> None:
        self._path = root / module
        self._name = _name_of(module)
        self._number = number

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> Any:
        if name != self._name:
            return None
        from importlib.util import spec_from_file_location  # noqa: PLC0415 - only where it is asked

        spec = spec_from_file_location(name, self._path)
        if spec is not None and spec.loader is not None:
            tree, _ = mutated(self._path.read_text(), self._number)
            code = compile(tree, str(self._path), "exec")
            spec.loader.get_code = lambda _name: code  # type: ignore[attr-defined]
        return spec


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = PYPROJECT["tool"]["importlinter"]["root_packages"]


def pins(lock: Path) -> dict[str, str]:
    found = re.findall(r"^([\w.-]+(?:\[[\w,-]+\])?)==(\S+)", lock.read_text(), re.MULTILINE)
    return {name.partition("[")[0].lower(): version for name, version in found}


def requirement_blocks(lock: Path) -> list[str]:
    joined = lock.read_text().replace("\\\n", " ")
    return [line for line in joined.splitlines() if line and not line.lstrip().startswith("#")]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_pins_and_hashes_every_line_and_names_no_address(lock: Path) -> None:
    assert "://" not in lock.read_text()
    for block in requirement_blocks(lock):
        assert re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+", block), block
        assert "--hash=sha256:" in block, block


def test_the_tests_run_on_what_is_shipped() -> None:
    runtime, test = (pins(ROOT / "requirements" / f"{name}.txt") for name in ("runtime", "test"))

    assert runtime.items() <= test.items()


def test_every_direct_requirement_is_in_the_lock() -> None:
    for name in ("runtime", "test"):
        wanted = (ROOT / "requirements" / f"{name}.in").read_text().splitlines()
        names = {re.split(r"[\[=<>~ ]", line)[0] for line in wanted if not line.startswith("-")}
        assert names <= set(pins(ROOT / "requirements" / f"{name}.txt"))


def test_imports_go_one_way() -> None:
    linter = Path(sys.executable).with_name("lint-imports")

    told = subprocess.run(
        [linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert told.returncode == 0, told.stdout


def test_the_linter_sees_every_package() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}

    assert packages - {"bench"} == set(PACKAGES)  # bench measures from outside


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_opens_with_one_docstring_and_nothing_else(package: str) -> None:
    for path in (ROOT / package).rglob("__init__.py"):
        assert re.fullmatch(r'"""[^"]+"""\n', path.read_text()), path


def test_there_is_no_init_below_tests() -> None:
    assert not list((ROOT / "tests").rglob("__init__.py"))


def test_every_rule_that_is_off_has_its_reason() -> None:
    for block in re.findall(r"(?:ignore|\"\S+\") = \[\n(.*?)\n\]", _ruff_tables(), re.DOTALL):
        for line in block.splitlines():
            assert re.match(r'\s+"[A-Z0-9]+",\s+# \S', line), line


def test_the_licence_is_apache() -> None:
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    assert PYPROJECT["project"]["license"] == "Apache-2.0"


def test_the_build_machine_runs_the_developers_command() -> None:
    commands = [
        line
        for line in (ROOT / ".ci" / "run").read_text().splitlines()
        if line and not line.startswith(("#", "set", "cd"))
    ]

    assert commands == ["exec make test"]


def test_make_knows_its_few_targets() -> None:
    told = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)

    targets = re.findall(r"^  make ([\w-]+)", told.stdout, re.MULTILINE)
    assert targets == [
        "help",
        "setup",
        "run",
        "test",
        "test-long",
        "test-peers",
        "mutate",
        "check",
        "bench",
        "screenshots",
        "lock",
    ]


@pytest.mark.parametrize("script", sorted((ROOT / "scripts").iterdir()), ids=lambda s: s.name)
def test_a_script_is_valid_bash(script: Path) -> None:
    subprocess.run(["bash", "-n", script], check=True)


def _ruff_tables() -> str:
    text = (ROOT / "pyproject.toml").read_text()
    return text[text.index("[tool.ruff.lint]") : text.index("[tool.ruff.lint.isort]")]

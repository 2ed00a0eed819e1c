import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Make a clone whose set-up is a stand-in that is quick and notes that it ran."""
    shutil.copy(ROOT / "parley.py", tmp_path)
    for path in ("operation/__init__.py", "operation/first_use.py"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    python = '#!/bin/sh\necho "started again with $@"\n'
    setup = f"""#!/bin/sh
cd {tmp_path} && mkdir -p .venv/bin && printf '%s' '{python}' > .venv/bin/python
chmod +x .venv/bin/python; echo "set up"; exit ${{SETUP_ENDS:-0}}
"""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "setup").write_text(setup)
    (tmp_path / "scripts" / "setup").chmod(0o755)
    return tmp_path


def start(clone: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    bare = [sys.executable, "-S", str(clone / "parley.py"), "up", "--port", "8001"]
    return subprocess.run(
        bare, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


def test_a_bare_python_sets_up_and_starts_again(clone: Path) -> None:
    told = start(clone)

    assert told.stdout.splitlines() == [
        "set up",
        f"started again with {clone}/parley.py up --port 8001",
    ]
    assert told.returncode == 0


def test_a_set_up_that_fails_is_the_end(clone: Path) -> None:
    told = start(clone, SETUP_ENDS="3")

    assert told.returncode == 3
    assert "started again" not in told.stdout


def test_it_does_not_start_again_for_ever(clone: Path) -> None:
    told = start(clone, PARLEY_STARTED_AGAIN="1")

    assert told.returncode == 1
    assert "make setup" in told.stderr

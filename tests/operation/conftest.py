from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.operation.running import Up


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    running = Up(tmp_path / "data")
    yield running
    running.clean_up()

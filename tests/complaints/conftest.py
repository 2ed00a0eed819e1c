"""The application on each kind of database, with neither worker nor sweeper beside it."""

import pytest
from pydantic import SecretStr

from settings import LogSettings, Settings
from tests.api.conftest import ADMIN_KEY, admin, app, floor, http
from tests.ports import free_port

__all__ = ["admin", "app", "floor", "http", "settings"]


@pytest.fixture
def settings(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{free_port()}")
    return Settings(
        secret_key=SecretStr("a secret of the tests, long enough"),
        database_url=SecretStr(database_url),
        bootstrap_admin_key=SecretStr(ADMIN_KEY),
        log=LogSettings(level="error"),
    )


ANY_DATABASE = (
    "test_rank_03_stuck_in_the_queue",
    "test_rank_20_why",
    "test_rank_21_supervisors_act",
)
"""What these complain of is decided by rules: `make test-long` shows it on PostgreSQL, too."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.stem in ANY_DATABASE and "postgresql" in item.name:
            item.add_marker(pytest.mark.long)

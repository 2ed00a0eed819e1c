"""The real API with its pages, on a database of its own: pages tested against the truth."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from playwright.sync_api import BrowserContext
from pydantic import SecretStr

from api.main import create_app
from settings import LogSettings, Settings
from tests.ports import free_port

ADMIN_KEY = "an administrator's key of the tests"


class Served:
    """One running application, called with the administrator's key."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=f"{url}/api/v1", timeout=20)

    def call(self, method: str, path: str, body: Any = None, key: str = ADMIN_KEY) -> Any:
        headers = {"Authorization": f"Bearer {key}"}
        answer = self.http.request(method, path, json=body, headers=headers)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def sign_in(self, context: BrowserContext, key: str = ADMIN_KEY) -> None:
        """Open a session in a browser, as the desk does."""
        headers = {"Content-Type": "application/json", "Origin": self.url}
        address = f"{self.url}/api/v1/session"
        answer = context.request.post(address, data=json.dumps({"key": key}), headers=headers)
        assert answer.ok, answer.text()


def settings_for(database_url: str) -> Settings:
    return Settings(
        secret_key=SecretStr("a secret of the tests, long enough"),
        database_url=SecretStr(database_url),
        bootstrap_admin_key=SecretStr(ADMIN_KEY),
        log=LogSettings(level="error"),
    )


@contextmanager
def running(database_url: str) -> Iterator[Served]:
    """Serve the application on a free port until the block ends."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    app = create_app(settings_for(database_url))
    config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    run = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    run.start()
    while not server.started:
        assert run.is_alive(), "the application did not start"
        time.sleep(0.01)
    served = Served(f"http://127.0.0.1:{listener.getsockname()[1]}")
    yield served
    served.http.close()
    server.should_exit = True
    run.join(timeout=5)


@contextmanager
def serving(template: Path, folder: Path) -> Iterator[Served]:
    """Serve it without a Temporal, on a copy of an empty database."""
    path = folder / "parley.db"
    path.write_bytes(template.read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{free_port()}")
        with running(f"sqlite:///{path}") as served:
            yield served

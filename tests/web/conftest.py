"""A browser, a fake server for every test, and a page whose console must stay silent."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, sync_playwright

from tests.web.fake_api import create_app
from tests.web.fake_world import World
from tests.web.served import Served, serving

CHROMIUM = Path("/usr/bin/chromium")
SEE_VIOLATIONS = (
    "addEventListener('securitypolicyviolation', (event) => console.error('CSP', "
    "event.violatedDirective, event.blockedURI))"
)
PageOpener = Callable[..., Page]
Administer = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture
def serve() -> Iterator[Callable[[World], str]]:
    """Serve a world on a port of its own until the test ends."""
    servers: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(world: World) -> str:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            create_app(world), log_level="error", timeout_graceful_shutdown=1, lifespan="off"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        servers.append((server, thread))
        while not server.started:
            time.sleep(0.01)
        worlds.append(world)
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    worlds: list[World] = []
    yield start
    for world in worlds:
        world.stream_epoch = -1
    for server, thread in servers:
        server.should_exit = True
        thread.join(timeout=3)


@pytest.fixture
def open_page(browser: Browser) -> Iterator[PageOpener]:
    """Open a page in a fresh browser profile; any console error fails the test at its end."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def start(url: str, *, allowed: tuple[str, ...] = (), **options: Any) -> Page:
        options.setdefault("viewport", {"width": 1440, "height": 900})
        context = browser.new_context(**options)
        contexts.append(context)
        context.add_init_script(SEE_VIOLATIONS)
        page = context.new_page()
        watch(page, allowed)
        page.goto(url)
        return page

    def watch(page: Page, allowed: tuple[str, ...]) -> None:
        def hear(message: Any) -> None:
            said = f"{message.text} {message.location.get('url', '')}"
            if message.type == "error" and not any(word in said for word in allowed):
                errors.append(said)

        def refuse(dialog: Dialog) -> None:
            errors.append("a dialog opened")
            dialog.dismiss()

        page.on("console", hear)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("dialog", refuse)

    yield start
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def log_in(open_page: PageOpener) -> PageOpener:
    """Open the desk and log in; the first question about the session is answered with 401."""

    def start(url: str, key: str = "agent-key", **options: Any) -> Page:
        allowed = ("/api/v1/session", *options.pop("allowed", ()))
        page = open_page(url, allowed=allowed, **options)
        page.get_by_role("button", name="Use an API key").click()
        page.get_by_label("Your key", exact=True).fill(key)
        page.get_by_role("button", name="Log in").click()
        return page

    return start


@pytest.fixture(scope="module")
def parley(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve the real application to the tests of a module: each makes rows of its own."""
    with serving(sqlite_template, tmp_path_factory.mktemp("parley")) as served:
        yield served


@pytest.fixture
def administer(open_page: PageOpener) -> Administer:
    """Open administration somewhere, signed in as an administrator."""

    def start(served: Served, where: str = "", key: str | None = None, **options: Any) -> Page:
        page = open_page("about:blank", allowed=("/api/v1/",), **options)
        served.sign_in(page.context, *([key] if key else []))
        page.goto(f"{served.url}/administration#/{where}")
        return page

    return start

"""A brand on the simulated network, two agents and a supervisor, each in a browser of their own."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from storage.database import open_database
from tests.e2e.running import Caller, Json, Running
from tests.history import History, World, read_history
from tests.invariants import violations_when_quiet
from tests.simulated_network.network import Network

DESKTOP: Any = {"width": 1440, "height": 900}
SEE_VIOLATIONS = (
    "addEventListener('securitypolicyviolation', (event) => console.error('CSP', "
    "event.violatedDirective, event.blockedURI))"
)
AWAY = ("ERR_", "502", "503")
"""What the browser itself writes to the console while the API is gone."""


class Office:
    """One brand with its own workgroups and people; many of them share one Parley."""

    def __init__(self, parley: Running, network: Network, tag: str) -> None:
        self.parley, self.network, self.tag = parley, network, tag
        self.admin = parley.admin
        self.posted: list[tuple[str, str]] = []
        token = network.made("PUT", f"/control/accounts/{tag}", {"name": tag})["token"]
        self.parcels = self._made("/workgroups", f"Parcels of {tag}", self.workgroup_settings)
        self.refunds = self._made("/workgroups", f"Refunds of {tag}", self.workgroup_settings)
        settings = {"url": network.url, "handle": tag, "delivery": "stream"}
        account = {"network": "simulated", "settings": settings, "credentials": {"token": token}}
        self.account = self._made("/accounts", tag, account)
        channel = {"account_id": self.account, "workgroup_id": self.parcels}
        self.channel = self._made("/channels", tag, {**channel, "poll_interval_ms": 200})
        self.one = self._key(f"one-of-{tag}", workgroups=[self.parcels])
        self.two = self._key(f"two-of-{tag}", workgroups=[self.parcels, self.refunds])
        self.supervisor = self._key(f"supervisor-of-{tag}", roles=["supervisor"], licensed=False)

    workgroup_settings: Json = {  # noqa: RUF012 - read only
        "offer_timeout_s": 120,
        "wrap_up": {"mode": "optional", "codes": ["solved", "answered"]},
    }

    def _made(self, path: str, name: str, body: Json) -> str:
        return str(self.admin.ok("POST", path, {"name": name, **body})["id"])

    def _key(self, username: str, **what: Any) -> str:
        agent = self.admin.ok("POST", "/agents", {"username": username, "name": username, **what})
        return str(self.admin.ok("POST", f"/agents/{agent['id']}/keys", {})["key"])

    def says(self, customer: str, text: str) -> None:
        post = self.network.says(customer, f"@{self.tag} {text}")
        self.posted.append((self.account, post["id"]))

    def conversations(self) -> list[Json]:
        path = f"/conversations?channel_id={self.channel}"
        found: list[Json] = self.admin.persist("GET", path).json()["items"]
        return found

    def published(self) -> list[Json]:
        posts: list[Json] = self.network.made("GET", "/control/ledger")["posts"]
        return [post for post in posts if post["reference"]]

    def agent(self, key: str) -> Caller:
        return Caller(self.parley, key)

    @contextmanager
    def consultation(self, *, asking: str, asked: str) -> Iterator[str]:
        """Let one agent ask the other about the only conversation, until the end of the block."""
        (conversation,) = self.conversations()
        path = f"/conversations/{conversation['id']}/consult"
        body = {"agent_id": self.agent(asked).ok("GET", "/agents/me")["id"], "comment": "where?"}
        self.agent(asking).ok("POST", path, body)
        yield str(conversation["id"])
        self.agent(asking).ok("POST", f"{path}/end", {})

    def close(self) -> None:
        """Let nobody of this office be found free by a later one."""
        self.admin._http.close()

    def was_lawful(self) -> None:
        """Check the invariants on the database against the network's ledger."""

        async def read() -> History:
            database = open_database(self.parley.database_url)
            try:
                return await database.read(read_history)
            finally:
                await database.close()

        with ThreadPoolExecutor(1) as apart:  # the browser's driver has this thread's event loop
            history = apart.submit(asyncio.run, read()).result()
        counted = Counter(post["reference"].partition("/")[0] for post in self.published())
        world = World(posts=self.posted, published=counted)
        assert violations_when_quiet(history, world) == []


class Person:
    """A browser profile with its own session; whatever its console says is kept."""

    def __init__(self, browser: Browser | BrowserContext, office: Office, key: str) -> None:
        self.errors: list[str] = []
        self.allowed: tuple[str, ...] = ()
        self.office = office
        self.context = (
            browser.new_context(viewport=DESKTOP) if isinstance(browser, Browser) else browser
        )
        self.context.add_init_script(SEE_VIOLATIONS)
        self.sign_in(key)
        self.page: Page = self.context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(office.parley.run["desk_url"])

    def sign_in(self, key: str) -> None:
        """Give the profile a session, by the API and not by the page's form."""
        answer = self.context.request.post(
            f"{self.office.parley.api_url}/session", data={"key": key}
        )
        assert answer.ok, answer.text()

    def _hear(self, message: Any) -> None:
        if message.type == "error" and not any(word in message.text for word in self.allowed):
            self.errors.append(f"{message.text} {message.location.get('url', '')}")


Seat = Callable[[str], Person]
"""Opens a browser profile for whoever has this key."""

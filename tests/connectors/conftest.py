from collections.abc import AsyncIterator, Iterator, Mapping

import pytest
import pytest_asyncio

from connectors.simulated import SimulatedConnector
from conversations.networks import Account, DeliveryRequest, ListenedChannel, Page
from tests.connectors.loopback import loopback_client
from tests.simulated_network.network import TOKEN, Network, Receiver

SECRET = "whsec_" + "c2VjcmV0LW9mLXRoZS10ZXN0cw=="


def listened(account: Account, cursor: str | None = None, limit: int = 10) -> ListenedChannel:
    """Return a channel of the account as its listener has it."""
    return ListenedChannel(account, poll_interval_ms=5_000, post_limit=limit, cursor=cursor)


def delivered(
    connector: SimulatedConnector, account: Account, headers: Mapping[str, str], body: bytes
) -> Page:
    """Return the page that a delivery is for the account that was called."""
    request = DeliveryRequest("POST", "https://parley.example/deliveries", headers, body)
    return connector.receive(account, request).pages[None]


@pytest.fixture(scope="session")
def shared_network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    network = Network(tmp_path_factory.mktemp("network"))
    network.start()
    yield network
    network.stop()


@pytest.fixture
def network(shared_network: Network) -> Network:
    """Return a running simulated network with nobody on it but the account @acme."""
    shared_network.made("POST", "/control/reset", {"seed": 7})
    shared_network.account()
    return shared_network


@pytest.fixture
def account(network: Network) -> Account:
    settings = {"url": network.url, "handle": "acme"}
    return Account("ac-1", "simulated", settings, {"token": TOKEN, "webhook_secret": SECRET})


@pytest_asyncio.fixture
async def connector() -> AsyncIterator[SimulatedConnector]:
    async with loopback_client() as client:
        yield SimulatedConnector(client)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    yield from Receiver().listen()

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulated_network.network import Network, Receiver


@pytest.fixture(scope="session")
def shared_network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    network = Network(tmp_path_factory.mktemp("network"))
    network.start()
    yield network
    assert network.stop() in {0, -15}


@pytest.fixture
def network(shared_network: Network) -> Network:
    """Return a running network with nobody on it but the account @acme."""
    shared_network.made("POST", "/control/reset", {"seed": 7})
    shared_network.account()
    return shared_network


@pytest.fixture
def own_network(tmp_path: Path) -> Iterator[Network]:
    """Return a network that the test may kill; it has the account @acme."""
    network = Network(tmp_path / "state")
    network.start()
    network.account()
    yield network
    network.kill()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    yield from Receiver().listen()

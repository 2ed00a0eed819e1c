"""What each child of `up` gets as its environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from operation.ports import LOOPBACK

WORKER_GRACE_S = 14
API_GRACE_S = 8

LOOPBACK_NETWORKS = '["127.0.0.0/8", "::1/128"]'
"""What an embedded Parley may reach inside: the simulated network and receivers beside it."""

SECRET_KEY_NAMES = ("PARLEY_SECRET_KEY", "PARLEY_SECRET_KEY_FILE")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where everything listens; None for what is not started."""

    api_port: int
    worker_port: int
    simulated_port: int | None
    temporal_address: str
    temporal_ui_url: str | None
    is_temporal_ours: bool

    @property
    def desk_url(self) -> str:
        return f"http://{LOOPBACK}:{self.api_port}"

    @property
    def api_url(self) -> str:
        return f"{self.desk_url}/api/v1"

    @property
    def simulated_url(self) -> str | None:
        return f"http://{LOOPBACK}:{self.simulated_port}" if self.simulated_port else None


def shared_environment(
    given: Mapping[str, str], addresses: Addresses, *, folder: Path, secret_key: Path
) -> dict[str, str]:
    """Build what the API, the worker and the commands have in common."""
    environment = _own_temporal(given, addresses) if addresses.is_temporal_ours else dict(given)
    environment.update(
        PYTHONUNBUFFERED="1",
        PARLEY_DATA_DIR=str(folder),
        PARLEY_API__HOST=LOOPBACK,
        PARLEY_API__PORT=str(addresses.api_port),
        PARLEY_API__SHUTDOWN_GRACE_S=str(API_GRACE_S),
        PARLEY_INTERNAL_TARGETS=given.get("PARLEY_INTERNAL_TARGETS") or LOOPBACK_NETWORKS,
        PARLEY_WORKER__HOST=LOOPBACK,
        PARLEY_WORKER__PORT=str(addresses.worker_port),
        PARLEY_WORKER__SHUTDOWN_GRACE_S=str(WORKER_GRACE_S),
    )
    # The second start lives on compiled modules: the worker loads in one second instead of two.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    if not any(given.get(name) for name in SECRET_KEY_NAMES):
        environment["PARLEY_SECRET_KEY_FILE"] = str(secret_key)
    if addresses.temporal_ui_url:
        environment["PARLEY_TEMPORAL_UI_URL"] = addresses.temporal_ui_url
    if addresses.simulated_url:
        environment["PARLEY_SIMULATED_NETWORK_URL"] = addresses.simulated_url
    return environment


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave out everything of Parley's: for programs that have no business with it."""
    return {name: value for name, value in environment.items() if not name.startswith("PARLEY_")}


def _own_temporal(given: Mapping[str, str], addresses: Addresses) -> dict[str, str]:
    """Point at our server alone: a profile for some other one must not mix with it."""
    environment = {name: value for name, value in given.items() if not name.startswith("TEMPORAL_")}
    environment.update(
        TEMPORAL_ADDRESS=addresses.temporal_address,
        TEMPORAL_NAMESPACE="default",
        TEMPORAL_CONFIG_FILE=os.devnull,
    )
    return environment

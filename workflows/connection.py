"""The one way to connect to Temporal, so that client, worker and replayer cannot differ."""

import asyncio
from typing import Any

import structlog
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig

log = structlog.get_logger()

DEFAULT_ADDRESS = "localhost:7233"
AGAIN_AFTER_S = 1.0


def _configuration() -> dict[str, Any]:
    """Read `TEMPORAL_ADDRESS` and its kin; nothing set means a server on this machine."""
    found: dict[str, Any] = dict(ClientConfig.load_client_connect_config())
    return {"target_host": DEFAULT_ADDRESS, **found, "data_converter": pydantic_data_converter}


async def connect_lazily() -> Client:
    """Return a client that connects at its first call: the API starts without Temporal."""
    return await Client.connect(**_configuration(), lazy=True)


async def connect() -> Client:
    """Return a connected client, waiting for a Temporal that is not there yet."""
    while True:
        try:
            return await Client.connect(**_configuration())
        except RuntimeError as error:
            log.warning("temporal_not_reached", error=str(error).splitlines()[0][:200])
            await asyncio.sleep(AGAIN_AFTER_S)

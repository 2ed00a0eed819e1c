"""The Temporal server beneath `up`: Parley's own on a SQLite file, or one that already runs."""

from collections.abc import Mapping
from pathlib import Path

from operation.refusals import OperationRefused
from workflows.addresses import SEARCH_ATTRIBUTES

UI_PORT_OFFSET = 1000


def is_external(environment: Mapping[str, str]) -> bool:
    """Tell whether TEMPORAL_ADDRESS names a server that is not ours to start."""
    return bool(environment.get("TEMPORAL_ADDRESS"))


def dev_server_command(program: Path, *, database: Path, port: int) -> tuple[str, ...]:
    """Spell the dev server's command line: durable, on the loopback, with its web UI."""
    command = [
        str(program),
        "server",
        "start-dev",
        *("--ip", "127.0.0.1"),
        *("--port", str(port)),
        *("--ui-port", str(port + UI_PORT_OFFSET)),
        *("--db-filename", str(database)),
        # As fast as a database in memory; a killed process loses nothing (only a lost machine may).
        *("--sqlite-pragma", "journal_mode=wal"),
        *("--sqlite-pragma", "synchronous=normal"),
        # Off by default in the open-source server; saves a hop through matching per activity.
        *("--dynamic-config-value", "system.enableActivityEagerExecution=true"),
        # With more partitions some workflows of a burst wait seconds until a poller finds them.
        *("--dynamic-config-value", "matching.numTaskqueueReadPartitions=1"),
        *("--dynamic-config-value", "matching.numTaskqueueWritePartitions=1"),
        *("--log-level", "error"),
    ]
    for name, kind in SEARCH_ATTRIBUTES.items():
        # An unregistered one fails workflow tasks for ever. Registering it again does no harm.
        command += ("--search-attribute", f"{name}={kind}")
    return tuple(command)


async def register_search_attributes() -> list[str]:
    """Register on the server that TEMPORAL_ADDRESS names what it lacks; answer the new names.

    Raises:
        WrongSearchAttribute: the name is taken with another type.
    """
    # A second of imports that only this needs.
    from temporalio.api.enums.v1 import IndexedValueType  # noqa: PLC0415
    from temporalio.api.operatorservice.v1 import (  # noqa: PLC0415
        AddSearchAttributesRequest,
        ListSearchAttributesRequest,
    )
    from temporalio.client import Client  # noqa: PLC0415
    from temporalio.envconfig import ClientConfig  # noqa: PLC0415

    client = await Client.connect(**ClientConfig.load_client_connect_config())
    known = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    wanted = {
        name: IndexedValueType.Value(f"INDEXED_VALUE_TYPE_{kind.upper()}")
        for name, kind in SEARCH_ATTRIBUTES.items()
    }
    for name, kind in wanted.items():
        if known.custom_attributes.get(name, kind) != kind:
            raise WrongSearchAttribute(name, SEARCH_ATTRIBUTES[name])
    missing = {name: kind for name, kind in wanted.items() if name not in known.custom_attributes}
    if missing:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
        )
    return sorted(missing)


class WrongSearchAttribute(OperationRefused):
    """The server knows the name with another type: Parley's tasks would fail for ever."""

    def __init__(self, name: str, kind: str) -> None:
        super().__init__(f"search attribute {name} exists with another type than {kind}")

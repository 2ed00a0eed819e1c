"""`migrate`: bring the database to this version, and tell Temporal what Parley searches by."""

import asyncio
import sys

from temporalio.envconfig import ClientConfig

from operation.check_config import BadSetting, load_settings
from operation.temporal_server import (
    WrongSearchAttribute,
    register_search_attributes,
)
from storage.schema import downgrade, upgrade


def migrate(*, back_to: str | None = None) -> int:
    """Upgrade to this version's schema, or go back to a named revision; answer the exit code."""
    try:
        database_url = load_settings().database_url.get_secret_value()
    except BadSetting as error:
        print(error, file=sys.stderr)
        return 1
    if back_to:
        downgrade(database_url, back_to)
        print(f"The database is back at {back_to}.")
        return 0
    upgrade(database_url)
    print("The database is at this version's schema.")
    return _tell_temporal()


def _tell_temporal() -> int:
    address = ClientConfig.load_client_connect_config().get("target_host")
    if address is None:
        print("No Temporal is named (TEMPORAL_ADDRESS): no search attributes to register.")
        return 0
    try:
        new = asyncio.run(register_search_attributes())
    except (RuntimeError, WrongSearchAttribute) as error:
        print(f"Temporal at {address}: {error}", file=sys.stderr)
        return 1
    print(f"Search attributes registered: {', '.join(new) or 'all were there'}.")
    return 0

"""One clock for all processes: the database's, read after the locks."""

import time

from sqlalchemy import Connection, text

from conversations.model import Instant

CLOCK_OPTION = "parley_clock"
"""Execution option of an engine whose time is controlled, for tests at a boundary."""


def now(connection: Connection) -> Instant:
    """Return the present by the database's clock, never the start of the transaction.

    On SQLite database and program share one machine, so its clock is the program's.
    """
    controlled = connection.get_execution_options().get(CLOCK_OPTION)
    if controlled is not None:
        return int(controlled())
    if connection.dialect.name == "postgresql":
        moment = text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)")
        return int(connection.execute(moment).scalar_one())
    return time.time_ns() // 1_000_000

"""The key of the affinity hashes: kept sealed in the database, so that it survives rotations."""

import os
from collections.abc import Sequence

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storage.secrets import KEY_BYTES, Seal, SecretsUnreadable, derived_key
from storage.setup_tables import SealedKeyRow

KEYS = SealedKeyRow.__table__  # type: ignore[attr-defined]
NAME = "affinity"
COLUMN = "sealed_keys.sealed"


class AffinityKey:
    """Reads the key within a transaction, once a process; the first one writes it down.

    It begins as what the oldest secret key at hand gives: so it was before it was kept, and the
    conversations that are open then go on.
    """

    def __init__(self, secret_key: str, previous: Sequence[str] = ()) -> None:
        self._seal = Seal(secret_key, previous, COLUMN)
        self._first = derived_key([secret_key, *previous][-1], NAME)
        self._known: bytes | None = None

    def __call__(self, connection: Connection) -> bytes:
        """Return the key.

        Raises:
            SecretsUnreadable: it was sealed with a secret key that is not here.
        """
        if self._known is not None:
            return self._known
        sealed = _sealed(connection)
        if sealed is None:
            self._write_down(connection)
            sealed = _sealed(connection)
        if sealed is None:
            raise SecretsUnreadable("the affinity key was not kept")
        key = bytes.fromhex(self._seal.open(NAME, sealed)["key"])
        self._known = key
        return key

    def _write_down(self, connection: Connection) -> None:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        first = self._seal.close(NAME, {"key": self._first.hex()})
        connection.execute(
            dialect.insert(KEYS).values(name=NAME, sealed=first).on_conflict_do_nothing()
        )

    def rewrap(self, connection: Connection) -> bool:
        """Wrap the kept key with the newest secret key; return whether that was to be done.

        Raises:
            SecretsUnreadable: no key here opens it.
        """
        self(connection)
        query = select(KEYS.c.sealed).where(KEYS.c.name == NAME).with_for_update()
        sealed = connection.execute(query).scalar_one()
        if self._seal.is_current(sealed):
            return False
        _keep(connection, self._seal.rewrapped(NAME, sealed))
        return True

    def replace_lost(self, connection: Connection) -> None:
        """Begin anew where no key opens the old one: the next posts open new conversations."""
        _keep(connection, self._seal.close(NAME, {"key": os.urandom(KEY_BYTES).hex()}))


def _sealed(connection: Connection) -> str | None:
    return connection.execute(select(KEYS.c.sealed).where(KEYS.c.name == NAME)).scalar_one_or_none()


def _keep(connection: Connection, sealed: str) -> None:
    connection.execute(update(KEYS).where(KEYS.c.name == NAME).values(sealed=sealed))

"""Credentials at rest: an envelope of AES-256-GCM, bound to the row that they belong to.

Form v2 is `v2.KEY_ID.WRAPPED.SEALED`: the secrets are sealed with a random key of their own, and
that one is wrapped with the key-encryption key that `KEY_ID` names. A rotation wraps it anew and
leaves the rest alone. Form v1, sealed with a derived key directly, is still opened.
"""

import base64
import binascii
import json
import os
from collections.abc import Sequence
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12
KEY_BYTES = 32
KEY_ID_BYTES = 6
V1, V2 = "v1", "v2"
V2_PARTS = 4


class SecretsUnreadable(Exception):
    """The secrets were sealed with a key that is not here, or moved to another row."""


def derived_key(secret_key: str, purpose: str) -> bytes:
    """Return a key of its own for each purpose, so that none can be used for another."""
    kdf = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"parley/{purpose}".encode())
    return kdf.derive(secret_key.encode())


class Wrapping:
    """What one secret key wraps and opens; its id says nothing about it."""

    def __init__(self, secret_key: str) -> None:
        self.id = derived_key(secret_key, "key-id")[:KEY_ID_BYTES].hex()
        self.cipher = AESGCM(derived_key(secret_key, "key-encryption"))
        self.first_form = AESGCM(derived_key(secret_key, "credentials"))


class Seal:
    """Seals and opens the secrets of one table's column; a row's id is part of the seal.

    New seals are made with `secret_key`; those made with one of the `previous` keys open, too.
    """

    def __init__(
        self, secret_key: str, previous: Sequence[str] = (), column: str = "accounts.secrets"
    ) -> None:
        self._keys = {key.id: key for key in map(Wrapping, reversed([secret_key, *previous]))}
        self._current = Wrapping(secret_key)
        self._column = column

    @property
    def key_id(self) -> str:
        """Name the key that new seals are made with."""
        return self._current.id

    def close(self, row_id: str, secrets: dict[str, Any]) -> str:
        """Return the secrets as text that only this row and this key can open."""
        if not secrets:
            return ""
        data_key = os.urandom(KEY_BYTES)
        sealed = _encrypt(AESGCM(data_key), json.dumps(secrets).encode(), self._bound_to(row_id))
        return ".".join((V2, self.key_id, self._wrap(row_id, data_key), sealed))

    def open(self, row_id: str, sealed: str) -> dict[str, Any]:
        """Return the secrets of a row.

        Raises:
            SecretsUnreadable: no key here opens them, or the text belongs to another row.
        """
        if not sealed:
            return {}
        form, *parts = sealed.split(".")
        if form == V1 and len(parts) == 1:
            opened = self._open_v1(row_id, parts[0])
        elif form == V2 and len(parts) == V2_PARTS - 1:
            data_key = self._unwrap(row_id, parts[0], parts[1])
            opened = _decrypt(AESGCM(data_key), parts[2], self._bound_to(row_id))
        else:
            raise SecretsUnreadable(f"the secrets of {row_id} have the unknown form {form!r:.20}")
        if opened is None:
            raise SecretsUnreadable(_moved_or_changed(row_id))
        secrets: dict[str, Any] = json.loads(opened)
        return secrets

    def is_current(self, sealed: str) -> bool:
        """Whether the newest key alone opens it: nothing is left for a rotation to do."""
        return not sealed or sealed.startswith(f"{V2}.{self.key_id}.")

    def rewrapped(self, row_id: str, sealed: str) -> str:
        """Return the same secrets under the newest key; what is sealed stays as it is.

        Raises:
            SecretsUnreadable: no key here opens them.
        """
        secrets = self.open(row_id, sealed)
        if self.is_current(sealed):
            return sealed
        if sealed.startswith(f"{V1}."):
            return self.close(row_id, secrets)
        _, key_id, wrapped, rest = sealed.split(".")
        data_key = self._unwrap(row_id, key_id, wrapped)
        return ".".join((V2, self.key_id, self._wrap(row_id, data_key), rest))

    def _open_v1(self, row_id: str, text: str) -> bytes | None:
        for key in reversed(self._keys.values()):
            opened = _decrypt(key.first_form, text, self._bound_to(row_id))
            if opened is not None:
                return opened
        raise SecretsUnreadable(
            f"the secrets of {row_id} cannot be opened with this key: {_NEXT_STEP}"
        )

    def _wrap(self, row_id: str, data_key: bytes) -> str:
        return _encrypt(self._current.cipher, data_key, self._key_bound_to(row_id, self.key_id))

    def _unwrap(self, row_id: str, key_id: str, wrapped: str) -> bytes:
        key = self._keys.get(key_id)
        if key is None:
            raise SecretsUnreadable(
                f"the secrets of {row_id} cannot be opened with this key ({self.key_id}): they"
                f" were sealed with the key {key_id!r:.20}, which is not here. {_NEXT_STEP}"
            )
        data_key = _decrypt(key.cipher, wrapped, self._key_bound_to(row_id, key_id))
        if data_key is None:
            raise SecretsUnreadable(_moved_or_changed(row_id))
        return data_key

    def _bound_to(self, row_id: str) -> bytes:
        return f"{self._column}/{row_id}".encode()

    def _key_bound_to(self, row_id: str, key_id: str) -> bytes:
        return f"{self._column}/{row_id}/key/{key_id}".encode()


_NEXT_STEP = (
    "Name the key that was in force before by PARLEY_SECRET_KEY_PREVIOUS, or enter the"
    " credentials again"
)


def _moved_or_changed(row_id: str) -> str:
    return (
        f"the secrets of {row_id} were changed, or belong to another row, and are not used:"
        " enter the credentials again"
    )


def _encrypt(cipher: AESGCM, clear: bytes, bound_to: bytes) -> str:
    nonce = os.urandom(NONCE_BYTES)
    return base64.urlsafe_b64encode(nonce + cipher.encrypt(nonce, clear, bound_to)).decode()


def _decrypt(cipher: AESGCM, text: str, bound_to: bytes) -> bytes | None:
    """Return what was sealed; None when it was sealed otherwise, or is damaged."""
    try:
        raw = base64.urlsafe_b64decode(text)
        return cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], bound_to)
    except (InvalidTag, binascii.Error, ValueError):
        return None

"""Credentials at rest: sealed with AES-256-GCM, bound to the row that they belong to."""

import base64
import json
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12
KEY_BYTES = 32
VERSION = "v1"


class SecretsUnreadable(Exception):
    """The secrets were sealed with another key, or moved to another row."""


def derived_key(secret_key: str, purpose: str) -> bytes:
    """Return a key of its own for each purpose, so that none can be used for another."""
    kdf = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"parley/{purpose}".encode())
    return kdf.derive(secret_key.encode())


class Seal:
    """Seals and opens the secrets of one table's column; a row's id is part of the seal."""

    def __init__(self, secret_key: str, column: str = "accounts.secrets") -> None:
        self._cipher = AESGCM(derived_key(secret_key, "credentials"))
        self._column = column

    def close(self, row_id: str, secrets: dict[str, Any]) -> str:
        """Return the secrets as text that only this row and this key can open."""
        if not secrets:
            return ""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, json.dumps(secrets).encode(), self._bound_to(row_id))
        return f"{VERSION}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, row_id: str, sealed: str) -> dict[str, Any]:
        """Return the secrets of a row.

        Raises:
            SecretsUnreadable: the key is another one, or the text belongs to another row.
        """
        if not sealed:
            return {}
        version, _, text = sealed.partition(".")
        raw = base64.urlsafe_b64decode(text)
        if version != VERSION:
            raise SecretsUnreadable(f"the secrets of {row_id} have the unknown form {version!r}")
        try:
            opened = self._cipher.decrypt(
                raw[:NONCE_BYTES], raw[NONCE_BYTES:], self._bound_to(row_id)
            )
        except InvalidTag as error:
            raise SecretsUnreadable(
                f"the secrets of {row_id} cannot be opened with this key"
            ) from error
        secrets: dict[str, Any] = json.loads(opened)
        return secrets

    def _bound_to(self, row_id: str) -> bytes:
        return f"{self._column}/{row_id}".encode()

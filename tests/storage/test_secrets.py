"""The envelope of credentials: bound to its row, opened by every key that is there."""

import base64
import json
import os

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.secrets import Seal, SecretsUnreadable, derived_key

OLD, NEW = "the old secret key of the tests", "the new secret key of the tests"
SECRETS = {"token": "canary", "number": 7, "nested": {"a": ["ä", None]}}


def sealed_v1(secret_key: str, row_id: str, secrets: dict[str, object]) -> str:
    """Seal as the first version did."""
    nonce = os.urandom(12)
    cipher = AESGCM(derived_key(secret_key, "credentials"))
    bound_to = f"accounts.secrets/{row_id}".encode()
    sealed = cipher.encrypt(nonce, json.dumps(secrets).encode(), bound_to)
    return f"v1.{base64.urlsafe_b64encode(nonce + sealed).decode()}"


def test_what_was_closed_opens_again_and_shows_nothing() -> None:
    seal = Seal(NEW)
    sealed = seal.close("ac-1", SECRETS)

    assert seal.open("ac-1", sealed) == SECRETS
    assert "canary" not in sealed
    assert sealed.split(".")[:2] == ["v2", seal.key_id]
    assert seal.close("ac-1", SECRETS) != sealed
    assert seal.close("ac-1", {}) == ""
    assert seal.open("ac-1", "") == {}


def test_no_secrets_of_another_row_or_column_are_opened() -> None:
    seal = Seal(NEW)
    one, two = seal.close("ac-1", SECRETS), seal.close("ac-2", {"token": "other"})

    for row_id, sealed in (("ac-1", two), ("ac-2", one)):
        with pytest.raises(SecretsUnreadable, match=row_id):
            seal.open(row_id, sealed)
    with pytest.raises(SecretsUnreadable):
        Seal(NEW, column="other.column").open("ac-1", one)


def test_no_part_of_one_envelope_fits_another() -> None:
    seal = Seal(NEW)
    first, second = (seal.close(row, SECRETS).split(".") for row in ("ac-1", "ac-2"))

    for at in (2, 3):
        mixed = [*first[:at], second[at], *first[at + 1 :]]
        with pytest.raises(SecretsUnreadable, match="ac-1"):
            seal.open("ac-1", ".".join(mixed))


@pytest.mark.parametrize("at", range(5, 200, 13))
def test_a_changed_character_is_noticed(at: int) -> None:
    seal = Seal(NEW)
    sealed = seal.close("ac-1", SECRETS)
    changed = sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :]

    with pytest.raises(SecretsUnreadable):
        seal.open("ac-1", changed)


@pytest.mark.parametrize(
    "text", ["v3.a.b.c", "v2.a.b", "v1", "v1.%%%", "x", "v2....", "v2.a.b.c.d"]
)
def test_unknown_forms_are_refused(text: str) -> None:
    with pytest.raises(SecretsUnreadable):
        Seal(NEW).open("ac-1", text)


def test_a_wrong_key_names_the_row_and_the_next_step() -> None:
    for sealed in (Seal(OLD).close("ac-1", SECRETS), sealed_v1(OLD, "ac-1", SECRETS)):
        with pytest.raises(SecretsUnreadable) as refused:
            Seal(NEW).open("ac-1", sealed)
        assert "ac-1" in str(refused.value)
        assert "PARLEY_SECRET_KEY_PREVIOUS" in str(refused.value)
        assert "canary" not in str(refused.value)


def test_while_keys_rotate_both_open() -> None:
    rotating = Seal(NEW, [OLD])

    assert rotating.open("ac-1", Seal(OLD).close("ac-1", SECRETS)) == SECRETS
    assert rotating.open("ac-1", Seal(NEW).close("ac-1", SECRETS)) == SECRETS
    assert rotating.open("ac-1", sealed_v1(OLD, "ac-1", SECRETS)) == SECRETS
    assert Seal(NEW).open("ac-1", rotating.close("ac-1", SECRETS)) == SECRETS


def test_rotating_wraps_the_key_anew_and_leaves_the_secrets() -> None:
    sealed = Seal(OLD).close("ac-1", SECRETS)
    rotating = Seal(NEW, [OLD])

    rotated = rotating.rewrapped("ac-1", sealed)

    assert rotated.split(".")[3] == sealed.split(".")[3]
    assert not rotating.is_current(sealed)
    assert rotating.is_current(rotated)
    assert rotating.rewrapped("ac-1", rotated) == rotated
    assert Seal(NEW).open("ac-1", rotated) == SECRETS
    with pytest.raises(SecretsUnreadable):
        Seal(OLD).open("ac-1", rotated)


def test_the_first_form_becomes_an_envelope() -> None:
    rotated = Seal(NEW, [OLD]).rewrapped("ac-1", sealed_v1(OLD, "ac-1", SECRETS))

    assert Seal(NEW).open("ac-1", rotated) == SECRETS

"""What an account is told: which values are secret, of a wrong type, or still missing."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import JsonValue

from api.errors import Problem, unprocessable
from conversations.connector import Connector, Setting

Values = dict[str, JsonValue]

_SECRET_NAME = re.compile(
    r"(?:^|[_.-])(?:secret|token|password|passwd|passphrase|api_?key|private_?key|credentials?)$"
    r"|^bearer|_secret_|(?:^|[_-])consumer_key$",
    re.IGNORECASE,
)
_WITH_PASSWORD = re.compile(r"^[a-z][a-z0-9+.-]*://[^/?#@]*@", re.IGNORECASE)
_ADDRESS_NAMES = re.compile(r"(?:^|_)url$")


def is_secret(name: str, connector: Connector | None) -> bool:
    """Whether a value of the name is never shown: by its connector's word, else by its name."""
    for setting in _declared(connector):
        if setting.name == name:
            return setting.is_secret
    return _SECRET_NAME.search(name) is not None


def parted(settings: Mapping[str, JsonValue], connector: Connector | None) -> tuple[Values, Values]:
    """Part what may be shown from what is sealed."""
    shown = {n: v for n, v in settings.items() if not is_secret(n, connector)}
    return shown, {n: v for n, v in settings.items() if n not in shown}


def with_secrets_apart(patch: dict[str, Any], connector: Connector | None) -> dict[str, Any]:
    """Return a merge patch whose secrets are all credentials: so they replace those kept."""
    settings, credentials = patch.get("settings"), patch.get("credentials", {})
    if not isinstance(settings, Mapping) or not isinstance(credentials, Mapping):
        return patch
    shown, secret = parted(settings, connector)
    return {**patch, "settings": shown, "credentials": {**secret, **credentials}}


def missing(connector: Connector | None, names: Iterable[str]) -> list[str]:
    """Name what the network needs and the account has not; the generic door needs nothing."""
    given = set(names)
    needed = [setting.name for setting in _declared(connector) if setting.is_required]
    return [name for name in needed if name not in given]


def require_types(
    connector: Connector | None, settings: Mapping[str, Any], credentials: Mapping[str, Any]
) -> None:
    """Refuse values that no connector can use.

    Raises:
        Problem: 422, naming the first; its value is not repeated.
    """
    for name, value in settings.items():
        if isinstance(value, str) and _WITH_PASSWORD.match(value):
            raise _wrong("settings", name, "has a user's name or password in it: use credentials")
        if _ADDRESS_NAMES.search(name) and value is not None and not _is_address(value):
            raise _wrong("settings", name, "has to be an address with its scheme, as https://…")
    for setting in _declared(connector):
        for part, values in (("settings", settings), ("credentials", credentials)):
            _require_plain(part, setting, values.get(setting.name))


def _require_plain(part: str, setting: Setting, value: JsonValue) -> None:
    if setting.is_secret and value is not None and not (isinstance(value, str) and value):
        raise _wrong(part, setting.name, f"has to be text: {setting.meaning}")
    if isinstance(value, dict):
        raise _wrong(part, setting.name, f"has to be one value: {setting.meaning}")


def _is_address(value: JsonValue) -> bool:
    return isinstance(value, str) and re.match(r"[a-z][a-z0-9+.-]*://\S+$", value) is not None


def _wrong(part: str, name: str, msg: str) -> Problem:
    return unprocessable("wrong_setting", ["body", part, name], msg)


def _declared(connector: Connector | None) -> tuple[Setting, ...]:
    return connector.settings if connector else ()

"""`check-config`: show what is in effect, secrets masked, and end with 1 at the first bad value."""

import os
import sys
from collections.abc import Iterator, Mapping

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_settings import SettingsError

from operation.refusals import OperationRefused
from settings import Settings, environment_name, unknown_names

MASK = "********"


class BadSetting(OperationRefused):
    """Parley cannot work with a variable's value; the message never shows a secret."""


def load_settings(**known: object) -> Settings:
    """Read the settings, or say in one line what is wrong with the first bad one.

    Raises:
        BadSetting: with the variable's name and what it should be.
    """
    misspelt = unknown_names(os.environ)
    if misspelt:
        raise BadSetting(f"{misspelt[0]} is not a setting of Parley")
    try:
        return Settings(**known)  # type: ignore[arg-type]  # checked by pydantic in this line
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = environment_name(".".join(str(part) for part in first["loc"]))
        reason = (
            "is required"
            if first["type"] == "missing"
            else first["msg"].removeprefix("Value error, ")
        )
        raise BadSetting(f"{name}: {reason}") from None  # the cause may carry a secret
    except (SettingsError, ValueError) as error:
        raise BadSetting(str(error)) from None


def effective(settings: Settings) -> Iterator[tuple[str, str]]:
    """List every variable with the value in effect, secrets masked."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            for part in type(value).model_fields:
                yield environment_name(f"{name}.{part}"), str(getattr(value, part))
        elif isinstance(value, SecretStr):
            yield environment_name(name), MASK if value.get_secret_value() else ""
        else:
            yield environment_name(name), "" if value is None else str(value)


def temporal_in_effect(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """List where Temporal is looked for, as `temporalio.envconfig` understands the environment."""
    from temporalio.envconfig import ClientConfigProfile  # noqa: PLC0415  # only this needs it

    try:
        profile = ClientConfigProfile.load(override_env_vars=dict(environment))
    except RuntimeError as error:
        raise BadSetting(f"TEMPORAL_*: {error}") from None
    yield "TEMPORAL_ADDRESS", profile.address or "(none: `up` starts a server of its own)"
    yield "TEMPORAL_NAMESPACE", profile.namespace or "default"
    yield "TEMPORAL_API_KEY", MASK if profile.api_key else ""
    yield "TEMPORAL_TLS", "on" if profile.tls or profile.api_key else "off"


def check_config() -> int:
    """Print the settings; answer the exit code."""
    try:
        shown = [*effective(load_settings()), *temporal_in_effect(os.environ)]
    except BadSetting as error:
        print(error, file=sys.stderr)
        return 1
    width = max(len(name) for name, _ in shown)
    for name, value in shown:
        print(f"{name:<{width}}  {value}")
    return 0

"""A workgroup's row as a simulation needs it."""

from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy import RowMapping

from acd.simulated_floor import SimulatedWorkgroup
from acd.what_if import Setting
from storage.calendars import entrance_from, service_level_from, stopping_hours
from storage.rows import policy_from, routing_policy_from


def setting_of(values: Mapping[str, Any]) -> Setting:
    """Read settings, recorded or invented, as a row of the table would be read."""
    row = cast("RowMapping", values)
    return Setting(
        SimulatedWorkgroup(policy_from(row), routing_policy_from(row)),
        service_level_from(row),
        stopping_hours(row),
        entrance_from(row),
    )

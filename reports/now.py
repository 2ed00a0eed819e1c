"""The floor of this moment: every workgroup's present, and what its day came to so far."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, RowMapping

from conversations.model import Instant
from reports.today import ReachedToday, Today
from storage import clock, standing
from storage.standing import Standing


@dataclass(frozen=True, slots=True)
class Reading:
    """The floor as it was read at one moment."""

    at: Instant
    workgroups: Sequence[RowMapping]
    standings: dict[str, Standing]
    today: dict[str, ReachedToday]


@dataclass
class FloorReader:
    """Reads the floor, and keeps what was counted of the day."""

    _today: Today = field(default_factory=Today)

    def read(self, connection: Connection) -> Reading:
        now = clock.now(connection)
        workgroups = standing.all_workgroups(connection)
        today = self._today.reached(connection, workgroups, now)
        return Reading(now, workgroups, standing.standings(connection), today)

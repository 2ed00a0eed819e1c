"""Rate limits: so many calls in a window, and how long to wait for the next one."""

import math
from dataclasses import dataclass

from simulated_network.model import Limit


@dataclass(slots=True)
class _Window:
    ends_at_s: float
    calls: int


class Rates:
    """Counts the calls of a running server in fixed windows that begin with the first call."""

    def __init__(self) -> None:
        self._windows: dict[tuple[int, str], _Window] = {}

    def wait_s(self, account_id: int, operation: str, limit: Limit, *, at_s: float) -> int | None:
        """Count a call; None lets it pass, else the whole seconds until it may come again."""
        window = self._windows.get((account_id, operation))
        if window is None or at_s >= window.ends_at_s:
            window = _Window(at_s + limit.window_s, 0)
            self._windows[(account_id, operation)] = window
        if window.calls >= limit.calls:
            return max(1, math.ceil(window.ends_at_s - at_s))
        window.calls += 1
        return None

    def forget(self) -> None:
        self._windows.clear()

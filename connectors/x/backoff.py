"""How long to wait before the stream is opened again, as X asks."""

from dataclasses import dataclass

_LINEAR_S, _MOST_LINEAR_S = 0.25, 16.0
_FIRST_REFUSAL_S, _MOST_REFUSAL_S = 5.0, 320.0
_FIRST_LIMIT_S = 60.0
_MOST_LIMIT_S = 960.0


@dataclass
class Backoff:
    """A broken line is tried again at once, then ever later; the first failure costs nothing."""

    failures: int = 0
    until_s: float = 0.0

    def pause_s(self, now_s: float) -> float:
        return max(0.0, self.until_s - now_s)

    def succeeded(self) -> None:
        self.failures, self.until_s = 0, 0.0

    def network_failed(self, now_s: float) -> None:
        self._wait(now_s, min(self.failures * _LINEAR_S, _MOST_LINEAR_S))

    def refused(self, now_s: float) -> None:
        self._wait(now_s, min(_FIRST_REFUSAL_S * 2.0 ** min(self.failures, 10), _MOST_REFUSAL_S))

    def refused_too_many(self, now_s: float) -> None:
        self._wait(now_s, min(_FIRST_LIMIT_S * 2.0 ** min(self.failures, 10), _MOST_LIMIT_S))

    def limited(self, now_s: float, pause_s: float) -> None:
        self._wait(now_s, pause_s)

    def _wait(self, now_s: float, pause_s: float) -> None:
        self.failures += 1
        self.until_s = now_s + pause_s

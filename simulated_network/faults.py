"""Faults on demand: which call is hit by what, counted or drawn with a seed."""

import random
from dataclasses import dataclass
from typing import Any

ACCEPT_THEN = frozenset(
    {"accept_then_500", "accept_then_reset", "accept_then_timeout", "accept_then_garbage"}
)
_ANSWERS = frozenset({"delay", "status", "reset", "garbage"})
_PAGES = frozenset({"duplicate", "reorder"})

KINDS = {
    "publish": _ANSWERS | ACCEPT_THEN,
    "mentions": _ANSWERS | _PAGES,
    "direct_messages": _ANSWERS | _PAGES,
    "change": _ANSWERS,
    "lookup": _ANSWERS,
    "upload": _ANSWERS,
    "stream_connect": frozenset({"delay", "status", "reset"}),
    "stream": frozenset({"delay", "reset", "garbage"}) | _PAGES,
    "webhook": frozenset({"delay", "lost_answer", "garbage", "bad_signature"}) | _PAGES,
}
"""What can be wrong with each operation."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong, for which account (None: all) and operation."""

    id: int
    account: str | None
    operation: str
    kind: str
    next_calls: int | None
    probability: float | None
    status: int
    retry_after_s: int | None
    delay_ms: int
    times: int


@dataclass(frozen=True, slots=True)
class Hit:
    """What one call meets: delays of all that apply, and the first fault that is not a delay."""

    delay_ms: int = 0
    fault: Fault | None = None

    @property
    def kind(self) -> str | None:
        return self.fault.kind if self.fault else None


class FaultPlan:
    """The armed faults of a running server; a restart forgets them."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self._armed: dict[int, Fault] = {}
        self._left: dict[int, int] = {}
        self._hits: dict[int, int] = {}
        self._next_id = 1

    def arm(self, **wanted: Any) -> Fault:  # noqa: ANN401 - the fields of Fault
        """Arm a fault; those armed first are looked at first."""
        fault = Fault(id=self._next_id, **wanted)
        self._next_id += 1
        self._armed[fault.id] = fault
        self._hits[fault.id] = 0
        if fault.next_calls is not None:
            self._left[fault.id] = fault.next_calls
        return fault

    def disarm(self, fault_id: int) -> bool:
        self._left.pop(fault_id, None)
        return self._armed.pop(fault_id, None) is not None

    def disarm_all(self) -> None:
        self._armed.clear()
        self._left.clear()

    def hit(self, account: str, operation: str) -> Hit:
        """Say what the next call of that account meets, and count it."""
        delay_ms, chosen = 0, None
        for fault in self._armed.values():
            if chosen is not None and fault.kind != "delay":
                continue
            if not self._applies(fault, account, operation):
                continue
            self._count(fault)
            if fault.kind == "delay":
                delay_ms += fault.delay_ms
            else:
                chosen = fault
        return Hit(delay_ms, chosen)

    def listing(self) -> list[dict[str, Any]]:
        return [self.shape(fault) for fault in self._armed.values()]

    def shape(self, fault: Fault) -> dict[str, Any]:
        """Return the fault as the control API shows it."""
        return {
            "id": str(fault.id),
            "account": fault.account,
            "operation": fault.operation,
            "kind": fault.kind,
            "next_calls": fault.next_calls,
            "remaining": self._left.get(fault.id),
            "probability": fault.probability,
            "status": fault.status,
            "retry_after_s": fault.retry_after_s,
            "delay_ms": fault.delay_ms,
            "times": fault.times,
            "hits": self._hits[fault.id],
        }

    def _applies(self, fault: Fault, account: str, operation: str) -> bool:
        if fault.operation != operation:
            return False
        if fault.account is not None and fault.account.casefold() != account.casefold():
            return False
        if fault.next_calls is not None:
            return self._left[fault.id] > 0
        return self.chance.random() < (fault.probability or 0.0)

    def _count(self, fault: Fault) -> None:
        self._hits[fault.id] += 1
        if fault.next_calls is not None:
            self._left[fault.id] -= 1

"""Reading X without gap, flood or repeat: it lists the newest first, we hand on the oldest."""

import json
from collections.abc import Awaitable, Callable, Container, Iterable
from dataclasses import dataclass, field

from connectors.x.ids import id_at, number
from connectors.x.wire import Found
from conversations.model import Instant
from conversations.networks import NetworkTrouble

OVERLAP_MS = 60_000
"""X shows some posts late, out of order: so much is always read again."""

MOST_WAITING = 5_000
"""Newer ones of a backlog are left on X until the older ones are handed on."""

MOST_BATCHES = 20
"""So many calls are made at once; who listens has to show signs of life in between."""

TURN = "turn"


@dataclass(frozen=True, slots=True)
class Batch:
    """One answer: what it brought, and how to ask for what is older."""

    found: tuple[Found, ...]
    older: str | None = None


Ask = Callable[[int, str | None], Awaitable[Batch]]
"""Asks for what is newer than an id, from a token on."""


def positions_from(cursor: str | None) -> dict[str, int]:
    """Read how far each lane was read; a foreign cursor begins anew."""
    try:
        read = json.loads(cursor or "{}")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(read, dict):
        return {}
    known = {str(name): number(value) for name, value in read.items()}
    return {name: value for name, value in known.items() if value is not None}


def cursor_text(positions: dict[str, int]) -> str:
    return json.dumps({name: str(value) for name, value in sorted(positions.items())})


@dataclass
class Walk:
    """A way back from the newest, which may have to stop for a while."""

    floor: int
    older: str | None = None


@dataclass
class Lane:
    """One list of X's, as far as it was read for one channel."""

    position: int = 0
    waiting: list[Found] = field(default_factory=list)
    walk: Walk | None = None
    wait_until_s: float = 0.0
    is_cut: bool = False
    """Whether newer ones were left on X for want of room."""

    async def fill(self, ask: Ask, floor: int, seen: Container[str]) -> None:
        """Read back to the floor and keep the oldest; a long walk takes several times.

        Raises:
            Limited: X takes no more calls; the next time goes on from there.
            NetworkTrouble: it did not answer; the next time begins anew.
        """
        if self.walk is None:
            self.waiting.clear()
            self.is_cut = False
            self.walk = Walk(floor)
        try:
            for _ in range(MOST_BATCHES):
                if await self._is_walked(ask, self.walk, seen):
                    break
            else:
                return
        except NetworkTrouble:
            self.walk, self.is_cut = None, False
            self.waiting.clear()
            raise
        self.walk = None
        self._keep_oldest()

    async def _is_walked(self, ask: Ask, walk: Walk, seen: Container[str]) -> bool:
        batch = await ask(walk.floor, walk.older)
        known = {found.key for found in self.waiting}
        for found in batch.found:
            is_new = found.number == 0 or found.number > walk.floor
            if is_new and found.key not in seen and found.key not in known:
                self.waiting.append(found)
        if len(self.waiting) > 2 * MOST_WAITING:
            self._keep_oldest()
        walk.older = batch.older
        is_below = any(0 < found.number <= walk.floor for found in batch.found)
        return batch.older is None or is_below

    def _keep_oldest(self) -> None:
        self.waiting.sort(key=_in_order)
        self.is_cut = self.is_cut or len(self.waiting) > MOST_WAITING
        del self.waiting[MOST_WAITING:]


def _in_order(found: Found) -> tuple[int, str]:
    return found.number, found.key


@dataclass
class Progress:
    """What is known beyond a channel's cursor; worthless under any other cursor."""

    cursor: str | None
    turn: int = 0
    lanes: dict[str, Lane] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)

    @classmethod
    def from_cursor(cls, cursor: str | None) -> "Progress":
        positions = positions_from(cursor)
        turn = positions.pop(TURN, 0)
        lanes = {name: Lane(position) for name, position in positions.items()}
        return cls(cursor, turn, lanes)

    def lane(self, name: str, now: Instant) -> Lane:
        """Return a lane; a query that is new to an old channel floods it with nothing old."""
        if name not in self.lanes:
            kind = f"{name.partition(':')[0]}:"
            others = [one.position for key, one in self.lanes.items() if key.startswith(kind)]
            begin = 0 if self.cursor is None else id_at(now - OVERLAP_MS)
            self.lanes[name] = Lane(max(others, default=begin))
        return self.lanes[name]

    def forget_lanes(self, names: Iterable[str]) -> None:
        """Keep only these lanes: the channel's words may have changed."""
        kept = set(names)
        self.lanes = {name: lane for name, lane in self.lanes.items() if name in kept}

    def floor(self, lane: Lane, since: Instant, now: Instant) -> int:
        """Return the id above which the lane is to be read."""
        begin = id_at(since) if since else 0
        if lane.position == 0:
            return begin
        return max(begin, min(lane.position, id_at(now - OVERLAP_MS)))

    def hand_out(self, names: Iterable[str], most: int) -> list[Found]:
        """Take the oldest of these lanes, each once, and move the lanes on."""
        lanes = [self.lanes[name] for name in names if name in self.lanes]
        whole = [lane for lane in lanes if lane.walk is None]
        waiting = {found.key: found for lane in whole for found in lane.waiting}
        taken = sorted(waiting.values(), key=_in_order)[: max(1, most)]
        keys = {found.key for found in taken}
        for lane in whole:
            own = [found.number for found in lane.waiting if found.key in keys]
            lane.position = max((lane.position, *own))
        for lane in lanes:
            lane.waiting = [found for found in lane.waiting if found.key not in keys]
        self.seen.update((found.key, found.number) for found in taken)
        return taken

    def close_turn(self, now: Instant, *, is_empty: bool) -> str:
        """Return the cursor after what was handed out; it differs when anything was."""
        if not is_empty:
            self.turn += 1
            self._forget_seen(id_at(now - 2 * OVERLAP_MS))
        positions = {name: lane.position for name, lane in self.lanes.items()}
        self.cursor = cursor_text({**positions, TURN: self.turn})
        return self.cursor

    def _forget_seen(self, oldest: int) -> None:
        kept = [(key, value) for key, value in self.seen.items() if value == 0 or value >= oldest]
        self.seen = dict(kept[-MOST_WAITING:])

    def goes_on(self, now_s: float) -> bool:
        """Whether more is waiting, here or on X."""
        return any(
            (lane.walk is None and bool(lane.waiting))
            or ((lane.walk is not None or lane.is_cut) and lane.wait_until_s <= now_s)
            for lane in self.lanes.values()
        )

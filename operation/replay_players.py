"""Players: each gives one recording, customers on the network and answers at the desk."""

import asyncio
import itertools
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from operation.caller import Caller
from operation.recordings import Recording, Said
from operation.replay_desk import Desk, Key

LONGEST_SILENCE_S = 30.0
"""Of the recorded time: a longer silence is cut to this."""

SNOWFLAKE_EPOCH_MS = 1_288_834_974_657
SNOWFLAKE_BITS = 22


def pauses_s(recording: Recording, speed: float) -> list[float]:
    """Return how long to wait before each post of a recording."""
    moments = [one.at_ms for one in recording.said]
    gaps = [after - before for before, after in itertools.pairwise(moments)]
    return [0.0, *(_shortened_s(gap, speed) for gap in gaps)]


def starts_s(recordings: Sequence[Recording], speed: float) -> list[float]:
    """Return when each recording begins, from the replay's beginning."""
    starts, at_s = [], 0.0
    for before, recording in zip([None, *recordings], recordings, strict=False):
        if before is not None:
            at_s += _shortened_s(recording.said[0].at_ms - before.said[0].at_ms, speed)
        starts.append(at_s)
    return starts


def _shortened_s(gap_ms: int, speed: float) -> float:
    return min(max(gap_ms, 0) / 1000, LONGEST_SILENCE_S) / speed


class PostIds:
    """Ids as snowflakes that rise: a post is sent again under its own id, never twice."""

    def __init__(self) -> None:
        self._last = 0

    def take(self) -> str:
        now_ms = int(time.time() * 1000) - SNOWFLAKE_EPOCH_MS
        low_bits = secrets.randbits(SNOWFLAKE_BITS - 1) | (1 << (SNOWFLAKE_BITS - 1))
        self._last = max((now_ms << SNOWFLAKE_BITS) | low_bits, self._last + 1)
        return str(self._last)


@dataclass(slots=True)
class Player:
    """Gives one recording; `last` is what each side said last, by customer."""

    recording: Recording
    desk: Desk
    network: Caller
    ids: PostIds
    on_step: Callable[[], None]
    _written: dict[str, str] = field(default_factory=dict)
    _answered: dict[str, str] = field(default_factory=dict)

    async def play(self, start_s: float, speed: float) -> None:
        """Begin in so many seconds; what follows an answer waits until the network has it."""
        await asyncio.sleep(start_s)
        brand, said = self.recording.brand, self.recording.said
        for one in said:
            self.desk.steps[self._key(one)] += 1
        for place, (one, pause_s) in enumerate(
            zip(said, pauses_s(self.recording, speed), strict=True)
        ):
            await asyncio.sleep(pause_s)
            if one.to is None:
                await self._write(one, brand)
            else:
                await self._answer(one, one.to, is_last=place == len(said) - 1)
            await self.desk.step_is_done(self._key(one))
            self.on_step()

    def _key(self, one: Said) -> Key:
        return self.recording.brand, one.to or one.author

    async def _write(self, one: Said, brand: str) -> None:
        post_id = self.ids.take()
        answers = self._answered.get(one.author) or next(iter(self._written.values()), None)
        body = {"id": post_id, "text": one.text, "mention": brand, "reply_to": answers}
        async with self.desk.lock(self._key(one)):
            await self.network.post(f"/control/people/{one.author}/posts", body)
        self.desk.played.add(post_id)
        self._written[one.author] = post_id

    async def _answer(self, one: Said, to: str, *, is_last: bool) -> None:
        reply = await self.desk.answer(self._key(one), one.text, self._written.get(to))
        if is_last:
            return
        settled = await self.desk.settled(reply)
        if settled["external_id"]:
            self._answered[to] = settled["external_id"]

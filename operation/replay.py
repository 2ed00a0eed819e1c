"""`replay`: real conversations once more, on a simulated network, answered by scripted agents."""

import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from operation.caller import Away, Refused, new_client
from operation.recordings import Recording, read_recordings
from operation.refusals import OperationRefused
from operation.replay_checks import Verdict, judge, percentile
from operation.replay_desk import Desk
from operation.replay_evidence import collect
from operation.replay_place import place, running
from operation.replay_players import LONGEST_SILENCE_S, Player, PostIds, starts_s
from operation.replay_world import World, set_up

STALLED_AFTER_S = 180.0
"""Nothing moved for so long: whoever is waited for will not come."""

LOOK_EVERY_S = 1.0
SETTLES_WITHIN_S = 120.0
MOST_BREACHES = 20
USUAL_FOLDER = Path("var").absolute()


@dataclass(frozen=True, slots=True)
class Options:
    """What the user may choose; without a folder: a running one's, else one for this time."""

    file: Path
    speed: float
    agents: int
    folder: Path | None


class Stalled(Exception):
    """The replay came to a standstill; what is known of it is judged all the same."""


def replay(options: Options) -> int:
    """Play the recordings; answer 0 when nothing was lost, doubled or otherwise broken."""
    try:
        recordings = read_recordings(options.file)
        with ExitStack() as stack:
            return asyncio.run(_replay(options, recordings, stack))
    except (OperationRefused, Refused, Away) as error:
        print(error, file=sys.stderr)
    return 1


async def _replay(options: Options, recordings: list[Recording], stack: ExitStack) -> int:
    console = Console()
    folder = await _folder(options, stack)
    console.print(f"{len(recordings)} conversations; Parley's data is in {folder}")
    async with place(folder) as found, new_client() as client:
        brands = {recording.brand for recording in recordings}
        world = await set_up(client, found, brands, options.agents)
        stage = _Stage(world, recordings, options.speed, console)
        verdict = await stage.play()
    _show(console, verdict, stage.took_s)
    return 0 if verdict.is_good else 1


async def _folder(options: Options, stack: ExitStack) -> Path:
    """Choose where to play; a folder of this time's is thrown away at the end."""
    if options.folder is not None:
        return options.folder.absolute()
    if await running(USUAL_FOLDER) is not None:
        return USUAL_FOLDER
    folder = Path(tempfile.mkdtemp(prefix="parley-replay-"))
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder


class _Stage:
    """The desk and the players at work."""

    def __init__(
        self, world: World, recordings: list[Recording], speed: float, console: Console
    ) -> None:
        self._world = world
        self._recordings = recordings
        self._speed = speed
        self._console = console
        self._desk = Desk(world)
        self._began = time.monotonic()
        self.took_s = 0.0

    async def play(self) -> Verdict:
        """Play all recordings, each at its time, and judge when everything has settled."""
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
        )
        with bar:
            working = asyncio.create_task(self._desk.work())
            playing = asyncio.gather(*self._parts(bar))
            try:
                await self._until_over(playing, working)
                standstill: str | None = None
            except Stalled as stalled:
                standstill = str(stalled)
            try:
                self.took_s = time.monotonic() - self._began
                return await self._settled(standstill)
            finally:
                for one in (playing, working):
                    one.cancel()
                await asyncio.gather(playing, working, return_exceptions=True)

    def _parts(self, bar: Progress) -> Iterator[Coroutine[None, None, None]]:
        steps = sum(len(recording.said) for recording in self._recordings)
        line = bar.add_task("posts and answers", total=steps)
        ids = PostIds()
        starts = starts_s(self._recordings, self._speed)
        for recording, start_s in zip(self._recordings, starts, strict=True):
            player = Player(
                recording, self._desk, self._world.network, ids, lambda: bar.advance(line)
            )
            yield player.play(start_s, self._speed)

    async def _until_over(
        self, playing: asyncio.Future[list[None]], working: asyncio.Task[None]
    ) -> None:
        acts, moved_at = self._desk.acts, time.monotonic()
        patience_s = max(STALLED_AFTER_S, 3 * LONGEST_SILENCE_S / self._speed)
        while not playing.done():
            await asyncio.wait({playing}, timeout=LOOK_EVERY_S)
            if working.done():
                working.result()
            if self._desk.acts != acts:
                acts, moved_at = self._desk.acts, time.monotonic()
            if time.monotonic() - moved_at > patience_s:
                raise Stalled(f"nothing has moved for {patience_s:.0f} s")
        playing.result()

    async def _settled(self, standstill: str | None) -> Verdict:
        """Judge until all is well, or until it does not get better any more."""
        fewest, better_at = sys.maxsize, time.monotonic()
        while True:
            desk = self._desk
            evidence = await collect(self._world, accepted=desk.accepted, played=desk.played)
            verdict = judge(evidence)
            if standstill is not None:
                return replace(verdict, breaches=(f"stalled: {standstill}", *verdict.breaches))
            if len(verdict.breaches) < fewest:
                fewest, better_at = len(verdict.breaches), time.monotonic()
            if verdict.is_good or time.monotonic() - better_at > SETTLES_WITHIN_S:
                return verdict
            await asyncio.sleep(LOOK_EVERY_S)


def _show(console: Console, verdict: Verdict, took_s: float) -> None:
    table = Table(title=f"Replayed in {took_s:.0f} s", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, value in (
        ("posts", verdict.posts),
        ("conversations", verdict.conversations),
        ("follow-ups joined", verdict.joined),
        ("wait p50", _seconds(percentile(verdict.waits_s, 50))),
        ("wait p95", _seconds(percentile(verdict.waits_s, 95))),
        ("replies", verdict.replies),
        ("lost", verdict.lost),
        ("doubled", verdict.doubled),
    ):
        table.add_row(name, str(value))
    console.print(table)
    for breach in verdict.breaches[:MOST_BREACHES]:
        console.print(breach, style="red", markup=False)
    if len(verdict.breaches) > MOST_BREACHES:
        console.print(f"and {len(verdict.breaches) - MOST_BREACHES} more", style="red")


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"

"""Measure and report: `python -m bench [--quick] [--only NAME] [--database URL]`."""

import asyncio
import signal
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench import chart
from bench.claims import server_version
from bench.machine import Neighbours, this_machine
from bench.measurements import NAMES, Databases, repetitions
from bench.report import goal_text, number, verdict, write_page
from bench.results import Result, gathered, keep_results, now_text, read_results
from bench.sizes import FULL_OPEN, QUICK, USUAL, Sizes

console = Console()


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured, and the command that says so; it names no server."""

    names: Sequence[str]
    sizes: Sizes
    databases: Databases
    command: str
    is_kept: bool


def main(
    *,
    only: Annotated[
        list[str] | None, typer.Option(help=f"One of {', '.join(NAMES)}; may be repeated.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Tiny numbers, to see that it works; keeps nothing.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="10,000 open conversations instead of 2,000.")
    ] = False,
    repeats: Annotated[int | None, typer.Option(min=1, help="Instead of 3.")] = None,
    database: Annotated[
        str | None, typer.Option(metavar="URL", help="A PostgreSQL server, for the claims.")
    ] = None,
    parley_too: Annotated[
        bool, typer.Option("--parley-too", help="Parley itself runs on that server, too.")
    ] = False,
) -> None:
    """Measure Parley beside its bounds; keep the results and write docs/benchmarks.md."""
    if unknown := set(only or ()) - set(NAMES):
        raise typer.BadParameter(f"there is no measurement {', '.join(sorted(unknown))}")
    if parley_too and database is None:
        raise typer.BadParameter("--parley-too needs --database")
    sizes = QUICK if quick else USUAL
    sizes = replace(sizes, open_conversations=FULL_OPEN) if full else sizes
    sizes = replace(sizes, repeats=repeats) if repeats else sizes
    words = ["python -m bench", *(f"--only {name}" for name in only or ())]
    words += ["--full"] if full else []
    words += [f"--repeats {repeats}"] if repeats else []
    words += ["--database postgresql://…"] if database else []
    words += ["--parley-too"] if parley_too else []
    names = [name for name in NAMES if not only or name in only]
    databases = Databases(database, parley_too)
    plan = Plan(names, sizes, databases, " ".join(words), is_kept=not quick)
    # Asked to end, it stops what it has started, as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if asyncio.run(_carry_out(plan)):
        raise typer.Exit(1)


async def _carry_out(plan: Plan) -> int:
    """Measure one thing after the other, keep each at once; answer how many failed."""
    server_url = plan.databases.server_url
    machine = await asyncio.to_thread(
        this_machine, await server_version(server_url) if server_url else None
    )
    failed = 0
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        for name in plan.names:
            row = progress.add_task(name, total=1)

            def say(text: str, name: str = name, row: object = row) -> None:
                progress.update(row, description=f"{name}: {text}")  # type: ignore[arg-type]

            neighbours = Neighbours()
            try:
                found = await repetitions(name, plan.sizes, plan.databases, say)
            except Exception:  # noqa: BLE001 - the other measurements are worth having
                failed += 1
                progress.console.print(traceback.format_exc(), markup=False, highlight=False)
                progress.update(row, completed=1, description=f"{name}: failed")
                continue
            progress.update(row, completed=1, description=name)
            result = Result(
                name,
                now_text(),
                plan.command,
                machine.as_json(),
                neighbours.percent(),
                gathered(found),
            )
            progress.console.print(_shown(result))
            if plan.is_kept:
                _keep(result)
    return failed


def _keep(result: Result) -> None:
    kept = {**read_results(), result.measurement: result}
    ordered = {name: kept[name] for name in NAMES if name in kept}
    keep_results(ordered)
    write_page(ordered)
    chart.draw([line for one in ordered.values() for line in one.lines])


def _shown(result: Result) -> Table:
    title = f"{result.measurement} (others used {result.neighbours_percent:.0f} % of the CPU)"
    shown = Table(title=title, title_justify="left")
    for heading in ("figure", "median", "lowest to highest", "goal", "reached", "prototype"):
        shown.add_column(heading, justify="left" if heading == "figure" else "right")
    for line in result.lines:
        measured = line.spread
        shown.add_row(
            line.figure.title,
            f"{number(measured.median)} {line.figure.unit}".strip(),
            f"{number(measured.low)} to {number(measured.high)}",
            goal_text(line.figure.goal),
            verdict(line).strip("*"),
            line.figure.prototype,
        )
    return shown


if __name__ == "__main__":
    typer.run(main)

"""The command line: `python parley.py --help`."""

import os
from pathlib import Path
from typing import Annotated

try:
    import typer
except ModuleNotFoundError:  # `python parley.py` on a fresh clone
    from operation.first_use import start_again

    start_again()

os.environ.pop("PARLEY_STARTED_AGAIN", None)

# Each command imports what it needs: `up` starts in seconds because it loads nothing of the others.
app = typer.Typer(
    help="Routes social-media conversations to people.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # its traces print local variables, keys among them
)

Folder = Annotated[Path, typer.Option("--data", envvar="PARLEY_DATA_DIR", help="Where it all is.")]


@app.command()
def up(
    data: Folder = Path("var"),
    port: Annotated[int, typer.Option(min=1, max=65535, help="API and desk.")] = 8000,
    temporal_port: Annotated[
        int, typer.Option(min=1, max=64535, help="Temporal; its web UI is 1000 above.")
    ] = 7233,
    *,
    demo: Annotated[
        bool, typer.Option("--demo/--no-demo", help="Demo data and the simulated network.")
    ] = True,
) -> None:
    """Run everything on this machine until Ctrl-C."""
    from operation.up import Options
    from operation.up import up as run_up

    raise typer.Exit(run_up(Options(data.absolute(), port, temporal_port, demo)))


@app.command()
def migrate(
    back_to: Annotated[
        str | None, typer.Option(metavar="REVISION", help="Go back to a revision instead.")
    ] = None,
) -> None:
    """Bring the database to this version and register the search attributes on Temporal."""
    from operation.migrate import migrate as run_migrate

    raise typer.Exit(run_migrate(back_to=back_to))


@app.command()
def check_config() -> None:
    """Print the settings in effect, secrets masked; end with 1 at the first bad one."""
    from operation.check_config import check_config as run_check_config

    raise typer.Exit(run_check_config())


@app.command()
def rotate_keys(
    data: Folder = Path("var"),
    *,
    forget_lost: Annotated[
        bool, typer.Option("--forget-lost", help="Let go what no key opens any more.")
    ] = False,
) -> None:
    """Seal all credentials with the newest secret key, while Parley runs."""
    from operation.rotate_keys import rotate_keys as run_rotate_keys

    raise typer.Exit(run_rotate_keys(data.absolute(), forgets_lost=forget_lost))


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="Recorded conversations, one JSON object a line.")],
    speed: Annotated[
        float, typer.Option(min=0.1, max=100_000, help="How many times faster than they were.")
    ] = 60.0,
    agents: Annotated[int, typer.Option(min=1, max=200, help="Scripted agents.")] = 8,
    data: Annotated[
        Path | None,
        typer.Option(help="Where it runs, or is to run; else ./var if it runs, else for once."),
    ] = None,
) -> None:
    """Play recorded conversations; end with 1 when anything was lost, doubled or broken."""
    from operation.replay import Options
    from operation.replay import replay as run_replay

    raise typer.Exit(run_replay(Options(file, speed, agents, data)))


@app.command()
def explain(
    conversation: Annotated[str, typer.Argument(help="The conversation's id.")],
    agent: Annotated[
        str | None, typer.Option(help="Tell what each decision meant for this agent: id or name.")
    ] = None,
    data: Folder = Path("var"),
) -> None:
    """Tell why a conversation went to whom; end with 1 when a decision does not come out again."""
    from operation.explain import explain as run_explain

    raise typer.Exit(run_explain(conversation, agent, data.absolute()))


@app.command()
def make_keys(data: Folder = Path("var")) -> None:
    """Make the demonstration's keys in the data folder (for containers; `up` does it itself)."""
    from operation.demo_keys import make_keys as run_make_keys

    raise typer.Exit(run_make_keys(data.absolute()))


@app.command()
def prepare_demo(
    api_url: Annotated[str, typer.Option(help="Where the API is, with /api/v1.")],
    data: Folder = Path("var"),
    control_url: Annotated[
        str | None, typer.Option(help="The simulated network by a loopback address.")
    ] = None,
) -> None:
    """Fill a running Parley with the demonstration (for containers; `up` does it itself)."""
    from operation.demo_keys import prepare_demo as run_prepare_demo

    raise typer.Exit(run_prepare_demo(data.absolute(), api_url, control_url))


@app.command()
def openapi() -> None:
    """Print the API's description; the committed one is openapi.json."""
    from api.openapi import document

    typer.echo(document(), nl=False)


if __name__ == "__main__":
    app()

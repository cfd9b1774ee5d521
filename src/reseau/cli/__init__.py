"""The command line: one file per command. What a command needs is imported when it runs."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from reseau.cli.blackboard import blackboard
from reseau.cli.check import check
from reseau.cli.exercise import exercise
from reseau.cli.explain import explain
from reseau.cli.export import export
from reseau.cli.info import info
from reseau.cli.predict import predict
from reseau.cli.show import show
from reseau.cli.studio import studio
from reseau.cli.train import train
from reseau.cli.verify import verify

app = typer.Typer(
    name="reseau",
    help="Train dense neural networks on tables, predict with them, and work out how they learn.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(train)
app.command()(predict)
app.command()(explain)
app.command()(show)
app.command()(verify)
app.command()(export)
app.command()(blackboard)
app.command()(exercise)
app.command()(check)
app.command()(studio)
app.command()(info)


def _version(wanted: bool) -> None:
    if wanted:
        from reseau.version import __version__

        typer.echo(f"reseau {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """Train dense neural networks on tables, predict with them, and work out how they learn."""


def main() -> None:
    """Run the command line on `sys.argv`: the entry point `reseau`."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without "²" shows "?"
    app()

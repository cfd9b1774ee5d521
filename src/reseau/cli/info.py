"""`reseau info`: what would compute."""

from __future__ import annotations

import json as json_module
from typing import Annotated

import typer

from reseau.cli.common import refusals


def info(json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Tell the version, engine, instruction set and threads."""
    with refusals():
        from reseau import engine

        facts = engine.info()
        if json:
            typer.echo(json_module.dumps(facts, ensure_ascii=False))
        else:
            for key, value in facts.items():
                if value is not None:
                    typer.echo(f"{key.replace('_', ' '):<16}  {value}")

"""`reseau info`: what would compute."""

from __future__ import annotations

from typing import Annotated

import typer

from reseau.cli.common import refusals, tell, tell_json


def info(json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Tell the version, engine, instruction set and threads."""
    with refusals():
        from reseau import engine

        facts = engine.info()
        if json:
            tell_json(facts)
        else:
            for key, value in facts.items():
                if value is not None:
                    tell(f"{key.replace('_', ' '):<16}  {value}")

"""`reseau info`: what would compute, or what a model file holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reseau.cli.common import refusals

if TYPE_CHECKING:
    from reseau.table_model import TableModel


def info(
    model: Annotated[
        Path | None,
        typer.Argument(
            metavar="MODEL",
            help="A model file; without it, what would compute.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Tell what a model file holds, or the version, engine, instruction set and threads."""
    with refusals():
        if model is None:
            from reseau import engine

            facts = engine.info()
            lines = [f"{key.replace('_', ' '):<16}  {value}" for key, value in facts.items() if value is not None]
            _print(facts, lines, json)
            return
        from reseau import load
        from reseau.table_model import TableModel

        loaded = load(model)
        if isinstance(loaded, TableModel):
            _print(loaded.describe(), _lines(model, loaded), json)
        else:
            described = {"kind": "network", "network": loaded.describe()}
            _print(described, [f"{model}: a network", "", loaded.summary()], json)


def _lines(path: Path, model: TableModel) -> list[str]:
    from reseau.cli import report
    from reseau.columns import plural

    lines = [
        f"{path}: {model.target.task} of {model.target.name!r}, from {report.table(model)}",
        report.what_is_predicted(model),
        "",
        *report.columns(model),
        "",
    ]
    if model.notes:
        lines += ["Notes", *(f"  - {text}" for text in model.notes), ""]
    lines += [model.network.summary(), "", f"Training: {report.training(model)}"]
    if model.scores is not None:
        lines += [f"Scores on {plural(model.scores.rows, 'row')} held out of the training:", ""]
        lines += report.scores(model.scores, model)
    return lines


def _print(facts: dict[str, Any], lines: list[str], as_json: bool) -> None:
    if as_json:
        import json

        typer.echo(json.dumps(facts, ensure_ascii=False, allow_nan=False))
    else:
        typer.echo("\n".join(lines))

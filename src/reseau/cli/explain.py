"""`reseau explain`: what each column contributed to the prediction of a row."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reseau.cli.common import TableArgument, ThreadsOption, load_table_model, note, refusals, tell, tell_json


def explain(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model file.", show_default=False)],
    table: TableArgument,
    row: Annotated[int, typer.Option(help="Which row of the table, the first being 1.")] = 1,
    label: Annotated[
        str | None,
        typer.Option("--class", help="Whose probability is explained.", show_default="the class that is predicted"),
    ] = None,
    background: Annotated[
        Path | None,
        typer.Option(
            metavar="TABLE", help="The rows beside which the row is seen.", show_default="the rows of TABLE itself"
        ),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option(
            help="How many orders of the columns are drawn for each row of the background, each with its reverse.",
            show_default="all sets of few columns, else as many as suit",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Fixes which rows and orders are drawn.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    threads: ThreadsOption = None,
) -> None:
    """Tell what each column contributes to the prediction of a row of a table.

    Contributions are Shapley values, beside a background of other rows: what a column adds to those
    before it, in the mean over all orders of the columns. They sum to the prediction less the mean
    prediction of the background, in the unit of the target, or as a probability. Of few columns they
    are exact; of many orders are drawn, and the standard error of each is told.
    """
    with refusals():
        loaded = load_table_model(model, "explain it from Python (reseau.tables.understanding.shapley.contributions)")
        _, read = loaded.rows_of(table)
        explanation = loaded.explain(
            read, row, label=label, background=background, samples=samples, seed=seed, threads=threads
        )
        for text in read.notes:
            note(text)
        if json:
            tell_json(explanation.to_json())
        else:
            tell(str(explanation))

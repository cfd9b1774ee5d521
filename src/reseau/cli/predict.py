"""`reseau predict`: a model file and a table give a table of predictions."""

from __future__ import annotations

import csv
import io
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reseau.cli.common import check_output, load_table_model, note, refusals, tell
from reseau.errors import ParameterError
from reseau.visible import visible

if TYPE_CHECKING:
    import pyarrow as pa

FORMULA = re.compile("[=+@\\-\t\r＝＋＠－].")  # what begins one in a spreadsheet, whose lone sign is none
NUMBER = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?\s*\Z")


def predict(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model file.", show_default=False)],
    table: Annotated[
        Path, typer.Argument(metavar="TABLE", help="A CSV or Parquet file; - for standard input.", show_default=False)
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A .csv, .tsv or .parquet file.", show_default="CSV to stdout"),
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(
            help="How matrix products are computed: bf16, bf16x3 or bf16x6; see Network.fit.",
            show_default="float32",
        ),
    ] = None,
    threads: Annotated[int | None, typer.Option(help="At most as many threads.", show_default="all processors")] = None,
) -> None:
    """Predict each row of a table.

    The output has a line for each row of TABLE, in its order: the column "prediction" and, for
    classes, a column of probabilities for each, named "target=class". Nothing else of TABLE is
    repeated. If TABLE holds the target too, the score is told on stderr; so is a class that a
    spreadsheet would take for a formula.
    """
    with refusals():
        ending = ".csv" if output is None else output.suffix.lower()
        if output is not None:
            if ending not in (".csv", ".tsv", ".parquet", ".pq"):
                raise ParameterError(
                    f"{output}: unknown ending {output.suffix!r}; predictions are written to .csv, .tsv, .parquet "
                    "and .pq files."
                )
            check_output(output, [model, table])
        elif sys.stdout is None:
            raise ParameterError("standard output is closed; name a file to write with --output.")
        from reseau.tables.table import quoted

        loaded = load_table_model(model, "use it from Python (reseau.load)")
        predictions = loaded.predict(table, precision=precision, threads=threads)
        for text in predictions.notes:
            note(text)
        content = to_bytes(predictions.table, ending)
        if ending in (".csv", ".tsv") and (found := formula(predictions.table)) is not None:
            note(f"a spreadsheet would take {quoted(found)} for a formula; import the columns of text as text")
        if output is None:
            if sys.stdout.isatty():
                content = visible(content.decode(), lines=True).encode()
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
        else:
            from reseau.files import writing

            writing.write_bytes(output, content)
            tell(f"{predictions.table.num_rows:,} predictions written to {output}.", err=True)
        if predictions.scores is not None:
            tell(
                f"On the {predictions.scores.rows:,} rows with a value in {loaded.target.name!r}: "
                f"{predictions.scores.line()}.",
                err=True,
            )


def formula(table: pa.Table) -> str | None:
    """The first text of a table, its header included, that a spreadsheet would take for a formula, or None."""
    texts = [text for column in _texts(table) for text in column.unique().to_pylist()]
    return next(
        (text for text in [*table.column_names, *texts] if FORMULA.match(text) and not NUMBER.match(text)), None
    )


def _texts(table: pa.Table) -> list[pa.ChunkedArray]:
    """The columns of text: that of the predicted classes, or none."""
    import pyarrow as pa

    return [column for column in table.columns if pa.types.is_large_string(column.type)]


def to_bytes(table: pa.Table, ending: str) -> bytes:
    """Return the content of a file of that ending that holds the table."""
    import pyarrow as pa

    if ending in (".parquet", ".pq"):
        import pyarrow.parquet

        sink = pa.BufferOutputStream()
        pyarrow.parquet.write_table(table, sink)
        return bytes(sink.getvalue())
    import pyarrow.compute as pc
    import pyarrow.csv

    delimiter = "\t" if ending == ".tsv" else ","
    header = io.StringIO()
    csv.writer(header, delimiter=delimiter, lineterminator="\n").writerow(table.column_names)
    # pyarrow quotes every text or none
    special = any(pc.any(pc.match_substring_regex(text, rf'[{delimiter}"\r\n]')).as_py() for text in _texts(table))
    options = pyarrow.csv.WriteOptions(
        include_header=False, delimiter=delimiter, quoting_style="needed" if special else "none"
    )
    body = pa.BufferOutputStream()
    pyarrow.csv.write_csv(table, body, options)
    return header.getvalue().encode() + bytes(body.getvalue())

"""`reseau predict`: a model file and a table give a table of predictions."""

from __future__ import annotations

import csv
import io
import re
import sys
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reseau.cli.common import (
    PrecisionOption,
    TableArgument,
    ThreadsOption,
    check_output,
    files_read,
    load_table_model,
    note,
    refusals,
    tell,
)
from reseau.errors import DataError, ParameterError
from reseau.visible import visible

if TYPE_CHECKING:
    import pyarrow as pa

FORMULA = re.compile("[=+@\\-\t\r＝＋＠－].")  # what begins one in a spreadsheet, whose lone sign is none
ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".pq")
JSON_LINES, PARQUET = ENDINGS[2:4], ENDINGS[4:]
NUMBER = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?\s*\Z")


def predict(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model file.", show_default=False)],
    table: TableArgument,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A .csv, .tsv, .jsonl or .parquet file.", show_default="CSV to stdout"),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(help="A column of TABLE to repeat before the prediction; may be repeated.", show_default=False),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Write JSON lines: an object for each row.")] = False,
    unreadable: Annotated[
        str,
        typer.Option(
            help="'missing' counts cells that cannot be read as what their column held at training as missing; 'error' "
            "refuses them."
        ),
    ] = "error",
    interval: Annotated[
        float | None,
        typer.Option(
            help="Of a number: add the columns lower and upper, between which it lies with this probability.",
            show_default=False,
        ),
    ] = None,
    sep: Annotated[
        str | None,
        typer.Option(help="What separates the fields of a text file.", show_default="as at training"),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option(help="Of a text file that is not UTF-8, such as cp1252.", show_default="as at training"),
    ] = None,
    precision: PrecisionOption = None,
    threads: ThreadsOption = None,
) -> None:
    """Predict each row of a table.

    The output has a line for each row of TABLE, in its order: the column "prediction" and, for
    classes, a column of probabilities for each, named "target=class". Of TABLE, what --keep names
    is repeated before them. If TABLE holds the target too, the score is told on stderr; so is a
    text that a spreadsheet would take for a formula.
    """
    with refusals():
        from reseau.tables.reading.folders import would_join

        ending = (".jsonl" if json else ".csv") if output is None else output.suffix.lower()
        if output is not None:
            if ending not in ENDINGS:
                raise ParameterError(
                    f"{output}: unknown ending {output.suffix!r}; predictions are written to files that end in "
                    f"{', '.join(ENDINGS)}."
                )
            if json and ending not in JSON_LINES:
                raise ParameterError(f"--json writes JSON lines, but not to {output}; name it .jsonl, or leave --json.")
            check_output(output, [model, *files_read(table)])
            if would_join(table, output):
                raise ParameterError(f"{output} would be a part of {table} from then on; write it to another folder.")
        elif sys.stdout is None:
            raise ParameterError("standard output is closed; name a file to write with --output.")
        from reseau.tables.reading.table import quoted

        loaded = load_table_model(model, "use it from Python (reseau.load)")
        predictions = loaded.predict(
            table,
            keep=keep or (),
            unreadable=unreadable,
            interval=interval,
            sep=sep,
            encoding=encoding,
            precision=precision,
            threads=threads,
        )
        for text in predictions.notes:
            note(text)
        told = predictions.table if ending in PARQUET else writable(predictions.table)
        content = to_bytes(told, ending)
        if ending in (".csv", ".tsv") and (found := formula(told)) is not None:
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
    import pyarrow.compute as pc

    texts = table.column_names
    for column in _texts(table):
        begins = pc.match_substring_regex(column, f"^{FORMULA.pattern}")
        texts += column.filter(begins).unique().to_pylist()
    return next((text for text in texts if FORMULA.match(text) and not NUMBER.match(text)), None)


def _texts(table: pa.Table) -> list[pa.ChunkedArray]:
    """The columns of text: that of the predicted classes, and what is kept."""
    import pyarrow as pa

    return [column for column in table.columns if pa.types.is_large_string(column.type)]


def writable(table: pa.Table) -> pa.Table:
    """The table with dates, durations and the like as text; a `DataError` for what has none."""
    import pyarrow as pa

    from reseau.tables.reading.table import written

    for i, column in enumerate(table.columns):
        kind = column.type
        if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
            continue
        try:
            table = table.set_column(i, table.column_names[i], written(column))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise DataError(
                f"column {table.column_names[i]!r} holds cells of type {kind}, which have no text; keep another, "
                "or write to a .parquet file."
            ) from None
    return table


def to_bytes(table: pa.Table, ending: str) -> bytes:
    """Return the content of a file of that ending that holds the table."""
    import pyarrow as pa

    if ending in PARQUET:
        import pyarrow.parquet

        sink = pa.BufferOutputStream()
        pyarrow.parquet.write_table(table, sink)
        return bytes(sink.getvalue())
    if ending in JSON_LINES:
        return _json_lines(table)
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


def _json_lines(table: pa.Table) -> bytes:
    """An object for each row; what JSON has no number for is null."""
    columns = [_of_json(column) for column in table.columns]
    names = table.column_names
    lines = (dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) for row in zip(*columns, strict=True))
    return "".join(f"{line}\n" for line in lines).encode()


def _of_json(column: pa.ChunkedArray) -> list[object]:
    """The cells of a column as JSON has them: numbers of float32 with its digits, and none that are not finite."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_floating(column.type):
        if not pa.types.is_float64(column.type):
            column = column.cast(pa.float32()).cast(pa.string()).cast(pa.float64())
        column = pc.if_else(pc.is_finite(column), column, None)
    return list(column.to_pylist())

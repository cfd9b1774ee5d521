"""JSON lines: a table with an object for each row, whose names are the columns'."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from reseau.checks import shown
from reseau.errors import DataError
from reseau.tables.reading import frames
from reseau.tables.reading.frames import Named
from reseau.tables.reading.sources import JSON_LINES, UNREADABLE, Source, damaged, first_line

LONGEST_FIRST_LINE = 1 << 20  # bytes in which a text that begins like JSON lines is looked at
BLOCK_BYTES = 16 << 20  # what pyarrow reads at once; a line has to fit in it, or is read by Python
WHOLE = 2.0**53
EACH_LINE = 'JSON lines have an object, such as {"length": 1.5}, on each line'
FLATTEN = "flatten it into columns of its own, as pandas.json_normalize does"


def is_json_lines(source: Source, head: bytes) -> bool:
    """Whether a source has an object in its first line, or is named like JSON lines."""
    if source.ends(JSON_LINES):
        return True
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start.startswith(b"{"):
        return False
    text = source.read(LONGEST_FIRST_LINE).removeprefix(b"\xef\xbb\xbf").lstrip()
    try:
        return isinstance(json.loads(text.split(b"\n")[0]), dict)
    except UnicodeDecodeError:  # is told with its line
        return True
    except (ValueError, RecursionError):
        return False


@dataclass(frozen=True)
class LineOf:
    """Find the line of a row, by reading the lines again: only an error or a note asks for it."""

    source: Source = field(repr=False)

    def __call__(self, row: int) -> str:
        """The place of a row, the first being 0."""
        try:
            line = next(islice(_lines(self.source), row, None))[0]
        except (DataError, StopIteration):  # gone meanwhile
            return f"{self.source.name}, row {row + 1}"
        return f"{self.source.name}, line {line}"


def read_json_lines(source: Source) -> Named:
    """The columns of JSON lines, in the order in which their names are met.

    Raises
    ------
    DataError
        For a line that is no object, and for values that are lists or objects: the message names line and column.
    """
    return _read_alike(source) or _read_line_by_line(source)


def _read_alike(source: Source) -> Named | None:
    """The columns where the values of each are of one type, as pyarrow reads them; else None."""
    import pyarrow.json

    def read(**options: Any) -> pa.Table:
        with source.open() as file:
            return pyarrow.json.read_json(
                file,
                read_options=pyarrow.json.ReadOptions(block_size=BLOCK_BYTES),
                parse_options=pyarrow.json.ParseOptions(**options),
            )

    try:
        table = read()
        dates = [
            (name, pa.large_string())
            for name, of in zip(table.column_names, table.schema.types, strict=True)
            if pa.types.is_timestamp(of)
        ]
        if dates:  # which are text here, as they are elsewhere
            table = read(explicit_schema=pa.schema(dates)).select(table.column_names)
        table.validate(full=True)
        unlike = any(map(pa.types.is_nested, table.schema.types)) or any(map(_is_beyond, table.columns))
        return None if unlike else frames.columns_of(table)
    except frames.DAMAGED:
        return None


def _is_beyond(cells: pa.ChunkedArray) -> bool:
    """Whether some of the numbers are so large that float64 merges whole numbers, which they may be."""
    if not pa.types.is_floating(cells.type):
        return False
    bounds = pc.min_max(cells)
    return any(abs(bound.as_py() or 0.0) >= WHOLE for bound in bounds.values())


def _read_line_by_line(source: Source) -> Named:
    """The columns with values of any types, or the error that names the place of what is none."""
    columns: dict[str, list[Any]] = {}
    rows = 0
    for line, content in _lines(source):
        for name, value in _object(f"{source.name}, line {line}", content).items():
            if isinstance(value, list | dict):
                raise DataError(
                    f"{source.name}, line {line}: column {name!r} is {shown(value)}, and a cell holds a single value; "
                    f"{FLATTEN}."
                )
            cells = columns.setdefault(name, [])
            cells.extend([None] * (rows - len(cells)))  # absent from rows before
            cells.append(value)
        rows += 1
    for cells in columns.values():
        cells.extend([None] * (rows - len(cells)))
    return [*columns], [frames.of_values(cells) for cells in columns.values()]


def _lines(source: Source) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, each with its number."""
    try:
        with io.BufferedReader(source.open()) as lines:
            for line, content in enumerate(lines, 1):
                if content.strip():
                    yield line, content
    except UNREADABLE as error:
        raise damaged(source.name, error) from None


def _object(where: str, content: bytes) -> dict[str, Any]:
    try:
        row = json.loads(content.strip())
    except json.JSONDecodeError as error:
        raise DataError(f"{where} is no JSON: {error.msg}, at character {error.colno}; {EACH_LINE}.") from None
    except UnicodeDecodeError as error:
        raise DataError(
            f"{where}: byte {error.start + 1} of the line (0x{content[error.start]:02x}) is not UTF-8 text, as JSON is."
        ) from None
    except (ValueError, RecursionError) as error:  # digits without end, lists within lists
        raise DataError(f"{where} cannot be read: {first_line(error)}.") from None
    if not isinstance(row, dict):
        raise DataError(f"{where} is {shown(row)}; {EACH_LINE}.")
    return row

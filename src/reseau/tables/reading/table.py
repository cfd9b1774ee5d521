"""A table from a file or a data frame: named columns, and where each of their cells stands.

Reading decides nothing about what cells mean. Those of text are as they were written, but for white space around them;
the others keep the types they come with. Empty text, null and NaN are missing.
"""

from __future__ import annotations

import difflib
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from reseau.checks import integer
from reseau.errors import DataError
from reseau.tables.reading import encodings, folders, frames, json_lines, sources, spreadsheet, text_table
from reseau.tables.reading.dialect import SPACE, header_given, separator_given
from reseau.tables.reading.encodings import encoding_given
from reseau.visible import plural

LONGEST_QUOTED = 120  # characters of a cell in a message
CATEGORY = "category"
MIDNIGHT = r"( 00:00:00)?(\.0+)?$"


class NoRowsError(DataError):
    """A table is empty: alone that is an error, as a part of one in several files it is passed over."""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name : str
        Without white space around it.
    cells : pyarrow.ChunkedArray
        Text is `large_string`; missing is null.
    place : callable
        How to call the place of a row in an error message.
    separator : str
        Of the fields of the text it comes from; "" for frames and Parquet.
    declared : str
        "category" where the type of the column says that it is one.
    """

    name: str
    cells: pa.ChunkedArray
    place: Callable[[int], str]
    separator: str = ""
    declared: str = ""


@dataclass(frozen=True)
class Table:
    """Named columns of equal length.

    Parameters
    ----------
    name : str
        What messages call the table: the file's path, "standard input", "the text" or "the table".
    columns : dict of str to Column
        In the order of the file.
    rows : int
        At least 1.
    notes : tuple of str
        What was noticed while reading, to be told to the user.
    hint : str
        What to say besides if a column is not found; "" for nothing.
    """

    name: str
    columns: dict[str, Column]
    rows: int
    notes: tuple[str, ...] = field(default=())
    hint: str = ""

    def column(self, name: object) -> Column:
        """Return the column of that name; a `DataError` suggests the nearest name there is."""
        found = self.columns.get(frames.name_of(name).strip(SPACE))
        if found is None:
            raise DataError(
                f"{self.name} has no column {name!r}{did_you_mean(name, self.columns)}; its columns are "
                f"{listed(self.columns)}.{self.hint}"
            )
        return found

    def place_of(self, row: object) -> int:
        """Return the place of a row, the first being 0, given its number, the first being 1."""
        return place_of(row, self.rows, self.name)

    def holding(self, row: object) -> tuple[Table, int]:
        """Return the table that holds a row, given its number, the first being 1; and its place there, from 0 on."""
        return self, self.place_of(row)


@dataclass(frozen=True)
class _Reading:
    """How the user says that texts are read; "" and True find it."""

    separator: str
    has_header: bool
    encoding: str


def read_table(data: Any, *, sep: str | None = None, header: str | None = None, encoding: str | None = None) -> Table:
    """Read a table.

    Parameters
    ----------
    data : path, "-", open file, Table, data frame, dict or list of dicts
        A file of delimited text (.csv, .tsv, .tab, .txt, .data, .dat, .psv), Parquet, Arrow (.arrow, .feather), JSON
        lines (.jsonl, .ndjson) or a spreadsheet's first sheet (.xlsx, if openpyxl is installed), also compressed as
        .gz, .bz2, .zst, .xz or .zip; a folder of such, or a pattern such as "part-*.csv", sorted by name; "-" for
        standard input; an open file of text or bytes; any data frame known to narwhals (pandas, polars, DuckDB, pyarrow
        and others), lazy ones too, and whatever else hands out a stream of Arrow; a dict of columns; one row as a dict;
        a list of such rows.
    sep : str or None
        What separates the fields of a text: one character, or "comma", "semicolon", "tab", "bar" or "space", which
        stands for any white space. None finds it from the first lines.
    header : {None, "none"}
        "none" for a text whose first line is a row: the columns are named "column 1", "column 2" and so on.
    encoding : str or None
        Of a text that is not UTF-8, such as "latin-1", "cp1252" or "utf-16". A mark of byte order tells more, and text
        that is open as such has none.

    Returns
    -------
    Table
        With at least one column and one row.

    Raises
    ------
    DataError
        If the table cannot be understood: the message names the file and the line.
    ParameterError
        If `sep`, `header` or `encoding` is none of these, or a file cannot be read twice.
    OSError
        If the file cannot be opened.

    Examples
    --------
    >>> table = read_table({"length": [39.1, 39.5], "species": ["Adelie", "Gentoo"]})
    >>> table.rows, list(table.columns)
    (2, ['length', 'species'])
    """
    reading = _Reading(separator_given(sep), header_given(header), encoding_given(encoding))
    if isinstance(data, Table):
        return data
    if not sources.is_source(data):
        table = _of_columns("the table", *frames.columns_of(data))
        index = frames.index_of(data)
        return replace(table, **_of_index(index)) if index else table
    parts = folders.parts_of(data)
    if parts is None:
        return _read(sources.open_source(data), reading)
    return _joined(str(data), *parts, reading)


def _read(source: sources.Source, reading: _Reading) -> Table:
    head = source.read(sources.HEAD_BYTES)
    if not head:
        raise NoRowsError(f"{source.name} is empty: a table needs a line of column names, then its rows.")
    if frames.is_parquet(source, head):
        return _of_columns(source.name, *frames.read_parquet(source, head))
    if frames.is_arrow(source, head):
        return _of_columns(source.name, *frames.read_arrow(source, head))
    if sources.is_workbook(source, head):
        return _of_sheet(spreadsheet.read_sheet(source), reading.has_header)
    mark = encodings.marked(head)
    if mark and mark != encodings.UTF_8:
        source = encodings.in_utf_8(source, mark)
        head = source.read(sources.HEAD_BYTES)
    if json_lines.is_json_lines(source, head):
        named = json_lines.read_json_lines(source)
        return _of_columns(source.name, *named, json_lines.LineOf(source))
    sources.refuse_other_formats(source, head)
    if reading.encoding and not mark and not source.decoded:
        source = encodings.in_utf_8(source, reading.encoding)
    text = text_table.read_text(source, reading.separator, reading.has_header)
    return _of_text(source.name, text)


def _joined(name: str, files: list[Path], passed_over: tuple[str, ...], reading: _Reading) -> Table:
    """One table of several files, one below the other, which have the same columns."""
    parts: list[Table] = []
    empty: list[str] = []
    for file in files:
        try:
            parts.append(_read(sources.open_source(file), reading))
        except NoRowsError:
            empty.append(file.name)
    if not parts:
        raise NoRowsError(f"{name} has no rows, in {plural(len(files), 'file')}: {listed(empty)}.")
    first = parts[0]
    for part in parts[1:]:
        lacks, more = ([n for n in a.columns if n not in b.columns] for a, b in ((first, part), (part, first)))
        if lacks or more:
            has = " and ".join([f"lacks {listed(lacks)}"] * bool(lacks) + [f"has {listed(more)} besides"] * bool(more))
            raise DataError(
                f"{part.name} has other columns than {first.name}: it {has}. The files of one table have the same "
                f"columns; name those to read by a pattern.{part.hint or first.hint}"
            )
    starts = list(accumulate((part.rows for part in parts), initial=0))

    def place(row: int, column: str) -> str:
        i = bisect_right(starts, row) - 1
        return parts[i].columns[column].place(row - starts[i])

    columns = {}
    for column in first.columns:
        own = [part.columns[column] for part in parts]
        separators = {part.separator for part in own}
        separator = separators.pop() if len(separators) == 1 else ""
        declared = max(part.declared for part in own)
        columns[column] = Column(column, _stacked(column, parts), partial(place, column=column), separator, declared)
    said = Counter(note for part in parts for note in part.notes)
    notes = [
        note if count == len(parts) else f"{note} (in {count} of {plural(len(parts), 'file')})"
        for note, count in said.items()
    ]
    if empty:
        notes.append(f"{listed(empty)} without rows passed over")
    return Table(name, columns, starts[-1], (*passed_over, *notes))


def _stacked(name: str, parts: list[Table]) -> pa.ChunkedArray:
    """The cells of a column in all parts, of one type."""
    kind = parts[0].columns[name].cells.type
    for part in parts[1:]:
        other = part.columns[name].cells.type
        if other == kind:
            continue
        try:
            schemas = [pa.schema([("", found)]) for found in (kind, other)]
            kind = pa.unify_schemas(schemas, promote_options="permissive").field(0).type
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            raise DataError(
                f"column {name!r} has cells of type {kind} in {parts[0].name} and {other} in {part.name}; write all "
                "files of the table with the same types."
            ) from None
    chunks = [chunk for part in parts for chunk in part.columns[name].cells.cast(kind, safe=False).chunks]
    return pa.chunked_array(chunks, kind)


def place_of(row: object, rows: int, name: str) -> int:
    """The place of a row, the first being 0, of a table of so many and this name, given its number, the first being 1.

    Raises
    ------
    ParameterError
        For what is no such number.
    DataError
        For a row that the table has not.
    """
    number = integer("row", row, low=1)
    if number > rows:
        raise DataError(f"{name} has {plural(rows, 'row')}, so there is no row {number:,}.")
    return number - 1


def did_you_mean(name: object, known: Any) -> str:
    """Return " (did you mean 'x'?)" with the nearest of the known names, or nothing."""
    by_lower = {str(other).lower(): str(other) for other in known}
    near = difflib.get_close_matches(str(name).lower(), by_lower, n=1, cutoff=0.6)
    return f" (did you mean {by_lower[near[0]]!r}?)" if near else ""


def listed(names: Any, limit: int = 12) -> str:
    """Return the names as a list for a sentence, cut after `limit`."""
    names = list(names)
    rest = len(names) - limit
    return ", ".join(quoted(name) for name in names[:limit]) + (f" and {rest} more" if rest > 0 else "")


def quoted(value: object) -> str:
    """Return a name or the value of a cell for a sentence, cut where it is long."""
    text = repr(value)
    return text if len(text) <= LONGEST_QUOTED else f"{text[:LONGEST_QUOTED]}…"


def _of_text(name: str, text: text_table.Text) -> Table:
    if not len(text.cells[0]):
        raise NoRowsError(f"{name} has a line of column names and no rows.")
    where, unnamed = (f"{name}, line {text.header}", f", or, {text_table.HEADER_NONE}") if text.header else (name, "")
    names = _column_names(where, text.names, unnamed)
    columns = {
        column: Column(column, _plain(cells), text.place, text.separator)
        for column, cells in zip(names, text.cells, strict=True)
    }
    return Table(name, columns, len(text.cells[0]), text.notes, text.hint)


def _of_sheet(sheet: spreadsheet.Sheet, has_header: bool) -> Table:
    """A table of a sheet, which is never cut otherwise than it says."""
    text = text_table.read_text(sheet.text, ",", has_header)
    sheet.refuse_merged(text.header)
    hint = text.hint if len(text.names) > 1 else ""
    return _of_text(sheet.text.name, replace(text, notes=(*sheet.notes, *text.notes), hint=hint))


def _of_columns(name: str, names: list[str], columns: list[Any], place: Callable[[int], str] | None = None) -> Table:
    if not names:
        raise DataError(f"{name} has no columns.")
    if not len(columns[0]):
        raise NoRowsError(f"{name} has columns and no rows.")

    found = {}
    place = place or partial(_row_of, name)
    for column, cells in zip(_column_names(name, [n.strip(SPACE) for n in names]), columns, strict=True):
        chunked = cells if isinstance(cells, pa.ChunkedArray) else pa.chunked_array([cells])
        declared = CATEGORY if pa.types.is_dictionary(chunked.type) else ""
        found[column] = Column(column, _plain(chunked), place, declared=declared)
    return Table(name, found, len(columns[0]))


def _row_of(name: str, row: int) -> str:
    return f"{name}, row {row + 1}"


def _of_index(index: str) -> dict[str, Any]:
    """What a table says of the index of its frame, which is passed over."""
    way_out = "frame.reset_index() makes it a column"
    note = f"the index of the frame, {index}, is passed over; {way_out}"
    return {"notes": (note,), "hint": f" The index of the frame is {index}; {way_out}."}


def _column_names(where: str, names: list[str], unnamed: str = "") -> list[str]:
    """Give nameless columns (row numbers of pandas and R) a name, and refuse names met twice."""
    names = [name or f"column {i + 1}" for i, name in enumerate(names)]
    seen: dict[str, int] = {}
    for i, name in enumerate(names):
        if name in seen:
            raise DataError(
                f"{where}: columns {seen[name] + 1} and {i + 1} are both named {name!r}; give each its own "
                f"name{unnamed}."
            )
        seen[name] = i
    return names


def _plain(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Undo the encodings that only concern storage, strip text, and make NaN and empty text what they mean, missing."""
    if pa.types.is_dictionary(cells.type) and not isinstance(cells.type.value_type, pa.BaseExtensionType):
        cells = _category(cells)
    if pa.types.is_string(cells.type) or pa.types.is_string_view(cells.type) or _is_binary(cells.type):
        cells = _as_text(cells)
    if pa.types.is_large_string(cells.type):
        cells = pc.utf8_trim(cells, characters=SPACE)
        empty = pc.equal(cells, "")
        if pc.any(empty).as_py():
            cells = pc.if_else(empty, pa.scalar(None, cells.type), cells)
    if pa.types.is_floating(cells.type):
        cells = pc.if_else(pc.is_nan(cells), pa.scalar(None, cells.type), cells)
    return cells


def _category(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """The levels of a declared category as people write them."""
    kind = cells.type.value_type
    cells = cells.cast(kind)
    if pa.types.is_boolean(kind):
        return pc.if_else(cells, "True", "False").cast(pa.large_string())
    if pa.types.is_floating(kind):
        cells = pc.if_else(pc.is_nan(cells), pa.scalar(None, kind), cells)
    if _is_binary(kind) or pa.types.is_nested(kind):
        return cells
    return written(cells)


def written(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Cells of a type as text: dates without a time of day that is midnight, as pandas writes them."""
    text = cells.cast(pa.large_string())
    return pc.replace_substring_regex(text, MIDNIGHT, "") if pa.types.is_timestamp(cells.type) else text


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _as_text(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text as `large_string`; bytes too, if they are text."""
    try:
        return cells.cast(pa.large_string())
    except pa.ArrowInvalid:
        return cells
